"""Questions to test oneself with, made of what the notes state: no word of them is ours.

A statement about a concept is asked back with a name in it left out, or it is asked what the notes
say of the concept beyond its summary, which stands above. Answers stand in the notes, with their
lines.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from kg.store import Store
from kg.types import Citation, Concept, Mention, Passage, StatementSpan

__all__ = ["BLANK", "Recall", "minutes_to_read", "recalls"]

BLANK = "_____"
MOST = 2
PASSAGES = 4  # of those that define a concept, the best
SHORTEST, LONGEST = 40, 320  # characters of a statement that is asked back
FEWEST_WORDS = 6  # of it that are left
# Silent reading of English takes 238 words a minute (Brysbaert 2019, How many words do we read per
# minute?); code, formulas and thinking take longer.
WORDS_PER_MINUTE = 150

_WORD = re.compile(r"\w+")
# A blank must not cut a formula, a link, an address or code; and what only leads to a list asks
# nothing.
_FRAGILE = re.compile(r"[`\[\]$<>|]|https?:|:\s*$")


@dataclass(frozen=True, slots=True)
class Recall:
    """What is asked, the answer in the notes' words, both Markdown, and where it stands."""

    asked: str
    answer: str
    citation: Citation | None


def recalls(store: Store, concept: Concept, most: int = MOST) -> tuple[Recall, ...]:
    """Up to `most` questions about a concept: statements with a name left out, then what else is
    said of it, of a statement that none of those asks for.
    """
    questions = _gaps(store, concept, most)
    if len(questions) < most:
        taken = {question.citation for question in questions}
        others = (_cited(p, s) for p, s in _untold(store, concept))
        citation = next((c for c in others if c not in taken), None)
        if citation is not None:
            asked = f"What else do the notes say of {concept.label}?"
            questions.append(Recall(asked, _one_line(citation.quote), citation))
    return tuple(questions)


def minutes_to_read(store: Store, concept: Concept) -> int:
    """About how long reading what defines a concept takes; at least a minute."""
    words = sum(len(_WORD.findall(store.passages[p].text)) for p in concept.passages)
    return max(1, math.ceil(words / WORDS_PER_MINUTE))


def _gaps(store: Store, concept: Concept, most: int) -> list[Recall]:
    asked = (_gap(store, concept, p, s) for p, s in _untold(store, concept))
    return list(islice((question for question in asked if question is not None), most))


def _untold(store: Store, concept: Concept) -> Iterator[tuple[Passage, StatementSpan]]:
    """The statements of a concept's passages that can be asked for, but what its summary says."""
    for passage in (store.passages[p] for p in concept.passages[:PASSAGES]):
        for statement in passage.statements:
            text = passage.text[statement.start : statement.end]
            whole = statement.kind in ("sentence", "item") and not _FRAGILE.search(text)
            fits = whole and SHORTEST <= len(text) <= LONGEST
            if fits and not _is_told(_one_line(text), concept.summary):
                yield passage, statement


def _cited(passage: Passage, statement: StatementSpan) -> Citation:
    text = passage.text[statement.start : statement.end]
    line = passage.line_start + passage.text.count("\n", 0, statement.start)
    last = line + text.rstrip().count("\n")
    return Citation(1, passage.note, line, last, passage.cell, text.strip())


def _gap(
    store: Store, concept: Concept, passage: Passage, statement: StatementSpan
) -> Recall | None:
    """The statement with another concept's name left out, if it names one."""
    text = passage.text[statement.start : statement.end]
    inside = list(_named(store, concept, passage, statement))
    if not inside:
        return None
    name = max(inside, key=lambda m: (m.end - m.start, -m.start))
    words = text[name.start - statement.start : name.end - statement.start]
    asked = re.sub(rf"\b{re.escape(words)}\b", BLANK, text)
    if BLANK not in asked or len(_WORD.findall(asked.replace(BLANK, ""))) < FEWEST_WORDS:
        return None
    return Recall(_one_line(asked), words, _cited(passage, statement))


def _is_told(text: str, summary: str) -> bool:
    """Whether the summary, which stands above the question, is this statement or begins it."""
    said, told = " ".join(text.split()), " ".join(summary.split())
    return bool(told) and (said in told or told[:SHORTEST] in said)


def _named(
    store: Store, concept: Concept, passage: Passage, statement: StatementSpan
) -> Iterator[Mention]:
    """Where the statement names another concept."""
    for mention in store.mentions_in(passage.id):
        within = statement.start <= mention.start and mention.end <= statement.end
        if within and mention.concept != concept.id:
            yield mention


def _one_line(text: str) -> str:
    plain = re.sub(r"^(?:[-*+]|\d+[.)])\s+", "", " ".join(text.split()))
    return re.sub(r"\*+(?=\S)|(?<=\S)\*+", "", plain)  # bold marks, also around the blank
