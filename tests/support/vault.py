"""Concepts with random vectors, words and mentions, for tests without an encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.relations.gists import Gists
from ingest.relations.signals import Naming, Signals
from kg.types import Evidence
from kg.vectors import WordVectors

__all__ = ["Vault", "near_of", "place", "random_vault", "relabelled", "units"]

WORDS = ("loss", "step", "model", "noise", "kernel", "mask", "batch", "weight")


@dataclass(frozen=True, slots=True)
class Vault:
    """What an ingest gathers of n concepts."""

    signals: Signals
    gists: Gists


def units(rng: np.random.Generator, n: int, d: int) -> npt.NDArray[np.float32]:
    """Random unit vectors with no negative part, shape (n, d): all cosines are above 0."""
    vectors = rng.random((n, d)) ** 3 + 1e-3
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def place(c: int, signal: str = "mention") -> Evidence:
    """Evidence in the note of concept c."""
    return Evidence(f"{c}.md", None, 1, f"line of {c}", signal)


def random_vault(
    seed: int,
    n: int,
    d: int = 8,
    *,
    mute: Sequence[int] = (),
    nameless: Sequence[int] = (),
    density: float = 0.25,
) -> Vault:
    """A vault of n concepts; `mute` ones have no text, `nameless` ones no words worth a vector."""
    rng = np.random.default_rng(seed)
    centres, names = units(rng, n, d), units(rng, n, d)
    words = [units(rng, 0 if c in mute else int(rng.integers(1, 80)), d) for c in range(n)]
    centres[list(mute)] = 0
    keys = tuple(
        (*rng.choice(WORDS, rng.integers(1, 4), replace=False).tolist(), f"w{c}") for c in range(n)
    )
    texts = tuple(
        "" if c in mute else " ".join(rng.choice([*WORDS, f"w{c}"], 6).tolist()) for c in range(n)
    )
    pairs = [
        (c, p)
        for c in range(n)
        for p in range(n)
        if c != p and c not in mute and rng.random() < density
    ]
    naming = {(c, p): _naming(rng, c) for c, p in pairs}
    order = {c: (int(rng.integers(0, 2)), c) for c in range(n) if c not in mute}
    homes = tuple(None if c in mute else place(c, "position") for c in range(n))
    name_words = tuple(
        units(rng, 0 if c in nameless else int(rng.integers(1, 4)), d) for c in range(n)
    )
    gists = Gists(centres, names, name_words, words.__getitem__, texts)
    return Vault(Signals(naming, order, keys, homes), gists)


def _naming(rng: np.random.Generator, c: int) -> Naming:
    first, cued, contrasted = (rng.random(3) < 0.5).tolist()
    return Naming(int(rng.integers(1, 12)), first, cued, contrasted, rng.random(), place(c))


def relabelled(vault: Vault, new: Sequence[int]) -> Vault:
    """The same vault with other ids: concept i is called new[i]."""
    old = np.argsort(new).tolist()
    s, g = vault.signals, vault.gists
    naming: Mapping[tuple[int, int], Naming] = {
        (new[c], new[p]): there for (c, p), there in s.naming.items()
    }
    order = {new[c]: at for c, at in s.order.items()}
    signals = Signals(naming, order, tuple(s.keys[i] for i in old), tuple(s.homes[i] for i in old))

    def words(concept: int) -> WordVectors:
        return g.words(old[concept])

    name_words = tuple(g.name_words[i] for i in old)
    gists = Gists(g.centres[old], g.names[old], name_words, words, tuple(g.texts[i] for i in old))
    return Vault(signals, gists)


def near_of(pairs: npt.NDArray[np.int64]) -> set[tuple[int, int]]:
    """Rows of pairs as a set."""
    return {(int(i), int(j)) for i, j in pairs}
