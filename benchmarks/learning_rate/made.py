"""Made data of the learning-rate benchmark's held-out tasks as whole tensors, inputs first."""

from __future__ import annotations

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor

__all__ = [
    "adding",
    "clock",
    "dice",
    "ellipses",
    "matches",
    "parity",
    "pitch",
    "rectifier",
    "reversed_digits",
    "rings",
    "roll",
    "spirals",
]

Tensors = tuple[Tensor, ...]


def _floats(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)


def spirals(seed: int, n: int = 2000) -> Tensors:
    """Points (n, 2) on three noisy arms of a spiral; which arm."""
    rng = np.random.default_rng(seed)
    arm, far = rng.integers(0, 3, n), np.sqrt(rng.uniform(0.02, 1, n))
    angle = 2 * np.pi * arm / 3 + 4.5 * far + rng.normal(0, 0.15, n)
    return _floats(2 * far[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)), torch.tensor(
        arm
    )


def parity(seed: int, n: int = 3000) -> Tensors:
    """Twelve signs (n, 12); whether the first three have an odd number of minuses, told wrongly
    once in thirty times.
    """
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], (n, 12))
    odd = (signs[:, :3].prod(1) < 0) ^ (rng.uniform(0, 1, n) < 1 / 30)
    return _floats(signs), torch.tensor(odd.astype(np.int64))


def roll(seed: int, n: int = 1600) -> Tensors:
    """Points (n, 3) of a rolled sheet as they are, from -14 to 21; how far each is along it (n,
    1).
    """
    points, along = datasets.make_swiss_roll(n, noise=0.5, random_state=seed)
    return _floats(points), _floats((along[:, None] - along.mean()) / along.std())


def rectifier(seed: int, n: int = 1500) -> Tensors:
    """Friedman's third function, the phase in a circuit of four parts (n, 4), under noise three
    times its spread; its value (n, 1), standardised.
    """
    numbers, value = datasets.make_friedman3(n, noise=0.9, random_state=seed)
    return (
        _floats((numbers - numbers.mean(0)) / numbers.std(0)),
        _floats((value[:, None] - value.mean()) / value.std()),
    )


def matches(seed: int, players: int, n: int = 6000) -> Tensors:
    """Two players (n, 2), each with a strength and three ways to play that beat each other; whether
    the first won (n,).
    """
    rng = np.random.default_rng(seed)
    strength, way = rng.normal(0, 1, players), rng.integers(0, 3, players)
    pairs = rng.integers(0, players, (n, 2))
    first, second = pairs.T
    beats = np.array([0.0, 2.0, -2.0])[(way[first] - way[second]) % 3]
    chance = 1 / (1 + np.exp(-(strength[first] - strength[second]) - beats))
    return torch.tensor(pairs), _floats(rng.uniform(0, 1, n) < chance)


def adding(seed: int, n: int = 4000, length: int = 12) -> Tensors:
    """Series (n, length, 2) of numbers and marks; the sum (n, 1) of the two numbers marked,
    standardised.
    """
    rng = np.random.default_rng(seed)
    numbers, marks = rng.uniform(-1, 1, (n, length)), np.zeros((n, length))
    for half in (range(length // 2), range(length // 2, length)):
        marks[np.arange(n), rng.choice(half, n)] = 1
    total = (numbers * marks).sum(1, keepdims=True)
    return _floats(np.stack([numbers, marks], 2)), _floats(total / total.std())


def pitch(seed: int, n: int = 1400) -> Tensors:
    """Noisy sounds (n, 1, 96) of a tone with overtones; the logarithm of its pitch (n, 1),
    standardised.
    """
    rng = np.random.default_rng(seed)
    height = rng.uniform(0, 1, (n, 1))
    phase = 2 * np.pi * (rng.uniform(0, 1, (n, 1)) + 3 * 4**height * np.arange(96) / 96)
    sounds = sum(np.sin(k * phase) * rng.uniform(0, 1, (n, 1)) / k for k in (1, 2, 3))
    noisy = sounds + rng.normal(0, 0.2, (n, 96))
    return _floats(noisy[:, None]), _floats((height - 0.5) * 12**0.5)


def reversed_digits(seed: int, n: int = 3000, length: int = 6) -> Tensors:
    """Digits (n, length); the same from the last to the first."""
    digits = torch.from_numpy(np.random.default_rng(seed).integers(0, 8, (n, length)))
    return digits, digits.flip(1).contiguous()


def rings(seed: int, n: int = 1400, side: int = 24) -> Tensors:
    """Noisy images (n, 1, side, side) of one to four rings; how many, less one."""
    rng = np.random.default_rng(seed)
    count, images = rng.integers(0, 4, n), rng.normal(0, 0.2, (n, side, side))
    rows, columns = np.mgrid[:side, :side]
    for number in range(4):
        x, y = rng.uniform(4, side - 4, (2, n, 1, 1))
        far = np.hypot(columns - x, rows - y) - rng.uniform(2, 3.5, (n, 1, 1))
        images += np.exp(-(far**2)) * (count >= number)[:, None, None]
    return _floats(images[:, None]), torch.tensor(count)


def clock(seed: int, n: int = 1600, side: int = 20) -> Tensors:
    """Noisy images (n, 1, side, side) of a clock's hand; its cosine and sine (n, 2)."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, n)
    way = np.stack([np.cos(angle), np.sin(angle)], 1)
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    along = columns * way[:, :1, None] + rows * way[:, 1:, None]
    beside = abs(columns * way[:, 1:, None] - rows * way[:, :1, None])
    hand = (beside < 1) & (along > 0) & (along < rng.uniform(5, 9, (n, 1, 1)))
    return _floats((hand + rng.normal(0, 0.3, hand.shape))[:, None]), _floats(way)


def ellipses(seed: int, tilts: bool, n: int = 1400, side: int = 20) -> Tensors:
    """Noisy images (n, 1, side, side) of ellipses, light or dark; how long they are in four steps,
    or of four `tilts` which.
    """
    rng = np.random.default_rng(seed)
    tilt, length = rng.integers(0, 4, n), rng.integers(0, 4, n)
    angle = ((tilt + rng.normal(0, 0.2, n)) * np.pi / 4)[:, None, None]
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    x, y = columns - rng.uniform(-3, 3, (n, 1, 1)), rows - rng.uniform(-3, 3, (n, 1, 1))
    along, beside = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    inside = np.hypot(along / (3.5 + length[:, None, None]), beside / 2.2) < 1
    images = inside * rng.choice([-1.0, 1.0], (n, 1, 1)) + rng.normal(0, 0.25, inside.shape)
    return _floats(images[:, None]), torch.tensor(tilt if tilts else length)


def dice(seed: int, n: int = 900) -> Tensors:
    """Images (n, 256) of the pips on a die, shifted and dimmed; the same images."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:16, :16]
    spots = np.array([(0, 0), (-1, -1), (1, 1), (-1, 1), (1, -1), (-1, 0), (1, 0)]) * 4 + 7.5
    shown = np.array(["1000000", "0110000", "1110000", "0111100", "1111100", "0111111"])
    on = np.array([[one == "1" for one in row] for row in shown])[rng.integers(0, 6, n)]
    images, shift = np.zeros((n, 16, 16)), rng.uniform(-1.5, 1.5, (2, n, 1, 1))
    for spot, (row, column) in enumerate(spots):
        far = np.hypot(rows - row - shift[0], columns - column - shift[1])
        images += np.exp(-(far**2) / 2) * on[:, spot, None, None]
    flat = _floats(images.reshape(n, 256) * rng.uniform(0.5, 1, (n, 1)))
    return flat, flat.clone()
