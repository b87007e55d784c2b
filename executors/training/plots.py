"""Pictures of training: epochs, layers, and samples that were hard; each function writes one PNG
file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from executors.plots import COLOURS, DPI, GREY

__all__ = ["plot_epochs", "plot_layers", "plot_samples"]

_COLUMNS = 6


def plot_epochs(path: Path, epochs: Sequence[Mapping[str, Any]], score: str) -> None:
    """Losses (left) and score (right) of each epoch, stages parted by lines; or a line for each way
    compared.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    ways = list(dict.fromkeys(str(epoch["way"]) for epoch in epochs))
    if len(ways) > 1:
        _draw_ways(
            left,
            right,
            {way: [epoch for epoch in epochs if epoch["way"] == way] for way in ways},
            score,
        )
    else:
        _draw_training(left, right, epochs, score)
    right.set(title=score, xlabel="epoch")
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
    figure.savefig(path, dpi=DPI)


def _draw_ways(
    left: Any, right: Any, ways: Mapping[str, Sequence[Mapping[str, Any]]], score: str
) -> None:
    for colour, (way, epochs) in zip(cycle(COLOURS), ways.items(), strict=False):
        numbers = range(1, len(epochs) + 1)
        left.plot(numbers, [epoch["valid_loss"] for epoch in epochs], "o-", color=colour, label=way)
        right.plot(numbers, _scores(epochs, score), "o-", color=colour, label=way)
    left.set(title="Validation loss", xlabel="epoch")
    left.legend(framealpha=0.9, edgecolor="none")


def _draw_training(left: Any, right: Any, epochs: Sequence[Mapping[str, Any]], score: str) -> None:
    numbers = [epoch["number"] for epoch in epochs]
    left.plot(
        numbers, [epoch["train_loss"] for epoch in epochs], "o-", color=COLOURS[1], label="training"
    )
    left.plot(
        numbers,
        [epoch["valid_loss"] for epoch in epochs],
        "o-",
        color=COLOURS[0],
        label="validation",
    )
    left.set(title="Loss", xlabel="epoch")
    left.legend(framealpha=0.9, edgecolor="none")
    right.plot(numbers, _scores(epochs, score), "o-", color=COLOURS[2])
    for axes in (left, right):
        for before, after in pairwise(epochs):
            if before["stage"] != after["stage"]:
                axes.axvline(before["number"] + 0.5, color=GREY, lw=1, ls=":")


def _scores(epochs: Sequence[Mapping[str, Any]], score: str) -> list[float]:
    return [epoch["metrics"].get(score, epoch["valid_loss"]) for epoch in epochs]


def plot_layers(path: Path, ways: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """Mean (left) and standard deviation (right) of each layer's activations, a line for each way
    to start.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for colour, (way, layers) in zip(COLOURS, ways.items(), strict=False):
        numbers = range(1, len(layers) + 1)
        left.plot(numbers, [mean for mean, _ in layers], ".-", color=colour, label=way)
        right.plot(
            numbers,
            [max(deviation, 1e-9) for _, deviation in layers],
            ".-",
            color=colour,
            label=way,
        )
    left.set(title="Mean of the activations", xlabel="layer")
    right.set(title="Standard deviation of the activations", xlabel="layer", yscale="log")
    right.axhline(1, color=GREY, lw=1, ls=":")
    for axes in (left, right):
        axes.grid(alpha=0.25)
        axes.legend(fontsize=8, framealpha=0.9, edgecolor="none")
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
