"""An answer in running text: the statements that answer first, then what supports them, each with
its mark.

Which statements these are is left to `app.answering.composing.selection`, other forms of answers to
their own files beside this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from app.answering.composing.composed import Composed, Text
from app.answering.composing.ranking import Ranked
from app.answering.composing.selection import (
    BELONGS,
    Span,
    leading,
    likeliest,
    spans,
    understood,
)
from app.answering.question.understand import Question
from app.answering.reading.contradictions import Contradiction, contradictions
from app.answering.reading.excerpts import (
    Excerpt,
    body_of,
    cite,
    heading_of,
    listed,
    section_of,
    words_shown,
)
from app.answering.reading.statements import Statement
from kg.encoder import Encoder
from kg.linking import key
from kg.search import Findings
from kg.store import Store
from kg.types import Disagreement, Passage

__all__ = ["prose"]


def prose(
    asked: Question, ranked: Ranked | None, findings: Findings, store: Store, encoder: Encoder
) -> Composed:
    """What answers, what contradicts it, and what supports it, up to some length."""
    text = Text()
    if ranked is None:
        # A section of links alone: show it as it stands.
        text.add(body_of(findings.hits[0].passage))
        return text.composed()
    drawn_on = [ranked.statements[i] for i in _drawn_on(ranked)]
    opposite = contradictions(drawn_on, findings.hits, findings.words, encoder)
    lead = _code(ranked) if asked.code else leading(ranked)
    told: list[int] = []
    if opposite:
        # What leads is part of a disagreement, or the reader has to know of one before anything
        # else.
        told = _show_disagreement(opposite[0], ranked.statements, text)
    home = None if opposite else ranked.statements[lead.first].passage
    # Where a question names several concepts, a heading says which one is spoken of.
    only = [store.concepts[c] for c in findings.concepts] if len(findings.concepts) == 1 else []
    named = {key(name) for c in only for name in (c.label, *c.aliases)}
    quoted = spans(ranked, lead, told)
    for span in quoted:
        passage = ranked.statements[span.first].passage
        text.add(span.excerpt(ranked), _heading(passage, home, named))
    if not opposite:
        text.likeliest += _to_look_at(ranked, lead, quoted)
    return text.composed()


def _to_look_at(ranked: Ranked, lead: Span, quoted: Sequence[Span]) -> list[str]:
    """The sentences and items of what leads that most likely hold the answer, as they are shown;
    none where nothing else is quoted.
    """
    at_first = likeliest(ranked, understood(lead, ranked))
    if [at_first] == [*quoted]:
        return []
    words = []
    statements = [ranked.statements[i] for i in at_first.places()]
    for (kind, _), run in groupby(statements, key=lambda s: (s.kind, s.block)):
        of_block = list(run)
        if kind == "sentence":
            one, other = of_block[0], of_block[-1]
            words.append(words_shown(Excerpt(one.passage, one.start, other.end)))
        elif kind == "item":
            words += [words_shown(Excerpt(s.passage, s.start, s.end)) for s in of_block]
    return [shown for shown in words if shown]


def _code(ranked: Ranked) -> Span:
    """The code that most likely answers, where there is any, else what leads."""
    code = [i for i in ranked.best_first() if ranked.statements[i].kind == "code"]
    return Span(code[0], code[0]) if code else leading(ranked)


def _heading(passage: Passage, home: Passage | None, named: set[tuple[str, ...]]) -> str:
    """The heading to show above an excerpt; none where the question names it itself."""
    heading = heading_of(passage)
    at_home = home is not None and section_of(passage) == section_of(home)
    return "" if at_home and key(heading) in named else heading


def _drawn_on(ranked: Ranked) -> list[int]:
    """The statements that answer, best first: what contradicts one of them is told."""
    best = ranked.best_first()
    return [i for n, i in enumerate(best) if not n or ranked.belongs[i] >= BELONGS]


def _show_disagreement(
    contradiction: Contradiction, statements: Sequence[Statement], text: Text
) -> list[int]:
    """Both sides as a list; which statements have been said."""
    both = (contradiction.one, contradiction.other)
    lines = []
    for statement in both:
        excerpted = Excerpt(statement.passage, statement.start, statement.end)
        text.citations.append(cite(excerpted, len(text.citations) + 1))
        where = heading_of(statement.passage) or statement.passage.note
        lines.append(f"- {where}: {listed(excerpted, len(text.citations))}")
    text.parts.append("**Your notes disagree:**\n\n" + "\n".join(lines))
    text.disagreement = Disagreement(
        len(text.citations) - 1, len(text.citations), contradiction.why
    )
    return [i for i, s in enumerate(statements) if s in both]
