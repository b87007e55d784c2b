"""Images and signals of the learning-rate benchmark as whole tensors, inputs first; made, or from
installed files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from sklearn import datasets
from torch import Tensor

__all__ = [
    "blobs",
    "blurred",
    "digits",
    "gratings",
    "letters",
    "placed",
    "shapes",
    "turned",
    "waves",
]

Tensors = tuple[Tensor, ...]


def shapes(seed: int, filled: bool, n: int = 1400) -> Tensors:
    """Noisy grey images (n, 1, 16, 16) of circles, squares, crosses and corners, filled or as
    outlines; their form.
    """
    rng = np.random.default_rng(seed)
    form, x, y = rng.integers(0, 4, n), *rng.uniform(5, 11, (2, n))
    radius, light = rng.uniform(2.5, 5, n), rng.uniform(0.5, 1, n)
    rows, columns = np.mgrid[:16, :16]
    dx, dy = (columns - x[:, None, None]), (rows - y[:, None, None])
    box = np.maximum(abs(dx), abs(dy))
    cross = np.where(box < radius[:, None, None], np.minimum(abs(dx), abs(dy)) * 2.5, 9)
    corner = np.where((dx < 0) | (dy < 0), box, 9)
    far = (
        np.choose(form[:, None, None], [np.hypot(dx, dy), box, cross, corner])
        - radius[:, None, None]
    )
    inside = (far < 0) if filled else (abs(far) < 0.8)
    images = inside * light[:, None, None] + rng.normal(0, 0.15, inside.shape)
    return torch.tensor(images[:, None], dtype=torch.float32), torch.from_numpy(form)


def placed(seed: int, photo: str, across: bool = False, n: int = 1400) -> Tensors:
    """Patches (n, 3, 16, 16) of one of scikit-learn's photographs, dimmed at random; from which
    quarter of it.

    Quarters are counted from the top, or from the left when `across`.
    """
    rng = np.random.default_rng(seed)
    cut, places = _cut(rng, photo, 16, n)
    cut = cut * rng.uniform(0.3, 1, (n, 1, 1, 1)) + rng.normal(0, 0.1, cut.shape)
    begins = places[:, int(across)]
    quarter = begins * 4 // (begins.max() + 1)
    return torch.tensor(cut, dtype=torch.float32).permute(0, 3, 1, 2), torch.from_numpy(quarter)


def blurred(seed: int, photo: str, n: int = 800) -> Tensors:
    """Patches (n, 3, 16, 16) at a quarter of their resolution with noise; the patches as they
    were.
    """
    rng = np.random.default_rng(seed)
    sharp = torch.tensor(_cut(rng, photo, 16, n)[0], dtype=torch.float32).permute(0, 3, 1, 2)
    small = torch.nn.functional.avg_pool2d(sharp, 4)
    coarse = torch.nn.functional.interpolate(small, scale_factor=4, mode="bilinear")
    return coarse + torch.from_numpy(rng.normal(0, 0.1, coarse.shape)).float(), sharp


def _cut(rng: np.random.Generator, photo: str, size: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Patches (n, size, size, 3) at random places, about standardised; the row and column (n, 2) of
    each.
    """
    return _patches(
        rng, datasets.load_sample_image(photo)[::2, ::2].astype(float) / 64 - 2, size, n
    )


def _patches(
    rng: np.random.Generator, pixels: np.ndarray, size: int, n: int
) -> tuple[np.ndarray, np.ndarray]:
    tops, lefts = (rng.integers(0, side - size, n) for side in pixels.shape[:2])
    cut = np.stack(
        [
            pixels[top : top + size, left : left + size]
            for top, left in zip(tops, lefts, strict=True)
        ]
    )
    return cut, np.stack([tops, lefts], 1)


def gratings(seed: int, n: int = 1400) -> Tensors:
    """Noisy grey images (n, 1, 20, 20) of stripes of any width; which of six directions they have,
    roughly.
    """
    rng = np.random.default_rng(seed)
    direction = rng.integers(0, 6, n)
    angle = ((direction + rng.normal(0, 0.15, n)) * np.pi / 6)[:, None, None]
    rows, columns = np.mgrid[:20, :20]
    along = columns * np.cos(angle) + rows * np.sin(angle)
    stripes = np.sin(
        along * rng.uniform(0.6, 1.6, (n, 1, 1)) + rng.uniform(0, 2 * np.pi, (n, 1, 1))
    )
    images = stripes * rng.uniform(0.4, 1.2, (n, 1, 1)) + rng.normal(0, 0.5, stripes.shape)
    return torch.tensor(images[:, None], dtype=torch.float32), torch.from_numpy(direction)


def turned(seed: int, n: int = 1400) -> Tensors:
    """Patches (n, 3, 24, 24) of matplotlib's photograph of Grace Hopper; by how many quarters they
    were turned.
    """
    rng = np.random.default_rng(seed)
    photo = (
        Image.open(Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg"))
        .convert("RGB")
        .reduce(3)
    )
    cut, _ = _patches(rng, np.asarray(photo) / 64 - 2, 24, n)
    turns = rng.integers(0, 4, n)
    images = np.stack([np.rot90(patch, turn) for patch, turn in zip(cut, turns, strict=True)])
    return torch.tensor(images, dtype=torch.float32).permute(0, 3, 1, 2), torch.from_numpy(turns)


def blobs(seed: int, n: int = 400) -> Tensors:
    """Grey images (n, 1, 24, 24) of two even and two hollow blobs; each pixel's class (n, 24, 24):
    none, even, hollow.

    The hole in a blob is part of it. Later blobs cover earlier ones.
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:24, :24]
    images, classes = rng.normal(0, 0.25, (n, 24, 24)), np.zeros((n, 24, 24), dtype=np.int64)
    images += (
        rng.uniform(-0.03, 0.03, (n, 1, 1)) * rows + rng.uniform(-0.03, 0.03, (n, 1, 1)) * columns
    )
    for kind in rng.permuted(np.tile([1, 1, 2, 2], (n, 1)), axis=1).T[..., None, None]:
        (x, y), (wide, high) = rng.uniform(4, 20, (2, n, 1, 1)), rng.uniform(2.5, 6, (2, n, 1, 1))
        far = np.hypot((columns - x) / wide, (rows - y) / high)
        lit = (far < 1) & ((kind == 1) | (far > 0.5))
        images = np.where(far < 1, images * 0.3, images) + lit * rng.uniform(0.5, 1.2, (n, 1, 1))
        classes = np.where(far < 1, kind, classes)
    return torch.tensor(images[:, None], dtype=torch.float32), torch.from_numpy(classes)


def waves(seed: int, steady: bool, n: int = 1400) -> Tensors:
    """Noisy signals (n, 1, 128); which of four forms.

    `steady` ones are sine, square, saw and triangle waves; the others are sines that get faster,
    beat, come in bursts or die away.
    """
    rng = np.random.default_rng(seed)
    form, at = rng.integers(0, 4, n), np.arange(128) / 128
    begin, rate = rng.uniform(0, 1, (n, 1)), rng.uniform(4, 12, (n, 1))
    cycle = (begin + rate * at) % 1
    sine = np.sin(2 * np.pi * cycle)
    if steady:
        forms = [sine, np.sign(0.5 - cycle), 2 * cycle - 1, 4 * abs(cycle - 0.5) - 1]
    else:
        slow = np.sin(2 * np.pi * (rng.uniform(0, 1, (n, 1)) + rng.uniform(1, 3, (n, 1)) * at))
        faster = np.sin(2 * np.pi * (begin + rate * at * (0.5 + at)))
        forms = [faster, sine * (0.6 + 0.4 * slow), sine * (slow > 0), sine * np.exp(-3 * at)]
    signals = np.choose(form[:, None], forms) * rng.uniform(0.5, 1.5, (n, 1)) + rng.normal(
        0, 0.3, (n, 128)
    )
    return torch.tensor(signals[:, None], dtype=torch.float32), torch.from_numpy(form)


def letters(seed: int, these: str, fonts: Sequence[str], n: int = 1400) -> Tensors:
    """Noisy grey images (n, 1, 20, 20) of letters in some of matplotlib's fonts, shifted and
    tilted; which letter.
    """
    rng = np.random.default_rng(seed)
    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    faces = [
        ImageFont.truetype(str(folder / f"{font}.ttf"), size)
        for font in fonts
        for size in range(12, 18)
    ]
    which, images = rng.integers(0, len(these), n), np.zeros((n, 20, 20))
    for number, letter in enumerate(which):
        image = Image.new("L", (20, 20))
        place = tuple(10 + rng.uniform(-2, 2, 2))
        ImageDraw.Draw(image).text(
            place, these[letter], 255, faces[rng.integers(len(faces))], anchor="mm"
        )
        images[number] = (
            np.asarray(image.rotate(rng.uniform(-15, 15), Image.Resampling.BILINEAR)) / 255
        )
    images = images * rng.uniform(0.5, 1, (n, 1, 1)) + rng.normal(0, 0.1, images.shape)
    return torch.tensor(images[:, None] * 4 - 1, dtype=torch.float32), torch.from_numpy(which)


def digits(seed: int, keep: Sequence[int] = range(10)) -> Tensors:
    """Handwritten digits (n, 1, 8, 8) of these classes; the class, from 0."""
    found = datasets.load_digits()
    rows = np.isin(found.target, keep)
    images = torch.tensor(found.images[rows][:, None] / 8 - 1, dtype=torch.float32)
    return images, torch.tensor(found.target[rows] - min(keep))
