"""Only what lies within the allowed folders can be seen, whatever is asked, wherever links lead."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.pages.runs.chooser import MOST, listing

SECRET = "secret-of-another"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An allowed folder "notes", a secret beside it, and links of every kind between them."""
    base = tmp_path_factory.mktemp("machine")
    notes, other = base / "notes", base / "notes-of-another"
    (notes / "images" / "cats").mkdir(parents=True)
    (notes / ".git").mkdir()
    (notes / "table.csv").write_text("a\n1\n")
    (notes / "model.py").write_text(
        "def learner(size=1, *, deep=True): ...\ndef part(x): ...\nclass A: ...\n"
    )
    (notes / "broken.py").write_text("def (")
    other.mkdir()
    (other / SECRET).write_text("x")
    (notes / "out").symlink_to(other)
    (notes / "out.csv").symlink_to(other / SECRET)
    (notes / "up").symlink_to("..")
    (notes / "circle").symlink_to("circle")
    (notes / "gone").symlink_to("nowhere")
    (notes / "inside").symlink_to("images")
    (notes / "images" / "deep").symlink_to(base)
    os.mkfifo(notes / "pipe")
    return base


def names(found: dict[str, Any]) -> list[str]:
    return [entry["name"] for entry in found["entries"]]


def test_a_folder_is_listed_folders_first(machine: Path) -> None:
    """Without what is hidden, what is no file, and links that lead out or nowhere."""
    found = listing([machine / "notes"], str(machine / "notes"))
    assert names(found) == ["images", "inside", "broken.py", "model.py", "table.csv"]
    assert found["above"] == "" and found["fault"] == ""
    deeper = listing([machine / "notes"], str(machine / "notes" / "images"))
    assert names(deeper) == ["cats"] and deeper["above"] == str(machine / "notes")


def test_the_roots_come_first(machine: Path) -> None:
    """Before anything is opened; the path of a file leads to its folder."""
    roots = [machine / "notes", machine / "notes" / "images"]
    assert names(listing(roots, "")) == [str(root) for root in roots]
    assert listing(roots, "")["above"] is None
    found = listing(roots, str(machine / "notes" / "table.csv"))
    assert found["path"] == str(machine / "notes")


@pytest.mark.parametrize(
    "path",
    [
        "..", "../notes-of-another", "images/../..", "images/../../notes-of-another", "out", "out/",
        f"out/{SECRET}", "up", "up/notes-of-another", "images/deep/notes-of-another", "out.csv",
        "inside/../../notes-of-another", "circle", "gone", "nowhere", "a" * 5000, "\0", "images\0",
        "../notes-of-another/../notes-of-another", "./././../notes-of-another",
        "images/cats/..//../..",
    ],
)  # fmt: skip
@pytest.mark.parametrize("code", [False, True])
def test_nothing_leads_out(machine: Path, path: str, code: bool) -> None:
    """Not "..", not links, not both; and nobody learns whether there is anything."""
    notes = machine / "notes"
    for asked in (f"{notes}/{path}", path, f"{notes}-of-another", "/", "~", "/etc/passwd"):
        found = listing([notes], asked, code=code)
        assert SECRET not in json.dumps(found)
        assert names(found) == [str(notes)]
        assert found["path"] == "" and found["fault"].startswith("There is nothing to choose")


@given(st.lists(st.sampled_from(["..", ".", "", "images", "out", "up", "deep", "cats", "notes"])))
def test_whatever_is_seen_lies_inside(machine: Path, parts: list[str]) -> None:
    """Along any path of names and links, each entry itself is within the root."""
    notes = (machine / "notes").resolve()
    found = listing([notes], f"{notes}/{'/'.join(parts)}")
    assert not found["path"] or Path(found["path"]).resolve().is_relative_to(notes)
    for entry in found["entries"]:
        assert Path(entry["path"]).resolve().is_relative_to(notes)


def test_a_learner_is_a_function_of_a_file(machine: Path) -> None:
    """Python files alone, and of one the functions that need no argument; nothing is run."""
    notes = machine / "notes"
    found = listing([notes], str(notes), code=True)
    assert names(found) == ["images", "inside", "broken.py", "model.py"]
    inside = listing([notes], str(notes / "model.py"), code=True)
    assert [entry["path"] for entry in inside["entries"]] == [f"{notes / 'model.py'}:learner"]
    broken = listing([notes], str(notes / "broken.py"), code=True)
    assert broken["entries"] == [] and broken["fault"] == "This cannot be read."


def test_of_many_the_first_are_shown_and_words_find_the_others(tmp_path: Path) -> None:
    """A folder of thousands of pictures is no page of thousands of lines."""
    for number in range(MOST + 25):
        (tmp_path / f"{number:04}.png").touch()
    found = listing([tmp_path], str(tmp_path))
    assert len(found["entries"]) == MOST and found["more"] == 25
    assert names(listing([tmp_path], str(tmp_path), "31 PNG"))[:1] == ["0031.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    """One line, and the way back up."""
    (tmp_path / "closed").mkdir(mode=0)
    found = listing([tmp_path], str(tmp_path / "closed"))
    assert found["fault"] == "This cannot be read." and found["above"] == str(tmp_path)
