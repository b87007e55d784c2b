"""`gradus feedback` lists what readers thought, and writes what `gradus eval` reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.commands.ingest_and_ask import app
from app.evaluation.feedback import Feedback, give_feedback
from app.evaluation.question_file import read_questions
from kg.types import Citation

CITED = (Citation(1, "a.md", 3, 3, None, "Salt is a crystal."),)


@pytest.fixture
def rated(tmp_path: Path) -> Path:
    """A folder with feedback of two kinds."""
    give_feedback(tmp_path, Feedback("What is salt?", "helpful", "S", "answered", CITED, "1"))
    give_feedback(tmp_path, Feedback("What is flour?", "missing", "S", "answered", CITED, "2"))
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["feedback", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_feedback_is_listed(rated: Path, tmp_path: Path) -> None:
    """With its kind, the question and where the answer's citations stand."""
    told = run("--store", str(rated))
    assert "helpful" in told and "What is flour?" in told and "a.md:3" in told
    rows = [json.loads(line) for line in run("--store", str(rated), "--json").splitlines()]
    assert [(row["kind"], row["question"]) for row in rows] == [
        ("helpful", "What is salt?"),
        ("missing", "What is flour?"),
    ]
    assert run("--store", str(tmp_path / "none")) == ""


def test_helpful_answers_become_questions(rated: Path) -> None:
    """Those of which nobody said what answers them are left out."""
    file = rated / "questions.jsonl"
    run("--store", str(rated), "--eval", str(file))
    assert [(q.q, q.quotes) for q in read_questions(file)] == [
        ("What is salt?", ("Salt is a crystal.",))
    ]
