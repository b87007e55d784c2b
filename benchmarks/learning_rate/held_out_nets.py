"""Small networks of the learning-rate benchmark's held-out tasks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

__all__ = [
    "Last",
    "Players",
    "Tagger",
    "Vectors",
    "bottle",
    "dilated",
    "instances",
    "normless",
    "over_words",
    "plain",
]


def plain(sizes: Sequence[int], activation: type[nn.Module]) -> nn.Sequential:
    """Linear layers from the first size to the last with nothing but an activation between them."""
    layers: list[nn.Module] = []
    for before, width in pairwise(sizes):
        layers += [nn.Linear(before, width), activation()]
    return nn.Sequential(*layers[:-1])


def bottle(inputs: int, width: int, narrow: int) -> nn.Sequential:
    """Squeezes a vector through a narrow layer and gives it back, between zero and one."""
    return nn.Sequential(*plain((inputs, width, narrow, width, inputs), nn.ReLU), nn.Sigmoid())


def normless(channels: int, width: int, depth: int, outputs: int) -> nn.Sequential:
    """Convolutions with ReLU alone, two of them halving; then the mean of what they answer in each
    quarter of the image.
    """
    layers: list[nn.Module] = []
    for number in range(depth):
        stride = 2 if number in (1, 3) else 1
        layers += [
            nn.Conv2d(width if number else channels, width, 3, stride=stride, padding=1),
            nn.ReLU(),
        ]
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * width, outputs)
    )


def dilated(width: int, depth: int, outputs: int) -> nn.Sequential:
    """Convolutions along a signal that look twice as far each; then their mean."""
    layers: list[nn.Module] = []
    for number in range(depth):
        far = 2**number
        layers += [
            nn.Conv1d(width if number else 1, width, 3, padding=far, dilation=far),
            nn.BatchNorm1d(width),
            nn.SiLU(),
        ]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(width, outputs))


def instances(widths: Sequence[int]) -> nn.Sequential:
    """Convolutions of five by five with instance normalisation, down to a vector of the last
    width.
    """
    layers = [
        nn.Sequential(
            nn.Conv2d(before, width, 5, stride=2, padding=2),
            nn.InstanceNorm2d(width, affine=True),
            nn.ELU(),
        )
        for before, width in pairwise((1, *widths))
    ]
    return nn.Sequential(*layers, nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten()))


class _Swapped(nn.Module):
    """Words last, for convolutions."""

    def forward(self, x: Tensor) -> Tensor:
        """(b, l, d) to (b, d, l)."""
        return x.transpose(1, 2)


def over_words(vocabulary: int, width: int) -> nn.Sequential:
    """Words' vectors and convolutions over them, down to their highest answers."""
    return nn.Sequential(
        nn.Sequential(nn.Embedding(vocabulary, width), _Swapped()),
        nn.Sequential(nn.Conv1d(width, width, 3, padding=1), nn.ReLU()),
        nn.Sequential(nn.Conv1d(width, width, 3, padding=1), nn.ReLU()),
        nn.Sequential(nn.AdaptiveMaxPool1d(1), nn.Flatten()),
    )


class Last(nn.Module):
    """An LSTM over a series, or over letters when there is a `vocabulary`; answers at its end."""

    def __init__(self, inputs: int, width: int, outputs: int, vocabulary: int = 0) -> None:
        super().__init__()
        self.vectors = nn.Embedding(vocabulary, inputs) if vocabulary else nn.Identity()
        self.over = nn.LSTM(inputs, width, batch_first=True, bidirectional=bool(vocabulary))
        self.out = nn.Linear(width * (2 if vocabulary else 1), outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(b, l) or (b, l, inputs) to (b, outputs)."""
        _, (ends, _) = self.over(self.vectors(x))
        return self.out(ends.transpose(0, 1).flatten(1))


class Tagger(nn.Module):
    """Two layers of attention, normalised after each; an answer at each place."""

    def __init__(self, vocabulary: int, width: int, length: int) -> None:
        super().__init__()
        self.vectors, self.places = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        layer = nn.TransformerEncoderLayer(width, 2, 2 * width, dropout=0.0, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(width, vocabulary)

    def forward(self, x: Tensor) -> Tensor:
        """(b, length) to (b, length, vocabulary)."""
        return self.out(self.layers(self.vectors(x) + self.places.weight))


class Vectors(nn.Module):
    """Patches of an image as words of a transformer with a word of its own that answers."""

    def __init__(self, side: int, patch: int, width: int, outputs: int) -> None:
        super().__init__()
        self.cut = nn.Conv2d(1, width, patch, stride=patch)
        self.own = nn.Parameter(torch.zeros(1, 1, width))
        self.places = nn.Parameter(torch.randn((side // patch) ** 2, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width, 4, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.out = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(b, 1, side, side) to (b, outputs)."""
        words = self.cut(x).flatten(2).transpose(1, 2) + self.places
        return self.out(self.layers(torch.cat([self.own.expand(len(x), -1, -1), words], 1))[:, 0])


class Players(nn.Module):
    """Which of two players wins: the difference of their strengths and how their vectors turn round
    each other.
    """

    def __init__(self, players: int, width: int) -> None:
        super().__init__()
        self.strength, self.way = nn.Embedding(players, 1), nn.Embedding(players, width)
        self.turn = nn.Linear(width, width, bias=False)
        for table in (self.strength, self.way):
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, 2) to (b,), the logit."""
        ways = self.way(x)
        round_ = (self.turn(ways[:, 0]) * ways[:, 1] - self.turn(ways[:, 1]) * ways[:, 0]).sum(1)
        strengths = self.strength(x)[..., 0]
        return strengths[:, 0] - strengths[:, 1] + round_
