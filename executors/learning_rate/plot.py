"""The picture of lr-find: loss against rate, drawn without a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from executors.amounts import show_rate
from executors.learning_rate.band import Band
from executors.learning_rate.suggest import Rate
from executors.learning_rate.sweep import Sweep
from executors.plots import COLOURS, DPI, GREY, RED, tidy_axes

__all__ = ["Drawn", "plot_curves"]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A curve to draw, with what is marked on it."""

    phase: str
    sweep: Sweep
    band: Band | None = None
    suggestions: Mapping[str, float | None] = field(default_factory=dict)
    recommended: Rate | None = None
    explodes_at: float | None = None


def plot_curves(path: Path, curves: Sequence[Drawn]) -> None:
    """Loss against learning rate, one panel for each curve, with what is marked on it."""
    figure = Figure(figsize=(6.2 * len(curves), 4.6), layout="constrained")
    for axes, curve in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves, strict=True):
        _draw_curve(axes, curve)
        _draw_marks(axes, curve)
        tidy_axes(axes)
        axes.legend(frameon=False, fontsize=8, loc="upper left")
    figure.savefig(path, dpi=DPI)


def _draw_curve(axes: Any, curve: Drawn) -> None:
    lrs, losses, raw = curve.sweep.lrs, curve.sweep.losses, curve.sweep.raw
    axes.plot(lrs, raw, color=GREY, lw=0.8, alpha=0.45, label="loss of each batch")
    axes.plot(lrs, losses, color=COLOURS[0], lw=2, label="smoothed")
    if curve.band is not None:
        around, label = curve.band, "smoothed, other orders"
        axes.fill_between(
            around.lrs, around.low, around.high, color=COLOURS[0], alpha=0.18, lw=0, label=label
        )
    axes.set_xscale("log")
    axes.set(title=f"Learning-rate finder, {curve.phase}", xlabel="learning rate", ylabel="loss")
    low, high = min(*losses, *raw), losses[0]
    room = max(high - low, 0.05 * abs(high), 1e-6)
    # the explosion is cut off, it would flatten the rest
    axes.set_ylim(low - 0.05 * room, high + 0.95 * room)


def _draw_marks(axes: Any, curve: Drawn) -> None:
    """What is recommended, fastai's suggestions, and where the loss explodes."""
    rate = curve.recommended
    if isinstance(rate, tuple):
        axes.axvspan(*rate, color=COLOURS[2], alpha=0.18, lw=0, label=_named(rate))
    elif rate is not None:
        axes.axvline(rate, color=COLOURS[2], lw=2, label=_named((rate,)))
    look = {"ms": 7, "mec": "white", "mew": 0.8, "color": COLOURS[1]}
    known = np.log10(curve.sweep.lrs)
    for (name, lr), marker in zip(curve.suggestions.items(), "osD^", strict=False):
        if lr is not None:
            loss = float(np.interp(np.log10(lr), known, curve.sweep.losses))
            axes.plot(lr, loss, marker, label=f"{name}: {show_rate(lr)}", **look)
    if curve.explodes_at is not None:
        label = f"explodes: {show_rate(curve.explodes_at)}"
        axes.axvline(curve.explodes_at, color=RED, lw=1.2, ls="--", label=label)


def _named(rates: Sequence[float]) -> str:
    return "recommended: " + " to ".join(show_rate(rate) for rate in rates)
