"""Pictures of training: epochs, layers, and hard samples; each function writes one PNG file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from executors.plots import COLOURS, DPI, GREY

if TYPE_CHECKING:
    from executors.training.activations import Layer
    from executors.training.fit import Epoch
    from executors.training.stuck import Bounds, Try

__all__ = ["plot_epochs", "plot_layers", "plot_samples", "plot_tries"]

_COLUMNS = 6


def plot_epochs(path: Path, epochs: Sequence[Epoch], score: str) -> None:
    """Losses (left) and score (right) of each epoch.

    Stages are parted by lines; where ways are compared, each has a line of its own instead.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    ways: dict[str, list[Epoch]] = {}
    for epoch in epochs:
        ways.setdefault(epoch.way, []).append(epoch)
    if len(ways) > 1:
        _draw_ways(left, right, ways, score)
    else:
        _draw_training(left, right, epochs, score)
    right.set(title=score, xlabel="epoch")
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
    figure.savefig(path, dpi=DPI)


def _draw_ways(left: Any, right: Any, ways: Mapping[str, Sequence[Epoch]], score: str) -> None:
    for colour, (way, epochs) in zip(cycle(COLOURS), ways.items(), strict=False):
        numbers = range(1, len(epochs) + 1)
        left.plot(numbers, [one.valid_loss for one in epochs], "o-", color=colour, label=way)
        right.plot(numbers, _scores(epochs, score), "o-", color=colour, label=way)
    left.set(title="Validation loss", xlabel="epoch")
    left.legend(framealpha=0.9, edgecolor="none")


def _draw_training(left: Any, right: Any, epochs: Sequence[Epoch], score: str) -> None:
    numbers = [epoch.number for epoch in epochs]
    train, valid = [one.train_loss for one in epochs], [one.valid_loss for one in epochs]
    left.plot(numbers, train, "o-", color=COLOURS[1], label="training")
    left.plot(numbers, valid, "o-", color=COLOURS[0], label="validation")
    left.set(title="Loss", xlabel="epoch")
    left.legend(framealpha=0.9, edgecolor="none")
    right.plot(numbers, _scores(epochs, score), "o-", color=COLOURS[2])
    ends = [before.number for before, after in pairwise(epochs) if before.stage != after.stage]
    for axes in (left, right):
        for number in ends:
            axes.axvline(number + 0.5, color=GREY, lw=1, ls=":")


def _scores(epochs: Sequence[Epoch], score: str) -> list[float]:
    return [epoch.metrics.get(score, epoch.valid_loss) for epoch in epochs]


def plot_layers(path: Path, ways: Mapping[str, Sequence[Layer]]) -> None:
    """Mean (left) and deviation (right) of each layer's activations, a line for each way."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for colour, (way, layers) in zip(COLOURS, ways.items(), strict=False):
        numbers = range(1, len(layers) + 1)
        deviations = [max(layer.deviation, 1e-9) for layer in layers]
        left.plot(numbers, [layer.mean for layer in layers], ".-", color=colour, label=way)
        right.plot(numbers, deviations, ".-", color=colour, label=way)
    left.set(title="Mean of the activations", xlabel="layer")
    right.set(title="Standard deviation of the activations", xlabel="layer", yscale="log")
    right.axhline(1, color=GREY, lw=1, ls=":")
    for axes in (left, right):
        axes.grid(alpha=0.25)
        axes.legend(fontsize=8, framealpha=0.9, edgecolor="none")
    figure.savefig(path, dpi=DPI)


def plot_tries(path: Path, tries: Sequence[Try], limits: Bounds) -> None:
    """The loss of each pass over the batches, a line for each try, above the least there is."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for colour, one in zip(cycle(COLOURS), tries, strict=False):
        above = [max(loss - limits.floor, 1e-9) for loss in one.means]
        axes.plot(range(1, len(above) + 1), above, ".-", color=colour, label=f"rate {one.lr:g}")
    axes.axhline(max(limits.room, 1e-9), color=GREY, lw=1, ls=":", label=limits.answer)
    axes.set(title="Loss above the least there is", xlabel="pass", yscale="log")
    axes.legend(fontsize=8, framealpha=0.9, edgecolor="none")
    axes.grid(alpha=0.25)
    figure.savefig(path, dpi=DPI)


def plot_samples(path: Path, pictures: Sequence[Any], titles: Sequence[str]) -> None:
    """Pictures (PIL images) in rows, each below its title of up to three lines."""
    rows = -(-len(pictures) // _COLUMNS)
    figure = Figure(figsize=(2 * _COLUMNS, 2.5 * rows), layout="constrained")
    all_axes = figure.subplots(rows, _COLUMNS, squeeze=False).flatten()
    for axes in all_axes:
        axes.axis("off")
    for axes, picture, title in zip(all_axes, pictures, titles, strict=False):
        axes.imshow(picture)
        axes.set_title(title, fontsize=8)
    figure.savefig(path, dpi=DPI)
