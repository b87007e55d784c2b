"""Fences of code in the lines of a note: where each ends, and which of them hold text instead.

A fence that nothing closes ends before the first heading that stands alone between empty lines:
CommonMark would end it with the note, and hide all that follows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["HEADING", "Fenced", "Line", "fenced"]

Role = Literal["text", "code", "box", "gone"]

# What may open a line before a fence: quote marks, one mark of a list.
_FENCE = re.compile(
    r"^(?P<lead>[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)$"
)
HEADING = re.compile(r"^[ ]{0,3}#{1,6}[ \t]+(?P<words>.*)$")
# Directives in a fence of backticks whose body is text. A fence of colons always holds text.
_TEXT_DIRECTIVE = re.compile(
    r"^\{(?:attention|caution|danger|error|hint|important|note|tip|warning|admonition|seealso|todo"
    r"|topic|sidebar|margin|figure|image|table|dropdown|epigraph|glossary|exercise"
    r"|solution|proof|card|tab-item|tab-set|grid|version\w+|deprecated|prf:\w+)[^{}]*\}"
)


@dataclass(frozen=True, slots=True)
class Line:
    """What is read of a line.

    Of "text" and "code" it is an end of the line; where a "box" opens or closes, its title; nothing
    where a line is "gone".
    """

    text: str
    role: Role = "text"


@dataclass(frozen=True, slots=True)
class Fenced:
    """The lines of a text, those of its fences as code."""

    lines: list[Line]
    unclosed: str = ""  # the fence that is open at the end


def fenced(sources: Sequence[str]) -> Fenced:
    """The lines, those of fences as code; a directive of text becomes a box in colons."""
    lines: list[Line] = []
    unclosed = ""
    at = 0
    while at < len(sources):
        opening = _FENCE.match(sources[at])
        if opening is None:
            lines.append(Line(sources[at]))
            at += 1
            continue
        last, closed = _last_of_fence(sources, at, opening)
        body = sources[at + 1 : last + (not closed)]
        if _TEXT_DIRECTIVE.match(opening["info"]):
            inner = fenced(body)
            lines += [Line(f":::{opening['info']}"), *inner.lines, *([Line(":::")] * closed)]
        else:
            lines += [Line(source, "code") for source in sources[at : last + 1]]
            if closed and not sources[last].strip():
                lines[-1] = Line(opening["fence"], "code")
            unclosed = "" if closed else opening["lead"].replace("-", " ") + opening["fence"]
        at = last + 1
    return Fenced(lines, unclosed)


def _last_of_fence(sources: Sequence[str], at: int, opening: re.Match[str]) -> tuple[int, bool]:
    """The last line of the fence opened at a line, and whether it is its end or stands for it."""
    inside = bool(opening["lead"].strip(" \t"))
    again = False  # whether another fence has been opened before this one was closed
    for n in range(at + 1, len(sources)):
        other = _FENCE.match(sources[n])
        if other is None:
            if inside and sources[n].strip() and sources[n][0] not in " \t>":
                return n - 1, False  # the item or quote that holds it ends
        elif other["fence"].startswith(opening["fence"]):
            if not other["info"].strip():
                return n, True
            cut = 0 if again or inside else _cut(sources, at, n)
            if cut:
                return cut, True
            again = True
    cut = 0 if again or inside else _cut(sources, at, len(sources))
    return (cut, True) if cut else (len(sources) - 1, False)


def _cut(sources: Sequence[str], at: int, limit: int) -> int:
    """The empty line before the first heading that stands alone within a fence, 0 for none."""
    for n in range(at + 2, limit):
        around = sources[n - 1] + (sources[n + 1] if n + 1 < limit else "")
        if HEADING.match(sources[n]) and not around.strip():
            return n - 1
    return 0
