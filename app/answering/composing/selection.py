"""Which statements of the hits go into an answer in running text: what leads, and what supports it.

How likely each answers is left to `app.answering.composing.ranking`.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np

from app.answering.composing.ranking import Ranked
from app.answering.reading.excerpts import Excerpt, read_chars, section_of
from app.answering.reading.statements import Statement, whole
from app.answering.reading.words import folded, repeats

__all__ = ["BELONGS", "WHOLE_CHARS", "Span", "leading", "likeliest", "spans", "understood"]

WHOLE_CHARS = 900  # of an answer, unless what leads is longer
# What leads is the run of statements that most likely holds the answer, each 100 characters at the
# cost of a chance of .02.
LEAD_CHARS, LEAD_LINES, COST = 700, 9, 0.02
# Of what leads, the part that a reader should look at first costs five times as much: of the leads
# that hold the answer it holds it in .92 and is less than half as long (benchmarks/README.md).
POINTED_COST = 0.1
BELONGS = 0.35  # chance of belonging to a good answer from which a statement supports


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring statements of one passage: positions among those ranked, both included."""

    first: int
    last: int

    def places(self) -> range:
        """Each of its positions."""
        return range(self.first, self.last + 1)

    def excerpt(self, ranked: Ranked) -> Excerpt:
        """The notes' words from the first statement to the last."""
        one, other = ranked.statements[self.first], ranked.statements[self.last]
        return Excerpt(one.passage, one.start, other.end)


def leading(ranked: Ranked) -> Span:
    """The neighbouring statements that most likely hold the answer, for what they take to read."""
    return _worthiest(ranked, range(len(ranked.statements)), COST)


def likeliest(ranked: Ranked, lead: Span) -> Span:
    """The part of what leads that most likely holds the answer."""
    return _worthiest(ranked, lead.places(), POINTED_COST)


def _worthiest(ranked: Ranked, among: range, cost: float) -> Span:
    best, worth = Span(among[0], among[0]), -np.inf
    for first in among:
        chance = 0.0
        for last in range(first, among.stop):
            span = Span(first, last)
            if ranked.hit[last] != ranked.hit[first] or (last > first and not _short(span, ranked)):
                break
            chance += float(ranked.leads[last])
            value = chance - cost * _chars(span, ranked) / 100
            if value > worth:
                best, worth = span, value
    return best


def spans(ranked: Ranked, lead: Span, told: Sequence[int] = ()) -> list[Span]:
    """What goes into the answer, what leads first, then the rest of its section in reading order.

    Parameters
    ----------
    told : sequence of int
        Positions of statements that the answer has said already; the lead may be among them.
    """
    lead = understood(lead, ranked)
    taken = {*lead.places(), *told}
    room = WHOLE_CHARS - sum(read_chars(ranked.statements[i].text) for i in taken)
    repeated = [folded(ranked.statements[i].text) for i in taken]
    for i in np.argsort(-ranked.belongs, kind="stable").tolist():
        if ranked.belongs[i] < BELONGS:
            break
        new = set(understood(Span(i, i), ranked).places()) - taken
        cost = sum(read_chars(ranked.statements[j].text) for j in new)
        words = [folded(ranked.statements[j].text) for j in new]
        if cost <= room and not any(repeats(w, repeated) for w in words):
            taken |= new
            room -= cost
            repeated += words
    return _in_order(lead, taken - {*told}, ranked)


def _in_order(lead: Span, taken: set[int], ranked: Ranked) -> list[Span]:
    if not taken:
        return []
    leads = taken.issuperset(lead.places())
    if leads:
        # What stands around it is quoted with it as long as that stays short.
        lead = _grown(_grown(lead, 1, taken, ranked), -1, taken, ranked)
    home = section_of(ranked.statements[lead.first].passage)
    order = {
        section: i
        for i, section in enumerate(dict.fromkeys(_section(i, ranked) for i in sorted(taken)))
    }

    def place(i: int) -> tuple[bool, int, int, int]:
        statement = ranked.statements[i]
        section = section_of(statement.passage)
        return section != home, order[section], statement.passage.id, i

    out: list[Span] = [lead] if leads else []
    for i in sorted(taken - {*lead.places()} if leads else taken, key=place):
        last = out[-1] if len(out) > leads else None
        if last is not None and last.last == i - 1 and ranked.hit[i] == ranked.hit[i - 1]:
            out[-1] = Span(last.first, i)
        else:
            out.append(Span(i, i))
    return out


def _section(i: int, ranked: Ranked) -> tuple[str, tuple[str, ...]]:
    return section_of(ranked.statements[i].passage)


def understood(span: Span, ranked: Ranked) -> Span:
    """The span with what its ends cannot do without, as far as that stays short."""
    here = ranked.hit == ranked.hit[span.first]
    offset = int(np.argmax(here))
    beside: list[Statement] = [ranked.statements[i] for i in np.flatnonzero(here).tolist()]
    first, _ = whole(beside, span.first - offset)
    _, last = whole(beside, span.last - offset)
    needed = range(first + offset, last + offset + 1)
    return _grown(_grown(span, -1, needed, ranked), 1, needed, ranked)


def _grown(span: Span, step: int, wanted: Container[int], ranked: Ranked) -> Span:
    """The span with the wanted statements after it (1) or before it (-1), as far as it is short."""
    while True:
        beside = span.last + 1 if step > 0 else span.first - 1
        wider = Span(min(span.first, beside), max(span.last, beside))
        if beside not in wanted or ranked.hit[beside] != ranked.hit[span.first]:
            return span
        if not _short(wider, ranked):
            return span
        span = wider


def _chars(span: Span, ranked: Ranked) -> int:
    return ranked.statements[span.last].end - ranked.statements[span.first].start


def _short(span: Span, ranked: Ranked) -> bool:
    """Whether a span is no longer than what may lead."""
    excerpt = span.excerpt(ranked)
    return _chars(span, ranked) <= LEAD_CHARS and excerpt.text.count("\n") < LEAD_LINES
