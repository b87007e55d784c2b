"""Late interaction between concepts: how well one's words are met by the other's text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ingest.relations.gists import Gists
from kg.alone import on_cores
from kg.half import has_bfloat16

__all__ = ["NAMES_TOLD", "Opening", "names_told", "texts_told"]

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

NAMES_TOLD = ("told", "told least", "told together", "label in stretch")
_WINDOW = 12  # word pieces of half a stretch
_OPENING = 64  # word pieces of a text that are looked for in another


@dataclass(frozen=True, slots=True)
class Opening:
    """The first words of a text at a byte a number: a quarter of the memory."""

    words: npt.NDArray[np.int8]  # (t, d)
    step: float  # what 1 stands for

    @classmethod
    def of(cls, words: Floats) -> Opening:
        """Of a text's words, shape (t, d), however many."""
        first = words[:_OPENING]
        step = float(np.abs(first).max(initial=1e-9)) / 127
        return cls(np.rint(first / step).astype(np.int8), step)


def names_told(gists: Gists, a: Ids, b: Ids) -> tuple[Floats, dict[int, Opening]]:
    """How well each one's name is met by the other's text.

    Features of "a before b" and of "b before a", columns as in NAMES_TOLD, shape
    (2, m, len(NAMES_TOLD)); and the openings of all texts, by concept.

    References
    ----------
    Khattab and Zaharia (2020), ColBERT.
    """
    m = len(a)
    out = np.zeros((2, m, len(NAMES_TOLD)), dtype=np.float32)
    openings: dict[int, Opening] = {}
    first, later = np.concatenate([a, b]), np.concatenate([b, a])
    texts = ((group, gists.words(int(later[group[0]]))) for group in _groups(later))
    told = (partial(_told_by, gists, first, *text) for text in texts if len(text[1]))
    for group, opening, met in on_cores(told):
        openings[int(later[group[0]])] = opening
        out[group // m, group % m] = met
    return out, openings


def texts_told(openings: Mapping[int, Opening], a: Ids, b: Ids) -> Floats:
    """How well a's text is met by b's, and b's by a's, by their openings: from 0 to 1.

    Shape (2, m). Texts without an opening say and are told nothing.
    """
    out = np.zeros((2, len(a)), dtype=np.float32)
    rows = np.flatnonzero(np.isin(a, [*openings]) & np.isin(b, [*openings]))
    groups = [rows[group] for group in _groups(a[rows])]
    pairs = [partial(_texts_met, openings, a[group], b[group]) for group in groups]
    for group, (ahead, back) in zip(groups, on_cores(pairs), strict=True):
        out[0, group], out[1, group] = ahead, back
    return np.clip(out, 0, 1)


def _groups(ids: Ids) -> Iterator[Ids]:
    """Rows that hold the same id, for each id."""
    order = np.argsort(ids, kind="stable")
    starts = np.flatnonzero(np.diff(ids[order], prepend=-1))
    for begin, end in pairwise([*starts, len(order)]):
        yield order[begin:end]


def _told_by(gists: Gists, first: Ids, group: Ids, words: Floats) -> tuple[Ids, Opening, Floats]:
    """How well each of some concepts' names, those of a group of rows, is met by a text's words.

    The group, the text's opening, and an array of shape (k, len(NAMES_TOLD)).
    """
    names = first[group]
    out = np.zeros((len(names), len(NAMES_TOLD)), dtype=np.float32)
    own = [gists.name_words[i] for i in names.tolist()]
    worded = np.array([len(name) > 0 for name in own])
    if worded.any():
        out[worded, :3] = _names_met([name for name in own if len(name)], words)
    out[:, 3] = (gists.names[names] @ _stretches(words).T).max(axis=1)
    return group, Opening.of(words), out


def _names_met(names: list[Floats], words: Floats) -> Floats:
    """For each name the best match of its words: mean, least, and mean within the best stretch.

    Shape (k, 3).
    """
    cosines = np.concatenate(names) @ words.T  # (all words of all names, t)
    edges = np.cumsum([0, *map(len, names[:-1])])
    sizes = np.array([len(w) for w in names], dtype=np.float32)
    spare = -len(words) % _WINDOW
    padded = np.pad(cosines, ((0, 0), (0, spare)), constant_values=-np.inf)
    halves = padded.reshape(len(cosines), -1, _WINDOW).max(axis=2)
    stretches = np.maximum(halves[:, :-1], halves[:, 1:]) if halves.shape[1] > 1 else halves
    best = halves.max(axis=1)
    together = (np.add.reduceat(stretches, edges, axis=0) / sizes[:, None]).max(axis=1)
    return np.stack(
        [np.add.reduceat(best, edges) / sizes, np.minimum.reduceat(best, edges), together], axis=1
    )


def _texts_met(openings: Mapping[int, Opening], a: Ids, b: Ids) -> tuple[Floats, Floats]:
    """How well one text's words are met by each other text, and the others' by it.

    Shape (k,) each. Sums of whole numbers: how they are cut up changes no bit of them.

    Parameters
    ----------
    a, b : array of shape (k,)
        The one, again and again, and the others.
    """
    import torch

    number = torch.bfloat16 if has_bfloat16() else torch.float32
    own, others = openings[int(a[0])], [openings[i] for i in b.tolist()]
    sizes = np.array([len(other.words) for other in others])
    edges = np.cumsum([0, *sizes[:-1]])
    every = torch.from_numpy(np.concatenate([other.words for other in others])).to(number)
    products = (every @ torch.from_numpy(own.words).to(number).T).float().numpy()
    steps = np.repeat([own.step * other.step for other in others], sizes).astype(np.float32)
    cosines = products * steps[:, None]  # (all words of the others, t)
    met_by_others = np.maximum.reduceat(cosines, edges, axis=0).mean(axis=1)
    met_by_own = np.add.reduceat(cosines.max(axis=1), edges) / sizes
    return met_by_others, np.asarray(met_by_own, dtype=np.float32)


def _stretches(words: Floats) -> Floats:
    """The direction of each stretch of two windows, shape (s, d)."""
    sums = np.add.reduceat(words, np.arange(0, len(words), _WINDOW), axis=0)
    whole = sums[:-1] + sums[1:] if len(sums) > 1 else sums
    return np.asarray(whole / np.maximum(np.linalg.norm(whole, axis=1, keepdims=True), 1e-9))
