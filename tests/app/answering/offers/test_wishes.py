"""The classifier of wishes: what it sees of a question, what it says, and with which encoder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.offers.offers import LEARNED_FROM, as_asked, offers
from app.answering.offers.wishes import NONE, columns, learned, terms, wished
from executors.recipe import find_recipe
from kg.encoder import Encoder

RARITY = {"batch": 2.0, "batch size": 3.0, "size": 2.0, "?": 1.5}


def test_it_knows_recipes_that_there_are() -> None:
    """Each class is a recipe that can be run, or none."""
    names = learned().names
    assert NONE in names and len(set(names)) == len(names) == 10
    for name in names:
        assert name == NONE or find_recipe(name).name == name


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
    told = columns(["batch size", "nothing known"], np.zeros((2, 0)), RARITY)
    assert told[0].tolist() == pytest.approx((np.array([2, 3, 2, 0]) / 17**0.5).tolist())
    assert told[1].tolist() == [0, 0, 0, 0]


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
def test_wishes_in_words_of_their_own_are_understood(
    encoder: Encoder, question: str, name: str
) -> None:
    """No rule names these; the wording does."""
    chances = wished(as_asked(question), encoder)
    assert chances is not None
    assert [offer.name for offer in offers(question, (), chances)] == [name]


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
def test_theory_brings_no_button(encoder: Encoder, question: str) -> None:
    """Who wants to read, not to run, is left alone."""
    chances = wished(as_asked(question), encoder)
    assert chances is not None and max(chances.values()) < LEARNED_FROM
    assert offers(question, (), chances) == ()


def test_another_encoder_is_not_judged_by(encoder: Encoder) -> None:
    """Coefficients hold for the encoder they were learned with."""
    assert wished("which learning rate?", replace(encoder, name="another")) is None


def test_wording_rules_an_offer_out_and_finds_one_that_no_rule_foresaw() -> None:
    """Rules and wording together; a recipe that is not there is not offered."""
    question = "which learning rate should I take?"
    assert [o.name for o in offers(question, (), {"lr-find": 0.9})] == ["lr-find"]
    assert offers(question, (), {"lr-find": 0.01}) == ()
    (told,) = offers("tell me, oracle", (), {"lr-find": 0.1, "init-check": 0.8})
    assert (told.name, told.confidence) == ("init-check", 0.8)
    assert offers("tell me, oracle", (), {"init-check": 0.5}) == ()
    assert offers("tell me, oracle", (), {"not-there": 0.9}) == ()
