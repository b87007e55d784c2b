"""Statements that contradict each other are noticed, near misses are not, and an answer says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.answering.answer import answer
from app.answering.reading.contradictions import opposed
from kg.encoder import Encoder
from kg.store import Store
from kg.types import Disagreement

PAIRS = [
    json.loads(line)
    for line in (Path(__file__).parent / "contradictions.jsonl").read_text("utf-8").splitlines()
]


def of(sort: str) -> list[tuple[str, str, str, str]]:
    """Pairs of one sort: one, other, heading of one, heading of the other.

    The unseen ones were written after the rules, to see how far these carry.
    """
    return [(p["one"], p["other"], *p["headings"]) for p in PAIRS if p["sort"] == sort]


def seen(pairs: list[tuple[str, str, str, str]]) -> list[tuple[str, str, str, str]]:
    """The pairs that count as contradicting, whichever of the two comes first."""
    found = [pair for pair in pairs if opposed(*pair)]
    turned = [(b, a, hb, ha) for a, b, ha, hb in pairs]
    assert [pair for pair in turned if opposed(*pair)] == [(b, a, hb, ha) for a, b, ha, hb in found]
    return found


def test_most_contradictions_are_noticed() -> None:
    """In several fields: numbers, negations and opposites about the same thing."""
    pairs = of("contradiction")
    assert len(pairs) >= 30
    missed = [pair for pair in pairs if pair not in seen(pairs)]
    assert len(missed) <= 2, missed


def test_unseen_contradictions_are_noticed_too() -> None:
    """At least two in three of pairs that the rules were not made on."""
    pairs = of("unseen contradiction")
    assert len(seen(pairs)) * 3 >= 2 * len(pairs)


@pytest.mark.parametrize(
    "pair", of("near miss") + of("unseen near miss"), ids=lambda pair: pair[0][:40]
)
def test_near_misses_raise_no_alarm(pair: tuple[str, str, str, str]) -> None:
    """Another condition, size, data set, year or subject is no contradiction."""
    assert opposed(*pair) == ""


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("The batch size should be 64.", "The batch size should be 32.", "number"),
        ("Shuffle the training data.", "Never shuffle the training data.", "negation"),
        (
            "A larger batch makes training noisier.",
            "A smaller batch makes training noisier.",
            "opposites",
        ),
    ],
)
def test_it_is_told_in_what_they_differ(one: str, other: str, why: str) -> None:
    """Numbers, yes or no, or one of two opposites."""
    assert opposed(one, other) == why


@pytest.mark.parametrize("text", [pair[0] for pair in of("contradiction")])
def test_nothing_contradicts_itself(text: str) -> None:
    """The same words twice agree."""
    assert opposed(text, text) == ""


@pytest.fixture(scope="module")
def disagreeing(store_of: Callable[..., Store]) -> Store:
    course = (
        "# Course\n\n## Warm-up\n\nWarm-up is raising the learning rate slowly at first. "
        "Warm-up should last 5 epochs.\n\n## Clipping\n\nGradient clipping keeps steps short. "
        "Clip the gradient at 1.0 in transformers.\n"
    )
    blog = (
        "# Blog\n\n## Schedules\n\nA warm-up of 1 epoch is enough for anything.\n\n"
        "## Recurrent nets\n\nClip the gradient at 0.25 in recurrent nets.\n"
    )
    return store_of({"course.md": course, "blog.md": blog})


def test_an_answer_says_that_notes_disagree(disagreeing: Store, encoder: Encoder) -> None:
    """Both statements stand side by side, each with its mark, and are told once."""
    said = answer("how long should warm-up be?", disagreeing, encoder)
    assert said.text.startswith("**Your notes disagree:**")
    assert said.text.count("Warm-up should last 5 epochs.") == 1
    assert said.text.count("A warm-up of 1 epoch is enough") == 1
    assert {said.citations[0].note, said.citations[1].note} == {"course.md", "blog.md"}
    assert {"Warm-up should last 5 epochs.", "A warm-up of 1 epoch is enough for anything."} == {
        c.quote for c in said.citations[:2]
    }
    assert said.disagreement == Disagreement(1, 2, "number")


def test_an_answer_raises_no_alarm_over_other_conditions(
    disagreeing: Store, encoder: Encoder
) -> None:
    """Other nets, other numbers."""
    said = answer("at what length should I clip the gradient?", disagreeing, encoder)
    assert "1.0" in said.text
    assert said.disagreement is None


def test_the_starter_notes_agree_with_themselves(starter: Store, encoder: Encoder) -> None:
    """Questions that bring many numbers and conditions together raise no alarm."""
    for question in (
        "which learning rate should I take?",
        "which batch size?",
        "how much dropout?",
        "when to unfreeze?",
    ):
        assert answer(question, starter, encoder).disagreement is None
