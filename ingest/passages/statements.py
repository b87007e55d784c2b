"""Take a passage apart into what can be said alone: sentences, list items, formulas, code, tables.

Links, pictures and pointers to other notes say nothing and are left out. What a statement needs to
be understood is left to `app.answering.reading.statements`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ingest.notes.announced import names_needs
from ingest.notes.dialect import parser
from ingest.notes.dialect_lines import blanked
from ingest.notes.lines import line_spans
from ingest.notes.markdown import parse_markdown
from ingest.notes.parsed import Block
from ingest.notes.plain_text import plain
from ingest.notes.sentences import sentence_spans
from ingest.notes.word_lists import MARKS, SEE_ALSO, links_only
from kg.types import PassageKind, StatementKind, StatementSpan

__all__ = ["says_something", "statements_in"]

_KINDS: dict[str, StatementKind] = {
    "item": "item",
    "table": "table",
    "math": "math",
    "html": "html",
    "code": "code",
    "output": "code",
}
# Longer items are taken apart into sentences, as paragraphs are; of two short ones the first is
# often the name of what the second says.
LONG_ITEM = 240  # characters
_LEAVES: dict[str, StatementKind] = {
    "paragraph_open": "item",
    "heading_open": "item",
    "fence": "code",
    "code_block": "code",
    "math_block": "math",
    "table_open": "table",
    "html_block": "html",
}
# Lines that only point elsewhere; an answer lists prerequisites itself.
_POINTER = re.compile(rf"^{MARKS}(?:{SEE_ALSO})\b[*_]*\s*:", re.I)
_TAG_OR_MARK = re.compile(r"<[^>]*>|\W+")
_WORD = re.compile(r"[^\W\d_]{3}")


def statements_in(text: str, cell: int | None, kind: PassageKind) -> tuple[StatementSpan, ...]:
    """The statements of a passage, in reading order; a cell's code or output is one.

    Parameters
    ----------
    cell : int, optional
        The notebook's cell that the passage stands in.
    """
    if cell is not None and kind in ("code", "output"):
        whole = StatementSpan(0, len(text), "code", 0)
        return (whole,) if says_something(text) else ()
    # What was cut from the middle of a list still stands under its item.
    indent = _indent(text)
    if kind != "code" and indent:
        shallow = "".join(line[indent:] if line.strip() else line for line in _lines(text))
        return tuple(
            replace(
                s,
                start=_in_full(s.start + 1, text, indent) - 1,
                end=_in_full(s.end, text, indent),
            )
            for s in statements_in(shallow, cell, kind)
        )
    # Read as a cell: a rule on the first line of a passage opens no front matter.
    blocks = parse_markdown(text, cell=0).blocks
    words = blanked(text)
    return tuple(s for at, block in enumerate(blocks) for s in _of_block(words, block, at))


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _indent(text: str) -> int:
    """How many blanks or tabs every line begins with, the same ones."""
    lead, *others = [x[: len(x) - len(x.lstrip(" \t"))] for x in _lines(text) if x.strip()] or [""]
    while not all(other.startswith(lead) for other in others):
        lead = lead[:-1]
    return len(lead)


def _in_full(offset: int, text: str, indent: int) -> int:
    """Where the end of something in the lines without their indent lies in the text."""
    shallow = full = 0
    for line in _lines(text):
        cut = indent if line.strip() else 0
        if offset <= shallow + len(line) - cut:
            return full + cut + offset - shallow
        shallow += len(line) - cut
        full += len(line)
    return full


def _of_block(text: str, block: Block, at: int) -> Iterator[StatementSpan]:
    words = text[block.start : block.end]
    if not says_something(words):
        return
    if block.kind == "paragraph":
        # A quotation has its mark at each line's beginning: a part of it would not read.
        spans = [(0, len(words))] if words.startswith(">") else sentence_spans(words)
        for start, end in spans:
            yield StatementSpan(block.start + start, block.start + end, "sentence", at)
    elif block.kind == "item":
        for start, end, kind in _of_item(words):
            yield StatementSpan(block.start + start, block.start + end, kind, at, block.group)
    elif block.kind != "html" or _WORD.search(_TAG_OR_MARK.sub(" ", words)):
        yield StatementSpan(block.start, block.end, _KINDS[block.kind], at, block.group)


def _of_item(text: str) -> Iterator[tuple[int, int, StatementKind]]:
    """Offsets and kinds of what a list's item and the items within it say, one after another."""
    for start, end, kind in _leaves(text):
        words = text[start:end]
        if not says_something(words):
            continue
        if kind != "item" or len(words) <= LONG_ITEM:
            yield start, end, kind
        else:
            yield from ((start + a, start + b, kind) for a, b in sentence_spans(words))


def _leaves(text: str) -> list[tuple[int, int, StatementKind]]:
    """Offsets of the blocks within an item, each from the mark of the item that it begins."""
    if "\n" not in text.strip():
        return [(0, len(text), "item")]
    lines = line_spans(text)
    leaves: list[tuple[int, int, StatementKind]] = []
    opened = None  # first line of the item whose mark stands before the next block
    for token in parser().parse(text):
        if token.map is None:
            continue
        if token.type == "list_item_open":
            opened = token.map[0] if opened is None else opened
        elif token.type in _LEAVES and token.level and token.map[1] > token.map[0]:
            first = token.map[0] if opened is None else opened
            opened = None
            begin, after = lines[first][0], lines[min(token.map[1], len(lines)) - 1][1]
            own = text[begin:after]
            begin += len(own) - len(own.lstrip())
            leaves.append((begin, begin + len(own.strip()), _LEAVES[token.type]))
    return leaves or [(0, len(text), "item")]


def says_something(text: str) -> bool:
    """Whether a block holds more than links, pictures and pointers to other notes.

    >>> says_something("Needs: some patience."), says_something("- [[Loss]], [[Gradient]]")
    (False, False)
    >>> says_something("- [[Loss]] falls along the [[Gradient]]")
    True
    """
    if _POINTER.match(text) or names_needs(text) or links_only(text):
        return False
    return ("<" not in text and "![" not in text) or any(c.isalnum() for c in plain(text))
