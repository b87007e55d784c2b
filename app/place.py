"""Where something stands in the notes, in words."""

from __future__ import annotations

__all__ = ["place"]


def place(note: str, line_start: int, line_end: int, cell: int | None) -> str:
    """Say where something stands, in words: `a/b.md, lines 3-5`."""
    lines = f"line {line_start}" if line_start == line_end else f"lines {line_start}–{line_end}"
    return f"{note}, cell {cell}, {lines}" if cell is not None else f"{note}, {lines}"
