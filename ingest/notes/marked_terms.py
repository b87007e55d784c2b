"""Terms the author marked (bold, italic, code, links, pictures), with their spans.

The span covers the marks too: `text[start:end]` is `**Dropout**` for a bold "Dropout".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from markdown_it.token import Token

from ingest.notes.dialect import MAX_NESTING
from ingest.notes.lines import Source, line_of
from ingest.notes.parsed import Marked
from ingest.notes.plain_text import TAG, inline_text, picture_of

__all__ = ["marked_terms"]

_Kind = Literal["bold", "italic", "code", "wikilink", "link", "image"]
_PAIRS: dict[str, _Kind] = {"strong_close": "bold", "em_close": "italic", "link_close": "link"}
_CELLS = frozenset({"th_open", "td_open"})


def marked_terms(source: Source, tokens: Sequence[Token]) -> Iterator[Marked]:
    """Marked terms of all inline content and of HTML blocks, wherever they are nested."""
    searched: dict[
        int, int
    ] = {}  # line of a table's row -> column where the search for its next cell starts
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.map is None:
            continue
        if token.type == "html_block":
            yield from _html_pictures(source, *source.span(token.map[0], token.map[1] - 1))
        elif token.type == "inline" and token.children:
            in_table = before is not None and before.type in _CELLS
            offsets = _Offsets(source, token, searched if in_table else None)
            yield from _inline_terms(source, token.children, offsets)


def _html_pictures(source: Source, start: int, end: int) -> Iterator[Marked]:
    for tag in TAG.finditer(source.text, start, end):
        picture = picture_of(tag.group())
        if picture is not None:
            address, alternative, title = picture
            yield _term(source, "image", alternative or title, address, (tag.start(), tag.end()))


def _inline_terms(source: Source, children: Sequence[Token], offsets: _Offsets) -> Iterator[Marked]:
    """The terms of one inline content; pairs are yielded when they close."""
    opened: list[int] = []
    for at, token in enumerate(children):
        if token.nesting == 1:
            opened.append(at)
        elif token.nesting == -1 and opened:
            first = opened.pop()
            kind = _PAIRS.get(token.type)
            # Of pairs in pairs beyond measure, each would hold the words of all inside it.
            if kind is not None and len(opened) < MAX_NESTING:
                target = _address(children[first].attrGet("href")) if kind == "link" else ""
                span = offsets.of_pair(children[first], token)
                yield _term(source, kind, inline_text(children[first + 1 : at]), target, span)
        elif (term := _single(token)) is not None:
            yield _term(source, *term, offsets.of(token))


def _single(token: Token) -> tuple[_Kind, str, str] | None:
    """Kind, words and target of a token that is a marked term by itself."""
    if token.type == "code_inline":
        return "code", token.content, ""
    if token.type == "image":
        words = inline_text(token.children or ()) or str(token.attrGet("title") or "")
        return "image", words, _address(token.attrGet("src"))
    if token.type in ("wikilink", "wikipicture"):
        kind: _Kind = "wikilink" if token.type == "wikilink" else "image"
        return kind, token.content, token.meta["target"]
    picture = picture_of(token.content) if token.type == "html_inline" else None
    if picture is None:
        return None
    address, alternative, title = picture
    return "image", alternative or title, address


def _term(source: Source, kind: _Kind, words: str, target: str, span: tuple[int, int]) -> Marked:
    return Marked(kind, words, target, source.cell, *span, line_of(source.lines, span[0]))


def _address(target: object) -> str:
    """The address without the second pair of parentheses that some write: `[words]((address))`."""
    address = str(target or "")
    return address[1:-1] if address.startswith("(") and address.endswith(")") else address


class _Offsets:
    """Positions in one inline content, without list and quote marks, to offsets in the text."""

    def __init__(self, source: Source, token: Token, searched: dict[int, int] | None) -> None:
        """`searched` holds, for a table's cells, how far each row has been searched already."""
        assert token.map is not None
        self._first_line = source.span(token.map[0], token.map[0])
        self._starts: list[
            tuple[int, int, int]
        ] = []  # (position in content, offset in text, length) of each line
        position, first = 0, token.map[0]
        lines = token.content.split("\n")
        # markdown-it strips a first line that holds only, say, a form feed
        while first + len(lines) < token.map[1] and lines[0].strip() not in source.line(first):
            first += 1
        for at, line in enumerate(lines, first):
            words = line.strip()
            lead = len(line) - len(line.lstrip())
            original = source.line(at)
            column = (
                original.rfind(words)
                if searched is None
                else original.find(words, searched.get(at, 0))
            )
            if column >= 0:
                self._starts.append((position + lead, source.offset(at, column), len(words)))
                if searched is not None:
                    searched[at] = column + len(words)
            position += len(line) + 1

    def of(self, token: Token) -> tuple[int, int]:
        """Span of a token that stands for itself."""
        return self._span(*token.meta["at"])

    def of_pair(self, opening: Token, closing: Token) -> tuple[int, int]:
        """Span of a pair with its marks; a strong pair's tokens lie at its inner delimiters."""
        if opening.type == "link_open":
            return self.of(opening)
        outer = 1 if opening.type == "strong_open" else 0
        return self._span(opening.meta["at"][0] - outer, closing.meta["at"][1] + outer)

    def _span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets of a half-open range of the content.

        The first line where it cannot be found exactly.
        """
        first, last = self._offset(start), self._offset(end - 1)
        if first is None or last is None:
            return self._first_line
        return first, last + 1

    def _offset(self, position: int) -> int | None:
        for start, offset, length in reversed(self._starts):
            if start <= position:
                return offset + position - start if position - start < length else None
        return None
