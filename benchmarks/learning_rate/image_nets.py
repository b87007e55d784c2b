"""Small convolutional networks for images and signals of the learning-rate benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

__all__ = ["Residual", "Segmenter", "UNet", "along", "cnn", "grouped", "mixer", "separable"]


def cnn(channels: int, widths: Sequence[int], norm: bool = False) -> nn.Sequential:
    """Convolutions of stride two down to a vector of the last width."""
    layers: list[nn.Module] = []
    for before, width in zip((channels, *widths), widths, strict=False):
        parts: list[nn.Module] = [nn.Conv2d(before, width, 3, stride=2, padding=1)]
        parts += [nn.BatchNorm2d(width)] if norm else []
        layers.append(nn.Sequential(*parts, nn.ReLU()))
    return nn.Sequential(*layers, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))


class _Block(nn.Module):
    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.way = nn.Sequential(
            nn.Conv2d(before, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.past = nn.Conv2d(before, width, 1) if before != width else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.way(x) + self.past(x))


class Residual(nn.Sequential):
    """Residual blocks, halved in between, down to a vector of the last width."""

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        parts: list[nn.Module] = []
        for before, width in zip((channels, *widths), widths, strict=False):
            parts.append(nn.Sequential(_Block(before, width), nn.MaxPool2d(2)))
        super().__init__(*parts, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))


def separable(channels: int, widths: Sequence[int]) -> nn.Sequential:
    """A convolution, then depthwise and pointwise ones of stride two, down to a vector of the last
    width.
    """
    layers: list[nn.Module] = [
        nn.Conv2d(channels, widths[0], 3, padding=1, bias=False),
        nn.BatchNorm2d(widths[0]),
    ]
    for before, width in pairwise(widths):
        layers += [
            nn.ReLU6(),
            nn.Conv2d(before, before, 3, stride=2, padding=1, groups=before, bias=False),
        ]
        layers += [
            nn.BatchNorm2d(before),
            nn.ReLU6(),
            nn.Conv2d(before, width, 1, bias=False),
            nn.BatchNorm2d(width),
        ]
    return nn.Sequential(*layers, nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def grouped(channels: int, side: int, widths: Sequence[int], outputs: int) -> nn.Sequential:
    """Convolutions with group normalisation, halved in between; linear layers over all places that
    are left.
    """
    layers: list[nn.Module] = []
    for before, width in zip((channels, *widths), widths, strict=False):
        layers += [
            nn.Conv2d(before, width, 3, padding=1),
            nn.GroupNorm(4, width),
            nn.GELU(),
            nn.MaxPool2d(2),
        ]
    left = widths[-1] * (side >> len(widths)) ** 2
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(left, 64), nn.GELU(), nn.Linear(64, outputs)
    )


class _Mixing(nn.Module):
    """A depthwise convolution past which the input goes as well, then a pointwise one."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.places = nn.Sequential(
            nn.Conv2d(width, width, size, padding=size // 2, groups=width),
            nn.GELU(),
            nn.GroupNorm(1, width),
        )
        self.channels = nn.Sequential(nn.Conv2d(width, width, 1), nn.GELU(), nn.GroupNorm(1, width))

    def forward(self, x: Tensor) -> Tensor:
        return self.channels(x + self.places(x))


def mixer(channels: int, width: int, depth: int) -> nn.Sequential:
    """Patches of four by four pixels, mixed by convolutions of one size, down to a vector of the
    width.
    """
    stem = nn.Sequential(nn.Conv2d(channels, width, 4, stride=4), nn.GELU(), nn.GroupNorm(1, width))
    blocks = [_Mixing(width, 3) for _ in range(depth)]
    return nn.Sequential(stem, *blocks, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))


def along(widths: Sequence[int]) -> nn.Sequential:
    """Long convolutions along a signal with batch normalisation, halved in between, down to its
    highest answers.
    """
    layers: list[nn.Module] = []
    for before, width in zip((1, *widths), widths, strict=False):
        convolution = nn.Conv1d(before, width, 9, padding=4, bias=False)
        layers.append(
            nn.Sequential(convolution, nn.BatchNorm1d(width), nn.LeakyReLU(0.1), nn.AvgPool1d(2))
        )
    return nn.Sequential(*layers, nn.Sequential(nn.AdaptiveMaxPool1d(1), nn.Flatten()))


def _double(before: int, width: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs in (before, width):
        layers += [
            nn.Conv2d(inputs, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers)


class Segmenter(nn.Module):
    """A U-Net of three scales with batch normalisation; an image in, a class for each pixel out."""

    def __init__(self, channels: int, width: int, classes: int) -> None:
        super().__init__()
        self.fine, self.middle = _double(channels, width), _double(width, 2 * width)
        self.deep = _double(2 * width, 4 * width)
        self.up_middle, self.up_fine = _double(6 * width, 2 * width), _double(3 * width, width)
        self.out = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, h, w) to (b, classes, h, w)."""
        halve, double = nn.functional.max_pool2d, nn.functional.interpolate
        fine = self.fine(x)
        middle = self.middle(halve(fine, 2))
        deep = self.deep(halve(middle, 2))
        middle = self.up_middle(torch.cat([double(deep, scale_factor=2.0), middle], 1))
        return self.out(self.up_fine(torch.cat([double(middle, scale_factor=2.0), fine], 1)))


class UNet(nn.Module):
    """Two scales with a bridge; an image in, an image out."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU())
        self.deep = nn.Sequential(
            nn.MaxPool2d(2), nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU()
        )
        self.up = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.out = nn.Conv2d(2 * width, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, h, w) both ways."""
        fine = self.down(x)
        return self.out(torch.cat([fine, torch.relu(self.up(self.deep(fine)))], 1))
