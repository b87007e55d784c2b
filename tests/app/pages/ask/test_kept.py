"""A conversation comes back from the browser as it was, or not at all."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.answer import answer
from app.pages.ask.kept import KEPT_BYTES, KEPT_QUESTIONS, kept_text, kept_under, read_kept
from kg.encoder import Encoder
from kg.store import Store
from kg.types import Answer

BLANK = Answer("What is it?", "not_in_notes", "empty", 0.1, "The notes do not say.")


def test_a_conversation_comes_back(store: Store, encoder: Encoder) -> None:
    """Answers of every part, but the passages they were found in, and what the chat showed."""
    questions = ("What is proofing?", "When do I add salt?", "What do I need before proofing?")
    turns = [(question, answer(question, store, encoder)) for question in questions]
    shown = [("user", "What is proofing?"), ("assistant", "A rest. <b>[1]</b>")]
    back, back_shown = read_kept(kept_text(turns, shown))
    assert back == [(q, dataclasses.replace(a, hits=())) for q, a in turns]
    assert back_shown == shown


@given(st.lists(st.text(max_size=30), max_size=60), st.integers(0, 30_000))
def test_what_is_kept_is_bounded(questions: list[str], length: int) -> None:
    """The newest questions with their answers, in whole pairs, never more than is taken back."""
    pairs = [(("user", q), ("assistant", '学"' * length)) for q in questions]
    shown = [message for pair in pairs for message in pair]
    text = kept_text([(q, BLANK) for q in questions], shown)
    assert len(json.dumps(text, ensure_ascii=False).encode()) <= KEPT_BYTES
    turns, back = read_kept(text)
    assert len(turns) <= KEPT_QUESTIONS and len(back) <= 2 * KEPT_QUESTIONS
    assert back == shown[len(shown) - len(back) :] and len(back) % 2 == 0
    assert bool(back) is bool(shown)


@given(st.one_of(st.none(), st.integers(), st.text(), st.lists(st.text())))
def test_anything_else_is_no_conversation(kept: object) -> None:
    """Whatever stands in the browser's storage, the page begins."""
    assert read_kept(kept) == ([], [])


@pytest.mark.parametrize(
    "kept",
    ['[[], [["system", "x"]]]', '[[["q", {"question": "q"}]], []]', '[[], [["user"]]]', "[[]]"],
)
def test_what_has_another_form_is_no_conversation(kept: str) -> None:
    """Of another version, or made up."""
    assert read_kept(kept) == ([], [])


def test_each_store_has_its_own(tmp_path: Path) -> None:
    """Pages on the same port with other notes do not show this conversation."""
    assert kept_under(tmp_path / "a") != kept_under(tmp_path / "b")
    assert kept_under(tmp_path / "a") == kept_under(tmp_path / "b" / ".." / "a")
