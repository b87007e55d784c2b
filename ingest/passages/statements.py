"""Take a passage apart into what can be said alone: sentences, list items, formulas, code, tables.

Links, pictures and pointers to other notes say nothing and are left out. What a statement needs to
be understood is left to `app.answering.reading.statements`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.notes.markdown import parse_markdown
from ingest.notes.parsed import Block
from ingest.notes.sentences import sentence_spans
from ingest.notes.structure_words import MARKS, NEEDS, SEE_ALSO, links_only
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
_PICTURE = re.compile(r"^\s*(?:[-*+]\s+)?(?:!\[[^\]]*\]\([^)]*\)\s*)+$", re.M)
# Lines that only point elsewhere; an answer lists prerequisites itself.
_POINTER = re.compile(rf"^{MARKS}(?:{NEEDS}|{SEE_ALSO})\b[*_]*\s*:", re.I)
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
    # Read as a cell: a rule on the first line of a passage opens no front matter.
    blocks = parse_markdown(text, cell=0).blocks
    return tuple(s for at, block in enumerate(blocks) for s in _of_block(text, block, at))


def _of_block(text: str, block: Block, at: int) -> Iterator[StatementSpan]:
    words = text[block.start : block.end]
    if not says_something(words):
        return
    if block.kind == "paragraph":
        # A quotation has its mark at each line's beginning: a part of it would not read.
        spans = [(0, len(words))] if words.startswith(">") else sentence_spans(words)
        for start, end in spans:
            yield StatementSpan(block.start + start, block.start + end, "sentence", at)
    elif block.kind != "html" or _WORD.search(_TAG_OR_MARK.sub(" ", words)):
        yield StatementSpan(block.start, block.end, _KINDS[block.kind], at, block.group)


def says_something(text: str) -> bool:
    """Whether a block holds more than links, pictures and pointers to other notes.

    >>> says_something("Needs: some patience."), says_something("- [[Loss]], [[Gradient]]")
    (False, False)
    >>> says_something("- [[Loss]] falls along the [[Gradient]]")
    True
    """
    return not _POINTER.match(text) and not links_only(_PICTURE.sub("", text))
