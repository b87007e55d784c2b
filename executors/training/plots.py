"""Pictures of training: epochs, layers, and samples that were hard; each function writes one PNG file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

__all__ = ["plot_epochs", "plot_layers", "plot_samples"]

_COLOURS = ("#2563eb", "#ea580c", "#059669", "#9333ea", "#0891b2", "#be123c")
_GREY = "#64748b"
_DPI = 140
_COLUMNS = 6


def plot_epochs(path: Path, epochs: Sequence[Mapping[str, Any]], score: str) -> None:
    """Losses (left) and score (right) of each epoch; stages are parted by lines."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    numbers = [epoch["number"] for epoch in epochs]
    left.plot(numbers, [epoch["train_loss"] for epoch in epochs], "o-", color=_COLOURS[1], label="training")
    left.plot(numbers, [epoch["valid_loss"] for epoch in epochs], "o-", color=_COLOURS[0], label="validation")
    left.set(title="Loss", xlabel="epoch")
    left.legend(framealpha=0.9, edgecolor="none")
    values = [epoch["metrics"].get(score, epoch["valid_loss"]) for epoch in epochs]
    right.plot(numbers, values, "o-", color=_COLOURS[2])
    right.set(title=score, xlabel="epoch")
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        for before, after in pairwise(epochs):
            if before["stage"] != after["stage"]:
                axes.axvline(before["number"] + 0.5, color=_GREY, lw=1, ls=":")
        axes.grid(alpha=0.25)
    figure.savefig(path, dpi=_DPI)


def plot_layers(path: Path, ways: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """Mean (left) and standard deviation (right) of each layer's activations, a line for each way to start."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for colour, (way, layers) in zip(_COLOURS, ways.items(), strict=False):
        numbers = range(1, len(layers) + 1)
        left.plot(numbers, [mean for mean, _ in layers], ".-", color=colour, label=way)
        right.plot(numbers, [max(deviation, 1e-9) for _, deviation in layers], ".-", color=colour, label=way)
    left.set(title="Mean of the activations", xlabel="layer")
    right.set(title="Standard deviation of the activations", xlabel="layer", yscale="log")
    right.axhline(1, color=_GREY, lw=1, ls=":")
    for axes in (left, right):
        axes.grid(alpha=0.25)
        axes.legend(fontsize=8, framealpha=0.9, edgecolor="none")
    figure.savefig(path, dpi=_DPI)


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
    figure.savefig(path, dpi=_DPI)
