"""The statements of a passage, and what a statement cannot do without to be understood.

That is the sentence that a pronoun points to, or the formula that a colon announces. Where each
statement stands was found at ingest (`ingest.passages.statements`); which ones answer is left to
`app.answering.composing.ranking`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.answering.reading.excerpts import Excerpt
from app.answering.reading.words import spoken
from ingest.notes.sentences import ends_a_sentence
from kg.types import Concept, Passage, StatementKind

__all__ = ["Statement", "excerpt", "statements_of", "summarised", "whole"]

# Openings that lean on what was said before: "It …", "Without this …", "So …".
_LEANS = re.compile(
    r"^[\s*_\"“(]*"
    r"(?:(?:and|but|or|with|without|in|by|for|from|of|on|after|before|because of|while|until"
    r"|unlike|all)\s+)?"
    r"(?:(?P<soft>it|its|they|their|them|both|he|she|here|there(?!\s+(?:is|are|was|were)\b))"
    r"|(?P<hard>this|that|these|those|such|otherwise|therefore|hence|thus|however|instead|then|so"
    r"|yet|but|also|again|conversely|similarly|neither|the same|the former|the latter|the second"
    r"|the other|one of them))\b(?!-)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence, or a block that is never cut; offsets count in the passage's text."""

    passage: Passage
    start: int
    end: int
    kind: StatementKind
    block: int  # position of its block in the passage
    group: int = -1  # items of one list share a number

    @property
    def text(self) -> str:
        """The notes' own words, exactly."""
        return self.passage.text[self.start : self.end]


def statements_of(passage: Passage) -> tuple[Statement, ...]:
    """Everything a passage says, in its order, without links, pictures and mere pointers."""
    return tuple(
        Statement(passage, s.start, s.end, s.kind, s.block, s.group) for s in passage.statements
    )


def whole(statements: Sequence[Statement], i: int) -> tuple[int, int]:
    """First and last of the statements that statement `i` needs, itself among them.

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
        announces = statements[last]
        last += 1
        while last + 1 < len(statements) and _announced(
            announces, statements[last], statements[last + 1]
        ):
            last += 1
    return first, last


def _announced(by: Statement, one: Statement, following: Statement) -> bool:
    """Whether what follows belongs to the list that a statement announces."""
    if by.kind == "item":
        return following.block == by.block
    return following.group == one.group >= 0


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
    if here.kind == "item" and here.block == before.block:
        leaning = _LEANS.match(here.text)
        return here.text[:1].islower() or (leaning is not None and leaning["hard"] is not None)
    return False


def _goes_on(here: Statement, following: Statement) -> bool:
    """Whether a statement ends in the middle of what it says, or announces what follows."""
    if here.block == following.block:
        return here.text.endswith(("?", "？") if here.kind == "sentence" else (":", "："))
    if following.block != here.block + 1:
        return False
    if here.kind == "sentence":
        if here.text.rstrip("*_ ").endswith((":", "：")):
            return True
        return following.kind == "math" and not ends_a_sentence(here.text)
    return here.kind == "math" and following.kind == "sentence" and following.text[:1].islower()


def excerpt(statements: Sequence[Statement], first: int, last: int) -> Excerpt:
    """The notes' words from one statement to another of the same passage."""
    return Excerpt(statements[first].passage, statements[first].start, statements[last].end)


def summarised(statements: Sequence[Statement], concept: Concept) -> int | None:
    """Position of the statement that a concept's summary quotes, None where none is."""
    summary = spoken(concept.summary)
    for i, s in enumerate(statements):
        words = spoken(s.text)
        if summary and (summary in words or (len(words) >= 20 and words in summary)):
            return i
    return None
