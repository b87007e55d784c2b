"""Where lines begin and end, as CommonMark counts: at \\n, \\r\\n and \\r alone."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Source", "line_of", "line_spans"]

_NEWLINE = re.compile(r"\r\n?|\n")


def line_spans(text: str) -> list[tuple[int, int]]:
    r"""Half-open offsets of every line, newline left out; a final newline starts no further line.

    A byte order mark at the very start belongs to no line.

    Examples
    --------
    >>> line_spans("a\r\nbc\n")
    [(0, 1), (3, 5)]
    """
    spans = []
    start = 1 if text.startswith("\ufeff") else 0
    for newline in _NEWLINE.finditer(text, start):
        spans.append((start, newline.start()))
        start = newline.end()
    if start < len(text):
        spans.append((start, len(text)))
    return spans


def line_of(spans: list[tuple[int, int]], offset: int) -> int:
    """1-based line that holds the character at `offset`."""
    return max(1, bisect_right(spans, offset, key=lambda span: span[0]))


@dataclass(frozen=True, slots=True)
class Source:
    """An original text with its lines, what is read of each, and the notebook cell it stands in.

    Line indexes here are 0-based.
    """

    text: str
    lines: list[tuple[int, int]]
    cell: int | None
    read: Sequence[str]  # as markdown-it sees them; each ends as the line does

    def line(self, index: int) -> str:
        """What is read of the line."""
        return self.read[index]

    def offset(self, index: int, column: int) -> int:
        """The offset in the text of a column in what is read of the line."""
        return self.lines[index][1] - len(self.read[index]) + column

    def blank(self, index: int) -> bool:
        """Whether nothing is read of the line but blanks and tabs, or nothing else stands there."""
        return not self.read[index].strip(" \t") or not self.words(index)

    def words(self, index: int) -> bool:
        """Whether anything stands in the line, read or not."""
        start, end = self.lines[index]
        return bool(self.text[start:end].strip(" \t"))

    def indent(self, index: int) -> int:
        """Columns before the line's first character, tabs expanded."""
        line = self.line(index).expandtabs(4)
        return len(line) - len(line.lstrip(" "))

    def span(self, first: int, last: int, whole_line: bool = False) -> tuple[int, int]:
        """Offsets of lines `first` to `last`, inclusive, without blanks around them.

        A whole line keeps the blanks at its start.
        """
        start, end = self.lines[first][0], self.lines[last][1]
        while end > start and self.text[end - 1] in " \t":
            end -= 1
        while not whole_line and start < end and self.text[start] in " \t":
            start += 1
        return start, end
