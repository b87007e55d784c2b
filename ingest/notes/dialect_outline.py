"""Outlines, where all stands in items: headings that are items, and what is below them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ingest.notes.dialect_fences import Line
from ingest.notes.properties import is_property

__all__ = ["column_of", "dedented", "without_outline"]

_OUTLINE_HEADING = re.compile(r"^[ \t]*[-*+][ \t]+(?=#{1,6}[ \t]+\S)")
_ITEM = re.compile(r"^[ \t]*[-*+](?:[ \t]|$)")
_INDENT = re.compile(r"^[ \t]*")


def without_outline(lines: list[Line]) -> list[Line]:
    """The lines of an outline whose headings are no items, and what is below them at the margin.

    An outline has nothing at its margin but items.
    """
    if not _is_outline(lines):
        return lines
    out: list[Line] = []
    held: list[tuple[int, int]] = []  # headings: their column, and that of what is below them
    for at, line in enumerate(lines):
        column = column_of(line.text)
        blank = not line.text.strip()
        while held and not blank and column < held[-1][0]:
            held.pop()
        if held:
            below = held[-1][1]
            line = replace(line, text=dedented(line.text, min(column, below)))
        heading = _OUTLINE_HEADING.match(line.text) if line.role == "text" else None
        if heading is not None:
            line = replace(line, text=line.text[heading.end() :])
            if held and held[-1][0] == column:
                held.pop()
            held.append((column, _below(lines, at)))
        out.append(line)
    return out


def _is_outline(lines: Sequence[Line]) -> bool:
    words = [line.text for line in lines if line.role == "text" and line.text.strip()]
    margin = min(map(column_of, words), default=0)
    return any(map(_OUTLINE_HEADING.match, words)) and all(
        _ITEM.match(text) or is_property(text) for text in words if column_of(text) == margin
    )


def _below(lines: Sequence[Line], at: int) -> int:
    """The column of the items below the item at a line, else of what goes on with it."""
    own = column_of(lines[at].text)
    items = (n for n in range(at + 1, len(lines)) if _ITEM.match(lines[n].text))
    below = next(items, None)
    return max(own + 1, 0 if below is None else column_of(lines[below].text))


def column_of(text: str) -> int:
    """The column in which a line's words begin."""
    return len(_INDENT.match(text)[0].expandtabs(4))  # type: ignore[index]


def dedented(text: str, columns: int) -> str:
    """A line without so many columns of its indent, as far as it has them."""
    cut = 0
    while cut < len(text) and text[cut] in " \t" and len(text[: cut + 1].expandtabs(4)) <= columns:
        cut += 1
    return text[cut:]
