"""Features of pairs: what each says, its range, and what must not change it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sparse
from hypothesis import given
from hypothesis import strategies as st
from vault import Vault, near_of, place, random_vault, relabelled, units

from ingest.relations import features
from ingest.relations.features import FEATURES, LAST, USUAL, Pairs, read_pairs, sampled
from ingest.relations.gists import Gists
from ingest.relations.signals import Naming, Signals

COSINES = (
    "told",
    "told least",
    "told together",
    "label in stretch",
    "text told",
    "label in text",
    "texts",
    "labels",
)
ROUNDING = 1e-4
Floats = npt.NDArray[np.float32]


def of(pairs: Pairs) -> dict[tuple[int, int], dict[str, float]]:
    """Features by name of every ordered pair, first what comes before."""
    a, b = pairs.a.tolist(), pairs.b.tolist()
    rows = [
        *zip(a, b, pairs.ahead.tolist(), strict=True),
        *zip(b, a, pairs.back.tolist(), strict=True),
    ]
    return {(p, c): dict(zip(FEATURES, row, strict=True)) for p, c, row in rows}


def table(pairs: Pairs, new: list[int]) -> Floats:
    """All features, rows in order of the pair's ids in `new`; shape (2 m, f)."""
    found = of(pairs)
    ids = {(new[p], new[c]): row for (p, c), row in found.items()}
    return np.array([[*ids[pair].values()] for pair in sorted(ids)], dtype=np.float32).reshape(
        -1, len(FEATURES)
    )


@given(st.integers(0, 10_000), st.integers(1, 9), st.data())
def test_every_feature_is_finite_and_within_its_range(
    seed: int, n: int, data: st.DataObject
) -> None:
    """Cosines in [-1, 1], all others in [0, 1], whatever is missing.

    Pairs are sorted, a before b.
    """
    some = st.sets(st.integers(0, n - 1), max_size=3)
    mute, nameless = sorted(data.draw(some)), sorted(data.draw(some))
    vault = random_vault(seed, n, mute=mute, nameless=nameless)
    asked = {
        (i, j)
        for i, j in data.draw(st.sets(st.tuples(*[st.integers(0, n - 1)] * 2), max_size=2))
        if i != j
    }
    pairs = read_pairs(vault.signals, vault.gists, asked)
    assert pairs.ahead.shape == pairs.back.shape == (len(pairs.a), len(FEATURES))
    assert (pairs.a < pairs.b).all()
    both = np.concatenate([pairs.ahead, pairs.back])
    assert np.isfinite(both).all()
    for name, column in zip(FEATURES, both.T, strict=True):
        lowest = -1 if name in COSINES else 0
        assert ((column >= lowest - ROUNDING) & (column <= 1 + ROUNDING)).all(), name


@given(st.integers(0, 10_000))
def test_what_is_read_last_is_read_of_promising_pairs_and_those_asked_for(seed: int) -> None:
    """All other features are as they would be."""
    vault = random_vault(seed, 8, mute=[3])
    asked = {(3, 5), (1, 0)}
    last = [*FEATURES].index(LAST)

    def promising(ahead: Floats, back: Floats) -> npt.NDArray[np.bool_]:
        assert not ahead[:, last].any() and not back[:, last].any()
        return np.arange(len(ahead)) % 3 == 0

    every = read_pairs(vault.signals, vault.gists, asked)
    some = read_pairs(vault.signals, vault.gists, asked, promising=promising)
    pairs = [*zip(some.a.tolist(), some.b.tolist(), strict=True)]
    assert pairs == [*zip(every.a.tolist(), every.b.tolist(), strict=True)]
    read = [i % 3 == 0 or pair in {(3, 5), (0, 1)} for i, pair in enumerate(pairs)]
    for whole, part in ((every.ahead, some.ahead), (every.back, some.back)):
        np.testing.assert_array_equal(np.delete(whole, last, 1), np.delete(part, last, 1))
        usual = np.float32(USUAL)
        assert part[:, last].tolist() == np.where(read, whole[:, last], usual).tolist()


@given(st.integers(0, 10_000), st.permutations(range(8)))
def test_other_ids_swap_ahead_and_back_and_change_nothing_else(seed: int, new: list[int]) -> None:
    """What is known of "p before c" is the same under whatever numbers the two go."""
    vault = random_vault(seed, 8, mute=[3])
    one = read_pairs(vault.signals, vault.gists, {(3, 5)})
    again = relabelled(vault, new)
    other = read_pairs(again.signals, again.gists, {(new[3], new[5])})
    assert {tuple(sorted((new[i], new[j]))) for i, j in zip(one.a, one.b, strict=True)} == near_of(
        np.stack([other.a, other.b], axis=1)
    )
    np.testing.assert_allclose(table(one, new), table(other, [*range(8)]), atol=1e-5)


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_concepts_of_another_field_change_no_feature_among_the_others(seed: int, more: int) -> None:
    """They point elsewhere, share no word and name nobody, and nobody names them."""
    vault = random_vault(seed, 7)
    joined = beside_another_field(vault, more)
    one, other = (of(read_pairs(v.signals, v.gists, set())) for v in (vault, joined))
    assert set(one) <= set(other)
    for pair, row in one.items():
        assert other[pair] == pytest.approx(row, abs=1e-5), pair


def beside_another_field(vault: Vault, more: int) -> Vault:
    """The vault's concepts, then so many whose vectors are orthogonal to all of theirs."""
    rng = np.random.default_rng(more)
    s, g = vault.signals, vault.gists
    n, d = g.centres.shape

    def here(vectors: Floats) -> Floats:
        return np.hstack([vectors, np.zeros((len(vectors), 4), dtype=np.float32)])

    def there(k: int) -> Floats:
        return np.hstack([np.zeros((k, d), dtype=np.float32), units(rng, k, 4)])

    far = [there(20) for _ in range(more)]
    signals = Signals(
        s.naming,
        s.order,
        (*s.keys, *((f"far{i}",) for i in range(more))),
        (*s.homes, *(None for _ in range(more))),
    )
    gists = Gists(
        np.concatenate([here(g.centres), there(more)]),
        np.concatenate([here(g.names), there(more)]),
        (*map(here, g.name_words), *(there(2) for _ in range(more))),
        lambda c: here(g.words(c)) if c < n else far[c - n],
        (*g.texts, *(f"far{i} farther" for i in range(more))),
    )
    return Vault(signals, gists)


def small(**changed: Any) -> dict[tuple[int, int], dict[str, float]]:
    """Loss, cross entropy loss and kernel; the second names the first, it the third."""
    eye = np.eye(3, dtype=np.float32)
    naming = {
        (1, 0): Naming(3, True, True, False, 0.25, place(1)),
        (0, 2): Naming(8, False, False, True, 1.0, place(0)),
        (1, 2): Naming(1, False, False, False, 0.5, place(1)),
    }
    keys = (("loss",), ("cross", "entropy", "loss"), ("kernel",))
    texts = ("a loss says how wrong", "the cross entropy is a loss", "the kernel slides")
    signals = Signals(naming, {}, keys, (None,) * 3)
    gists = Gists(
        eye, eye, tuple(eye[i : i + 1] for i in range(3)), lambda c: eye[c : c + 1], texts
    )
    gists = replace(gists, **changed)
    return of(read_pairs(signals, gists, set()))


def test_how_a_concept_is_named_is_counted() -> None:
    """Of "loss before cross entropy loss": three times, first, early, cued, three of four."""
    row = small()[0, 1]
    assert row["named"] == pytest.approx(np.log(4) / np.log(9))
    assert (row["first"], row["early"], row["cued"], row["contrasted"], row["share"]) == (
        1,
        0.75,
        1,
        0,
        0.75,
    )
    kernel = small()[2, 0]
    assert (kernel["named"], kernel["early"], kernel["contrasted"], kernel["share"]) == (1, 0, 1, 1)
    nobody = small()[1, 0]
    assert [nobody[n] for n in ("named", "first", "early", "cued", "contrasted", "share")] == [
        0
    ] * 6


def test_words_of_names_and_texts_are_shared_as_they_stand() -> None:
    """A name within a name, words of a name in the other's, in its text, and words of texts.

    Stop words count not.
    """
    rows = small()
    assert (rows[0, 1]["in label"], rows[1, 0]["in label"], rows[0, 2]["in label"]) == (1, 0, 0)
    assert rows[0, 1]["label words"] == 1 and rows[1, 0]["label words"] == pytest.approx(1 / 3)
    assert rows[0, 1]["label said"] == 1 and rows[1, 0]["label said"] == pytest.approx(1 / 3)
    # Cross, entropy and loss, of which loss is there.
    assert rows[1, 0]["words said"] == pytest.approx(1 / 3)
    assert rows[0, 1]["words"] == pytest.approx(0.2) and rows[1, 0]["words"] == pytest.approx(0.6)


def test_a_name_of_stop_words_alone_still_has_words() -> None:
    """So that no share is of nothing."""
    eye = np.eye(2, dtype=np.float32)
    signals = Signals({}, {}, (("the", "of"), ("kernel",)), (None,) * 2)
    gists = Gists(
        eye, eye, (eye[:0], eye[1:]), lambda c: eye[c : c + 1], ("of the", "the kernel of all")
    )
    row = of(read_pairs(signals, gists, set()))[0, 1]
    assert (row["label words"], row["label said"], row["words said"]) == (0, 0, 0)


def test_who_names_many_and_is_named_by_many_is_counted() -> None:
    """On a logarithmic scale that ends at thirty."""
    rows = small()
    names = np.log1p([0, 1, 2]) / np.log1p(30)
    assert rows[0, 2]["names many"] == pytest.approx(names[1]) and rows[1, 2][
        "names many"
    ] == pytest.approx(names[2])
    assert rows[2, 1]["named by many"] == pytest.approx(names[2])
    assert rows[1, 2]["named by many"] == 0
    assert rows[0, 1]["told by many"] == pytest.approx(0) and rows[0, 1]["near many"] == 0


def slowly(named: Floats, beside: Floats, p: int, c: int) -> dict[str, float]:
    """The features of a pair's neighbourhood in dense sums; named[p, c] is 1 where c names p."""
    n = len(named)
    both = sum(float(named[p, z] * named[z, c]) for z in range(n))
    nearest = [
        [sum(float(beside[x, z] * named[z, y]) for z in range(n)) for y in range(n)]
        for x in range(n)
    ]
    return {
        "nearest name": sum(float(named[p, z] * beside[c, z]) for z in range(n)),
        "names nearest": nearest[p][c],
        "nearest name nearest": sum(nearest[p][z] * float(beside[c, z]) for z in range(n)),
        "named by named": float(np.tanh(3 * both / max(1.0, float(named[:, c].sum())))),
        "named where named": sum(float(named[p, z] * named[c, z]) for z in range(n))
        / (float(named[p].sum()) + 1),
        "names the same": sum(float(named[z, p] * named[z, c]) for z in range(n))
        / (float(named[:, p].sum()) + 1),
    }


@given(st.integers(0, 10_000), st.integers(2, 7), st.integers(1, 5))
def test_neighbourhoods_equal_dense_sums(seed: int, n: int, slab: int) -> None:
    """However few pairs are looked at at a time."""
    vault = random_vault(seed, n, density=0.4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "_SLAB", slab)
        pairs = read_pairs(vault.signals, vault.gists, set())
    named = np.zeros((n, n), dtype=np.float32)
    for c, p in vault.signals.naming:
        named[p, c] = 1
    beside = pairs.beside.toarray()
    for (p, c), row in of(pairs).items():
        expected = slowly(named, beside, p, c)
        assert {k: row[k] for k in expected} == pytest.approx(expected, abs=1e-5), (p, c)
        dots = (vault.gists.names[p] @ vault.gists.centres[c],
                vault.gists.centres[p] @ vault.gists.centres[c],
                vault.gists.names[p] @ vault.gists.names[c])  # fmt: skip
        assert [row["label in text"], row["texts"], row["labels"]] == pytest.approx(
            [float(x) for x in dots], abs=1e-5
        )


@given(st.integers(0, 10_000), st.integers(2, 7))
def test_concepts_are_counted_as_far_as_they_are_told_and_near(seed: int, n: int) -> None:
    """Told from a cosine of 0.6 on, fully from 0.9; near from 0.35.

    Of all that make a pair with the concept.
    """
    vault = random_vault(seed, n, nameless=[1])
    found = of(read_pairs(vault.signals, vault.gists, set()))

    def scaled(count: float) -> float:
        return min(1.0, float(np.log1p(count) / np.log1p(30)))

    for (p, _), row in found.items():
        met = [r["told"] for (first, _), r in found.items() if first == p]
        meets = [r["told"] for (_, later), r in found.items() if later == p]
        near = [
            float(vault.gists.names[p] @ vault.gists.centres[c]) >= 0.35 for c in range(n) if c != p
        ]
        beside = [
            float(vault.gists.centres[p] @ vault.gists.centres[c]) >= 0.35
            for c in range(n)
            if c != p
        ]
        expected = {
            "told by many": scaled(sum(np.clip((np.array(met) - 0.6) / 0.3, 0, 1))),
            "tells many": scaled(sum(np.clip((np.array(meets) - 0.6) / 0.3, 0, 1))),
            "label near many": scaled(sum(near)),
            "near many": scaled(sum(beside)),
        }
        assert {k: row[k] for k in expected} == pytest.approx(expected, abs=1e-5)


def test_what_is_beside_a_concept_weighs_as_it_is_near() -> None:
    """At most ten, none that is far, and together less than one."""
    vault = random_vault(5, 14)
    beside = read_pairs(vault.signals, vault.gists, set()).beside.toarray()
    cosines = vault.gists.centres @ vault.gists.centres.T
    assert (beside >= 0).all() and (beside.sum(axis=1) < 1).all() and not beside.diagonal().any()
    assert ((beside > 0).sum(axis=1) <= 10).all()
    assert (cosines[beside > 0] > 0.3).all()
    for weights, near in zip(beside, cosines, strict=True):
        order = np.argsort(-weights[weights > 0])
        assert (np.diff(near[weights > 0][order]) <= 1e-6).all()


def test_places_go_by_how_well_names_are_told() -> None:
    """Of all names met in one text the best told is first.

    Of all texts that meet one name, the best.
    """
    found = of(read_pairs(*_both(random_vault(9, 6)), set()))
    for one in range(6):
        told = sorted(
            (row["told"], row["told before others"]) for (_, c), row in found.items() if c == one
        )
        tells = sorted(
            (row["told"], row["tells before others"]) for (p, _), row in found.items() if p == one
        )
        for ranked in (told, tells):
            assert [place for _, place in ranked] == pytest.approx(
                [1 / np.log2(2 + i) for i in range(5)][::-1]
            )


def _both(vault: Vault) -> tuple[Signals, Gists]:
    return vault.signals, vault.gists


def test_concepts_without_text_are_left_out_unless_they_are_asked_for() -> None:
    """There is nothing of them to read."""
    vault = random_vault(4, 6, mute=[1, 4])
    found = read_pairs(*_both(vault), {(4, 2)})
    pairs = near_of(np.stack([found.a, found.b], axis=1))
    assert (2, 4) in pairs
    assert {pair for pair in pairs if {1, 4} & set(pair)} == {(2, 4)}


def test_one_concept_and_none_have_no_pairs() -> None:
    """And a table without rows."""
    for n in (0, 1):
        found = read_pairs(*_both(random_vault(0, n)), set())
        assert (
            found.ahead.shape == found.back.shape == (0, len(FEATURES))
            and len(found.a) == len(found.b) == 0
        )


def test_entries_are_sampled_where_they_are_asked() -> None:
    """Zeros too, and nowhere."""
    dense = np.array([[0, 2], [3, 0]], dtype=np.float32)
    matrix = sparse.csr_array(dense)
    rows, columns = np.array([0, 1, 1, 0, 0]), np.array([1, 0, 1, 1, 0])
    assert sampled(matrix, rows, columns).tolist() == dense[rows, columns].tolist()
    assert sampled(matrix, rows[:0], columns[:0]).shape == (0,)
