"""Notice two statements of different places that contradict each other, with few false alarms.

Two clauses contradict each other when they speak of the same thing under the same conditions and
differ in exactly one of these: the number that they give, whether they say yes or no ("never", "do
not", "avoid", "without"), or one of a pair of opposites ("higher" and "lower", "before" and
"after"). Two such differences cancel ("a higher rate is faster", "a lower rate is slower"), so
pairs that differ twice are left alone.

What this cannot see: contradictions that need knowledge of the field or arithmetic ("64 items" and
"two times 32"), that are told in other words ("switch dropout off" and "keep dropout on" is seen,
"drop units only while learning" is not), that run over several sentences, that stand in tables,
code or formulas, or within one section; and statements in other languages than English. A condition
that is told outside the sentence and its heading is not seen either, so a false alarm is possible
where a section opens with "All of this holds for text only".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.answering.reading.clauses import CLAUSE_CHARS, Clause, clauses_of, content_of
from app.answering.reading.excerpts import section_of
from app.answering.reading.statements import Statement, statements_of
from app.answering.reading.words import folded
from ingest.notes.plain_text import plain
from kg.encoder import Encoder
from kg.linking import fold
from kg.types import Hit

__all__ = ["Contradiction", "contradictions", "opposed"]

CONSIDERED = 12  # statements of an answer
CLOSE = 0.5  # share of the best hit's score, from which a hit is looked through for the opposite
ALIKE = 0.6  # cosine of two statements that speak of the same; see test_contradictions.py
SHARED = 2  # content words
MOST_EXTRA = 4  # content words that only one of them has

Opposition = Literal["number", "negation", "opposites"]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two statements that contradict each other, and in what."""

    one: Statement
    other: Statement
    why: Opposition


def contradictions(
    drawn_on: Sequence[Statement],
    hits: Sequence[Hit],
    wanted: Mapping[str, float],
    encoder: Encoder,
) -> list[Contradiction]:
    """Pairs that contradict: a statement the answer draws on, and one of any close hit.

    Parameters
    ----------
    drawn_on : sequence of Statement
        Best first; pairs come in their order.
    wanted : mapping
        The question's content words; each statement, or its heading, must hold one of them.
    """
    asked = {fold(w) for w in wanted}
    close = [h.passage for h in hits if h.score >= CLOSE * hits[0].score]
    pool = [s for s in drawn_on[:CONSIDERED] if _claims(s, asked)]
    others = [s for p in close for s in statements_of(p) if _claims(s, asked)]
    opposed_pairs: list[Contradiction] = []
    for one in pool:
        for other in others:
            if section_of(one.passage) != section_of(other.passage):
                why = opposed(one.text, other.text, _heading(one), _heading(other))
                if why and not any({d.one, d.other} == {one, other} for d in opposed_pairs):
                    opposed_pairs.append(Contradiction(one, other, why))
    if not opposed_pairs:
        return []
    vectors = encoder.encode([plain(s.text) for d in opposed_pairs for s in (d.one, d.other)])
    return [
        d
        for i, d in enumerate(opposed_pairs)
        if float(vectors[2 * i] @ vectors[2 * i + 1]) >= ALIKE
    ]


def opposed(
    one: str, other: str, heading: str = "", other_heading: str = ""
) -> Opposition | Literal[""]:
    """In what two statements contradict: "number", "negation", "opposites", or "".

    >>> opposed("The batch size should be 64.", "The batch size should be 32.")
    'number'
    >>> opposed("Shuffle.", "Do not stop.")
    ''
    """
    for a in clauses_of(one):
        for b in clauses_of(other):
            why = _opposed(a, b, content_of(heading), content_of(other_heading))
            if why:
                return why
    return ""


def _opposed(
    a: Clause, b: Clause, head_a: frozenset[str], head_b: frozenset[str]
) -> Opposition | Literal[""]:
    if not _same_conditions(a, b, head_a, head_b):
        return ""
    shared = (a.content & b.content) | frozenset(a.opposites) & frozenset(b.opposites)
    number = _numbers_differ(a, b)
    if number is None or (number and _special_case(a, b, head_a, head_b)):
        return ""
    negation = (len(_negations(a, shared)) - len(_negations(b, shared))) % 2
    opposites = _flips(a.sides, b.sides)
    if opposites is None or number + negation + opposites != 1:
        return ""
    return "number" if number else "negation" if negation else "opposites"


def _same_conditions(a: Clause, b: Clause, head_a: frozenset[str], head_b: frozenset[str]) -> bool:
    """Whether two clauses speak of the same thing, as far as their words and headings tell."""
    shared = a.content & b.content
    if len(shared) + len((a.content & head_b) | (b.content & head_a)) < SHARED or not shared:
        return False
    only_a, only_b = a.content - b.content - head_b, b.content - a.content - head_a
    own_a, own_b = head_a - b.content - head_b, head_b - a.content - head_a
    if (only_a and only_b) or len(only_a | only_b) > MOST_EXTRA:
        return False
    # Headings of other subjects may be conditions; what says the very same words below both stands
    # by itself.
    both_differ = (only_a | own_a) and (only_b | own_b)
    if both_differ and (only_a or only_b or head_a & head_b):
        return False
    for clause, other, only in ((a, b, only_a), (b, a, only_b)):
        beside_shared = any(clause.before.get(w) in shared for w in only | clause.beyond(other))
        if beside_shared or only & clause.context:
            return False
    return True


def _special_case(a: Clause, b: Clause, head_a: frozenset[str], head_b: frozenset[str]) -> bool:
    """Whether one heading tells of a special case, for which another number is no wonder."""
    own_a, own_b = head_a - b.content - head_b, head_b - a.content - head_a
    special_a = own_a and head_a & (a.content | head_b)
    special_b = own_b and head_b & (b.content | head_a)
    return bool((own_a and own_b) or special_a or special_b)


def _numbers_differ(a: Clause, b: Clause) -> int | None:
    """1 when both give other numbers of one unit, 0 when not, None when they cannot be compared."""
    if not a.values or not b.values:
        differ_otherwise = a.negated or b.negated or a.opposites or b.opposites
        return 0 if differ_otherwise or not (a.values or b.values) else None
    if a.hedged or b.hedged or max(len(a.values), len(b.values)) > 2:
        return None
    if {q.unit for q in a.values} != {q.unit for q in b.values}:
        return None
    numbers_a, numbers_b = [q.value for q in a.values], [q.value for q in b.values]
    return int(max(numbers_a) < min(numbers_b) or max(numbers_b) < min(numbers_a))


def _negations(clause: Clause, shared: frozenset[str]) -> list[frozenset[str]]:
    """Negations that bear on what both clauses speak of.

    In "X, not Y" the negation is of Y alone.
    """
    return [scope for scope in clause.negated if not scope or scope & shared]


def _flips(one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]) -> int | None:
    """How many opposites two clauses have in the same places.

    None when it is unclear which belong together.
    """
    flips = 0
    for pair in {pair for pair, _ in one} & {pair for pair, _ in other}:
        ours, theirs = ([side for own, side in sides if own == pair] for sides in (one, other))
        if len(ours) != len(theirs):
            return None
        flips += sum(a != b for a, b in zip(ours, theirs, strict=True))
    return flips


def _claims(statement: Statement, asked: set[str]) -> bool:
    """Whether a statement says something in words on what is asked."""
    short = statement.kind in ("sentence", "item") and len(statement.text) <= 3 * CLAUSE_CHARS
    return short and not asked.isdisjoint(folded(_heading(statement)) | folded(statement.text))


def _heading(statement: Statement) -> str:
    return statement.passage.heading_path[-1] if statement.passage.heading_path else ""
