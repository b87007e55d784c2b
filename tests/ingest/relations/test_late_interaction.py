"""Late interaction against a plain double loop over words, at every length."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vault import random_vault, relabelled, units

from ingest.relations.gists import Gists
from ingest.relations.late_interaction import NAMES_TOLD, names_told, texts_told

Floats = npt.NDArray[np.float32]
LATE = (*NAMES_TOLD, "text told")
WINDOW, OPENING = 12, 64  # word pieces of half a stretch, and of an opening
# What rounding both of two vectors of 8 parts to bytes can change of their cosine.
IN_BYTES = 8**0.5 / 127


def late_features(gists: Gists, a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> Floats:
    """All columns of both directions, shape (2, m, 5)."""
    told, openings = names_told(gists, a, b)
    return np.concatenate([told, texts_told(openings, a, b)[:, :, None]], axis=2)


def stretches(words: Floats) -> list[Floats]:
    """Overlapping pieces of two windows each, or the whole where it is shorter."""
    windows = [words[i : i + WINDOW] for i in range(0, len(words), WINDOW)]
    return [np.concatenate(windows[i : i + 2]) for i in range(max(1, len(windows) - 1))]


def best(word: Floats, words: Floats) -> float:
    """Greatest cosine of one word with any of many."""
    return max(float(word @ other) for other in words)


def slowly(gists: Gists, p: int, c: int) -> list[float]:
    """The features of "p before c" as their descriptions say, one word after the other."""
    name, text, own = gists.name_words[p], gists.words(c), gists.words(p)[:OPENING]
    out = [0.0] * len(LATE)
    if len(text):
        sums = [piece.sum(axis=0) for piece in stretches(text)]
        out[3] = max(float(gists.names[p] @ s) / float(np.linalg.norm(s)) for s in sums)
        if len(name):
            met = [best(w, text) for w in name]
            out[0], out[1] = float(np.mean(met)), min(met)
            out[2] = max(
                float(np.mean([best(w, piece) for w in name])) for piece in stretches(text)
            )
        if len(own):
            out[4] = min(1.0, max(0.0, float(np.mean([best(w, text[:OPENING]) for w in own]))))
    return out


def check(gists: Gists, a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> None:
    """Both directions of each pair are the loop's, the last column but for rounding."""
    for found, p, c in zip(late_features(gists, a, b), (a, b), (b, a), strict=True):
        slow = np.array([slowly(gists, int(i), int(j)) for i, j in zip(p, c, strict=True)]).reshape(
            -1, len(LATE)
        )
        np.testing.assert_allclose(found[:, :4], slow[:, :4], atol=2e-6)
        np.testing.assert_allclose(found[:, 4], slow[:, 4], atol=IN_BYTES)


@given(st.integers(0, 10_000), st.integers(2, 6), st.data())
def test_features_equal_a_plain_double_loop(seed: int, n: int, data: st.DataObject) -> None:
    """For any pairs in any order, with concepts that have no text and names that have no words."""
    some = st.sets(st.integers(0, n - 1), max_size=2)
    gists = random_vault(
        seed, n, mute=sorted(data.draw(some)), nameless=sorted(data.draw(some))
    ).gists
    every = [(i, j) for i in range(n) for j in range(i + 1, n)]
    chosen = np.array(data.draw(st.permutations(every)), dtype=np.int64)
    check(gists, chosen[:, 0], chosen[:, 1])


@pytest.mark.parametrize("length", [1, 11, 12, 13, 24, 25, 36, 37, 63, 64, 65, 76, 220])
def test_every_length_of_a_text_is_read_whole(length: int) -> None:
    """On both sides of the borders of windows, stretches and openings."""
    rng = np.random.default_rng(length)
    words = [units(rng, length, 8), units(rng, 5, 8), units(rng, 70, 8)]
    names = tuple(units(rng, k, 8) for k in (1, 2, 3))
    gists = Gists(units(rng, 3, 8), units(rng, 3, 8), names, words.__getitem__, ("a", "b", "c"))
    check(gists, np.array([0, 0, 1]), np.array([1, 2, 2]))


def test_a_name_met_in_one_place_is_met_better_together_than_one_met_in_two() -> None:
    """Two words of a name next to each other, against the same two at the ends of a long text."""
    one, two, else_ = np.eye(3, dtype=np.float32)
    filler = np.tile(else_, (40, 1))
    close = np.concatenate([filler, [one, two], filler])
    apart = np.concatenate([[one], filler, filler, [two]])
    texts = [np.stack([else_]), close, apart]
    names = (np.stack([one, two]), np.stack([else_]), np.stack([else_]))
    gists = Gists(
        np.eye(3, dtype=np.float32),
        np.eye(3, dtype=np.float32),
        names,
        texts.__getitem__,
        ("a", "b", "c"),
    )
    ahead, _ = late_features(gists, np.array([0, 0]), np.array([1, 2]))
    told = dict(zip(LATE, ahead.T.tolist(), strict=True))
    assert told["told"] == told["told least"] == [1, 1]
    assert told["told together"] == [1, 0.5]


def test_both_directions_come_out_swapped_for_swapped_pairs() -> None:
    """What is "a before b" of (a, b) is "b before a" of (b, a)."""
    gists = random_vault(3, 6, mute=[2], nameless=[4]).gists
    a, b = np.array([0, 1, 2, 3, 0]), np.array([1, 2, 3, 4, 5])
    ahead, back = late_features(gists, a, b)
    again_back, again_ahead = late_features(gists, b, a)
    np.testing.assert_allclose(ahead, again_ahead, atol=2e-6)
    np.testing.assert_allclose(back, again_back, atol=2e-6)
    assert np.abs(ahead - back).max() > 0.05


@given(st.integers(0, 10_000), st.permutations(range(6)))
def test_other_ids_change_nothing(seed: int, new: list[int]) -> None:
    """Each pair has the same features under whatever numbers its concepts go."""
    vault = random_vault(seed, 6, mute=[1])
    a, b = np.triu_indices(6, 1)
    renamed = np.array(new)
    before = late_features(vault.gists, a, b)
    after = late_features(relabelled(vault, new).gists, renamed[a], renamed[b])
    np.testing.assert_allclose(before, after, atol=2e-6)


def test_no_pairs_have_no_features() -> None:
    """Shapes stay."""
    none = np.zeros(0, dtype=np.int64)
    for found in late_features(random_vault(0, 3).gists, none, none):
        assert found.shape == (0, len(LATE)) and found.dtype == np.float32
