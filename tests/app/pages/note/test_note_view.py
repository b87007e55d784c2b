"""What the page gets of a note: its lines, its cells, whether the file is still the same."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from made import png

from app.pages.note.beside import _script
from app.pages.note.note_view import note_view, picture_view, wanted_place
from ingest import build
from kg.encoder import Encoder
from kg.store import Store, open_store
from kg.types import Place

NOTE = "# Bread\n\nBread is baked dough. ![loaf](loaf.png)\n\nSee [[yeast]] and [log](log.ipynb).\n"
CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": "# Yeast\n\nYeast makes dough rise."},
    {
        "cell_type": "code",
        "metadata": {},
        "execution_count": 1,
        "source": "rise = 2\nprint(rise)",
        "outputs": [
            {"output_type": "stream", "name": "stdout", "text": "2\n<b>twice</b>\n"},
            {
                "output_type": "display_data",
                "metadata": {},
                "data": {"image/png": base64.b64encode(png()).decode(), "text/plain": "a curve"},
            },
            {
                "output_type": "display_data",
                "metadata": {},
                "data": {"text/html": "<script>alert(1)</script>"},
            },
        ],
    },
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Store:
    notes, folder = tmp_path_factory.mktemp("notes"), tmp_path_factory.mktemp("store")
    (notes / "bread.md").write_text(NOTE, encoding="utf-8")
    (notes / "loaf.png").write_bytes(png())
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": CELLS}
    (notes / "log.ipynb").write_text(json.dumps(book), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "load_encoder", lambda name: encoder)
        build.ingest([notes], folder)
    return open_store(folder)


def test_a_note_is_shown_at_its_lines(store: Store) -> None:
    """With its picture's place, and links to other notes and concepts."""
    view = note_view(store, Place("bread.md", None, 3, 3))
    assert (view["title"], view["place"], view["told"]) == ("bread.md", "line 3", "")
    assert (view["root"], view["first"], view["last"], view["open"]) == ("", 3, 3, "")
    assert '<p data-lines="3-3">Bread is baked dough.' in view["html"]
    assert 'data-picture="loaf.png" alt="loaf" width="4" height="3"' in view["html"]
    assert 'href="#note/log.ipynb"' in view["html"]
    assert 'href="#concept/yeast"' in view["html"]


def test_a_notebook_is_shown_at_its_cell(store: Store) -> None:
    """What it printed has the lines that the ingest counts; pictures are there, HTML is not."""
    view = note_view(store, Place("log.ipynb", 1, 5, 5))
    text = store.note_text("log.ipynb", 1).split("\n")
    assert text[4] == "<b>twice</b>"
    assert view["root"] == "g-cell-1"
    assert f'id="{view["root"]}"' in view["html"]
    assert 'data-lines="5-5">&lt;b&gt;twice&lt;/b&gt;</span>' in view["html"]
    assert 'src="data:image/png;base64,' in view["html"]
    assert 'alt="a curve"' in view["html"]
    assert "alert" not in view["html"]


def test_a_picture_is_given_to_who_asks_for_it(store: Store) -> None:
    """By a note of the store and an address in it, and by nothing else."""
    assert picture_view(store, {"note": "bread.md", "picture": "loaf.png"}).startswith(
        "data:image/"
    )
    for wanted in (None, {}, {"note": "bread.md"}, {"note": "../x", "picture": "loaf.png"}):
        assert picture_view(store, wanted) == ""


def test_only_places_in_the_store_are_shown(store: Store) -> None:
    """Whatever a page sends."""
    assert wanted_place(store, {"note": "bread.md", "first": 2, "last": 1}) == Place(
        "bread.md", None, 2, 2
    )
    sent: tuple[Any, ...] = (None, 3, "bread.md", [], {}, {"note": "no.md"})
    for wanted in (*sent, {"note": ["bread.md"]}, {"note": "log.ipynb", "cell": 2}):
        assert wanted_place(store, wanted) is None
    for odd in (-1, True, 1.5, "1", None, 10**9):
        assert wanted_place(store, {"note": "bread.md", "first": odd, "last": odd}) == Place(
            "bread.md", None, 0, 0
        )


@pytest.mark.parametrize(
    ("editor", "address"),
    [
        ("vscode", "vscode://file{path}:3"),
        ("auto", "vscode://file{path}:3"),
        ("obsidian", "obsidian://open?path="),
        ("none", ""),
    ],
)
def test_an_editor_opens_the_file_at_the_line(store: Store, editor: str, address: str) -> None:
    """Where one is wanted."""
    path = store.note_paths["bread.md"].absolute()
    opened = note_view(store, Place("bread.md", None, 3, 3), editor)["open"]
    expected = address.format(path=path)
    assert opened.startswith(expected) if expected else opened == ""


def test_obsidian_opens_what_lies_in_a_vault_of_its_own(store: Store) -> None:
    """The folder says whose it is."""
    vault = store.note_file("bread.md").root / ".obsidian"
    vault.mkdir()
    try:
        opened = note_view(store, Place("bread.md", None, 3, 3), "auto")["open"]
    finally:
        vault.rmdir()
    assert opened.startswith("obsidian://open?path=%2F")


def test_a_file_that_changed_or_is_gone_is_said(store: Store) -> None:
    """And what was read is shown, also of a notebook."""
    for name, line in (("bread.md", "Bread is baked dough."), ("log.ipynb", "Yeast makes")):
        path = Path(store.note_paths[name])
        before = path.read_bytes()
        try:
            path.write_bytes(before.replace(b"dough", b"DOUGH"))
            changed = note_view(store, Place(name, 0 if name.endswith("b") else None, 3, 3))
            path.unlink()
            gone = note_view(store, Place(name, 0 if name.endswith("b") else None, 3, 3))
        finally:
            path.write_bytes(before)
        assert changed["told"].startswith("The file has changed since")
        assert gone["told"].startswith("The file is gone")
        assert line in changed["html"]
        assert line in gone["html"]


@pytest.mark.parametrize(
    ("at", "said", "now", "gone"),
    [
        (("bread.md", None, 3, 3), "Bread is baked", (3, 3), False),
        (("bread.md", None, 1, 2), "Bread is baked", (3, 4), False),
        (("bread.md", None, 9, 9), "", (9, 9), False),
        (("bread.md", None, 1, 1), "Cake is", (1, 1), True),
        (("log.ipynb", 1, 1, 1), "Yeast makes", (3, 3), False),
        (("log.ipynb", 0, 1, 1), "print(", (2, 2), False),
    ],
)
def test_a_citation_follows_its_words(
    store: Store, at: tuple[str, int | None, int, int], said: str, now: object, gone: bool
) -> None:
    """A note may have been read again, changed, since it was cited; where words went is said."""
    view = note_view(store, Place(*at), said=said)
    assert (view["first"], view["last"]) == now
    assert ("no longer in the note" in view["told"]) == gone
    if at[1] is not None:
        assert view["root"] == f"g-cell-{0 if said.startswith('Yeast') else 1}"


def test_the_script_names_the_katex_that_gradio_brings() -> None:
    """Its file and its style sheet are there under the names that the page asks for."""
    script = _script()
    assert "KATEX" not in script
    assert "asset('katex-" in script
