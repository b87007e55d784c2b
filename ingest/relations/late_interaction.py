"""Late interaction between concepts: how well one's words are met by the other's text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ingest.relations.gists import Gists

__all__ = ["LATE", "late_features"]

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

LATE = ("told", "told least", "told together", "label in stretch", "text told")
_WINDOW = 12  # word pieces of half a stretch
_OPENING = 64  # word pieces of a text that are looked for in another


def late_features(gists: Gists, a: Ids, b: Ids) -> tuple[Floats, Floats]:
    """Features of "a before b" and of "b before a", columns as in LATE; shape (m, len(LATE)) each.

    References
    ----------
    Khattab and Zaharia (2020), ColBERT.
    """
    m = len(a)
    out = np.zeros((2, m, len(LATE)), dtype=np.float32)
    first, later = np.concatenate([a, b]), np.concatenate([b, a])
    for group in _groups(later):
        words = gists.words(int(later[group[0]]))
        if len(words):
            stretches = _stretches(words)
            named = group[[len(gists.name_words[i]) > 0 for i in first[group].tolist()]]
            if len(named):
                own = [gists.name_words[i] for i in first[named].tolist()]
                out[named // m, named % m, :3] = _names_met(own, words)
            out[group // m, group % m, 3] = (gists.names[first[group]] @ stretches.T).max(axis=1)
    # A quarter of the memory, and none of what the openings were cut from.
    openings_kept = [
        np.rint(gists.words(c)[:_OPENING] * 127).astype(np.int8) for c in range(len(gists.centres))
    ]
    for group in _groups(a):
        opening = openings_kept[int(a[group[0]])].astype(np.float32) / np.float32(127)
        filled = group[[len(openings_kept[i]) > 0 for i in b[group].tolist()]]
        if len(opening) and len(filled):
            others = [openings_kept[i] for i in b[filled].tolist()]
            out[0, filled, 4], out[1, filled, 4] = _texts_met(opening, others)
    return out[0], out[1]


def _groups(ids: Ids) -> Iterator[Ids]:
    """Rows that hold the same id, for each id."""
    order = np.argsort(ids, kind="stable")
    starts = np.flatnonzero(np.diff(ids[order], prepend=-1))
    for begin, end in pairwise([*starts, len(order)]):
        yield order[begin:end]


def _names_met(names: list[Floats], words: Floats) -> Floats:
    """For each name the best match of its words: mean, least, and mean within the best stretch.

    Shape (k, 3).
    """
    cosines = np.concatenate(names) @ words.T  # (all words of all names, t)
    edges = np.cumsum([0, *map(len, names[:-1])])
    sizes = np.array([len(w) for w in names], dtype=np.float32)
    halves = np.maximum.reduceat(cosines, np.arange(0, len(words), _WINDOW), axis=1)
    stretches = np.maximum(halves[:, :-1], halves[:, 1:]) if halves.shape[1] > 1 else halves
    best = cosines.max(axis=1)
    together = (np.add.reduceat(stretches, edges, axis=0) / sizes[:, None]).max(axis=1)
    return np.stack(
        [np.add.reduceat(best, edges) / sizes, np.minimum.reduceat(best, edges), together], axis=1
    )


def _texts_met(own: Floats, others: list[npt.NDArray[np.int8]]) -> tuple[Floats, Floats]:
    """How well one text's words are met by each other text, and the others' by it.

    Shape (k,) each.
    """
    edges = np.cumsum([0, *map(len, others[:-1])])
    sizes = np.array([len(w) for w in others], dtype=np.float32)
    cosines = (
        np.concatenate(others).astype(np.float32) / 127
    ) @ own.T  # (all words of the others, t)
    met_by_others = np.maximum.reduceat(cosines, edges, axis=0).mean(axis=1)
    met_by_own = np.asarray(np.add.reduceat(cosines.max(axis=1), edges) / sizes, dtype=np.float32)
    return met_by_others, met_by_own


def _stretches(words: Floats) -> Floats:
    """The direction of each stretch of two windows, shape (s, d)."""
    sums = np.add.reduceat(words, np.arange(0, len(words), _WINDOW), axis=0)
    whole = sums[:-1] + sums[1:] if len(sums) > 1 else sums
    return np.asarray(whole / np.maximum(np.linalg.norm(whole, axis=1, keepdims=True), 1e-9))
