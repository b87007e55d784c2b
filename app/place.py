"""Where something stands in the notes, in words."""

from __future__ import annotations

__all__ = ["address", "place"]


def place(note: str, line_start: int, line_end: int, cell: int | None) -> str:
    """Say where something stands, as a person reads it in a text.

    >>> place("a/b.md", 3, 5, None), place("log.ipynb", 2, 2, 4)
    ('a/b.md, lines 3–5', 'log.ipynb, cell 4, line 2')
    """
    lines = f"line {line_start}" if line_start == line_end else f"lines {line_start}–{line_end}"
    return f"{note}, cell {cell}, {lines}" if cell is not None else f"{note}, {lines}"


def address(note: str, line_start: int, line_end: int, cell: int | None) -> str:
    """Say where something stands, as a terminal makes a link of it.

    >>> address("a/b.md", 3, 5, None), address("log.ipynb", 2, 2, 4)
    ('a/b.md:3-5', 'log.ipynb:2 (cell 4)')
    """
    lines = f"{line_start}" if line_start == line_end else f"{line_start}-{line_end}"
    return f"{note}:{lines}" + (f" (cell {cell})" if cell is not None else "")
