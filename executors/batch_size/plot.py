"""The picture of batch-size: memory and speed against the batch, drawn without a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from executors.amounts import show_bytes
from executors.batch_size.search import Case, Trial
from executors.plots import COLOURS, DPI, RED, tidy_axes

__all__ = ["Drawn", "plot_batches"]

_FAR = 0.2  # a limit of five times the highest peak would flatten the curve


@dataclass(frozen=True, slots=True)
class Drawn:
    """A curve to draw, with what is marked on it."""

    case: Case
    name: str  # "" for a lone one
    largest: int
    recommended: int


def plot_batches(
    path: Path, trials: Sequence[Trial], curves: Sequence[Drawn], limit_bytes: int
) -> None:
    """Peak memory (left) and samples per second (right) against batch size."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    most = max([trial.peak_bytes for trial in trials if trial.ok], default=0)
    scale, unit = (1e9, "GB") if most >= 1e9 else (1e6, "MB")
    for colour, curve in zip(COLOURS * len(curves), curves, strict=False):
        tried = [trial for trial in trials if trial.case == curve.case]
        _draw_memory(left, tried, colour, curve.name or "peak", scale)
        _draw_rates(right, tried, colour, curve.name or "rate", curve.recommended)
        left.axvline(curve.largest, color=colour, lw=1, ls=":", label=f"largest: {curve.largest}")
    if most > _FAR * limit_bytes:
        left.axhline(
            limit_bytes / scale,
            color=RED,
            lw=1.2,
            ls="--",
            label=f"limit: {show_bytes(limit_bytes)}",
        )
    else:
        left.plot([], [], " ", label=f"limit: {show_bytes(limit_bytes)}, far above")
    failed = sorted({trial.batch for trial in trials if not trial.ok})
    if failed:
        heights = [limit_bytes / scale] * len(failed)
        left.scatter(failed, heights, marker="x", color=RED, s=45, zorder=4, label="out of memory")
    left.set(title="Memory of a training step", ylabel=f"peak memory ({unit})")
    right.set(title="Speed", ylabel="samples per second")
    for axes in (left, right):
        _batch_axis(axes, [trial.batch for trial in trials])
        axes.margins(y=0.12)
        axes.set_ylim(0, None)
        axes.legend(fontsize=8, loc="lower right", framealpha=0.9, edgecolor="none")
    figure.savefig(path, dpi=DPI)


def _draw_memory(axes: Any, trials: Sequence[Trial], colour: str, label: str, scale: float) -> None:
    peaks: dict[int, int] = {}
    for trial in trials:
        if trial.ok and trial.purpose != "rate":  # those keep more than they need
            peaks[trial.batch] = min(peaks.get(trial.batch, trial.peak_bytes), trial.peak_bytes)
    batches = sorted(peaks)
    heights = [peaks[batch] / scale for batch in batches]
    axes.plot(batches, heights, "o-", color=colour, ms=4, lw=1.6, label=label)


def _draw_rates(
    axes: Any, trials: Sequence[Trial], colour: str, label: str, recommended: int
) -> None:
    timed = [trial for trial in trials if trial.ok and trial.purpose == "rate"]
    rates = {trial.batch: trial.samples_per_s for trial in timed}
    batches = sorted(rates)
    heights = [rates[batch] for batch in batches]
    axes.plot(batches, heights, "o-", color=colour, ms=4, lw=1.6, label=label)
    if recommended in rates:
        look = {"ms": 12, "mfc": "none", "mec": colour, "mew": 2}
        words = f"recommended: {recommended}"
        axes.plot(recommended, rates[recommended], "o", label=words, **look)


def _batch_axis(axes: Any, batches: Sequence[int]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xlim(min(batches) * 0.85, max(batches) * 1.18)
    axes.xaxis.set_major_locator(LogLocator(base=2))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("batch size (samples)")
    tidy_axes(axes)
