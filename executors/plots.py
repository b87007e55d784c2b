"""The recipes' pictures, drawn without a screen; each function writes one PNG file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from .amounts import show_bytes, show_rate
from .batches.search import Case, Trial

__all__ = ["plot_batches", "plot_curves"]

_COLOURS = ("#2563eb", "#ea580c", "#059669", "#9333ea", "#0891b2")  # told apart in grey as well
_RED, _GREY = "#dc2626", "#64748b"
_DPI = 140
_FAR = 0.2  # a limit of five times the highest peak would flatten the curve


def plot_batches(
    path: Path, trials: Sequence[Trial], marks: Sequence[tuple[Case, str, int, int]], limit_bytes: int
) -> None:
    """Peak memory (left) and samples per second (right) against batch size.

    `marks` holds (case, its name, largest batch, recommended batch) for each curve.
    """
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    most = max([trial.peak_bytes for trial in trials if trial.ok], default=0)
    scale, unit = (1e9, "GB") if most >= 1e9 else (1e6, "MB")
    for colour, (case, name, largest, recommended) in zip(_COLOURS * len(marks), marks, strict=False):
        own = [trial for trial in trials if trial.case == case]
        _draw_memory(left, own, colour, name or "peak", scale)
        _draw_rates(right, own, colour, name or "rate", recommended)
        left.axvline(largest, color=colour, lw=1, ls=":", label=f"largest: {largest}")
    if most > _FAR * limit_bytes:
        left.axhline(limit_bytes / scale, color=_RED, lw=1.2, ls="--", label=f"limit: {show_bytes(limit_bytes)}")
    else:
        left.plot([], [], " ", label=f"limit: {show_bytes(limit_bytes)}, far above")
    failed = sorted({trial.batch for trial in trials if not trial.ok})
    if failed:
        heights = [limit_bytes / scale] * len(failed)
        left.scatter(failed, heights, marker="x", color=_RED, s=45, zorder=4, label="out of memory")
    left.set(title="Memory of a training step", ylabel=f"peak memory ({unit})")
    right.set(title="Speed", ylabel="samples per second")
    for axes in (left, right):
        _batch_axis(axes, [trial.batch for trial in trials])
        axes.margins(y=0.12)
        axes.set_ylim(0, None)
        axes.legend(fontsize=8, loc="lower right", framealpha=0.9, edgecolor="none")
    figure.savefig(path, dpi=_DPI)


def _draw_memory(axes: Any, trials: Sequence[Trial], colour: str, label: str, scale: float) -> None:
    peaks: dict[int, int] = {}
    for trial in trials:
        if trial.ok and trial.purpose != "rate":  # those keep more than they need
            peaks[trial.batch] = min(peaks.get(trial.batch, trial.peak_bytes), trial.peak_bytes)
    batches = sorted(peaks)
    axes.plot(batches, [peaks[batch] / scale for batch in batches], "o-", color=colour, ms=4, lw=1.6, label=label)


def _draw_rates(axes: Any, trials: Sequence[Trial], colour: str, label: str, recommended: int) -> None:
    rates = {trial.batch: trial.samples_per_s for trial in trials if trial.ok and trial.purpose == "rate"}
    batches = sorted(rates)
    axes.plot(batches, [rates[batch] for batch in batches], "o-", color=colour, ms=4, lw=1.6, label=label)
    if recommended in rates:
        axes.plot(
            recommended,
            rates[recommended],
            "o",
            ms=12,
            mfc="none",
            mec=colour,
            mew=2,
            label=f"recommended: {recommended}",
        )


def plot_curves(path: Path, curves: Sequence[Mapping[str, Any]]) -> None:
    """Loss against learning rate, one panel for each curve, with the suggestions marked on it.

    Each curve holds `phase`, `lrs`, `losses` (smoothed), `raw`, `suggestions` (name to rate or None), `recommended`
    (a rate, a pair, or None), `explodes_at` (a rate or None) and, if there were several sweeps, `band` (rates, lowest,
    highest smoothed losses).
    """
    figure = Figure(figsize=(6.2 * len(curves), 4.6), layout="constrained")
    for axes, curve in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves, strict=True):
        _draw_curve(axes, curve)
    figure.savefig(path, dpi=_DPI)


def _draw_curve(axes: Any, curve: Mapping[str, Any]) -> None:
    import numpy as np

    lrs, losses = np.asarray(curve["lrs"]), np.asarray(curve["losses"])
    axes.plot(lrs, curve["raw"], color=_GREY, lw=0.8, alpha=0.45, label="loss of each batch")
    axes.plot(lrs, losses, color=_COLOURS[0], lw=2, label="smoothed")
    if curve.get("band"):
        axes.fill_between(*curve["band"], color=_COLOURS[0], alpha=0.18, lw=0, label="smoothed, other orders")
    recommended = curve["recommended"]
    if isinstance(recommended, list | tuple):
        axes.axvspan(*recommended, color=_COLOURS[2], alpha=0.18, lw=0, label=_named("recommended", recommended))
    elif recommended is not None:
        axes.axvline(recommended, color=_COLOURS[2], lw=2, label=_named("recommended", [recommended]))
    for (name, lr), marker in zip(curve["suggestions"].items(), "osD^", strict=False):
        if lr is not None:
            loss = float(np.interp(np.log10(lr), np.log10(lrs), losses))
            axes.plot(lr, loss, marker, ms=7, mec="white", mew=0.8, color=_COLOURS[1], label=f"{name}: {show_rate(lr)}")
    if curve["explodes_at"] is not None:
        axes.axvline(
            curve["explodes_at"], color=_RED, lw=1.2, ls="--", label=f"explodes: {show_rate(curve['explodes_at'])}"
        )
    axes.set_xscale("log")
    axes.set(title=f"Learning-rate finder, {curve['phase']}", xlabel="learning rate", ylabel="loss")
    low, high = min(float(losses.min()), float(np.min(curve["raw"]))), float(losses[0])
    room = max(high - low, 0.05 * abs(high), 1e-6)
    axes.set_ylim(low - 0.05 * room, high + 0.95 * room)  # the explosion is cut off, it would flatten the rest
    _tidy_axes(axes)
    axes.legend(frameon=False, fontsize=8, loc="upper left")


def _named(what: str, rates: Sequence[float]) -> str:
    return f"{what}: " + " to ".join(show_rate(rate) for rate in rates)


def _batch_axis(axes: Any, batches: Sequence[int]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xlim(min(batches) * 0.85, max(batches) * 1.18)
    axes.xaxis.set_major_locator(LogLocator(base=2))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("batch size (samples)")
    _tidy_axes(axes)


def _tidy_axes(axes: Any) -> None:
    axes.grid(True, color="#e2e8f0", lw=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
