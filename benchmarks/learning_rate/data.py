"""Tables, texts and ratings of the learning-rate benchmark as whole tensors, inputs first; its
images are elsewhere.
"""

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

__all__ = [
    "clicks",
    "code",
    "docstrings",
    "friedman",
    "hastie",
    "impedance",
    "moons",
    "names",
    "ratings",
    "table",
    "wide",
    "words",
]

Tensors = tuple[Tensor, ...]


def table(seed: int, name: str) -> Tensors:
    """One of scikit-learn's tables, standardised: numbers (n, columns) and class, or value (n,
    1).
    """
    found = getattr(datasets, f"load_{name}")()
    numbers = (found.data - found.data.mean(0)) / found.data.std(0)
    if found.target.dtype.kind == "i":
        return torch.tensor(numbers, dtype=torch.float32), torch.from_numpy(found.target)
    value = (found.target - found.target.mean()) / found.target.std()
    return torch.tensor(numbers, dtype=torch.float32), torch.tensor(
        value[:, None], dtype=torch.float32
    )


def moons(seed: int) -> Tensors:
    """Two interleaving half circles with noise, (2000, 2); which."""
    points, which = datasets.make_moons(2000, noise=0.25, random_state=seed)
    return torch.tensor(points, dtype=torch.float32), torch.from_numpy(which)


def friedman(seed: int) -> Tensors:
    """Friedman's first function of ten numbers, (2000, 10), with noise; its value (n, 1),
    standardised.
    """
    numbers, value = datasets.make_friedman1(2000, noise=1.0, random_state=seed)
    value = (value - value.mean()) / value.std()
    return torch.tensor(numbers, dtype=torch.float32), torch.tensor(
        value[:, None], dtype=torch.float32
    )


def hastie(seed: int) -> Tensors:
    """Ten normal numbers, (2400, 10); whether their squares' sum is above its median, as in Hastie
    et al.'s book.
    """
    numbers, side = datasets.make_hastie_10_2(2400, random_state=seed)
    return torch.tensor(numbers, dtype=torch.float32), torch.from_numpy((side > 0).astype(np.int64))


def impedance(seed: int) -> Tensors:
    """Friedman's second function, of a circuit's four parts, (1600, 4), with noise; its value (n,
    1); standardised.
    """
    numbers, value = datasets.make_friedman2(1600, noise=100.0, random_state=seed)
    numbers, value = (
        (numbers - numbers.mean(0)) / numbers.std(0),
        (value - value.mean()) / value.std(),
    )
    return torch.tensor(numbers, dtype=torch.float32), torch.tensor(
        value[:, None], dtype=torch.float32
    )


def wide(seed: int) -> Tensors:
    """Clusters in 15 of 150 columns, mixed in 20 more, noise in the rest, (2000, 150); which of
    four classes.
    """
    numbers, which = datasets.make_classification(
        2000,
        150,
        n_informative=15,
        n_redundant=20,
        n_classes=4,
        class_sep=1.5,
        flip_y=0.02,
        random_state=seed,
    )
    return torch.tensor(numbers / numbers.std(0), dtype=torch.float32), torch.from_numpy(which)


def clicks(seed: int, users: int, items: int, n: int = 6000) -> Tensors:
    """User and item (n, 2); whether it was clicked (n,), by the user's zeal, the item's fame and
    how near they lie.
    """
    rng = np.random.default_rng(seed)
    zeal, fame = rng.normal(0, 1, users), rng.normal(0, 1.5, items)
    of_user, of_item = rng.normal(0, 1, users), rng.normal(0, 1, items)
    user, item = rng.integers(0, users, n), rng.integers(0, items, n)
    leaning = 2 + zeal[user] + fame[item] - 2.5 * abs(of_user[user] - of_item[item])
    clicked = rng.uniform(0, 1, n) < 1 / (1 + np.exp(-leaning))
    return torch.from_numpy(np.stack([user, item], 1)), torch.tensor(clicked, dtype=torch.float32)


def ratings(seed: int, users: int, items: int, factors: int, n: int = 6000) -> Tensors:
    """User and item (n, 2), rated from latent factors, biases and noise; the rating (n,)."""
    rng = np.random.default_rng(seed)
    taste, kind = rng.normal(0, 0.7, (users, factors)), rng.normal(0, 0.7, (items, factors))
    leaning, quality = rng.normal(0, 0.4, users), rng.normal(0, 0.6, items)
    user, item = rng.integers(0, users, n), rng.integers(0, items, n)
    stars = (
        3
        + (taste[user] * kind[item]).sum(1)
        + leaning[user]
        + quality[item]
        + rng.normal(0, 0.4, n)
    )
    pairs = np.stack([user, item], 1)
    return torch.from_numpy(pairs), torch.tensor(stars.clip(1, 5), dtype=torch.float32)


def docstrings(
    seed: int, packages: Sequence[str], n: int = 1500, length: int = 24, vocabulary: int = 1000
) -> Tensors:
    """The first words (n, length) of docstrings, 0 where there are none, 1 for rare ones; the
    package, from 0.
    """
    rng = np.random.default_rng(seed)
    each = {package: _docstrings(package) for package in packages}
    count = min(n // len(packages), *map(len, each.values()))
    chosen = [
        (text, k)
        for k, texts in enumerate(each.values())
        for text in rng.choice(texts, count, replace=False)
    ]
    pieces = [re.findall(r"[a-z]+|[^a-z\s]", str(text).lower())[:length] for text, _ in chosen]
    ids = _ids(pieces, vocabulary)
    rows = [
        [ids.get(piece, 1) for piece in words] + [0] * (length - len(words)) for words in pieces
    ]
    return torch.tensor(rows), torch.tensor([k for _, k in chosen])


def words(
    seed: int, package: str, letters: bool, length: int = 24, n: int = 700, vocabulary: int = 300
) -> Tensors:
    """Stretches (n, length) of a package's docstrings, letter by letter or word by word; the same
    one further on.
    """
    text = " ".join(_docstrings(package)).lower()
    pieces = list(text) if letters else re.findall(r"[a-z]+|[^a-z\s]", text)
    ids = _ids([pieces], vocabulary)
    begin = np.random.default_rng(seed).integers(0, len(pieces) - length - 1, n)
    rows = torch.tensor(
        [[ids.get(piece, 1) for piece in pieces[at : at + length + 1]] for at in begin]
    )
    return rows[:, :-1].contiguous(), rows[:, 1:].contiguous()


def code(
    seed: int, packages: Sequence[str], n: int = 1200, length: int = 128, vocabulary: int = 96
) -> Tensors:
    """Stretches (n, length) of packages' code, character by character, 1 for rare ones; the
    package, from 0.
    """
    rng = np.random.default_rng(seed)
    texts = ["\n".join(_files(package)) for package in packages]
    ids = _ids(texts, vocabulary)
    which = rng.integers(0, len(packages), n)
    begin = [rng.integers(0, len(texts[k]) - length) for k in which]
    cut = [texts[k][at : at + length] for k, at in zip(which, begin, strict=True)]
    return torch.tensor([[ids.get(piece, 1) for piece in text] for text in cut]), torch.from_numpy(
        which
    )


def names(seed: int, packages: Sequence[str], n: int = 2000, length: int = 16) -> Tensors:
    """Names in packages' code by letters (n, length), in lower case, 0 where there are none;
    whether of a function, a class or an argument.
    """
    found: list[set[str]] = [set(), set(), set()]
    for node in (
        node for package in packages for tree in _trees(package) for node in ast.walk(tree)
    ):
        for kind, of in enumerate((ast.FunctionDef, ast.ClassDef, ast.arg)):
            if isinstance(node, of):
                found[kind].add(
                    re.sub("[^a-z]", "", getattr(node, "name", getattr(node, "arg", "")).lower())
                )
    rng = np.random.default_rng(seed)
    each = [rng.permutation(sorted(kind - {""}))[: n // 3] for kind in found]
    rows = [
        [ord(letter) - 96 for letter in str(name)[:length]] + [0] * (length - len(str(name)))
        for kind in each
        for name in kind
    ]
    return torch.tensor(rows), torch.tensor([kind for kind, them in enumerate(each) for _ in them])


def _ids(pieces: Sequence[Sequence[str]], vocabulary: int) -> dict[str, int]:
    counted = Counter(piece for words in pieces for piece in words)
    common = sorted(counted, key=lambda piece: (-counted[piece], piece))[: vocabulary - 2]
    return {piece: number + 2 for number, piece in enumerate(common)}


@functools.cache
def _files(package: str) -> list[str]:
    """An installed package's first files of Python, in order of path; read, not imported."""
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None
    found = []
    for path in sorted(Path(spec.origin).parent.rglob("*.py"))[:250]:
        try:
            found.append(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue
    return found


@functools.cache
def _trees(package: str) -> list[ast.Module]:
    """A package's first files, parsed."""
    found = []
    for source in _files(package):
        try:
            found.append(ast.parse(source))
        except SyntaxError:
            continue
    return found


@functools.cache
def _docstrings(package: str) -> list[str]:
    """The longer docstrings in a package's files."""
    found = []
    for tree in _trees(package):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and (
                text := ast.get_docstring(node)
            ):
                found += [text] if len(text) > 60 else []
    return found
