"""Bad input: reported with its place while the rest goes in, or nothing changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from made import counts, write_notes

from ingest.build import Failure, ingest
from ingest.notes.kinds import parse_note
from ingest.notes.parsed import ParsedNote
from kg.encoder import Encoder
from kg.errors import EncoderError, GradusError
from kg.search import search
from kg.store import open_store

Everything = Callable[[Path], dict[str, object]]
NOTES = {
    "tensor.md": "# Tensor\n\nA tensor is a block of numbers.\n",
    "unet.md": "# U-Net\n\nThe U-Net turns a tensor into a mask.\n",
    "sub/momentum.md": "# Momentum\n\nMomentum keeps a running mean.\n",
}
pytestmark = pytest.mark.usefixtures("one_encoder")


def test_unreadable_notes_are_reported_and_the_rest_goes_in(notes: Path, tmp_path: Path) -> None:
    """Undecodable bytes, a broken notebook: path, line and reason."""
    (notes / "latin.md").write_bytes(b"# Caf\n\nline\nna\xefve\n")
    (notes / "sub/broken.ipynb").write_text('{"cells": [\n  {"cell_type": \n')
    report = ingest([notes], tmp_path / "store")
    assert counts(report) == (3, 3, 0, 0, 0)
    assert report.failed == (
        Failure(
            "latin.md",
            4,
            "byte 0xef is not UTF-8; expected a text file in UTF-8, so save it as UTF-8",
        ),
        Failure("sub/broken.ipynb", 3, report.failed[1].error),
    )
    assert report.failed[1].error.startswith("the notebook is not valid JSON: ")
    assert ingest([notes], tmp_path / "store").failed == report.failed


def test_broken_front_matter_costs_itself_alone(notes: Path, tmp_path: Path) -> None:
    """The note goes in, and its line is told, again and again while the note stays as it is."""
    write_notes(notes, {"front.md": "---\ntitle: x\nbad: [1\n---\n# Front\n\nA front is a line.\n"})
    report = ingest([notes], tmp_path / "store")
    assert counts(report) == (4, 4, 0, 0, 0) and report.failed == ()
    (warning,) = report.warnings
    assert (warning.note, warning.line) == ("front.md", 3)
    assert warning.error.startswith("front matter is not valid YAML: ")
    assert ingest([notes], tmp_path / "store").warnings == report.warnings
    write_notes(notes, {"front.md": "---\ntitle: x\n---\n# Front\n\nA front is a line.\n"})
    assert ingest([notes], tmp_path / "store").warnings == ()


@pytest.mark.parametrize(
    ("name", "text", "line", "says"),
    [
        ("a.md", "---\nx: 1\ny: &y {z: [*y]}\n---\n", 3, "contains itself"),
        (
            "a.md",
            "---\n" + "".join(f"k{i}: &k{i} [{f'*k{i - 1},' * 9 if i else 1}]\n" for i in range(9)),
            1,
            "",
        ),
        ("a.ipynb", '{"nbformat": ' + "9" * 5000 + "}", 1, "found format version inf"),
        ("a.ipynb", '{"nbformat": 3, "worksheets": [[]]}', 1, ""),
        ("a.ipynb", '{"nbformat": 2, "worksheets": [{"cells": 7}]}', 1, ""),
        ("a.ipynb", '{"nbformat": 4, "cells": ' + "[" * 20_000, 1, "nested too deeply"),
    ],
)
def test_an_odd_note_costs_itself_alone(
    notes: Path, tmp_path: Path, name: str, text: str, line: int, says: str
) -> None:
    """What no slip explains: it is named with its line, and the rest goes in."""
    write_notes(notes, {name: text if name != "a.md" else text + "---\n# A\n\nAn a.\n"})
    report = ingest([notes], tmp_path / "store")
    assert counts(report) == (3, 3, 0, 0, 0)
    (failure,) = report.failed
    assert failure.note == name and failure.line >= line and says in failure.error


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.md", "---\nid: 0x" + "f" * 5000 + "\nn: " + "1:" * 500 + "1.5\n---\n# A\n\nAn a.\n"),
        ("a.md", '---\ntitle: "\\ud800"\n"\\udfff": !!binary AAAA\n---\n# A\n\nAn a.\n'),
        ("a.md", "+++\nid = 0x" + "f" * 5000 + "\n+++\n# A\n\nAn a.\n"),
        (
            "a.ipynb",
            '{"nbformat": 4, "cells": [{"cell_type": "markdown", "source": ["# A\\ud800\\n", "a"]},'
            ' {"cell_type": "code", "source": "\\udc00", "execution_count": ' + "1" * 5000 + "}]}",
        ),
    ],
)
def test_what_no_store_can_hold_becomes_what_it_can(
    notes: Path, tmp_path: Path, name: str, text: str
) -> None:
    """Halves of a character become U+FFFD, numbers beyond measure stay as text."""
    write_notes(notes, {name: text})
    report = ingest([notes], tmp_path / "store")
    assert counts(report) == (4, 4, 0, 0, 0) and report.failed == () and report.warnings == ()


def test_names_and_links_that_lead_nowhere_are_told(notes: Path, tmp_path: Path) -> None:
    """A name that is no UTF-8, and a link to itself."""
    Path(os.fsdecode(os.fsencode(notes / "x") + b"\xe9.md")).write_text("# X\n\nAn x.\n")
    (notes / "loop.md").symlink_to(notes / "loop.md")
    (notes / "round").symlink_to(notes / "round")
    report = ingest([notes], tmp_path / "store")
    assert counts(report) == (3, 3, 0, 0, 0)
    assert [f.note for f in report.failed] == ["loop.md", "x\ufffd.md"]
    assert "symbolic links" in report.failed[0].error
    assert report.failed[1].error == "the file's name is not UTF-8; rename it"
    for path in (notes / "loop.md", notes / ("x" * 300)):
        with pytest.raises(GradusError, match="does not exist"):
            ingest([path], tmp_path / "store")


@pytest.mark.parametrize("error", [RecursionError(), MemoryError(), ValueError("what?\ud800")])
def test_an_error_that_nobody_thought_of_costs_one_note(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Wherever it comes from."""

    def fails(text: str, name: str) -> ParsedNote:
        if name == "unet.md":
            raise error
        return parse_note(text, name)

    monkeypatch.setattr("ingest.changes.parse_note", fails)
    report = ingest([notes], tmp_path / "store")
    assert counts(report) == (2, 2, 0, 0, 0)
    (failure,) = report.failed
    assert failure.note == "unet.md" and failure.error.startswith(("the note", "something in"))


def test_a_note_that_breaks_leaves_the_store_and_comes_back_mended(
    notes: Path, tmp_path: Path, everything: Everything
) -> None:
    """What it said is not kept while it cannot be read."""
    ingest([notes], tmp_path / "store")
    whole = everything(tmp_path / "store")
    (notes / "unet.md").write_bytes(b"\xff\xfe\x00")
    report = ingest([notes], tmp_path / "store")
    assert counts(report) == (2, 0, 0, 1, 2) and [f.note for f in report.failed] == ["unet.md"]
    write_notes(notes, NOTES)
    assert ingest([notes], tmp_path / "store").added == 1
    assert everything(tmp_path / "store") == whole


def test_an_ingest_takes_away_what_a_killed_one_left(notes: Path, tmp_path: Path) -> None:
    """Also where nothing changed."""
    ingest([notes], tmp_path / "store")
    gone = 2**22 + 1  # beyond any process's id
    (tmp_path / f"store/vectors.faiss.{gone}.new").write_bytes(b"half")
    (tmp_path / f"store/.gradus-{gone}-0123abcd.new").write_bytes(b"half")
    assert ingest([notes], tmp_path / "store").unchanged == 3
    assert not list((tmp_path / "store").glob("*.new"))


def test_a_folder_of_unreadable_notes_makes_an_empty_store(
    tmp_path: Path, encoder: Encoder
) -> None:
    """It opens, and search finds nothing."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/a.md").write_bytes(b"\xff")
    report = ingest([tmp_path / "notes"], tmp_path / "store")
    assert counts(report) == (0, 0, 0, 0, 0) and report.passages == report.concepts == 0
    store = open_store(tmp_path / "store")
    assert search("anything", store, encoder) == ()
    store.close()


@pytest.mark.parametrize(
    "text", ["", "\n\n", "\ufeff", "---\n---\n", "#\n", "<!-- nothing -->", "[a]: http://e.org"]
)
def test_a_note_that_says_nothing_goes_in(tmp_path: Path, text: str) -> None:
    """Empty notes, and notes with marks only, are notes."""
    write_notes(tmp_path / "notes", {"a.md": text, "b.md": "# Dropout\n\nZeroes.\n"})
    assert ingest([tmp_path / "notes"], tmp_path / "store").notes == 2


def test_paths_that_hold_no_notes_change_nothing(
    notes: Path, tmp_path: Path, everything: Everything
) -> None:
    """A wrong path is an error before anything is written."""
    ingest([notes], tmp_path / "store")
    before = everything(tmp_path / "store")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "none", tmp_path / "empty"):
        with pytest.raises(GradusError, match=f"'{path}'"):
            ingest([notes, path], tmp_path / "store")
        with pytest.raises(GradusError, match=f"'{path}'"):
            ingest([path], tmp_path / "new")
    assert everything(tmp_path / "store") == before and not (tmp_path / "new").exists()


def test_an_encoder_that_does_not_load_changes_nothing(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, everything: Everything
) -> None:
    """The error comes through, and the store is as it was."""
    ingest([notes], tmp_path / "store")
    before = everything(tmp_path / "store")
    monkeypatch.undo()
    with pytest.raises(EncoderError, match="cannot load the encoder 'no-such/model'"):
        ingest([notes], tmp_path / "store", "no-such/model")
    assert everything(tmp_path / "store") == before
