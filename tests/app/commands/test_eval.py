"""`gradus eval`: the contract of its JSON, its table, and files that are never lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from shell import Shell

from app.commands.ingest_and_ask import app
from app.evaluation.question_file import read_questions


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, store_folder: Path
) -> Shell:
    return Shell(capsys, monkeypatch, store_folder, "eval")


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    rows = [
        {"q": "what is a sourdough starter?", "gold": ["Sourdough starter"], "kind": "definition"},
        {"q": "what is flour?", "quote": "Flour is ground grain", "kind": "definition"},
        {
            "q": "which learning rate after unfreezing?",
            "gold": ["Learning rate after"],
            "kind": "fact",
        },
        {"q": "what is flour?", "gold": ["Salt"], "kind": "definition"},
        {"q": "what is proofing?", "gold": ["Profing"], "kind": "definition"},
        {"q": "who painted the ceiling of the Sistine Chapel?", "gold": []},
    ]
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return path


def test_json_follows_the_contract(shell: Shell, questions: Path) -> None:
    """Figures, kinds with enough questions, what the notes do not hold, a row a question."""
    (found,) = shell.rows(questions, "--json")
    assert set(found) == {
        "questions", "answerable", "hit@1", "hit@3", "hit@5", "mrr", "answered", "cited", "refused",
        "ms_median",
        "ms_p90", "left_out", "k", "kinds", "not_held", "rows",
    }  # fmt: skip
    assert (found["questions"], found["answerable"], found["left_out"], found["k"]) == (5, 4, 1, 10)
    assert found["hit@1"] == 0.75
    assert (found["answered"], found["refused"]) == (1.0, 1.0)
    assert found["kinds"] == {}
    assert found["not_held"] == [
        {
            "line": 5,
            "q": "what is proofing?",
            "gold": "Profing",
            "closest": "Proofing",
            "spans_passages": False,
        }
    ]
    assert [r["line"] for r in found["rows"]] == [1, 2, 3, 4, 6]
    row = found["rows"][0]
    assert set(row) == {
        "line", "q", "kind", "answerable", "status", "rank", "cited", "first", "confidence", "ms",
    }  # fmt: skip
    assert (row["rank"], row["status"], row["cited"]) == (1, "answered", True)
    assert row["first"].startswith("bread.md › Bread › Sourdough starter")
    assert (found["rows"][4]["status"], found["rows"][4]["rank"]) == ("not_in_notes", None)


def test_kinds_are_told_apart_when_there_are_enough(shell: Shell, tmp_path: Path) -> None:
    """Five of a kind have figures of their own, four have none."""
    rows = [{"q": "what is flour?", "gold": ["Flour"], "kind": "definition"}] * 5
    rows += [{"q": "what is a crust?", "gold": ["Crust"], "kind": "fact"}] * 4
    path = tmp_path / "q.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    (found,) = shell.rows(path, "--json")
    assert list(found["kinds"]) == ["definition"]
    assert found["kinds"]["definition"]["hit@1"] == 1.0


def test_a_person_reads_a_table_and_what_was_missed(shell: Shell, questions: Path) -> None:
    """Figures and the missed question on stdout; faults of the file on stderr, with line."""
    out = shell(questions)
    assert shell.code == 0, shell.errors
    lines = out.splitlines()
    assert lines[0].split()[:3] == ["questions", "answerable", "hit@1"]
    assert lines[1].split()[:4] == ["all", "5", "4", "0.750"]
    (missed,) = (line for line in lines if line.startswith("4 "))
    assert "what is flour?" in missed and "bread.md › Bread › Flour" in missed
    assert (
        f"{questions}:5: the notes hold no heading 'Profing'; the closest heading is 'Proofing'"
        in shell.errors
    )
    assert "left out, because the notes hold nothing that they name: 1 question" in shell.errors


def test_a_bad_line_is_one_line_on_stderr(shell: Shell, tmp_path: Path) -> None:
    """File, line, what was expected; exit code 1."""
    path = tmp_path / "bad.jsonl"
    path.write_text('{"q": "a", "gold": []}\n{"q": "b"}\n', encoding="utf-8")
    shell(path)
    assert shell.code == 1
    assert 'bad.jsonl:2: expected "gold"' in shell.errors and "Traceback" not in shell.errors


def test_without_a_file_it_is_wrong_usage(shell: Shell) -> None:
    """And the message says how to make one."""
    shell()
    assert shell.code == 2
    assert "--generate" in shell.errors


def test_generated_questions_go_to_stdout_or_a_new_file(shell: Shell, tmp_path: Path) -> None:
    """Both are the same; a file that exists is kept unless forced."""
    printed = shell("--generate", "--most", "12")
    assert shell.code == 0, shell.errors
    path = tmp_path / "first.jsonl"
    path.write_text(printed, encoding="utf-8")
    assert len(read_questions(path)) == 12
    shell("--generate", path, "--most", "3")
    assert shell.code == 1
    assert "exists and may hold your edits; name another file, or add --force" in shell.errors
    assert path.read_text(encoding="utf-8") == printed
    (found,) = shell.rows("--generate", path, "--most", "3", "--force", "--json")
    assert (found["file"], found["questions"], sum(found["kinds"].values())) == (str(path), 3, 3)
    assert len(read_questions(path)) == 3


def test_a_generated_file_can_be_measured_as_it_is(shell: Shell, tmp_path: Path) -> None:
    """Nothing in it is missing from the notes, and most of it is found."""
    path = tmp_path / "first.jsonl"
    shell("--generate", path)
    assert "look through them, then: gradus eval" in shell.errors
    (found,) = shell.rows(path, "--json")
    assert found["not_held"] == [] and found["left_out"] == 0
    assert found["hit@5"] > 0.5
    assert all(row["kind"] for row in found["rows"])


def test_the_readme_documents_every_command() -> None:
    """A command that is registered and not documented fails here."""
    readme = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert "eval" in commands
    for name in commands:
        assert f"gradus {name}" in readme, name
        alone = name in ("app", "chat", "mcp", "auth")  # print no JSON
        assert alone or f"| `{name}" in readme, name


def test_the_readmes_example_is_a_question_file(tmp_path: Path) -> None:
    """The lines that the README shows are read as they stand."""
    readme = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")
    lines = [line for line in readme.splitlines() if line.startswith('{"q"')]
    path = tmp_path / "example.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert [(bool(q.gold), bool(q.quotes)) for q in read_questions(path)] == [
        (True, False),
        (False, True),
        (False, False),
    ]
