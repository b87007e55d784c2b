"""Which statements of the hits go into an answer in running text: what leads, and what supports it.

What a statement is worth is left to `app.answering.composing.ranking`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.answering.composing.ranking import Scored
from app.answering.reading.excerpts import read_chars, section_of
from app.answering.reading.statements import Statement, excerpt, whole
from app.answering.reading.words import repeats
from ingest.notes.markdown import plain
from kg.linking import key
from kg.types import AnswerKind

__all__ = ["WHOLE_CHARS", "WORTH", "Span", "Statements", "in_order", "lead_of", "supporting"]

WHOLE_CHARS = 1200  # of an answer, unless what leads is longer or code must stay whole
# What leads grows up to here, by statements nearly as good or to its whole paragraph or list.
LEAD_CHARS = 360
NEARLY = 0.35  # less than the best score
WORTH = 0.75  # a supporting statement is worth at least this share of the best
LEAST_ROOM = 60  # characters; below it nothing more is looked for
PARAGRAPH_CHARS = (
    420  # a supporting sentence brings its paragraph up to this length, else only what it needs
)
CODE_CHARS = 1500  # of code that goes with an answer to "how"

Statements = Sequence[Sequence[Statement]]  # the statements of each hit


@dataclass(frozen=True, slots=True)
class Span:
    """Statements of one hit, from one position to another, both included."""

    hit: int
    first: int
    last: int

    def places(self) -> set[tuple[int, int]]:
        """Hit and position of each of its statements."""
        return {(self.hit, i) for i in range(self.first, self.last + 1)}


def lead_of(ranked: Sequence[Scored], of_hits: Statements, kind: AnswerKind) -> Span:
    """The best statement with what it needs and, as long as that is short, what belongs to it.

    Where a list or steps are asked for, a list stays whole, with the sentence that announces it.
    """
    best = ranked[0]
    statements = of_hits[best.hit]
    first, last = whole(statements, best.at)

    def chars(a: int, b: int) -> int:
        return read_chars(excerpt(statements, a, b).text)

    if chars(0, len(statements) - 1) <= LEAD_CHARS and statements[best.at].kind != "code":
        return Span(best.hit, 0, len(statements) - 1)  # a short section reads best as it stands
    a, b = _around(statements, first, last)
    announced = whole(statements, a)[0] < a or statements[a].text[:1].isdecimal()
    whole_list = kind in ("list", "how") and announced and statements[best.at].group >= 0
    if chars(a, b) <= (WHOLE_CHARS if whole_list else LEAD_CHARS):
        first, last = whole(statements, a)[0], b
    for other in ranked[1:4]:
        if other.hit != best.hit or other.score < best.score - NEARLY or first <= other.at <= last:
            continue
        a, b = whole(statements, other.at)
        a, b = min(a, first), max(b, last)
        adjacent = other.at in (first - 1, last + 1) and not _skips(statements, a, b)
        if adjacent and chars(a, b) <= LEAD_CHARS and statements[other.at].kind != "code":
            first, last = a, b
    return Span(best.hit, first, last)


def _around(statements: Sequence[Statement], first: int, last: int) -> tuple[int, int]:
    """The paragraph, or the list, that statements stand in."""
    while first > 0 and _together(statements[first - 1], statements[first]):
        first -= 1
    while last + 1 < len(statements) and _together(statements[last], statements[last + 1]):
        last += 1
    return first, last


def _together(one: Statement, other: Statement) -> bool:
    return one.block == other.block or one.group == other.group >= 0


def _skips(statements: Sequence[Statement], first: int, last: int) -> bool:
    """Whether something that says nothing (links, pictures) stands between."""
    run = statements[first : last + 1]
    return any(b.block > a.block + 1 for a, b in pairwise(run))


def supporting(
    ranked: Sequence[Scored],
    of_hits: Statements,
    lead: Span,
    taken: set[tuple[int, int]],
    kind: AnswerKind,
) -> set[tuple[int, int]]:
    """Which further statements go into the answer."""
    home = of_hits[lead.hit]
    room = WHOLE_CHARS - sum(read_chars(of_hits[h][i].text) for h, i in taken)
    repeated = [_words(of_hits[h][i]) for h, i in taken]
    taken = set(taken)
    chosen: set[tuple[int, int]] = set()
    for s in _candidates(ranked, of_hits, lead, kind):
        if (s.hit, s.at) in taken or room < LEAST_ROOM:
            continue
        statements = of_hits[s.hit]
        code = statements[s.at].kind == "code"
        if code and (kind != "how" or statements[s.at].passage.kind == "output"):
            continue
        needed = whole(statements, s.at)
        wide = _around(statements, *needed)
        fits = read_chars(excerpt(statements, *wide).text) <= PARAGRAPH_CHARS
        for first, last in (wide, needed) if fits else (needed,):
            new = Span(s.hit, first, last).places() - taken
            cost = sum(read_chars(of_hits[h][i].text) for h, i in new)
            limit = (
                max(room, CODE_CHARS)
                if code and statements is home and cost <= CODE_CHARS
                else room
            )
            if cost <= limit and not any(repeats(_words(of_hits[h][i]), repeated) for h, i in new):
                taken |= new
                chosen |= new
                room -= cost
                repeated += [_words(of_hits[h][i]) for h, i in new]
                break
    return chosen


def _candidates(
    ranked: Sequence[Scored], of_hits: Statements, lead: Span, kind: AnswerKind
) -> Iterator[Scored]:
    """Statements that may support, in the order in which they are considered."""
    worth = [s for s in ranked if s.score >= WORTH * ranked[0].score]
    home = section_of(of_hits[lead.hit][0].passage)

    def beside_lead(s: Scored) -> bool:
        return section_of(of_hits[s.hit][0].passage) == home

    def place(s: Scored) -> tuple[int, int]:
        return of_hits[s.hit][s.at].passage.id, s.at

    if kind == "definition":
        # Who asks what something is reads on from the definition.
        begin = (of_hits[lead.hit][0].passage.id, lead.last)
        yield from sorted((s for s in ranked if beside_lead(s) and place(s) > begin), key=place)
    elif kind == "how":
        yield from [s for s in ranked if beside_lead(s) and of_hits[s.hit][s.at].kind == "code"][:1]
    yield from worth


def _words(statement: Statement) -> frozenset[str]:
    return frozenset(key(plain(statement.text)))


def in_order(chosen: set[tuple[int, int]], of_hits: Statements, home: int) -> list[Span]:
    """Runs of neighbouring statements: the leading section's first, each section's in reading
    order.
    """
    section = section_of(of_hits[home][0].passage)
    hits: dict[tuple[str, tuple[str, ...]], int] = {}
    for h in sorted({h for h, _ in chosen}):
        hits.setdefault(section_of(of_hits[h][0].passage), h)

    def order(place: tuple[int, int]) -> tuple[bool, int, int, int]:
        passage = of_hits[place[0]][0].passage
        where = section_of(passage)
        return where != section, hits[where], passage.id, place[1]

    runs: list[Span] = []
    for h, i in sorted(chosen, key=order):
        last = runs[-1] if runs else None
        if (
            last is not None
            and last.hit == h
            and last.last == i - 1
            and not _skips(of_hits[h], i - 1, i)
        ):
            runs[-1] = Span(h, last.first, i)
        else:
            runs.append(Span(h, i, i))
    return runs
