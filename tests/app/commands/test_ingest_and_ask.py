"""The command line: contracts of its JSON, exit codes, and one clear line for each known error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from shell import Shell


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, store_folder: Path
) -> Shell:
    return Shell(capsys, monkeypatch, store_folder)


def test_help_is_light() -> None:
    """`gradus --help` imports neither torch nor gradio nor fastai."""
    code = (
        "import sys; sys.argv = ['gradus', '--help']\n"
        "from app.commands.ingest_and_ask import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'gradio', 'fastai', 'faiss', 'transformers') if m in "
        "sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert out.strip().endswith("[]")
    for command in (
        "ingest",
        "search",
        "ask",
        "concepts",
        "path",
        "relations",
        "recipes",
        "run",
        "runs",
        "app",
    ):
        assert command in out


def test_ingest_reports_what_it_did(shell: Shell, notes: Path, tmp_path: Path) -> None:
    """The report has the contract's keys, and a second ingest finds nothing to do."""
    shell.store = tmp_path / "store"
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text(
        (notes / "bread.md").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (tmp_path / "notes" / "broken.ipynb").write_text('{\n"cells": [\n!', encoding="utf-8")
    for name in ("paper.tex", "one.rst", "two.rst", "code.py"):
        (tmp_path / "notes" / name).write_text("words", encoding="utf-8")
    (report,) = shell.rows("ingest", tmp_path / "notes", "--json")
    assert {k: report[k] for k in ("notes", "added", "changed", "removed", "unchanged")} == {
        "notes": 1, "added": 1, "changed": 0, "removed": 0, "unchanged": 0,
    }  # fmt: skip
    assert report["encoded"] == report["passages"] > 0
    assert report["concepts"] > 0
    assert set(report["relations"]) == {"prerequisite", "broader", "related"}
    (failure,) = report["failed"]
    assert (failure["note"], failure["line"]) == ("broken.ipynb", 3)
    assert "not read: broken.ipynb:3:" in shell.err
    assert report["left_out"] == {".rst": 2, ".tex": 1}
    assert (
        "left out, because Gradus does not read these kinds of files: 2 .rst, 1 .tex"
        in shell.errors
    )
    (again,) = shell.rows("ingest", tmp_path / "notes", "--json")
    assert (again["unchanged"], again["encoded"]) == (1, 0)


def test_search_rows_follow_the_contract(shell: Shell) -> None:
    """Hits carry note, lines, plain headings, concepts, the passage's exact text, a score."""
    (row,) = shell.rows("search", "what is a levain", "-k", "3", "--json")
    assert row["question"] == "what is a levain"
    assert len(row["hits"]) == 3
    first = row["hits"][0]
    assert set(first) == {
        "note",
        "line_start",
        "line_end",
        "cell",
        "heading_path",
        "concepts",
        "text",
        "score",
    }
    assert first["note"] == "bread.md"
    assert first["heading_path"] == ["Bread", "Sourdough starter | Levain"]
    assert first["concepts"][0] == "Sourdough starter"
    scores = [h["score"] for h in row["hits"]]
    assert scores == sorted(scores, reverse=True)


def test_a_batch_gives_one_object_a_question_in_order(shell: Shell, tmp_path: Path) -> None:
    """Empty questions keep their row."""
    questions = ["what is flour", "", "oven temperature"]
    batch = tmp_path / "q.jsonl"
    batch.write_text("".join(json.dumps({"q": q}) + "\n" for q in questions), encoding="utf-8")
    for command in ("search", "ask"):
        rows = shell.rows(command, "--batch", batch, "--json")
        assert [r["question"] for r in rows] == questions
    (tmp_path / "bad.jsonl").write_text('{"q": "x"}\nnonsense\n', encoding="utf-8")
    shell("ask", "--batch", tmp_path / "bad.jsonl", "--json")
    assert shell.code == 1
    assert 'bad.jsonl:2: expected a JSON object with "q", got: nonsense' in shell.errors


def test_ask_follows_the_contract(shell: Shell, notes: Path) -> None:
    """The answer's keys are the contract's, and the quote stands in the file at the cited lines."""
    (said,) = shell.rows("ask", "which learning rate after unfreezing?", "--json")
    wanted = {"question", "status", "kind", "confidence", "answer", "citations", "concepts",
              "prerequisites", "next",
              "recipes", "hits"}  # fmt: skip
    assert wanted <= set(said)
    assert said["status"] == "answered"
    assert said["recipes"][0]["name"] == "lr-find"
    for c in said["citations"]:
        lines = (notes / c["note"]).read_bytes().decode().split("\n")
        assert c["quote"] in "\n".join(lines[c["line_start"] - 1 : c["line_end"]])


def test_path_concepts_and_relations(shell: Shell) -> None:
    """The path is one list, foundations first; concepts and relations are one object a line."""
    (steps,) = shell.rows("path", "proofing", "--json")
    assert [s["label"] for s in steps] == ["Flour", "Sourdough starter", "Proofing"]
    assert steps[0]["why"][0]["concept"] == "Sourdough starter"
    (shorter,) = shell.rows("path", "proofing", "--known", "levain", "--json")
    assert [s["label"] for s in shorter] == ["Proofing"]
    labels = {c["label"]: c for c in shell.rows("concepts", "--json")}
    assert labels["Sourdough starter"]["aliases"] == ["Levain"]
    assert labels["Sourdough starter"]["notes"] == ["bread.md"]
    kept = shell.rows("relations", "--kind", "prerequisite", "--json")
    everything = shell.rows("relations", "--kind", "prerequisite", "--all", "--json")
    assert all(r["kept"] for r in kept)
    assert len(everything) > len(kept) > 0
    edge = next(
        r for r in kept if (r["prerequisite"], r["concept"]) == ("Flour", "Sourdough starter")
    )
    assert (edge["concept_note"], edge["prerequisite_note"]) == ("bread.md", "bread.md")
    assert edge["evidence"][0]["quote"] == "Needs: [[Flour]]"


def test_recipes_are_listed_with_their_parameters(shell: Shell) -> None:
    """Name, summary, tasks, and for each parameter type, default, unit and bounds."""
    listed = {r["name"]: r for r in shell.rows("recipes", "--json")}
    assert {"batch-size", "lr-find"} <= set(listed)
    phase = next(p for p in listed["lr-find"]["parameters"] if p["name"] == "phase")
    assert phase["choices"] == ["frozen", "unfrozen", "both"]
    assert {"type", "default", "unit", "minimum", "maximum"} <= set(phase)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["path", "Sourdogh startr"],
            "the notes have no concept 'Sourdogh startr'; the closest are: Sourdough starter",
        ),
        (["ingest", "no/such/folder"], "does not exist"),
        (["app", "no/such/folder"], "does not exist"),
        (["run", "lr-fnid"], "there is no recipe 'lr-fnid'; did you mean 'lr-find'?"),
        (["run", "lr-find", "--batch-size", "0"], "parameter 'batch_size' must be a whole number"),
        (["run", "lr-find", "--start-lr", "fast"], "parameter 'start_lr' must be a number"),
        (["run", "lr-find", "--bach-size", "8"], "did you mean 'batch_size'"),
    ],
)
def test_known_errors_are_one_line_and_exit_with_1(
    shell: Shell, arguments: list[str], said: str
) -> None:
    """What was found, what was expected, what to do; no traceback."""
    shell(*arguments)
    assert shell.code == 1
    assert said in shell.errors
    assert "Traceback" not in shell.err


def test_asking_before_ingest_says_what_to_run(shell: Shell, tmp_path: Path) -> None:
    """An empty store is no error in the user's question."""
    shell.store = tmp_path / "nothing"
    shell("ask", "what is dropout?")
    assert shell.code == 1
    assert "(`gradus ingest PATH" in shell.errors


def test_wrong_usage_exits_with_2(shell: Shell) -> None:
    """An unknown option or kind is wrong usage, not a known error."""
    shell("ask", "x", "--no-such-option")
    assert shell.code == 2
    shell("relations", "--kind", "friends")
    assert shell.code == 2
    assert "expected one of prerequisite, broader, related" in shell.errors


def test_every_command_is_in_the_readme() -> None:
    """A command that is not documented fails here."""
    readme = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")
    for command in (
        "ingest",
        "search",
        "ask",
        "concepts",
        "path",
        "relations",
        "recipes",
        "run",
        "runs",
        "app",
    ):
        assert f"gradus {command}" in readme, command
