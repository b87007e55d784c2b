"""What readers think of answers is kept, bounded, and read by `gradus eval`."""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path

import pytest

from app.evaluation import feedback
from app.evaluation.feedback import Feedback, as_questions, give_feedback, read_feedback
from app.evaluation.question_file import read_questions, save_questions
from kg.types import Citation

CITED = (Citation(1, "a.md", 3, 3, None, "Salt is a crystal."),)
HELPFUL = Feedback("What is salt?", "helpful", "Salt. [1]", "answered", CITED, "one")
WRONG = Feedback("What is flour?", "wrong-citation", "Salt. [1]", "answered", CITED, "two")
UNSAID = Feedback("Who won?", "helpful", "Not in the notes.", "not_in_notes", (), "three")


def without_dates(store: Path) -> list[Feedback]:
    return [dataclasses.replace(f, date="") for f in read_feedback(store)[0]]


def test_feedback_comes_back_and_the_last_word_stands(tmp_path: Path) -> None:
    """What is said of an answer again takes the place of what was said; taken back, it is gone."""
    assert read_feedback(tmp_path) == ((), 0)
    for one in (HELPFUL, WRONG):
        give_feedback(tmp_path, one)
    assert without_dates(tmp_path) == [HELPFUL, WRONG]
    assert all(f.date for f in read_feedback(tmp_path)[0])
    changed = dataclasses.replace(HELPFUL, kind="missing")
    give_feedback(tmp_path, changed)
    give_feedback(tmp_path, dataclasses.replace(WRONG, kind=""))
    assert without_dates(tmp_path) == [changed]
    assert stat.S_IMODE((tmp_path / "feedback.jsonl").stat().st_mode) == 0o600


def test_the_oldest_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By number of lines, and by size."""
    monkeypatch.setattr(feedback, "KEPT_LINES", 3)
    for n in range(5):
        give_feedback(tmp_path, dataclasses.replace(HELPFUL, id=str(n)))
    assert [f.id for f in read_feedback(tmp_path)[0]] == ["2", "3", "4"]
    monkeypatch.setattr(feedback, "KEPT_BYTES", 700)
    give_feedback(tmp_path, dataclasses.replace(HELPFUL, id="5"))
    assert (tmp_path / "feedback.jsonl").stat().st_size <= 700
    assert read_feedback(tmp_path)[0][-1].id == "5"


def test_a_damaged_line_costs_only_itself(tmp_path: Path) -> None:
    """The others are read, and how many are damaged is told."""
    give_feedback(tmp_path, HELPFUL)
    with (tmp_path / "feedback.jsonl").open("a") as file:
        file.write('{"question": \n{"kind": "helpful"}\n')
    give_feedback(tmp_path, WRONG)
    assert without_dates(tmp_path) == [HELPFUL, WRONG]
    assert read_feedback(tmp_path)[1] == 2


def test_only_what_is_known_becomes_a_question(tmp_path: Path) -> None:
    """What was cited answers it, or the notes do not say; the last word on a question counts."""
    uncited = dataclasses.replace(HELPFUL, question="Which path?", citations=(), id="four")
    save_questions(tmp_path / "q.jsonl", as_questions([HELPFUL, WRONG, UNSAID, uncited]))
    salt, unsaid = read_questions(tmp_path / "q.jsonl")
    assert (salt.q, salt.quotes, salt.source) == (
        "What is salt?",
        ("Salt is a crystal.",),
        "a.md:3",
    )
    assert (unsaid.q, unsaid.answerable) == ("Who won?", False)
    assert as_questions([HELPFUL, dataclasses.replace(HELPFUL, kind="missing", id="x")]) == []
