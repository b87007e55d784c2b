"""What the page shows of a note beside an answer: where, what, and whether it is still so."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from app.pages.note.editors import address_in, editor_of
from app.pages.note.markdown_page import Surroundings, markdown_html
from app.pages.note.notebook_page import cell_id, notebook_html, texts_html
from app.pages.note.pictures import data_address, find_picture, picture_tag
from app.pages.text import lines_html
from app.place import place
from ingest.notes.files import read_note
from ingest.notes.notebook import read_cells
from kg.errors import UnreadableNote
from kg.store import NoteFile, Store
from kg.types import Place

__all__ = ["note_view", "picture_view", "wanted_place"]

WHOLE = 400_000  # characters; of a longer note the lines around are shown as they stand
AROUND = 60  # lines


def wanted_place(store: Store, wanted: object) -> Place | None:
    """The place that a page asks for; None where that is no place in the store's notes."""
    if not isinstance(wanted, Mapping) or wanted.get("note") not in store.note_names:
        return None
    numbers = [wanted.get(name) for name in ("cell", "first", "last")]
    cell, first, last = (n if type(n) is int and 0 <= n < 10**8 else None for n in numbers)
    if cell is not None and cell >= len(store.note_texts(str(wanted["note"]))):
        return None
    return Place(str(wanted["note"]), cell, first or 0, max(first or 0, last or 0))


def note_view(store: Store, at: Place, editor: str = "none", said: str = "") -> dict[str, Any]:
    """A note as the page beside an answer shows it.

    Parameters
    ----------
    at : Place
        The lines that are to glow; with line 0 the note from its start.
    said : str
        Words of the first of them when they were cited; when others stand there now, the place
        follows them.
    editor : str
        One of EDITORS: where "Open in editor" leads; "none" for a visitor of another machine.

    Returns
    -------
    dict
        `title` and `place` in plain text, `html` safe to show, `told` one line where the file is
        not as it was read, `root` the id of the element within which the lines count, `first` and
        `last` lines, `open` an address for an editor, "" for none.
    """
    file = store.note_file(at.note)
    text, told = _as_it_is(file)
    now = _followed(store, at, said)
    if now is None:
        told = told or "The cited text is no longer in the note; it was at these lines."
    at = now or at
    chosen = editor_of(file, editor)
    return {
        "title": at.note,
        "place": place(at).removeprefix(f"{at.note}, ") if at.line_start else "",
        "html": _page(store, at, file, text),
        "told": told,
        "root": "" if at.cell is None else cell_id(at.cell),
        "first": at.line_start,
        "last": at.line_end,
        "open": address_in(chosen, file, at),
        "editor": "Obsidian" if chosen == "obsidian" else "VS Code",
    }


def picture_view(store: Store, wanted: object) -> str:
    """A picture that a note shows, as an address that holds it; "" where there is none."""
    at = wanted_place(store, wanted)
    address = wanted.get("picture") if isinstance(wanted, Mapping) else None
    if at is None or not isinstance(address, str):
        return ""
    found = find_picture(store.note_file(at.note), address, anywhere=True)
    return data_address(found) if found else ""


def _as_it_is(file: NoteFile) -> tuple[str | None, str]:
    """The file's text if it is still what was read, and else one line that says so."""
    try:
        text = read_note(file.path)
    except UnreadableNote:
        gone = not file.path.exists()
        what = "is gone" if gone else "cannot be read any more"
        return None, f"The file {what}; this is its text when it was last read."
    if hashlib.sha256(text.encode()).hexdigest() == file.sha256:
        return text, ""
    return None, "The file has changed since it was read; this is its text from then."


def _followed(store: Store, at: Place, said: str) -> Place | None:
    """Where cited words stand now, nearest to where they stood; None where they have gone."""
    if not said:
        return at
    texts = enumerate(store.note_texts(at.note))
    lines = ((cell, n, line) for cell, t in texts for n, line in enumerate(t.split("\n"), 1))
    away = [
        (abs(cell - (at.cell or 0)), abs(n - at.line_start), cell, n)
        for cell, n, line in lines
        if said in line
    ]
    if not away:
        return None
    *_, cell, first = min(away)
    last = first + at.line_end - at.line_start
    return Place(at.note, None if at.cell is None else cell, first, last)


def _page(store: Store, at: Place, file: NoteFile, text: str | None) -> str:
    texts = store.note_texts(at.note)
    if sum(map(len, texts)) > WHOLE:
        return lines_html(texts[at.cell or 0], at.line_start, at.line_end, context=AROUND)
    around = Surroundings(_picture_of(file), _note_of(store, at.note))
    if not at.note.lower().endswith(".ipynb"):
        return markdown_html(texts[0], around)
    return notebook_html(read_cells(text), texts, around) if text else texts_html(texts)


def _picture_of(file: NoteFile) -> Callable[[str, str, bool], str]:
    def picture(address: str, words: str, anywhere: bool) -> str:
        found = find_picture(file, address, anywhere)
        if found is None:
            return ""
        return picture_tag(found, words, f'data-picture="{html.escape(address)}"')

    return picture


def _note_of(store: Store, name: str) -> Callable[[str], str]:
    """From an address in a note to another note's name, as a path beside it or by its name."""
    by_stem = {PurePosixPath(other).stem.casefold(): other for other in reversed(store.note_names)}
    folder = PurePosixPath(name).parent

    def note(address: str) -> str:
        path = unquote(address.partition("#")[0])
        parts: list[str] = []
        for part in (folder / path).parts:
            parts = parts[:-1] if part == ".." else [*parts, part]
        beside = "/".join(parts)
        if not path or beside in store.note_names:
            return beside if path else ""
        stem = PurePosixPath(path).name.removesuffix(".md").casefold()
        return by_stem.get(stem, "") if "://" not in path else ""

    return note
