"""Where something stands in the notes, in words."""

from __future__ import annotations

from kg.types import Citation, Evidence, Passage, Place

__all__ = ["address", "place"]

Lines = Citation | Evidence | Passage | Place


def place(lines: Lines) -> str:
    """Say where something stands, as a person reads it in a text.

    >>> place(Place("a/b.md", None, 3, 5)), place(Place("log.ipynb", 4, 2, 2))
    ('a/b.md, lines 3–5', 'log.ipynb, cell 4, line 2')
    """
    first, last = _ends(lines)
    cell = f", cell {lines.cell}" if lines.cell is not None else ""
    span = f"line {first}" if first == last else f"lines {first}–{last}"
    return f"{lines.note}{cell}, {span}"


def address(lines: Lines) -> str:
    """Say where something stands, as a terminal makes a link of it.

    >>> address(Place("a/b.md", None, 3, 5)), address(Place("log.ipynb", 4, 2, 2))
    ('a/b.md:3-5', 'log.ipynb:2 (cell 4)')
    """
    first, last = _ends(lines)
    cell = f" (cell {lines.cell})" if lines.cell is not None else ""
    return f"{lines.note}:{first}{cell}" if first == last else f"{lines.note}:{first}-{last}{cell}"


def _ends(lines: Lines) -> tuple[int, int]:
    if isinstance(lines, Evidence):
        return lines.line, lines.line
    return lines.line_start, lines.line_end
