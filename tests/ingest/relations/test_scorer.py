"""The scorer: opposite directions score the opposite, sums are those of dense algebra."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vault import random_vault

from ingest.relations import scorer as module
from ingest.relations.features import FEATURES, LAST, Pairs, read_pairs
from ingest.relations.scorer import AROUND, Scored, around, joined_columns, probabilities, scorer

Numbers = npt.NDArray[np.float64]
log_odds = st.floats(-60, 60)


def found(seed: int, n: int) -> tuple[Pairs, npt.NDArray[np.int64]]:
    """Candidates of a random vault, with an order of some."""
    vault = random_vault(seed, n)
    pairs = read_pairs(vault.signals, vault.gists, set())
    return pairs, np.random.default_rng(seed).integers(-1, 2, len(pairs.a))


def turned(pairs: Pairs) -> Pairs:
    """Every pair the other way round."""
    return Pairs(pairs.b, pairs.a, pairs.back, pairs.ahead, pairs.beside)


@given(st.integers(0, 10_000), st.integers(2, 10))
def test_reverse_pairs_score_the_opposite(seed: int, n: int) -> None:
    """What is "a before b" of one is "b before a" of the other."""
    pairs, earlier = found(seed, n)
    one = scorer().score(pairs, earlier, n)
    other = scorer().score(turned(pairs), -earlier, n)
    np.testing.assert_allclose(one.ahead, other.back, atol=1e-6)
    np.testing.assert_allclose(one.back, other.ahead, atol=1e-6)


@given(st.integers(0, 10_000), st.integers(2, 10), st.floats(-4, 4), st.floats(-4, 4))
def test_what_is_not_promising_says_nothing_whatever_is_read_last(
    seed: int, n: int, mean: float, greater: float
) -> None:
    """For any weights of it: the pair is below what the graph sees, and all others score alike."""
    pairs, earlier = found(seed, n)
    last = [*FEATURES].index(LAST)
    first, second = scorer().rounds
    weights = first.joined.weights.copy()
    weights[[last, len(FEATURES) + last]] = mean, greater
    learned = replace(
        scorer(), rounds=(replace(first, joined=replace(first.joined, weights=weights)), second)
    )
    ahead, back = pairs.ahead.copy(), pairs.back.copy()
    ahead[:, last] = back[:, last] = 0
    kept = learned.promising(ahead, back)
    fewer = Pairs(pairs.a[kept], pairs.b[kept], pairs.ahead[kept], pairs.back[kept], pairs.beside)
    every, some = learned.score(pairs, earlier, n), learned.score(fewer, earlier[kept], n)
    np.testing.assert_allclose(every.ahead[kept], some.ahead, atol=1e-9)
    np.testing.assert_allclose(every.back[kept], some.back, atol=1e-9)
    rng = np.random.default_rng(seed)
    for read in (np.zeros((2, len(kept))), np.ones((2, len(kept))), rng.random((2, len(kept)))):
        ahead[:, last], back[:, last] = read
        odds = learned.rounds[0].joined(joined_columns(ahead, back))
        assert (odds[~kept] < np.log(0.02 / 0.98) + 1e-5).all()


def test_the_direction_that_ships_has_no_bias_and_reads_differences_alone() -> None:
    """So the log-odds of the reverse pair are the opposite, exactly.

    What belongs together does so both ways.
    """
    rng = np.random.default_rng(0)
    for read, width in zip(
        scorer().rounds, (len(FEATURES), len(FEATURES) + len(AROUND)), strict=True
    ):
        ahead, back = rng.random((2, 20, width))
        assert read.first.bias == 0
        assert (read.first(ahead - back) == -read.first(back - ahead)).all()
        together = read.joined(joined_columns(ahead, back))
        assert (together == read.joined(joined_columns(back, ahead))).all()
        assert np.ptp(read.first(ahead - back)) > 0 and np.ptp(together) > 0


@given(st.integers(0, 10_000), st.permutations(range(9)))
def test_other_ids_permute_the_scores(seed: int, new: list[int]) -> None:
    """Each pair scores the same under whatever numbers its concepts go."""
    pairs, earlier = found(seed, 9)
    names, old = np.array(new), np.argsort(new)
    a, b = names[pairs.a], names[pairs.b]
    swap = a > b
    order = np.lexsort((np.maximum(a, b), np.minimum(a, b)))
    ahead, back = (
        np.where(swap[:, None], *both)
        for both in ((pairs.back, pairs.ahead), (pairs.ahead, pairs.back))
    )
    beside = pairs.beside[old][:, old]
    again = Pairs(
        np.minimum(a, b)[order], np.maximum(a, b)[order], ahead[order], back[order], beside
    )
    one = scorer().score(pairs, earlier, 9)
    other = scorer().score(again, np.where(swap, -earlier, earlier)[order], 9)
    np.testing.assert_allclose(other.ahead, np.where(swap, one.back, one.ahead)[order], atol=1e-6)
    np.testing.assert_allclose(other.back, np.where(swap, one.ahead, one.back)[order], atol=1e-6)


@given(st.integers(0, 10_000), st.integers(2, 12))
def test_scores_are_probabilities(seed: int, n: int) -> None:
    """In [0, 1], of every pair, in both directions."""
    pairs, earlier = found(seed, n)
    scored = scorer().score(pairs, earlier, n)
    for way in (scored.ahead, scored.back):
        assert way.shape == (len(pairs.a),) and ((way >= 0) & (way <= 1)).all()


@given(st.lists(st.tuples(log_odds, log_odds), min_size=1, max_size=20), st.floats(0.01, 1))
def test_the_two_directions_share_what_belongs_together(
    odds: list[tuple[float, float]], apart: float
) -> None:
    """Never more than all of it; in the ratio of the direction; the stronger bond the more."""
    joined, first = np.array(odds).T
    ahead, back = probabilities(joined, first, apart)
    assert (ahead >= 0).all() and (back >= 0).all() and (ahead + back <= 1 + 1e-12).all()
    assert ((ahead >= back) == (first >= 0))[np.abs(first) > 1e-9].all()
    stronger = probabilities(joined + 1, first, apart)
    assert (stronger[0] >= ahead - 1e-12).all() and (stronger[1] >= back - 1e-12).all()
    plain = probabilities(joined, first, 1.0)
    np.testing.assert_allclose(
        plain[0], 1 / (1 + np.exp(-joined)) / (1 + np.exp(-first)), rtol=1e-9, atol=1e-12
    )


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_calibration_keeps_the_order(shares: list[float]) -> None:
    """A greater share never means a smaller probability, from nothing at all to everything."""
    calibrated = scorer().calibrated(np.sort(np.array([0.0, *shares, 1.0])))
    assert (np.diff(calibrated) >= 0).all()
    assert 0 <= calibrated[0] < scorer().keep < scorer().sure < calibrated[-1] <= 1


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(0, 30))
def test_levels_equal_a_dense_least_squares(seed: int, n: int, m: int) -> None:
    """Also where nothing joins two parts, where a pair stands twice, and without any pair."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, n, m)
    b = (a + rng.integers(1, max(2, n), m)) % n
    weights, first = rng.random(m), rng.normal(0, 3, m)
    steps = np.zeros((m, n))
    steps[np.arange(m), a] -= 1
    steps[np.arange(m), b] += 1
    # The pull to 0 as rows of its own.
    rows = np.concatenate([np.sqrt(weights)[:, None] * steps, np.sqrt(0.01) * np.eye(n)])
    wanted, *_ = np.linalg.lstsq(
        rows, np.concatenate([np.sqrt(weights) * first, np.zeros(n)]), rcond=None
    )
    np.testing.assert_allclose(module._levels(a, b, weights, first, n), wanted, atol=1e-5)


def test_a_chain_has_levels_in_its_order() -> None:
    """What comes first stands lower, wherever its id is."""
    levels = module._levels(np.array([2, 0, 3]), np.array([0, 3, 1]), np.ones(3), np.ones(3), 4)
    assert np.argsort(levels).tolist() == [2, 0, 3, 1]


def slowly(
    pairs: Pairs, joined: Numbers, first: Numbers, n: int, p: int, c: int, i: int
) -> list[float]:
    """What the graph shows of "p before c", the i-th pair, in dense sums."""
    together, forward = 1 / (1 + np.exp(-joined)), 1 / (1 + np.exp(-first))
    before, near = np.zeros((n, n)), np.zeros((n, n))
    for x, y, t, f in zip(pairs.a, pairs.b, together, forward, strict=True):
        if t >= module._SEEN:
            before[x, y], before[y, x] = t * f, t * (1 - f)
            near[x, y] = near[y, x] = t
    seen = together >= module._SEEN
    levels = module._levels(pairs.a[seen], pairs.b[seen], together[seen], first[seen], n)
    beside = pairs.beside.toarray()
    sums = [
        before[p] @ before[:, c],
        before[p] @ before[c],
        before[:, p] @ before[:, c],
        near[p] @ near[c],
        beside[p] @ before[:, c],
        before[p] @ beside[c],
    ]
    z = first[i] if p == pairs.a[i] else -first[i]
    counts = [
        np.log(before[p].sum() + module._FLOOR_ALL),
        np.log(before[:, c].sum() + module._FLOOR_ALL),
    ]
    return [
        joined[i],
        z,
        levels[c] - levels[p],
        *(np.log(s + module._FLOOR) for s in sums),
        *counts,
    ]


@given(st.integers(0, 10_000), st.integers(2, 7))
def test_what_the_graph_shows_equals_dense_sums(seed: int, n: int) -> None:
    """Of both directions; pairs that hardly belong together say nothing about others."""
    pairs, _ = found(seed, n)
    rng = np.random.default_rng(seed)
    joined, first = rng.normal(-1, 3, len(pairs.a)), rng.normal(0, 2, len(pairs.a))
    ahead, back = around(pairs, joined, first, n)
    assert ahead.shape == back.shape == (len(pairs.a), len(AROUND))
    for i, (a, b) in enumerate(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)):
        np.testing.assert_allclose(ahead[i], slowly(pairs, joined, first, n, a, b, i), atol=1e-5)
        np.testing.assert_allclose(back[i], slowly(pairs, joined, first, n, b, a, i), atol=1e-5)


def test_the_notes_order_speaks_for_what_stands_first() -> None:
    """A pair scores more in the order of the notes than without one, and less against it."""
    pairs, earlier = found(11, 8)
    of: dict[int, Scored] = {
        sign: scorer().score(pairs, np.full_like(earlier, sign), 8) for sign in (-1, 0, 1)
    }
    one = scorer().score(pairs, (np.arange(len(earlier)) == 4).astype(np.int64), 8)
    assert scorer().earlier > 0
    assert one.ahead[4] > of[0].ahead[4] and one.back[4] < of[0].back[4]
    assert of[1].ahead.sum() > of[0].ahead.sum() > of[-1].ahead.sum()


def test_no_candidates_have_no_scores() -> None:
    """In a vault of one concept, and where nothing belongs together."""
    for n in (0, 1):
        pairs, earlier = found(0, n)
        scored = scorer().score(pairs, earlier, n)
        assert scored.ahead.shape == scored.back.shape == (0,)
    pairs, _ = found(1, 6)
    strangers = np.full(len(pairs.a), -30.0)
    ahead, _ = around(pairs, strangers, strangers, 6)
    assert (ahead[:, [*AROUND].index("level")] == 0).all() and np.isfinite(ahead).all()


def shipped() -> dict[str, Any]:
    """The file as it ships."""
    read: dict[str, Any] = json.loads(
        resources.files("ingest.relations").joinpath("scorer.json").read_text(encoding="utf-8")
    )
    return read


def test_the_file_names_the_features_in_the_order_of_their_columns() -> None:
    """Both rounds, each feature's weight where its column is."""
    read = shipped()
    own = [*FEATURES]
    for part, round_, names in zip(
        read["rounds"], scorer().rounds, (own, [*own, *AROUND]), strict=True
    ):
        assert [n for n in part["first"] if n != "bias"] == names
        assert [n for n in part["joined"] if n != "bias"] == [
            *names,
            *(f"greater {n}" for n in names),
        ]
        assert round_.first.weights.tolist() == [part["first"][n] for n in names]
        assert round_.joined.weights.tolist() == [
            v for n, v in part["joined"].items() if n != "bias"
        ]
        assert round_.joined.bias == part["joined"]["bias"]
    assert {
        k: getattr(scorer(), k) for k in ("earlier", "apart", "slope", "offset", "keep", "sure")
    } == {k: read[k] for k in ("earlier", "apart", "slope", "offset", "keep", "sure")}


def test_the_file_says_how_it_was_made() -> None:
    """Command, data, figures and date stand beside the coefficients.

    Thresholds and slopes make sense.
    """
    read = shipped()
    assert {"trained with", "data", "figures", "date"} <= set(read["about"])
    assert 0 < read["keep"] < read["sure"] < 1 and read["slope"] > 0 and 0 < read["apart"] <= 1


def _another(read: dict[str, Any]) -> None:
    read["rounds"][0]["first"]["moon phase"] = 1.0


def _one_less(read: dict[str, Any]) -> None:
    del read["rounds"][1]["joined"]["told"]


def _elsewhere(read: dict[str, Any]) -> None:
    first = read["rounds"][0]["first"]
    read["rounds"][0]["first"] = {"early": first.pop("early"), **first}


@pytest.mark.parametrize("change", [_another, _one_less, _elsewhere])
def test_a_file_with_other_features_is_refused(
    change: Callable[[dict[str, Any]], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more, less or elsewhere: it says what it holds and how to train again."""
    read = shipped()
    change(read)
    (tmp_path / "scorer.json").write_text(json.dumps(read))
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    with pytest.raises(
        ValueError,
        match=r"(?s)scorer\.json holds .*, expected bias and \['named', .*; train it again",
    ):
        scorer.__wrapped__()


def test_without_weights_for_directions_none_is_preferred() -> None:
    """Nothing but the coefficients and the notes' order decides which comes first."""
    pairs, earlier = found(2, 7)
    one, two = (
        replace(r, first=replace(r.first, weights=0 * r.first.weights)) for r in scorer().rounds
    )
    before = scorer().score(pairs, 0 * earlier, 7)
    after = replace(scorer(), rounds=(one, two)).score(pairs, 0 * earlier, 7)
    np.testing.assert_allclose(after.ahead, after.back, atol=1e-12)
    assert np.abs(before.ahead - before.back).max() > 0.01
