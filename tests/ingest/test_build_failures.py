"""Bad input: reported with its place while the rest goes in, or nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from made import counts, write_notes

from ingest.build import Failure, ingest
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
    """Undecodable bytes, a broken notebook, broken front matter: path, line and reason."""
    (notes / "latin.md").write_bytes(b"# Caf\n\nline\nna\xefve\n")
    (notes / "sub/broken.ipynb").write_text('{"cells": [\n  {"cell_type": \n')
    (notes / "front.md").write_text("---\ntitle: x\nbad: [1\n---\n# Front\n")
    report = ingest([notes], tmp_path / "store")
    assert counts(report) == (3, 3, 0, 0, 0)
    assert report.failed == (
        Failure("front.md", 3, report.failed[0].error),
        Failure(
            "latin.md",
            4,
            "byte 0xef is not UTF-8; expected a text file in UTF-8, so save it as that",
        ),
        Failure("sub/broken.ipynb", 3, report.failed[2].error),
    )
    assert report.failed[0].error.startswith("front matter is not valid YAML: ")
    assert report.failed[2].error.startswith("the notebook is not valid JSON: ")
    assert ingest([notes], tmp_path / "store").failed == report.failed


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
