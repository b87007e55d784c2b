"""Candidate pairs against brute force, under other ids, and their number as a vault grows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sparse
from hypothesis import given
from hypothesis import strategies as st

from ingest.relations import pairs as pairing
from ingest.relations.pairs import candidate_pairs, nearest_concepts

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


def directions(seed: int, n: int, copies: int, empty: int) -> Floats:
    """Unit vectors of both signs, some of them the same and some zero, shape (n, 6)."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for i in range(1, min(copies + 1, n)):
        vectors[i] = vectors[0]
    vectors[n - empty :] = 0
    return vectors.astype(np.float32)


@given(
    st.integers(0, 10_000),
    st.integers(0, 40),
    st.integers(0, 25),
    st.integers(0, 3),
    st.integers(1, 12),
)
def test_nearest_concepts_are_those_of_brute_force(
    seed: int, n: int, copies: int, empty: int, few: int
) -> None:
    """Cosines of the k nearest others, best first, never oneself, also among equals."""
    vectors = directions(seed, n, copies, min(empty, n))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairing, "NEAREST", few)
        patch.setattr(pairing, "ROOM", 0)
        ids, cosines = nearest_concepts(vectors)
    k = max(0, min(n - 1, few))
    assert ids.shape == cosines.shape == (n, k)
    exact = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    for i in range(n if k else 0):
        others = np.sort(np.delete(exact[i], i))[::-1][:k]
        np.testing.assert_allclose(cosines[i], others, atol=1e-5)
        own = ids[i][ids[i] >= 0]
        assert i not in own and len(set(own.tolist())) == len(own)
        np.testing.assert_allclose(exact[i, own], cosines[i][ids[i] >= 0], atol=1e-5)
        assert ((ids[i] >= 0) == (cosines[i] >= pairing.APART)).all()


def test_in_a_small_vault_all_others_are_looked_at_and_in_a_large_one_a_fixed_number() -> None:
    """With the constants as they ship."""
    for n, k in ((1, 0), (2, 1), (200, 199), (501, 499), (1000, 250), (4200, pairing.NEAREST)):
        vectors = np.zeros((n, 2), dtype=np.float32)
        vectors[:, 0] = 1
        ids, cosines = nearest_concepts(vectors)
        assert ids.shape == (n, k), n
        assert (cosines == 1).all() and (ids != np.arange(n)[:, None]).all() and (ids >= 0).all()


def read_from(
    naming: npt.NDArray[np.int64],
    beside: npt.NDArray[np.int64],
    near: Ids,
    extra: set[tuple[int, int]],
) -> list[tuple[int, int]]:
    """`candidate_pairs` of dense matrices of zeros and ones."""
    matrices = (sparse.csr_array(m.astype(np.float32)) for m in (naming, beside))
    found = candidate_pairs(next(matrices), near, next(matrices), extra)
    return [(int(i), int(j)) for i, j in found]


def slowly(
    naming: npt.NDArray[np.int64],
    beside: npt.NDArray[np.int64],
    near: Ids,
    extra: set[tuple[int, int]],
) -> list[tuple[int, int]]:
    """The same, asked of every pair."""
    n = len(naming)
    through_named = naming @ naming > 0
    by_nearest = naming @ beside.T > 0
    out = []
    for i in range(n):
        for j in range(i + 1, n):
            either = ((i, j), (j, i))
            if (
                any(
                    naming[pair] or through_named[pair] or by_nearest[pair] or pair in extra
                    for pair in either
                )
                or j in near[i]
                or i in near[j]
            ):
                out.append((i, j))
    return out


Drawn = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Ids, set[tuple[int, int]]]


def drawn(seed: int, n: int) -> Drawn:
    """Sparse namings, nearest of which some are missing, and a few pairs asked for."""
    rng = np.random.default_rng(seed)
    off = 1 - np.eye(n, dtype=np.int64)
    naming, beside = ((rng.random((n, n)) < 0.12) * off for _ in range(2))
    near = np.array(
        [[j if rng.random() < 0.7 else -1 for j in ((i + 1) % n, (i + 3) % n)] for i in range(n)]
    )
    extra = {(int(rng.integers(n)), int(rng.integers(n))) for _ in range(2)}
    return naming, beside, near, extra


@given(st.integers(0, 10_000), st.integers(4, 12))
def test_candidates_are_those_of_brute_force(seed: int, n: int) -> None:
    """Sorted, each pair once, smaller id first, no concept with itself."""
    of = drawn(seed, n)
    found = read_from(*of)
    assert found == slowly(*of)
    assert found == sorted(set(found)) and all(i < j for i, j in found)


@given(st.integers(0, 10_000), st.permutations(range(9)))
def test_other_ids_give_the_same_candidates(seed: int, new: list[int]) -> None:
    """Under whatever numbers concepts go."""
    naming, beside, near, extra = drawn(seed, 9)
    old = np.argsort(new)
    names = np.array([*new, -1])
    again = read_from(
        naming[np.ix_(old, old)],
        beside[np.ix_(old, old)],
        names[near[old]],
        {(new[i], new[j]) for i, j in extra},
    )
    expected = {tuple(sorted((new[i], new[j]))) for i, j in read_from(naming, beside, near, extra)}
    assert set(again) == expected


def ring(n: int) -> tuple[sparse.csr_array, Floats]:
    """Concepts on a ring, of which each names the next two and is near its neighbours."""
    at = np.arange(n)
    rows, columns = np.concatenate([(at + 1) % n, (at + 2) % n]), np.concatenate([at, at])
    angles = 2 * np.pi * at / n
    named = sparse.csr_array((np.ones(2 * n, dtype=np.float32), (rows, columns)), shape=(n, n))
    return named, np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_the_number_of_candidates_grows_with_the_concepts_and_not_with_their_square(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twice the concepts, twice the pairs, once there are more than a small vault has room for."""
    monkeypatch.setattr(pairing, "NEAREST", 5)
    monkeypatch.setattr(pairing, "ROOM", 100)
    counts = []
    for n in (100, 200, 400):
        named, centres = ring(n)
        near, _ = nearest_concepts(centres)
        found = candidate_pairs(named, near, sparse.csr_array((n, n), dtype=np.float32), ())
        counts.append(len(found))
        # Each names 2, which name 4 more at most; each is near 5.
        assert len(found) <= n * (5 + 2 + 4)
    assert counts[1] <= 2.1 * counts[0] and counts[2] <= 2.1 * counts[1]


def test_a_vault_of_none_one_and_two() -> None:
    """Nothing to pair, and one pair."""
    for n in (0, 1):
        ids, cosines = nearest_concepts(np.ones((n, 1), dtype=np.float32))
        assert ids.shape == cosines.shape == (n, 0)
        empty = sparse.csr_array((n, n), dtype=np.float32)
        assert candidate_pairs(empty, ids, empty, ()).shape == (0, 2)
    ids, _ = nearest_concepts(np.ones((2, 1), dtype=np.float32))
    empty = sparse.csr_array((2, 2), dtype=np.float32)
    assert candidate_pairs(empty, ids, empty, ()).tolist() == [[0, 1]]
