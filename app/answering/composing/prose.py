"""An answer in running text: the statement that answers first, then what supports it, each with its
mark.

Which statements these are is left to `app.answering.composing.selection`, other forms of answers to
their own files beside this one.
"""

from __future__ import annotations

from app.answering.composing.composed import Composed, Text
from app.answering.composing.ranking import rank
from app.answering.composing.selection import WORTH, Span, Statements, in_order, lead_of, supporting
from app.answering.question.understand import Question
from app.answering.reading.contradictions import Contradiction, contradictions
from app.answering.reading.excerpts import Excerpt, body_of, cite, heading_of, listed, section_of
from app.answering.reading.statements import excerpt
from kg.encoder import Encoder
from kg.linking import key
from kg.search import Findings
from kg.store import Store
from kg.types import AnswerKind, Concept, Disagreement

__all__ = ["prose"]


def prose(
    asked: Question,
    kind: AnswerKind,
    findings: Findings,
    store: Store,
    encoder: Encoder,
    defined: Concept | None = None,
) -> Composed:
    """The statement that answers, what contradicts it, and what supports it, up to some length.

    Parameters
    ----------
    kind : str
        Of the answer: of a question what X is good for, that of a fact.
    defined : Concept, optional
        What the question asks for, when it asks what one concept is.
    """
    defining = {p for c in findings.concepts for p in store.concepts[c].passages}
    ranked, statements = rank(
        asked, kind, findings.hits, findings.words, encoder, defined, defining
    )
    text = Text()
    if not ranked:
        # A section of links alone: show it as it stands.
        text.add(body_of(findings.hits[0].passage))
        return text.composed()
    lead = lead_of(ranked, statements, kind)
    # Where a question names several concepts, a heading says which one is spoken of.
    only = [store.concepts[c] for c in findings.concepts] if len(findings.concepts) == 1 else []
    named = {key(name) for c in only for name in (c.label, *c.aliases)}
    drawn_on = [statements[s.hit][s.at] for s in ranked if s.score >= WORTH * ranked[0].score]
    opposite = contradictions(drawn_on, findings.hits, findings.words, encoder)
    if opposite:
        # What leads is part of a disagreement, or the reader has to know of one before anything
        # else.
        taken = _show_disagreement(opposite[0], statements, text)
    else:
        heading = heading_of(statements[lead.hit][0].passage)
        text.add(_excerpt(lead, statements), "" if key(heading) in named else heading)
        taken = lead.places()
    for span in in_order(supporting(ranked, statements, lead, taken, kind), statements, lead.hit):
        passage = statements[span.hit][0].passage
        heading = heading_of(passage)
        same = section_of(passage) == section_of(statements[lead.hit][0].passage) and not opposite
        text.add(_excerpt(span, statements), "" if same and key(heading) in named else heading)
    return text.composed()


def _show_disagreement(
    contradiction: Contradiction, of_hits: Statements, text: Text
) -> set[tuple[int, int]]:
    """Both sides as a list; which statements have been said."""
    lines = []
    for statement in (contradiction.one, contradiction.other):
        excerpted = Excerpt(statement.passage, statement.start, statement.end)
        text.citations.append(cite(excerpted, len(text.citations) + 1))
        where = heading_of(statement.passage) or statement.passage.note
        lines.append(f"- {where}: {listed(excerpted, len(text.citations))}")
    text.parts.append("**Your notes disagree:**\n\n" + "\n".join(lines))
    text.disagreement = Disagreement(
        len(text.citations) - 1, len(text.citations), contradiction.why
    )
    both = (contradiction.one, contradiction.other)
    return {
        (h, i)
        for h, statements in enumerate(of_hits)
        for i, s in enumerate(statements)
        if s in both
    }


def _excerpt(span: Span, statements: Statements) -> Excerpt:
    return excerpt(statements[span.hit], span.first, span.last)
