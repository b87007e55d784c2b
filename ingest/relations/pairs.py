"""Which pairs of concepts are worth a score: naming each other, near, or near named ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse

from kg.vectors import build_index

__all__ = ["Nearest", "among", "candidate_pairs", "nearest_concepts", "without_hubs"]

# Nearest others looked at for each concept: all of them in a small vault, never fewer than this in
# a large one, so that the number of pairs grows with the concepts and not with their square.
NEAREST = 60
ROOM = 250_000  # pairs that cost nothing to speak of
# A home note that links to all others, and is linked by them, would make every two concepts a pair.
HUB = 150
# Below this cosine two texts of one field have nothing to do with each other; of metacademy's edges
# 6 % lie below.
APART = 0.0

# Ids and cosines, of shape (n, k) each.
Nearest = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]


def nearest_concepts(centres: npt.NDArray[np.float32]) -> Nearest:
    """Ids and cosines of each concept's nearest others, best first, each of shape (n, k).

    -1 where there is none.
    """
    n = len(centres)
    k = min(n - 1, max(NEAREST, ROOM // max(n, 1)))
    if k < 1:
        return np.full((n, 0), -1, dtype=np.int64), np.zeros((n, 0), dtype=np.float32)
    index = build_index(centres)
    cosines, ids = index.search(centres, k + 1)
    # A concept is its own nearest, unless another has the very same text; where it is not found,
    # the last one goes.
    own = ids == np.arange(n)[:, None]
    own[~own.any(axis=1), -1] = True
    ids, cosines = ids[~own].reshape(n, k), cosines[~own].reshape(n, k)
    return np.where(cosines >= APART, ids, -1), cosines


def candidate_pairs(
    naming: sparse.csr_array,
    near: npt.NDArray[np.int64],
    beside: sparse.csr_array,
    extra: Iterable[tuple[int, int]],
) -> npt.NDArray[np.int64]:
    """Unordered pairs, smaller id first, sorted; shape (m, 2).

    Parameters
    ----------
    naming : sparse matrix of shape (n, n)
        Entry (p, c) is 1 where c's passages name p.
    near : array of shape (n, k)
        From `nearest_concepts`.
    beside : sparse matrix of shape (n, n)
        Entry (c, z): weight of z among the few nearest of c.
    extra : pairs of ids
        Looked at in any case.
    """
    n = naming.shape[0]
    thin = without_hubs(naming)
    rows, columns = np.nonzero(near >= 0)
    pairs = [
        np.stack([rows, near[rows, columns]], axis=1),
        _entries(naming),
        _entries(thin @ thin),  # what is named by what is named
        _entries(thin @ beside.T),  # what is named by one's nearest
        np.array(sorted(extra), dtype=np.int64).reshape(-1, 2),
    ]
    both = np.sort(np.concatenate(pairs).astype(np.int64), axis=1)
    both = both[both[:, 0] != both[:, 1]]
    codes = np.unique(both[:, 0] * n + both[:, 1])
    return np.stack([codes // n, codes % n], axis=1) if n else both


def among(
    a: npt.NDArray[np.int64], b: npt.NDArray[np.int64], wanted: Collection[tuple[int, int]]
) -> npt.NDArray[np.bool_]:
    """Which of the pairs a < b are among those wanted, either way round; shape (m,)."""
    n = 1 + max(int(b.max(initial=0)), *map(max, wanted), 0)
    return np.isin(a * n + b, [min(pair) * n + max(pair) for pair in wanted])


def without_hubs(naming: sparse.csr_array) -> sparse.csr_array:
    """The same matrix without concepts that name, or are named by, very many."""
    many = (naming.sum(axis=0) > HUB) | (naming.sum(axis=1) > HUB)
    kept = sparse.diags_array((~np.asarray(many).ravel()).astype(np.float32))
    return sparse.csr_array(kept @ naming @ kept)


def _entries(matrix: sparse.csr_array) -> npt.NDArray[np.int64]:
    entries = matrix.tocoo()
    return np.stack([entries.row, entries.col], axis=1).astype(np.int64)
