"""The classifier of wishes: what it sees of a question, what it says, and of which words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.offers.offers import LEARNED_FROM
from app.answering.offers.wishes import (
    NONE,
    as_asked,
    columns,
    joint_wishes,
    learned,
    parts,
    read_wish,
    terms,
)
from executors.recipe import find_recipe
from kg.encoder import DEFAULT_ENCODER, Encoder

RARITY = {"batch": 2.0, "batch size": 3.0, "size": 2.0, "?": 1.5}


def test_it_knows_recipes_that_there_are() -> None:
    """Each class is a recipe that can be run, or none, by the encoder that comes with Gradus."""
    names = learned().names
    assert NONE in names and len(set(names)) == len(names) == 11
    for name in names:
        assert name == NONE or find_recipe(name).name == name
    assert learned().encoder == DEFAULT_ENCODER


@given(st.text(max_size=200))
def test_whatever_is_asked_the_chances_add_up(question: str) -> None:
    """Any text gives probabilities, known words or none."""
    known = learned()
    wide = len(known.weights) - len(known.rarity)
    chances = known(columns([question], np.zeros((1, wide)), known.rarity))
    assert chances.shape == (1, len(known.names))
    assert chances.min() >= 0 and chances.sum() == pytest.approx(1.0)


def test_words_and_pairs_count_by_their_rarity() -> None:
    """The rarer weighs more, the unknown nothing; a question's words have length one together."""
    assert terms("Batch size?") == ["batch", "size", "?", "batch size", "size ?"]
    rows = columns(["batch size", "nothing known"], np.zeros((2, 0)), RARITY)
    assert rows[0].tolist() == pytest.approx((np.array([2, 3, 2, 0]) / 17**0.5).tolist())
    assert rows[1].tolist() == [0, 0, 0, 0]


def test_said_twice_counts_more_but_not_twice() -> None:
    """A word's count enters by its logarithm."""
    once, twice = columns(["size ? batch", "size ? batch batch"], np.zeros((2, 0)), RARITY)
    assert 1 < (twice[0] / twice[2]) / (once[0] / once[2]) < 2


@pytest.mark.parametrize(
    ("question", "name"),
    [
        (
            "how large may a batch be for resnet50 at 320 px before my 6 GB card gives up?",
            "batch-size",
        ),
        ("suggest me a step length for adam on my table of flats", "lr-find"),
        ("would half precision speed up my summariser?", "mixed-precision"),
        ("i suspect a third of my bird photos carry the wrong species", "clean-data"),
        ("please train something on my folder with x-rays", "training-flow"),
    ],
)
def test_wishes_in_words_of_their_own_are_understood(question: str, name: str) -> None:
    """Nothing names these; the wording does."""
    chances = read_wish(question).chances
    assert [n for n, chance in chances.items() if chance >= LEARNED_FROM] == [name]


@pytest.mark.parametrize(
    "question",
    [
        "who wrote the paper on mixed precision?",
        "what does the third note say about batch size?",
        "why do activations shrink from layer to layer?",
        "how long does bread have to rise?",
        "is a learning rate the same as a step size?",
    ],
)
def test_theory_is_no_wish(question: str) -> None:
    """Who wants to read, not to run, is left alone."""
    assert max(read_wish(question).chances.values()) < LEARNED_FROM


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("which learning rate and weight decay?", {"lr-find", "regularise"}),
        ("Which learning rate and which batch size should I use?", {"lr-find", "batch-size"}),
        ("which learning rate for a batch size of 16?", {"lr-find"}),
    ],
)
def test_two_runs_only_where_both_are_wished_for(question: str, names: set[str]) -> None:
    """ "A and B?" wishes for both; where B is a circumstance of A, for A."""
    chances = read_wish(question).chances
    assert {name for name, chance in chances.items() if chance >= LEARNED_FROM} == names


def test_parts_are_wishes_of_their_own_only_where_they_differ_and_the_whole_agrees() -> None:
    """Two parts on the same run are one wish, and a part that the whole speaks against is none."""
    rate, batch = {"lr-find": 0.9, "batch-size": 0.01}, {"lr-find": 0.01, "batch-size": 0.95}
    whole = {"lr-find": 0.5, "batch-size": 0.4}
    assert joint_wishes(whole, [rate, batch]) == {"lr-find": 0.9, "batch-size": 0.95}
    assert joint_wishes(whole, [rate, rate]) == {}
    assert joint_wishes({"lr-find": 0.5, "batch-size": 0.0}, [rate, batch]) == {}
    assert parts("which lr, at 224 px?") == []
    assert parts("which lr and which wd?") == ["which lr", "which wd"]
    assert parts("lr, wd, " * 20) == []


def test_a_given_vector_is_the_questions_own(encoder: Encoder) -> None:
    """Handed in or made here, it says the same; with a slip, which it would keep, it is made
    anew.
    """
    for text in ("which learning rate?", "Which learnig rate?"):
        (vector,) = encoder.encode([text])
        given_it, made = read_wish(text, vector).chances, read_wish(text).chances
        assert given_it == pytest.approx(made, abs=1e-4)


@pytest.mark.parametrize(
    ("slipped", "meant"),
    [
        ("which learnig rate?", "which learning rate?"),
        ("mixed percision on segmentaton", "mixed precision on segmentation"),
        ("lr befor unfreezing", "lr before unfreezing"),
        ("half  Precision w/o my dataframe", "half precision without my dataframe"),
    ],
)
def test_slips_in_the_words_of_recipes_are_mended(slipped: str, meant: str) -> None:
    """One wrong, missing or exchanged letter."""
    assert as_asked(slipped) == meant


def test_what_is_written_out_is_no_slip() -> None:
    """Paths, quoted names, identifiers and words that questions are known to use stay."""
    for text in ("in nets/percision.py:build", 'target "percision"', "resizing resized classes"):
        assert as_asked(text) == text
    assert read_wish("lr befor unfreezing").params["lr-find"] == {"phase": "frozen"}


@pytest.mark.parametrize("endless", ["64 " + "and " * 5000, "1, " * 5000, "batchsizze or " * 2000])
def test_endless_lists_are_read(endless: str) -> None:
    """In time that does not explode with their length, and for no wish."""
    assert read_wish(endless + "x").params["lr-find"] == {}
