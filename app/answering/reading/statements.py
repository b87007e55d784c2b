"""Take passages apart into what can be said alone: sentences, list items, formulas, code and
tables, with exact places.

What a statement cannot do without (the sentence that a pronoun points to, the formula that a colon
announces) is added by `whole`. Which statements answer is left to `app.answering.forms.ranking`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from app.answering.reading.excerpts import Excerpt, blocks_of, says_something
from ingest.notes.parsed import Block
from kg.types import Passage

__all__ = ["Statement", "sentence_spans", "statements_of", "whole"]

# Not the end of a sentence: what stands in formulas, code and links, and the full stop of an
# abbreviation.
_MASKED = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$|`[^`\n]+`|\]\([^)\s]*\)|https?://\S+", re.S)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|cf|vs|ca|approx|resp|fig|eq|eqs|sec|no|dr|mr|mrs|prof|st|ex|al|z\.b|d\.h|bzw|usw)|\b[A-Z])\.$",
    re.I,
)
_END = re.compile(r"[.!?…。！？][\"'”’»)\]*_]*(?:\s+|(?<=[。！？])|\Z)")
# Openings that lean on what was said before: "It …", "Without this …", "So …".
_LEANS = re.compile(
    r"^[\s*_\"“(]*"
    r"(?:(?:and|but|or|with|without|in|by|for|from|of|on|after|before|because of|while|until|unlike|all)\s+)?"
    r"(?:(?P<soft>it|its|they|their|them|both|he|she|here|there(?!\s+(?:is|are|was|were)\b))"
    r"|(?P<hard>this|that|these|those|such|otherwise|therefore|hence|thus|however|instead|then|so|yet|but|also|"
    r"again|conversely|similarly|neither|the same|the former|the latter|the second|the other|one of them))\b(?!-)",
    re.I,
)
Kind = Literal["sentence", "item", "table", "code", "math", "html"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence, or a block that is never cut; offsets count in the passage's text."""

    passage: Passage
    start: int
    end: int
    kind: Kind
    block: int  # position of its block in the passage
    group: int = -1  # items of one list share a number

    @property
    def text(self) -> str:
        """The notes' own words, exactly."""
        return self.passage.text[self.start : self.end]


@lru_cache(maxsize=2048)
def statements_of(passage: Passage) -> tuple[Statement, ...]:
    """Everything a passage says, in its order; links, pictures and pointers to other notes are left
    out.
    """
    found: list[Statement] = []
    for i, block in enumerate(blocks_of(passage)):
        text = passage.text[block.start : block.end]
        if not says_something(text):
            continue
        if block.kind == "paragraph":
            # A quotation has its mark at each line's beginning: a part of it would not read.
            spans = [(0, len(text))] if text.startswith(">") else sentence_spans(text)
            found += [
                Statement(passage, block.start + a, block.start + b, "sentence", i)
                for a, b in spans
            ]
        elif block.kind != "html" or re.search(r"[^\W\d_]{3}", re.sub(r"<[^>]*>|\W+", " ", text)):
            found.append(Statement(passage, block.start, block.end, _kind(block), i, block.group))
    return tuple(found)


def _kind(block: Block) -> Kind:
    kinds: dict[str, Kind] = {"item": "item", "table": "table", "math": "math", "html": "html"}
    return kinds.get(block.kind, "code")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Half-open offsets of the sentences of a paragraph, white space between them left out.

    Full stops in formulas, code, links, numbers and after abbreviations end none.

    >>> text = "It is 0.5, e.g. for `a. B`. Take $x. Y$ next! *Then* rest."
    >>> [text[a:b] for a, b in sentence_spans(text)]
    ['It is 0.5, e.g. for `a. B`.', 'Take $x. Y$ next!', '*Then* rest.']
    """
    hidden = [m.span() for m in _MASKED.finditer(text)]
    spans = []
    start = 0
    for match in _END.finditer(text):
        at = match.start()
        inside = any(a <= at < b for a, b in hidden)
        following = text[match.end() : match.end() + 1]
        bold = text.count("**", start, match.end()) % 2  # half of a bold run would show its marks
        if (
            inside
            or bold
            or following.islower()
            or _ABBREVIATION.search(text[max(0, at - 10) : at + 1])
        ):
            continue
        spans.append((start, start + len(text[start : match.end()].rstrip())))
        start = match.end()
    if text[start:].strip():
        spans.append((start, start + len(text[start:].rstrip())))
    return spans


def whole(statements: Sequence[Statement], i: int) -> tuple[int, int]:
    """First and last position of the statements that statement `i` needs to be understood, itself
    among them.

    Parameters
    ----------
    statements : sequence of Statement
        All of one passage, as `statements_of` gives them.
    """
    first = last = i
    while first > 0 and _leans_on_before(statements, first):
        first -= 1
        if i - first >= 3:
            break
    while last + 1 < len(statements) and _goes_on(statements[last], statements[last + 1]):
        last += 1
        group = statements[last].group
        while last + 1 < len(statements) and statements[last + 1].group == group >= 0:
            last += 1
    return first, last


def _leans_on_before(statements: Sequence[Statement], i: int) -> bool:
    """Whether a statement makes no sense without the one before it."""
    here, before = statements[i], statements[i - 1]
    if here.block > before.block + 1:
        return False
    if here.kind == "sentence":
        lower = here.text.lstrip('*_(["“ ')[:1].islower()
        leaning = _LEANS.match(here.text)
        if before.kind == "math":
            return lower
        if before.kind == "table":
            return leaning is not None and leaning["hard"] is not None
        if before.kind != "sentence":
            return False
        # At the start of a paragraph "it" is what the section is about, which its heading says.
        return lower or (
            leaning is not None and (here.block == before.block or leaning["hard"] is not None)
        )
    if before.kind == "sentence":
        return here.kind == "math" or before.text.endswith(":")
    return here.kind == "item" and _numbered(here) and before.group == here.group


def _goes_on(here: Statement, following: Statement) -> bool:
    """Whether a statement ends in the middle of what it says, or announces what follows."""
    if here.kind == "sentence" and here.block == following.block:
        return here.text.endswith("?")
    if following.block != here.block + 1:
        return False
    if here.kind == "sentence":
        ended = re.search(r"[.!?…。！？][\"'”’»)\]*_]*$", here.text)
        return here.text.rstrip("*_ ").endswith((":", "：")) or (
            ended is None and following.kind == "math"
        )
    if here.kind == "math":
        return following.kind == "sentence" and following.text[:1].islower()
    return here.kind == "item" and _numbered(here) and following.group == here.group


def _numbered(statement: Statement) -> bool:
    return statement.text[:1].isdecimal()


def excerpt(statements: Sequence[Statement], first: int, last: int) -> Excerpt:
    """The notes' words from one statement to another of the same passage."""
    return Excerpt(statements[first].passage, statements[first].start, statements[last].end)
