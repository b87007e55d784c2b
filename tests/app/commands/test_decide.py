"""The command `decide`: its JSON, its line, and one clear word for wrong usage."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from app.commands.ingest_and_ask import main
from ingest.build import ingest

LASSO = "# Lasso\n\nThe lasso sets weights to zero.\n\nNeeds: Ridge.\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two notes and their store."""
    made = tmp_path_factory.mktemp("decide")
    (made / "notes").mkdir()
    (made / "notes/lasso.md").write_text(LASSO)
    (made / "notes/ridge.md").write_text("# Ridge\n\nRidge shrinks weights.\n")
    ingest([made / "notes"], made / "store")
    return made


class Shell:
    """Runs `gradus decide` in this process and keeps what it printed."""

    def __init__(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, store: Path
    ) -> None:
        self.capsys, self.monkeypatch, self.store = capsys, monkeypatch, store

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(
            sys, "argv", ["gradus", "decide", *arguments, "--store", str(self.store)]
        )
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = self.capsys.readouterr()
        return code, said.out, said.err.replace("\n", " ")


@pytest.fixture
def decide(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> Shell:
    return Shell(capsys, monkeypatch, folder / "store")


def test_a_decision_is_one_object(decide: Shell, folder: Path) -> None:
    """What was decided, whether the edge is kept now, and the file it stands in."""
    file = folder / "notes/gradus.toml"
    expected: dict[str, Any] = {
        "prerequisite": "Ridge",
        "concept": "Lasso",
        "file": str(file),
        "warnings": [],
    }
    for option, decision, kept in (
        ("--no", "no", False),
        ("--yes", "yes", True),
        ("--forget", None, True),
    ):
        code, out, _ = decide("ridge", "lasso", option, "--json")
        assert (code, json.loads(out)) == (0, {**expected, "decision": decision, "kept": kept})
    assert (folder / "notes/lasso.md").read_text() == LASSO


def test_a_decision_is_told_in_a_line(decide: Shell, folder: Path) -> None:
    """On stderr, as there is no result but the file."""
    assert decide("Ridge", "Lasso", "--no") == (
        0, "", f"'Ridge' is not a prerequisite of 'Lasso' ({folder / 'notes/gradus.toml'}) ",
    )  # fmt: skip
    (folder / "notes/gradus.toml").write_text("ignore = ['Qwertz']\n")
    code, _, err = decide("Ridge", "Lasso", "--yes")
    assert code == 0 and "'Ridge' comes before 'Lasso' (" in err
    assert err.startswith("gradus.toml:1: the notes have no concept 'Qwertz'")


def test_wrong_usage_ends_with_2_and_unknown_concepts_with_1(decide: Shell) -> None:
    """Exactly one of the three options; the closest concepts are named."""
    for options in ((), ("--yes", "--no"), ("--no", "--forget")):
        code, _, err = decide("Ridge", "Lasso", *options)
        assert code == 2 and "expected one of --yes, --no and --forget" in " ".join(
            err.replace("│", " ").split()
        )
    code, _, err = decide("Rigde", "Lasso", "--yes")
    assert code == 1 and "the notes have no concept 'Rigde'; the closest are: Ridge" in err
