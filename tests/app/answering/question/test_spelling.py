"""Slips of the keyboard in a question are mended by the notes' own names, and nothing else is
touched.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.question.spelling import speller
from kg.linking import Lexicon
from kg.types import Concept

LABELS = (
    "Dropout",
    "Overfitting",
    "Learning rate",
    "Batch normalisation",
    "Batch norm",
    "Training",
    "Trading",
    "GAN",
    "Weight decay",
)
LEXICON = Lexicon.of(
    tuple(Concept(i, label, (), ("n.md",), "", (0,)) for i, label in enumerate(LABELS))
)
HELD = {
    "shuffle": 4,
    "leaning": 1,
    "network": 9,
    "work": 7,
    "recommend": 3,
    "recommence": 3,
    "strong": 8,
}


def mended(question: str) -> str:
    held = HELD.get
    known = {"networks", "string"}.__contains__
    return speller(LEXICON, lambda w: held(w.lower(), 0), lambda: HELD, known)(question)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("what is dropuot?", "what is dropout?"),
        ("what is overfiting", "what is overfitting"),
        ("a lerning rate", "a learning rate"),
        ("what is batchnorm?", "what is batch norm?"),
        ("batchnormalization", "batch normalisation"),
        ("a weightdec", "a weight decay"),
        ("Wich one, and whats the diference?", "which one, and whats the difference?"),
        ("what shoud I do", "what should I do"),
        ("how does it wrok", "how does it work"),
        ("deep netwrok", "deep network"),
    ],
)
def test_a_slip_is_mended(typed: str, meant: str) -> None:
    """A letter missing, added, wrong or exchanged, and a name written as one word."""
    assert mended(typed) == meant


@pytest.mark.parametrize(
    "question",
    [
        "a leaning tower",  # the notes hold the word
        "what is traning",  # for training or for trading
        "GANs and gain",  # too short
        "which string",  # a word of the language, if none of the notes
        "what to recommenc",  # for recommend or for recommence
        "how to wor",  # a short word is often one letter from another
        "call dropOut or `dropuot`, see x.dropuot and dropuot/2",  # code and addresses
        "DROPUOT",
        "what is a rainforest?",
        "xdropout",
        "what is dropout, and overfitting?",
        "",
    ],
)
def test_what_is_no_slip_stays(question: str) -> None:
    """Words of the notes, what could be meant for two names or none, short words, code."""
    assert mended(question) == question


@given(st.text(max_size=60))
def test_mending_twice_changes_nothing_more(question: str) -> None:
    """Whatever is typed, what comes out is spelled as the names are."""
    once = mended(question)
    assert mended(once) == once


@given(st.text(alphabet=st.characters(categories=["Ll"]), min_size=1, max_size=12))
def test_a_word_that_the_notes_hold_stays(word: str) -> None:
    """However near it is to a name."""
    assert speller(LEXICON, lambda _: 1, dict, lambda _: False)(word) == word
