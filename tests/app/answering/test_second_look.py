"""The second look: what it reads, that it tells near misses, and that it is left out where it can
be."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from app.answering import refusal, second_look
from app.answering.composing.ranking import Ranked, rank
from app.answering.question.understand import Question, understand
from app.answering.refusal import (
    LOOK,
    LOOK_FROM,
    SIGNS,
    SURE_BY_SIGNS,
    SURE_FROM,
    confidence,
    is_doubtful,
)
from app.answering.second_look import CHARS, STATEMENT_CHARS, digest
from kg.encoder import Encoder
from kg.search import Findings, find
from kg.store import Store


def looked_at(question: str, store: Store, encoder: Encoder) -> tuple[Question, Findings, Ranked]:
    asked = understand(question, store, encoder)
    findings = find(asked.reading, store)
    ranked = rank(asked, findings, store)
    assert ranked is not None
    return asked, findings, ranked


def look(question: str, store: Store, encoder: Encoder) -> float:
    asked, _, ranked = looked_at(question, store, encoder)
    said = second_look.second_look(asked.reading.text, ranked, encoder)
    assert said is not None
    return said


def test_the_likeliest_statements_are_read_in_their_order(store: Store, encoder: Encoder) -> None:
    """From the likeliest on, each cut to what has room, its heading where the passage changes."""
    _, _, ranked = looked_at("what is proofing?", store, encoder)
    lines = digest(ranked)
    assert [i for i, _ in lines] == ranked.best_first()[: len(lines)]
    assert lines[0][1].startswith("Proofing: Proofing is the rest in which dough rises.")
    assert len("\n".join(line for _, line in lines)) <= CHARS
    before = -1
    for i, line in lines:
        said = " ".join(ranked.statements[i].text.split())[:STATEMENT_CHARS]
        own = line if ranked.hit[i] == before else line.partition(": ")[2]
        assert said.startswith(own)
        before = int(ranked.hit[i])


def test_what_is_left_out_makes_room(store: Store, encoder: Encoder) -> None:
    """Without the first statement the others are read in the same order."""
    _, _, ranked = looked_at("what is proofing?", store, encoder)
    first, *others = (i for i, _ in digest(ranked))
    without = [i for i, _ in digest(ranked, {first})]
    assert without[: len(others)] == others


# Of each two questions on the same lines the notes answer the first.
NEAR_MISSES = [
    ("what is proofing?", "who invented proofing?"),
    ("what is flour made of?", "how much does a bag of flour cost?"),
    ("how do I keep the crust soft?", "what colour has the crust of a bagel?"),
    ("how often do I feed the starter?", "where can I buy a sourdough starter?"),
    ("what does wheat flour hold?", "how long does wheat flour keep?"),
    ("what does proofing need?", "how many calories has a loaf?"),
    ("how long does dough proof at 26 °C?", "how long does dough proof in the fridge?"),
    ("how do I get a thick crust?", "why is the crust of my loaf burnt?"),
]


def test_what_the_statements_answer_is_told_from_near_misses(
    store: Store, encoder: Encoder
) -> None:
    """Of six pairs in eight at least, the question that is answered has the higher logit."""
    above = [look(told, store, encoder) > look(not_, store, encoder) for told, not_ in NEAR_MISSES]
    assert sum(above) >= 6, above


@pytest.mark.parametrize("question", ["$$" * 300, "flour " * 200, "麦" * 600])
def test_a_question_longer_than_what_is_read_is_cut(
    store: Store, encoder: Encoder, question: str
) -> None:
    """Its own words leave room for statements."""
    _, _, ranked = looked_at("what is proofing?", store, encoder)
    look = second_look.second_look(question, ranked, encoder)
    assert look is not None and math.isfinite(look)


def test_a_look_depends_on_its_question_and_statements_alone(
    store: Store, encoder: Encoder
) -> None:
    """It is the same alone and among others at once."""
    questions = ["what is proofing?", "who invented proofing?", "what is flour made of?"]
    alone = [look(q, store, encoder) for q in questions]
    cases = [looked_at(q, store, encoder) for q in questions]
    with ThreadPoolExecutor(4) as visitors:
        at_once = visitors.map(
            lambda case: second_look.second_look(case[0].reading.text, case[2], encoder), cases * 4
        )
        assert list(at_once) == alone * 4


def test_the_encoder_stays_as_it_is(store: Store, encoder: Encoder) -> None:
    """What was learned is added to a copy of its layers."""
    before = encoder.encode(["proofing"])
    look("what is proofing?", store, encoder)
    assert np.array_equal(encoder.encode(["proofing"]), before)


def test_with_another_encoder_the_signs_decide(store: Store, encoder: Encoder) -> None:
    """Nothing was learned of it."""
    asked, findings, ranked = looked_at("who invented proofing?", store, encoder)
    other = replace(encoder, name="another")
    assert second_look.second_look(asked.reading.text, ranked, other) is None
    by_signs = confidence(asked, findings, ranked)
    assert confidence(asked, findings, ranked, other) == by_signs
    between = (SURE_FROM + SURE_BY_SIGNS) / 2
    assert is_doubtful(between, encoder) and not is_doubtful(between, other)
    assert is_doubtful(SURE_BY_SIGNS - 0.01, other) and not is_doubtful(SURE_FROM, encoder)


@pytest.mark.parametrize("sure", [0.01, LOOK_FROM, SURE_FROM, 0.99])
def test_what_the_signs_are_sure_of_is_not_looked_at(
    store: Store, encoder: Encoder, monkeypatch: pytest.MonkeyPatch, sure: float
) -> None:
    """More than half of all answers take no longer for it."""

    def looked(*_: object) -> float:
        raise AssertionError("looked")

    asked, findings, ranked = looked_at("what is proofing?", store, encoder)
    monkeypatch.setattr(refusal, "_chance", lambda learned, signs: sure)
    monkeypatch.setattr(second_look, "second_look", looked)
    assert confidence(asked, findings, ranked, encoder) == sure


def test_what_is_in_doubt_is_looked_at(
    store: Store, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The more the look says, the surer is the answer."""
    asked, findings, ranked = looked_at("what is proofing?", store, encoder)
    monkeypatch.setattr(refusal, "LOOK_FROM", -1.0)
    monkeypatch.setattr(refusal, "SURE_FROM", 2.0)
    sure = []
    for said in (-5.0, 0.0, 5.0):
        monkeypatch.setattr(second_look, "second_look", lambda *_, said=said: said)
        sure.append(confidence(asked, findings, ranked, encoder))
    assert sure == sorted(sure)
    assert sure[-1] - sure[0] > 0.3


def test_every_sign_and_the_look_have_a_weight() -> None:
    """What was fitted is what is read."""
    assert tuple(second_look.stored()["weights"]) == (*SIGNS, LOOK)
