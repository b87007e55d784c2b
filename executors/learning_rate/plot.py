"""The picture of lr-find: loss against rate, drawn without a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from executors.amounts import show_rate
from executors.plots import COLOURS, DPI, GREY, RED, tidy_axes

__all__ = ["plot_curves"]


def plot_curves(path: Path, curves: Sequence[Mapping[str, Any]]) -> None:
    """Loss against learning rate, one panel for each curve, with the suggestions marked on it.

    Each curve holds `phase`, `lrs`, `losses` (smoothed), `raw`, `suggestions` (name to rate or
    None), `recommended` (a rate, a pair, or None), `explodes_at` (a rate or None) and, if there
    were several sweeps, `band` (rates, lowest, highest smoothed losses).
    """
    figure = Figure(figsize=(6.2 * len(curves), 4.6), layout="constrained")
    for axes, curve in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves, strict=True):
        _draw_curve(axes, curve)
    figure.savefig(path, dpi=DPI)


def _draw_curve(axes: Any, curve: Mapping[str, Any]) -> None:
    import numpy as np

    lrs, losses = np.asarray(curve["lrs"]), np.asarray(curve["losses"])
    axes.plot(lrs, curve["raw"], color=GREY, lw=0.8, alpha=0.45, label="loss of each batch")
    axes.plot(lrs, losses, color=COLOURS[0], lw=2, label="smoothed")
    if curve.get("band"):
        axes.fill_between(
            *curve["band"], color=COLOURS[0], alpha=0.18, lw=0, label="smoothed, other orders"
        )
    recommended = curve["recommended"]
    if isinstance(recommended, list | tuple):
        axes.axvspan(
            *recommended,
            color=COLOURS[2],
            alpha=0.18,
            lw=0,
            label=_named("recommended", recommended),
        )
    elif recommended is not None:
        axes.axvline(
            recommended, color=COLOURS[2], lw=2, label=_named("recommended", [recommended])
        )
    for (name, lr), marker in zip(curve["suggestions"].items(), "osD^", strict=False):
        if lr is not None:
            loss = float(np.interp(np.log10(lr), np.log10(lrs), losses))
            axes.plot(
                lr,
                loss,
                marker,
                ms=7,
                mec="white",
                mew=0.8,
                color=COLOURS[1],
                label=f"{name}: {show_rate(lr)}",
            )
    if curve["explodes_at"] is not None:
        axes.axvline(
            curve["explodes_at"],
            color=RED,
            lw=1.2,
            ls="--",
            label=f"explodes: {show_rate(curve['explodes_at'])}",
        )
    axes.set_xscale("log")
    axes.set(title=f"Learning-rate finder, {curve['phase']}", xlabel="learning rate", ylabel="loss")
    low, high = min(float(losses.min()), float(np.min(curve["raw"]))), float(losses[0])
    room = max(high - low, 0.05 * abs(high), 1e-6)
    axes.set_ylim(
        low - 0.05 * room, high + 0.95 * room
    )  # the explosion is cut off, it would flatten the rest
    tidy_axes(axes)
    axes.legend(frameon=False, fontsize=8, loc="upper left")


def _named(what: str, rates: Sequence[float]) -> str:
    return f"{what}: " + " to ".join(show_rate(rate) for rate in rates)
