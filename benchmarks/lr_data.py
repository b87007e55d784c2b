"""Data of the learning-rate benchmark as whole tensors, inputs first; made from a seed or by installed packages."""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor

__all__ = ["blurred", "digits", "docstrings", "friedman", "moons", "placed", "ratings", "shapes", "table", "words"]

Tensors = tuple[Tensor, ...]


def shapes(seed: int, filled: bool, n: int = 1400) -> Tensors:
    """Noisy grey images (n, 1, 16, 16) of circles, squares, crosses and corners, filled or as outlines; their form."""
    rng = np.random.default_rng(seed)
    form, x, y = rng.integers(0, 4, n), *rng.uniform(5, 11, (2, n))
    radius, light = rng.uniform(2.5, 5, n), rng.uniform(0.5, 1, n)
    rows, columns = np.mgrid[:16, :16]
    dx, dy = (columns - x[:, None, None]), (rows - y[:, None, None])
    box = np.maximum(abs(dx), abs(dy))
    cross = np.where(box < radius[:, None, None], np.minimum(abs(dx), abs(dy)) * 2.5, 9)
    corner = np.where((dx < 0) | (dy < 0), box, 9)
    far = np.choose(form[:, None, None], [np.hypot(dx, dy), box, cross, corner]) - radius[:, None, None]
    inside = (far < 0) if filled else (abs(far) < 0.8)
    images = inside * light[:, None, None] + rng.normal(0, 0.15, inside.shape)
    return torch.tensor(images[:, None], dtype=torch.float32), torch.from_numpy(form)


def placed(seed: int, photo: str, across: bool = False, n: int = 1400) -> Tensors:
    """Patches (n, 3, 16, 16) of one of scikit-learn's photographs, dimmed at random; from which quarter of it.

    Quarters are counted from the top, or from the left when `across`.
    """
    rng = np.random.default_rng(seed)
    cut, places = _cut(rng, photo, 16, n)
    cut = cut * rng.uniform(0.3, 1, (n, 1, 1, 1)) + rng.normal(0, 0.1, cut.shape)
    begins = places[:, int(across)]
    quarter = begins * 4 // (begins.max() + 1)
    return torch.tensor(cut, dtype=torch.float32).permute(0, 3, 1, 2), torch.from_numpy(quarter)


def blurred(seed: int, photo: str, n: int = 800) -> Tensors:
    """Patches (n, 3, 16, 16) at a quarter of their resolution with noise; the patches as they were."""
    rng = np.random.default_rng(seed)
    sharp = torch.tensor(_cut(rng, photo, 16, n)[0], dtype=torch.float32).permute(0, 3, 1, 2)
    small = torch.nn.functional.avg_pool2d(sharp, 4)
    coarse = torch.nn.functional.interpolate(small, scale_factor=4, mode="bilinear")
    return coarse + torch.from_numpy(rng.normal(0, 0.1, coarse.shape)).float(), sharp


def _cut(rng: np.random.Generator, photo: str, size: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Patches (n, size, size, 3) at random places, about standardised; the row and column (n, 2) of each."""
    pixels = datasets.load_sample_image(photo)[::2, ::2].astype(float) / 64 - 2
    tops, lefts = (rng.integers(0, side - size, n) for side in pixels.shape[:2])
    cut = np.stack([pixels[top : top + size, left : left + size] for top, left in zip(tops, lefts, strict=True)])
    return cut, np.stack([tops, lefts], 1)


def digits(seed: int, keep: Sequence[int] = range(10)) -> Tensors:
    """Handwritten digits (n, 1, 8, 8) of these classes; the class, from 0."""
    found = datasets.load_digits()
    rows = np.isin(found.target, keep)
    images = torch.tensor(found.images[rows][:, None] / 8 - 1, dtype=torch.float32)
    return images, torch.tensor(found.target[rows] - min(keep))


def table(seed: int, name: str) -> Tensors:
    """One of scikit-learn's tables, standardised: numbers (n, columns) and class, or value (n, 1)."""
    found = getattr(datasets, f"load_{name}")()
    numbers = (found.data - found.data.mean(0)) / found.data.std(0)
    if found.target.dtype.kind == "i":
        return torch.tensor(numbers, dtype=torch.float32), torch.from_numpy(found.target)
    value = (found.target - found.target.mean()) / found.target.std()
    return torch.tensor(numbers, dtype=torch.float32), torch.tensor(value[:, None], dtype=torch.float32)


def moons(seed: int) -> Tensors:
    """Two interleaving half circles with noise, (2000, 2); which."""
    points, which = datasets.make_moons(2000, noise=0.25, random_state=seed)
    return torch.tensor(points, dtype=torch.float32), torch.from_numpy(which)


def friedman(seed: int) -> Tensors:
    """Friedman's first function of ten numbers, (2000, 10), with noise; its value (n, 1), standardised."""
    numbers, value = datasets.make_friedman1(2000, noise=1.0, random_state=seed)
    value = (value - value.mean()) / value.std()
    return torch.tensor(numbers, dtype=torch.float32), torch.tensor(value[:, None], dtype=torch.float32)


def ratings(seed: int, users: int, items: int, factors: int, n: int = 6000) -> Tensors:
    """User and item (n, 2), rated from latent factors, biases and noise; the rating (n,)."""
    rng = np.random.default_rng(seed)
    taste, kind = rng.normal(0, 0.7, (users, factors)), rng.normal(0, 0.7, (items, factors))
    leaning, quality = rng.normal(0, 0.4, users), rng.normal(0, 0.6, items)
    user, item = rng.integers(0, users, n), rng.integers(0, items, n)
    stars = 3 + (taste[user] * kind[item]).sum(1) + leaning[user] + quality[item] + rng.normal(0, 0.4, n)
    pairs = np.stack([user, item], 1)
    return torch.from_numpy(pairs), torch.tensor(stars.clip(1, 5), dtype=torch.float32)


def docstrings(seed: int, packages: Sequence[str], n: int = 1500, length: int = 24, vocabulary: int = 1000) -> Tensors:
    """The first words (n, length) of docstrings, 0 where there are none, 1 for rare ones; the package, from 0."""
    rng = np.random.default_rng(seed)
    each = {package: _docstrings(package) for package in packages}
    count = min(n // len(packages), *map(len, each.values()))
    chosen = [(text, k) for k, texts in enumerate(each.values()) for text in rng.choice(texts, count, replace=False)]
    pieces = [re.findall(r"[a-z]+|[^a-z\s]", str(text).lower())[:length] for text, _ in chosen]
    ids = _ids(pieces, vocabulary)
    rows = [[ids.get(piece, 1) for piece in words] + [0] * (length - len(words)) for words in pieces]
    return torch.tensor(rows), torch.tensor([k for _, k in chosen])


def words(seed: int, package: str, letters: bool, length: int = 24, n: int = 700, vocabulary: int = 300) -> Tensors:
    """Stretches (n, length) of a package's docstrings, letter by letter or word by word; the same one further on."""
    text = " ".join(_docstrings(package)).lower()
    pieces = list(text) if letters else re.findall(r"[a-z]+|[^a-z\s]", text)
    ids = _ids([pieces], vocabulary)
    begin = np.random.default_rng(seed).integers(0, len(pieces) - length - 1, n)
    rows = torch.tensor([[ids.get(piece, 1) for piece in pieces[at : at + length + 1]] for at in begin])
    return rows[:, :-1].contiguous(), rows[:, 1:].contiguous()


def _ids(pieces: Sequence[Sequence[str]], vocabulary: int) -> dict[str, int]:
    counted = Counter(piece for words in pieces for piece in words)
    common = sorted(counted, key=lambda piece: (-counted[piece], piece))[: vocabulary - 2]
    return {piece: number + 2 for number, piece in enumerate(common)}


@functools.cache
def _docstrings(package: str) -> list[str]:
    """Docstrings in an installed package's files, in order of path; read, not imported."""
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None
    found = []
    for path in sorted(Path(spec.origin).parent.rglob("*.py"))[:250]:
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and (text := ast.get_docstring(node)):
                found += [text] if len(text) > 60 else []
    return found
