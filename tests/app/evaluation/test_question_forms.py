"""Sentences turned into questions: grammatical, self-contained, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.question_forms import asked_of, by_chance, casual, mine


@pytest.mark.parametrize(
    ("sentence", "subject", "question"),
    [
        (
            "If you want to keep your starter alive, feed it daily.",
            "",
            "How do I keep my starter alive?",
        ),
        (
            "To free the memory of a card, delete the learner first.",
            "",
            "How do I free the memory of a card?",
        ),
        (
            "If the dough tears, let it rest for ten minutes.",
            "",
            "What should I do if the dough tears?",
        ),
        (
            "If the loss explodes, every weight becomes nan.",
            "",
            "What happens if the loss explodes?",
        ),
        (
            "When the loss explodes, lower the learning rate.",
            "",
            "What should I do when the loss explodes?",
        ),
        (
            "Use cold water (from the fridge) for a slow rise.",
            "",
            "What should I use for a slow rise?",
        ),
        ("Use a covered pot when the oven has no steam.", "", "When should I use a covered pot?"),
        (
            "We store every state because the backward pass reads it.",
            "",
            "Why do we store every state?",
        ),
        (
            "The outer layers are frozen because their features are general.",
            "",
            "Why are the outer layers frozen?",
        ),
        ("Salt slows every yeast a little.", "Salt", "What slows every yeast a little?"),
        (
            "A levain is a dough that carries wild yeast.",
            "levain",
            "Which dough carries wild yeast?",
        ),
        (
            "The dry outside of bread is called the crust.",
            "",
            "What is the dry outside of bread called?",
        ),
        ("A float32 parameter takes 4 bytes.", "", "How many bytes does a float32 parameter take?"),
        (
            "Never open the oven before the loaf has risen.",
            "",
            "Should I open the oven before the loaf has risen?",
        ),
        (
            "Rule of thumb: never drop the last uneven batch.",
            "",
            "Should I drop the last uneven batch?",
        ),
    ],
)
def test_a_sentence_is_asked_for_what_it_says(sentence: str, subject: str, question: str) -> None:
    """Conditions, purposes, reasons, names, numbers and warnings each have their question."""
    assert question in [q for _, q in asked_of(sentence, subject)]


@pytest.mark.parametrize(
    ("sentence", "subject"),
    [
        ("This slows the yeast a little, because it is cold.", ""),  # leans on the sentence before
        ("If it tears, let the dough rest.", ""),  # so does its condition
        ("To do so, open the lid of the pot.", ""),
        ("To be exact, the oven has 240 degrees.", ""),  # no purpose
        (
            "Momentum is stepping along the mean because it is steadier.",
            "Momentum",
        ),  # "why is momentum stepping …?"
        ("Dropout layers are off at prediction time.", "Dropout"),  # the name is no subject here
        ("x = y + 1, so that z holds for all of them", ""),  # a formula
        ("Is the crust soft when the oven has steam?", ""),  # a question already
        ("Crust.", ""),
    ],
)
def test_a_sentence_that_cannot_stand_alone_gives_no_question(sentence: str, subject: str) -> None:
    """Better none than one that nobody would ask."""
    assert asked_of(sentence, subject) == []


@given(st.text(max_size=200), st.text(max_size=20))
def test_any_text_is_taken(sentence: str, subject: str) -> None:
    """Whatever stands in notes, what comes back are questions in one line."""
    for kind, question in asked_of(sentence, subject):
        assert kind in ("how", "fact")
        assert (
            question.endswith("?")
            and "\n" not in question
            and question == " ".join(question.split())
        )


@given(st.text(), st.integers(1, 50))
def test_chance_depends_on_the_text_alone(text: str, n: int) -> None:
    """The same text gives the same number, within bounds."""
    assert 0 <= by_chance(text, n) < n
    assert by_chance(text, n) == by_chance(str(text), n)


def test_chance_spreads() -> None:
    """Different texts do not all get the same number."""
    assert len({by_chance(f"text {i}", 4) for i in range(50)}) == 4


def test_a_reader_speaks_of_himself() -> None:
    """You and your become I and my, contractions too."""
    assert (
        mine("you're sure that your data and you've cleaned it")
        == "I am sure that my data and I have cleaned it"
    )


def test_headings_are_lower_case_inside_a_question() -> None:
    """Proper names and words with several capitals stay."""
    assert (
        casual(["Learning", "Rate", "in", "PyTorch", "by", "Adam"], {"Adam"})
        == "learning rate in PyTorch by Adam"
    )
