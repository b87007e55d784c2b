"""The commands `path`, `known` and `next`: their contracts, and what marks do to them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from shell import Shell


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    store_folder: Path,
    tmp_path: Path,
) -> Shell:
    """On a copy of the store, to set marks in."""
    shutil.copytree(store_folder, tmp_path / "store")
    return Shell(capsys, monkeypatch, tmp_path / "store")


def steps(shell: Shell, *arguments: str) -> list[str]:
    (listed,) = shell.rows("path", *arguments, "--json")
    return [step["label"] for step in listed]


def test_a_path_is_one_list_with_cited_reasons(shell: Shell, notes: Path) -> None:
    """Label, summary, why and citation; both quotes stand in the note at their lines."""
    (listed,) = shell.rows("path", "proofing", "--json")
    assert [s["label"] for s in listed] == ["Flour", "Sourdough starter", "Proofing"]
    assert set(listed[0]) == {"label", "summary", "why", "citation"}
    (why,) = listed[0]["why"]
    assert why["concept"] == "Sourdough starter"
    lines = (notes / "bread.md").read_text(encoding="utf-8").split("\n")
    assert lines[why["evidence"]["line"] - 1] == why["evidence"]["quote"] == "Needs: [[Flour]]"
    assert listed[0]["citation"]["quote"] in lines[listed[0]["citation"]["line_start"] - 1]


def test_paths_to_several_goals_are_one(shell: Shell) -> None:
    """Each concept once, before what needs it."""
    assert steps(shell, "Proofing", "Sourdough starter") == [
        "Flour",
        "Sourdough starter",
        "Proofing",
    ]


def test_the_terminal_shows_why_and_where(shell: Shell) -> None:
    """Each step with what it is, what it is needed for, and the lines of both."""
    said = shell("path", "proofing")
    assert "1. Flour  Flour is ground grain." in said
    assert "needed for Sourdough starter · bread.md:11" in said
    assert "bread.md:5" in said


def test_marks_are_kept_and_leave_paths_shorter(shell: Shell) -> None:
    """A mark is listed as written, counts but with --no-known, and can be taken back."""
    assert shell.rows("known", "--json") == []
    assert shell("known") == "" and "nothing is marked as known" in shell.errors
    marked = [{"label": "levain", "concept": "Sourdough starter"}]
    assert shell.rows("known", "add", "levain", "--json") == marked == shell.rows("known", "--json")
    assert steps(shell, "proofing") == ["Proofing"]
    assert "you know: Sourdough starter" in shell("path", "proofing")
    assert steps(shell, "proofing", "--no-known") == ["Flour", "Sourdough starter", "Proofing"]
    assert steps(shell, "proofing", "--no-known", "--known", "flour") == [
        "Sourdough starter",
        "Proofing",
    ]
    assert "levain" in shell("known")
    assert shell.rows("known", "remove", "Sourdough starters", "--json") == []
    assert len(steps(shell, "proofing")) == 3


def test_what_to_learn_next_follows_what_is_known(shell: Shell) -> None:
    """Without marks foundations, and how to mark; then what the marks unlock, with evidence."""
    (first,) = shell.rows("next", "--json")
    assert "Flour" in [s["label"] for s in first]
    assert all(s["builds_on"] == [] for s in first)
    assert 'gradus known add "CONCEPT"' in shell.errors
    shell("known", "add", "Flour")
    (then,) = shell.rows("next", "--json")
    assert set(then[0]) == {"label", "summary", "builds_on", "unlocks", "citation"}
    assert all([b["concept"] for b in s["builds_on"]] == ["Flour"] for s in then)
    (starter,) = [s for s in then if s["label"] == "Sourdough starter"]
    assert starter["builds_on"][0]["evidence"]["quote"] == "Needs: [[Flour]]"
    assert starter["unlocks"] >= 1
    assert shell.err == ""
    said = shell("next", "-k", "1")
    assert "builds on Flour · bread.md:11" in said and "opens " in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["path", "Sourdogh startr"],
            "no concept 'Sourdogh startr'; the closest are: Sourdough starter",
        ),
        (["path", "proofing", "--known", "Flower"], "the notes have no concept 'Flower'"),
        (["known", "add", "Flour", "Flower"], "the notes have no concept 'Flower'"),
        (["known", "remove", "Flower"], "the notes have no concept 'Flower'"),
    ],
)
def test_an_unknown_concept_is_a_known_error(shell: Shell, arguments: list[str], said: str) -> None:
    """One line with the closest labels, exit code 1, and nothing is marked."""
    shell(*arguments)
    assert shell.code == 1
    assert said in shell.errors
    assert shell.rows("known", "--json") == []


def test_the_commands_are_in_the_readme() -> None:
    """A command that is not documented fails here."""
    readme = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")
    for command in ("path", "known add", "known remove", "next"):
        assert f"gradus {command}" in readme, command
