"""The confidence of answers: a probability that moves with its signs, and is what the benchmark
fitted.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.confidence import ANSWERED_FROM, COEFFICIENTS, INTERCEPT, confidence
from kg.encoder import Encoder
from kg.search import Signs, find, read
from kg.store import Store

SHARE = st.floats(0, 1)
FITTED = Path(__file__).parents[3] / "benchmarks/results/confidence.json"


@given(SHARE, SHARE, SHARE, st.floats(0.01, 0.5))
def test_better_matches_raise_it_and_unknown_words_lower_it(
    best: float, weakest: float, unknown: float, step: float
) -> None:
    """Each sign moves it its own way, within [0, 1]."""
    now = confidence(Signs(best, weakest, unknown))
    assert 0 < now < 1
    assert confidence(Signs(best + step, weakest, unknown)) > now
    assert confidence(Signs(best, weakest + step, unknown)) > now
    assert confidence(Signs(best, weakest, unknown + step)) < now


def test_the_numbers_are_those_of_the_fit() -> None:
    """Rounded to a tenth from what the benchmark found."""
    fitted = json.loads(FITTED.read_text(encoding="utf-8"))["fitted"]
    assert [*COEFFICIENTS.values(), INTERCEPT] == pytest.approx(fitted, abs=0.06)


@pytest.mark.parametrize(
    "question",
    ["What is proofing?", "which learning rate after unfreezing?", "what does wheat flour hold"],
)
def test_what_the_notes_hold_is_answered(store: Store, encoder: Encoder, question: str) -> None:
    """Plain questions on small notes are well above the line."""
    assert confidence(find(read(question, store, encoder), store).signs) > 0.6 > ANSWERED_FROM


@pytest.mark.parametrize(
    "question",
    [
        "How do I prune an apple tree?",
        "who signed the treaty of Westphalia",
        "Kubernetes ingress timeout",
    ],
)
def test_what_the_notes_do_not_hold_is_refused(
    store: Store, encoder: Encoder, question: str
) -> None:
    """Questions from elsewhere are below it, even where a word is shared."""
    assert confidence(find(read(question, store, encoder), store).signs) < ANSWERED_FROM


def test_signs_are_shares(store: Store, encoder: Encoder) -> None:
    """For odd questions too, all of them lie within [0, 1]."""
    for question in ["", "?", "the of", "🎉", "x" * 3000, "dropout " * 500, "学习率"]:
        signs = find(read(question, store, encoder), store).signs
        assert all(0 <= s <= 1 + 1e-6 for s in (signs.best, signs.weakest, signs.unknown)), question
