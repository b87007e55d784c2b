"""A notebook as a page: its cells, and what they left, each with its lines as the ingest counts.

What a cell printed is shown as it was read; pictures come from the notebook's file; HTML that a
cell left is not shown, as it has words of its own beside it.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from app.pages.note.code import code_html, text_html
from app.pages.note.markdown_page import Surroundings, markdown_html
from app.pages.note.pictures import data_address, embedded, picture_tag
from ingest.notes.notebook import NotebookCell

__all__ = ["cell_id", "notebook_html", "texts_html"]

MOST_EMBEDDED = 16_000_000  # bytes of pictures in one page; those beyond are named, not shown
PICTURES = ("image/png", "image/jpeg")


def notebook_html(cells: Sequence[NotebookCell], texts: Sequence[str], around: Surroundings) -> str:
    """Cells as a page.

    Parameters
    ----------
    cells : sequence of NotebookCell
        As they stand in the file.
    texts : sequence of str
        Each cell's text as ingested: its source, and what it printed after an empty line.
    around : Surroundings
        What addresses in its Markdown lead to.
    """
    left = MOST_EMBEDDED
    shown = []
    for at, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        pictures, left = _pictures(cell, left)
        if cell.kind == "markdown":
            body = markdown_html(cell.source, around, is_cell=True)
        elif cell.kind == "code":
            body = _code(cell, text, pictures)
        else:
            body = text_html(cell.source, 1)
        shown.append(_cell(at, cell.kind, body))
    return "".join(shown)


def texts_html(texts: Sequence[str]) -> str:
    """Cells as the ingest kept them, of a notebook whose file is no longer the same."""
    return "".join(_cell(at, "raw", text_html(text, 1)) for at, text in enumerate(texts))


def cell_id(at: int) -> str:
    """The name of a cell's element, by its 0-based position."""
    return f"g-cell-{at}"


def _cell(at: int, kind: str, body: str) -> str:
    label = f'<span class="g-cell-no">cell {at}</span>'
    return f'<section class="g-cell g-cell-{kind}" id="{cell_id(at)}">{label}{body}</section>'


def _code(cell: NotebookCell, text: str, pictures: Sequence[str]) -> str:
    source = cell.source.rstrip()
    body = code_html(source, cell.language, 1) if source else ""
    printed = text[len(cell.source) + 2 :]
    if printed:
        body += text_html(printed, cell.source.count("\n") + 3)
    return body + "".join(pictures)


def _pictures(cell: NotebookCell, left: int) -> tuple[list[str], int]:
    """The pictures a cell left, and how many bytes of others may still follow."""
    shown = []
    for data in cell.outputs:
        picture = next((x for kind in PICTURES if (x := embedded(data.get(kind)))), None)
        if picture is None:
            continue
        left -= len(picture.content)
        if left < 0:
            shown.append('<p class="g-missing">A picture too large to show here.</p>')
            continue
        source = f'src="{html.escape(data_address(picture))}"'
        shown.append(picture_tag(picture, _words(data), source))
    return shown, max(left, 0)


def _words(data: Mapping[str, Any]) -> str:
    said = data.get("text/plain")
    said = "".join(said) if isinstance(said, list) else said
    return said if isinstance(said, str) and not said.startswith("<") else "what the cell drew"
