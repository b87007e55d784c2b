"""Pictures of notes: those in the ingested folder are shown, and no other file is opened."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from made import png

from app.pages.note import pictures
from app.pages.note.pictures import data_address, embedded, find_picture
from kg.store import NoteFile


@pytest.fixture
def note(tmp_path: Path) -> NoteFile:
    """A note in a folder of a vault, pictures beside it and above, and one outside the vault."""
    vault = tmp_path / "vault"
    (vault / "week 1" / "img").mkdir(parents=True)
    (vault / "assets").mkdir()
    (vault / ".hidden").mkdir()
    for place in ("week 1/img/a b.png", "assets/deep.png", "top.png", ".hidden/h.png"):
        (vault / place).write_bytes(png())
    (tmp_path / "outside.png").write_bytes(png())
    path = vault / "week 1" / "note.md"
    path.write_text("x")
    return NoteFile(path, vault, "")


@pytest.mark.parametrize(
    "address", ["img/a%20b.png", "img/a b.png", "../top.png", "/assets/deep.png", "top.png?v=1"]
)
def test_a_picture_is_found_beside_the_note_and_from_its_folder(
    note: NoteFile, address: str
) -> None:
    """As the note's own program would; with its size, so that its place is kept."""
    found = find_picture(note, address)
    assert found is not None
    assert (found.kind, found.width, found.height) == ("image/png", 4, 3)
    assert base64.b64decode(data_address(found).partition(",")[2]) == png()


def test_a_bare_name_is_looked_for_in_all_of_the_folder(note: NoteFile) -> None:
    """Only where that is asked for, and not in hidden folders."""
    assert find_picture(note, "deep.png") is None
    assert find_picture(note, "deep.png", anywhere=True) is not None
    assert find_picture(note, "h.png", anywhere=True) is None


@pytest.mark.parametrize(
    "address",
    [
        "../../outside.png", "..%2f..%2foutside.png", "..\\..\\outside.png",
        "%2e%2e/%2e%2e/outside.png", "link.png", "folder/outside.png", "loop.png", "\0.png", "",
        "a" * 5000 + ".png", "#", "img", "note.md", "secret.txt", "text.png", "page.svg",
    ],
)  # fmt: skip
def test_nothing_outside_and_nothing_that_is_no_picture(
    note: NoteFile, tmp_path: Path, address: str
) -> None:
    """Not by dots, not by links, not by a picture's name on another file."""
    here = note.path.parent
    (here / "link.png").symlink_to(tmp_path / "outside.png")
    (here / "folder").symlink_to(tmp_path)
    (here / "loop.png").symlink_to(here / "loop.png")
    (here / "secret.txt").write_text("secret")
    (here / "text.png").write_text("secret")
    (here / "page.svg").write_text("<html>secret</html>")
    assert find_picture(note, address, anywhere=True) is None
    assert find_picture(note, str(tmp_path / address), anywhere=True) is None


def test_what_is_too_large_is_left_out(note: NoteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """By bytes and by pixels."""
    assert find_picture(note, "top.png") is not None
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "MOST_PIXELS", 11)
        assert find_picture(note, "top.png") is None
    monkeypatch.setattr(pictures, "MOST_BYTES", len(png()) - 1)
    assert find_picture(note, "top.png") is None


def test_an_embedded_picture_is_what_it_holds() -> None:
    """A notebook's base64, whatever it says it is."""
    found = embedded(base64.encodebytes(png(kind="JPEG")).decode())
    assert found is not None
    assert found.kind == "image/jpeg"
    for wrong in (None, 3, "", "!!", base64.b64encode(b"<svg onload=x>").decode()):
        assert embedded(wrong) is None
