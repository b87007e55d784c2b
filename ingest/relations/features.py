"""What the notes show about which of two concepts comes first, as numbers.

Every feature is defined by the pair and what is near it, on a scale that is the same in every
vault: an unrelated note changes none of them, but for the two places, by what it has in common
after all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse

from ingest.relations.gists import Gists
from ingest.relations.late_interaction import NAMES_TOLD, names_told, texts_told
from ingest.relations.pairs import Nearest, among, candidate_pairs, nearest_concepts, without_hubs
from ingest.relations.signals import Signals
from kg.linking import STOP_WORDS, key

__all__ = ["FEATURES", "LAST", "Pairs", "read_pairs", "sampled"]

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64] | npt.NDArray[np.float32] | npt.NDArray[np.int64]

# Features of "p comes before c", in the order of the columns.
FEATURES: Mapping[str, str] = {
    "named": "how often c's passages name p, logarithmic, 1 for eight times and more",
    "first": "p is named in c's first sentence",
    "early": "how early c's passages name p: 1 at the beginning, 0 at the end or not at all",
    "cued": "p is named after words of dependence, such as 'needs', 'uses' or 'a kind of'",
    "contrasted": "p is named after words of contrast or example, such as 'unlike' or 'such as'",
    "share": "p's share of all that c's passages name",
    "in label": "p's name is part of c's name",
    "label words": "share of the words of p's name that are words of c's name",
    "label said": "share of the words of p's name that stand in c's text",
    "words said": "share of the words of p's text that stand in c's text",
    "told": "how well the words of p's name are met by c's words: mean cosine of the best match",
    "told least": "the same, of the word of p's name that is met worst",
    "told together": "the same as 'told', within one stretch of 24 word pieces",
    "label in stretch": "cosine of p's name with the nearest stretch of c's text",
    "text told": "how well the words of p's text are met by c's",
    "told before others": "place of p among all whose names are met by c's text: "
    "1 for the first, falling to 0",
    "tells before others": "place of c among all whose texts meet p's name",
    "label in text": "cosine of p's name with c's text",
    "texts": "cosine of the two texts",
    "labels": "cosine of the two names",
    "nearest name": "share of c's nearest concepts that name p",
    "names nearest": "share of p's nearest concepts that c names",
    "nearest name nearest": "share of p's and c's nearest concepts of which the one is named "
    "by the other",
    "named by named": "share of what c names that names p, as reference distance takes it",
    "named where named": "share of the concepts that name p which also name c",
    "names the same": "share of what p names that c names too",
    "named by many": "how many concepts name p, logarithmic",
    "names many": "how many concepts p names, logarithmic",
    "told by many": "in how many texts the words of p's name are met well, logarithmic",
    "tells many": "of how many names the words are met well in p's text, logarithmic",
    "near many": "how many concepts are near p, logarithmic",
    "label near many": "how many texts p's name is near, logarithmic",
    "words": "number of words of p's name, up to five",
}
LAST = "text told"  # the one that costs as much as all others
USUAL = 0.3  # what it is between concepts that have little to do with each other
_ENOUGH = 8  # times a name stands, that say as much as any more
_ENOUGH_CONCEPTS = 30
_ENOUGH_WORDS = 5
_BESIDE = 10  # nearest concepts that count as beside one
_NEAR = 0.35  # cosine from which a concept is near
_SLAB = 4_000  # pairs at a time: more would not fit into a processor's own memory


@dataclass(frozen=True, slots=True)
class Pairs:
    """Candidate pairs a < b.

    `ahead` holds the features of "a comes before b", `back` those of "b comes before a".
    """

    a: Ids  # (m,)
    b: Ids
    ahead: Floats  # (m, len(FEATURES))
    back: Floats
    beside: sparse.csr_array  # (n, n): entry (c, z) is the weight of z among the few nearest of c


def read_pairs(
    signals: Signals,
    gists: Gists,
    extra: set[tuple[int, int]],
    near: Nearest | None = None,
    promising: Callable[[Floats, Floats], npt.NDArray[np.bool_]] | None = None,
) -> Pairs:
    """Candidates and their features, in time that grows with the candidates alone.

    Parameters
    ----------
    extra : set of pairs
        Pairs that are candidates in any case.
    near : Nearest
        From `nearest_concepts`, where it is known already.
    promising : function
        From features of both directions, LAST still 0, to which pairs are worth reading it of: it
        takes as long as all others. The rest, but for those asked for, get what is USUAL.
    """
    naming = {(p, c): there.count for (c, p), there in signals.naming.items()}
    n = len(gists.centres)
    named = _matrix(dict.fromkeys(naming, 1.0), n)
    thin = without_hubs(named)
    ids, cosines = near or nearest_concepts(gists.centres)
    beside = _beside(ids, cosines)
    pairs, asked = _with_text(candidate_pairs(named, ids, beside, extra), gists, extra)
    a, b = pairs[:, 0].copy(), pairs[:, 1].copy()
    told, openings = names_told(gists, a, b)
    counts = {"named by many": _sums(named, 1), "names many": _sums(named, 0)} | _met(
        gists, a, b, told
    )
    counts["near many"] = (cosines >= _NEAR).sum(axis=1)
    by_concept = {
        name: np.minimum(1, np.log1p(v) / np.log1p(_ENOUGH_CONCEPTS)) for name, v in counts.items()
    }
    by_concept["words"] = np.minimum(1, np.array([len(k) for k in signals.keys]) / _ENOUGH_WORDS)
    shared_words = _SharedWords.of(signals.keys, gists.texts)
    placed = _places(a, b, told)

    def columns(p: Ids, c: Ids, side: int) -> Floats:
        met = dict(zip(NAMES_TOLD, told[side].T, strict=True)) | {LAST: np.zeros(len(p))}
        met |= dict(zip(("told before others", "tells before others"), placed[side].T, strict=True))
        features = (
            _named(signals, naming, p, c)
            | shared_words.features(p, c)
            | met
            | _cosines(gists, p, c)
        )
        features |= _neighbourhood(thin, beside, p, c)
        features |= {name: values[p] for name, values in by_concept.items()}
        return np.stack([features[name] for name in FEATURES], axis=1).astype(np.float32)

    ahead, back = columns(a, b, 0), columns(b, a, 1)
    rows = np.arange(len(a))
    if promising is not None:
        rows = np.flatnonzero(promising(ahead, back) | asked)
    last = [*FEATURES].index(LAST)
    ahead[:, last] = back[:, last] = USUAL
    ahead[rows, last], back[rows, last] = texts_told(openings, a[rows], b[rows])
    return Pairs(a, b, ahead, back, beside)


def _with_text(
    pairs: Ids, gists: Gists, extra: set[tuple[int, int]]
) -> tuple[Ids, npt.NDArray[np.bool_]]:
    """Pairs of which both have text of their own, and those asked for; which were asked for."""
    alive = np.linalg.norm(gists.centres, axis=1) > 0
    asked = among(pairs[:, 0], pairs[:, 1], extra)
    kept = alive[pairs].all(axis=1) | asked
    return np.asarray(pairs[kept]), asked[kept]


def _named(
    signals: Signals, naming: Mapping[tuple[int, int], int], p: Ids, c: Ids
) -> dict[str, Numbers]:
    """How c's passages name p."""
    total = np.zeros(len(signals.keys))
    for (_, target), count in naming.items():
        total[target] += count
    out = np.zeros((len(p), 6))
    for i, (first, later) in enumerate(zip(p.tolist(), c.tolist(), strict=True)):
        there = signals.naming.get((later, first))
        if there is not None:
            often = min(1.0, np.log1p(there.count) / np.log1p(_ENOUGH))
            share = there.count / total[later]
            out[i] = often, there.first, 1 - there.place, there.cued, there.contrasted, share
    return dict(zip(("named", "first", "early", "cued", "contrasted", "share"), out.T, strict=True))


@dataclass(frozen=True, slots=True)
class _SharedWords:
    """Which words stand in each name and in each text: sparse matrices of shape (n, words)."""

    keys: Sequence[tuple[str, ...]]
    labels: sparse.csr_array
    texts: sparse.csr_array

    @classmethod
    def of(cls, keys: Sequence[tuple[str, ...]], texts: Sequence[str]) -> _SharedWords:
        """Read them.

        Words that say nothing of a subject stand in neither, unless a name has no others.
        """
        names = [set(k) - STOP_WORDS or set(k) for k in keys]
        bodies = [set(key(text)) - STOP_WORDS for text in texts]
        columns = {word: i for i, word in enumerate(sorted(set().union(*names, *bodies)))}
        return cls(keys, *(_indicators(sets, columns) for sets in (names, bodies)))

    def features(self, p: Ids, c: Ids) -> dict[str, Numbers]:
        """Overlap of words."""
        own, all_own = (
            np.maximum(1, _sums(self.labels, 1))[p],
            np.maximum(1, _sums(self.texts, 1))[p],
        )
        contained = [
            _contains(self.keys[j], self.keys[i])
            for i, j in zip(p.tolist(), c.tolist(), strict=True)
        ]
        return {
            "in label": np.array(contained, dtype=np.float32),
            "label words": _products(self.labels, self.labels, p, c) / own,
            "label said": _products(self.labels, self.texts, p, c) / own,
            "words said": _products(self.texts, self.texts, p, c) / all_own,
        }


def _cosines(gists: Gists, p: Ids, c: Ids) -> dict[str, Numbers]:
    return {
        "label in text": _dots(gists.names, gists.centres, p, c),
        "texts": _dots(gists.centres, gists.centres, p, c),
        "labels": _dots(gists.names, gists.names, p, c),
    }


def _neighbourhood(
    named: sparse.csr_array, beside: sparse.csr_array, p: Ids, c: Ids
) -> dict[str, Numbers]:
    """What concepts near the two name, and what names them."""
    names_of, named_by = _sums(named, 0), _sums(named, 1)
    nearest = beside @ named
    by_named = sampled(named @ named, p, c) / np.maximum(1, names_of[c])
    return {
        "nearest name": sampled(named @ beside.T, p, c),
        "names nearest": sampled(nearest, p, c),
        "nearest name nearest": _products(nearest, beside, p, c),
        "named by named": np.tanh(3 * by_named),
        "named where named": _products(named, named, p, c) / (named_by[p] + 1),
        "names the same": _products(named.T, named.T, p, c) / (names_of[p] + 1),
    }


def _met(gists: Gists, a: Ids, b: Ids, told: Floats) -> dict[str, Numbers]:
    """How many texts meet a concept's name well, names its text, texts its name is near."""
    n = len(gists.centres)
    first, later = np.concatenate([a, b]), np.concatenate([b, a])
    well = np.clip((told[:, :, 0].ravel() - 0.6) / 0.3, 0, 1)
    near = (_dots(gists.names, gists.centres, first, later) >= _NEAR).astype(np.float64)
    return {
        "told by many": np.bincount(first, well, minlength=n),
        "tells many": np.bincount(later, well, minlength=n),
        "label near many": np.bincount(first, near, minlength=n),
    }


def _places(a: Ids, b: Ids, told: Floats) -> tuple[Floats, Floats]:
    """Places of p among names met by c, and of c among texts that meet p, for both directions.

    Shape (m, 2) each.
    """
    m = len(a)
    first, later = np.concatenate([a, b]), np.concatenate([b, a])
    met = told[:, :, 0].ravel()
    out = np.zeros((2 * m, 2), dtype=np.float32)
    for column, ids in enumerate((later, first)):
        order = np.lexsort((-met, ids))
        starts = np.flatnonzero(np.diff(ids[order], prepend=-1))
        sizes = np.diff(np.append(starts, len(order)))
        rank = np.arange(len(order)) - np.repeat(starts, sizes)
        out[order, column] = 1 / np.log2(2 + rank)
    return out[:m], out[m:]


def sampled(matrix: sparse.csr_array, rows: Ids, columns: Ids) -> Floats:
    """Entries of a sparse matrix at many places, shape (m,)."""
    if not len(rows):  # SciPy gives a matrix then
        return np.zeros(0, dtype=np.float32)
    return np.asarray(sparse.csr_array(matrix)[rows, columns], dtype=np.float32).ravel()


def _products(left: sparse.csr_array, right: sparse.csr_array, rows: Ids, columns: Ids) -> Floats:
    """Entries of `left @ right.T` at many places, without the product, shape (m,)."""
    one, other = sparse.csr_array(left), sparse.csr_array(right)
    slabs = (slice(i, i + _SLAB) for i in range(0, len(rows), _SLAB))
    parts = [
        np.asarray(one[rows[s]].multiply(other[columns[s]]).sum(axis=1), dtype=np.float32)
        for s in slabs
    ]
    return (
        np.concatenate([part.ravel() for part in parts]) if parts else np.zeros(0, dtype=np.float32)
    )


def _dots(left: Floats, right: Floats, rows: Ids, columns: Ids) -> Floats:
    """Inner products of rows of two matrices, shape (m,)."""
    slabs = (slice(i, i + _SLAB) for i in range(0, len(rows), _SLAB))
    parts = [np.einsum("md,md->m", left[rows[s]], right[columns[s]]) for s in slabs]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)


def _sums(matrix: sparse.csr_array, axis: int) -> npt.NDArray[np.float64]:
    return np.asarray(matrix.sum(axis=axis), dtype=np.float64).ravel()


def _matrix(entries: Mapping[tuple[int, int], float], n: int) -> sparse.csr_array:
    cells = np.array(sorted(entries), dtype=np.int64).reshape(-1, 2)
    values = np.array([entries[i, j] for i, j in cells.tolist()], dtype=np.float32)
    return sparse.csr_array((values, (cells[:, 0], cells[:, 1])), shape=(n, n))


def _indicators(sets: Sequence[set[str]], columns: Mapping[str, int]) -> sparse.csr_array:
    cells = np.array(
        [(i, columns[w]) for i, words in enumerate(sets) for w in sorted(words)], dtype=np.int64
    )
    cells = cells.reshape(-1, 2)
    ones = np.ones(len(cells), dtype=np.float32)
    return sparse.csr_array(
        (ones, (cells[:, 0], cells[:, 1])), shape=(len(sets), max(1, len(columns)))
    )


def _beside(ids: Ids, cosines: Floats) -> sparse.csr_array:
    """The few nearest of each concept, weighted by how near.

    Rows add up to less than 1 where they are far.
    """
    n = len(ids)
    few, near = ids[:, :_BESIDE], cosines[:, :_BESIDE]
    weights = np.where(few >= 0, np.maximum(near - 0.3, 0), 0)
    weights = weights / (weights.sum(axis=1, keepdims=True) + 0.3)
    rows, columns = np.nonzero(weights)
    return sparse.csr_array((weights[rows, columns], (rows, few[rows, columns])), shape=(n, n))


def _contains(outer: tuple[str, ...], inner: tuple[str, ...]) -> bool:
    n = len(inner)
    return 0 < n < len(outer) and any(outer[i : i + n] == inner for i in range(len(outer) - n + 1))
