"""Answer a question in the notes' own words, with exact citations, or say that they do not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from app.answering.composing.comparison import comparison, side_is_told
from app.answering.composing.composed import Composed
from app.answering.composing.lists import listing, parts, parts_of
from app.answering.composing.places import places
from app.answering.composing.prose import prose
from app.answering.composing.ranking import Ranked, rank
from app.answering.composing.study_order import after, now, path
from app.answering.measured.measured import measured
from app.answering.offers.offers import offers
from app.answering.question.follow_ups import Turn
from app.answering.question.understand import Question, understand
from app.answering.reading.excerpts import begins_in
from app.answering.refusal import ANSWERED_FROM, confidence, is_doubtful
from app.answering.study import followers, prerequisites_of
from app.fastai_v1.recognise import updates
from app.paths import runs_folder
from kg.encoder import Encoder
from kg.linking import closest_labels, key
from kg.search import Findings, find
from kg.store import Store
from kg.types import Answer, Concept, Hit

__all__ = ["answer"]

LIST_HITS = 30
NEAR = 0.25  # cosine from which a passage is near enough to offer its concept for an answer
MORE = 0.4  # who asks for more is shown hits down to this share of the best score
WISHED = 0.7  # confidence from which a recipe is offered where the notes have no answer
# What the last answer led with counts half for a follow-up: of 268 .40 led with the same lines
# again without it and .33 with it, as of the same questions asked whole (benchmarks/README.md).
AGAIN = 0.5
SURE = 0.8  # share of the first hit's score from which an answer is about a second one too


def answer(
    question: str,
    store: Store,
    encoder: Encoder,
    history: Sequence[Turn] = (),
    k: int = 10,
    roots: Collection[Path] = (),
) -> Answer:
    """Answer one question, with what runs in the store's folder measured of it beside the answer.

    Parameters
    ----------
    history : sequence of (question, Answer)
        The conversation so far, oldest first; a follow-up is understood from it.
    k : int
        Number of hits in the answer.
    roots : collection of Path
        The folders in which a file is looked for that the question names for a run; none: nowhere.

    Raises
    ------
    IndexMismatch
        When the encoder is not the one the store was made with.
    """
    asked = understand(question, store, encoder, history, roots)
    if asked.kind == "empty":
        text = "Ask about something in your notes."
        return Answer(asked.asked, "not_in_notes", asked.kind, 0.0, text)
    notes = _from_notes(asked, store, encoder, history, k)
    notes = replace(notes, fastai_v1=updates(notes.text))
    if asked.stand == "more":
        return notes
    facts = measured(asked.wish, asked.kind, runs_folder(store.folder))
    return replace(notes, measured=facts)


def _from_notes(
    asked: Question, store: Store, encoder: Encoder, history: Sequence[Turn], k: int
) -> Answer:
    wide = asked.lists_all or asked.stand == "more"
    findings = find(asked.reading, store, max(k, LIST_HITS) if wide else k)
    hits = findings.hits[:k]
    ranked = rank(asked, findings, store)
    structural = _is_structural(asked, findings, store)
    sure = confidence(asked, findings, ranked, None if structural else encoder)
    if not structural and (sure < ANSWERED_FROM or not hits or asked.kind == "path"):
        return _not_in_notes(asked, 0.0 if asked.kind == "path" else sure, findings, hits, store)
    if asked.stand == "more":
        findings = _without_told(findings, history)
        if not findings.hits:
            text = "The notes say no more on this."
            confident = round(sure, 3)
            return Answer(asked.asked, "not_in_notes", asked.kind, confident, text, hits=hits)
        ranked = rank(asked, findings, store)
    if asked.stand == "follows" and ranked is not None:
        ranked = ranked.fainter(history[-1][1].citations[:1], AGAIN)
    composed = _compose(asked, ranked, findings, store, encoder)
    about = _about(asked, _quoted(composed, findings.hits) or findings.hits, store)
    recipes = offers(asked.wish, _names_of(about[:1]))
    doubtful = not structural and is_doubtful(sure, encoder)
    main = [c.id for c in about[: max(1, min(2, len(asked.names)))]]
    return Answer(
        question=asked.asked,
        status="answered",
        kind=asked.kind,
        confidence=round(max(sure, 0.9) if structural else sure, 3),
        text=composed.text,
        citations=composed.citations,
        concepts=tuple(c.label for c in about),
        prerequisites=prerequisites_of(store, main),
        next=followers(store, main),
        recipes=recipes,
        hits=hits,
        path=composed.path,
        disagreement=composed.disagreement,
        doubtful=doubtful,
        likeliest=() if doubtful else composed.likeliest,
    )


def _is_structural(asked: Question, findings: Findings, store: Store) -> bool:
    """Whether the question itself names what the answer is made of: there is nothing to doubt."""
    if asked.kind in ("path", "next"):
        return bool(asked.names) or asked.kind == "next"
    if asked.lists_all and ((asked.marks and not asked.subject) or parts_of(asked, store)):
        return True
    if asked.kind == "comparison":
        return all(side_is_told(side, store) for side in asked.sides)
    named = [store.concepts[c] for c in asked.names]
    if not named or not asked.bare:
        return False
    if asked.kind == "definition":
        return bool(findings.hits) and all(concept.summary for concept in named)
    return asked.kind == "where" and all(concept.passages for concept in named)


def _compose(
    asked: Question, ranked: Ranked | None, findings: Findings, store: Store, encoder: Encoder
) -> Composed:
    composed = None
    if asked.kind == "path" and asked.names:
        composed = path([store.concepts[c] for c in asked.names], store)
    elif asked.kind == "next":
        composed = after(store.concepts[asked.names[-1]], store) if asked.names else now(store)
    elif asked.kind == "comparison":
        composed = comparison(asked, ranked, store)
    elif asked.lists_all:
        composed = parts(asked, store) or listing(asked, findings, store)
    elif asked.kind == "where":
        composed = places(asked, ranked, findings, store)
    if composed is not None:
        return composed
    return prose(asked, ranked, findings, store, encoder)


def _without_told(findings: Findings, history: Sequence[Turn]) -> Findings:
    """The findings without passages that the conversation has quoted already."""
    cited = [c for _, answered in history for c in answered.citations]
    quoted = {(c.note, c.cell, line) for c in cited for line in (c.line_start, c.line_end)}
    least = MORE * findings.hits[0].score

    def new(hit: Hit) -> bool:
        p = hit.passage
        lines = range(p.line_start, p.line_end + 1)
        return not any((p.note, p.cell, line) in quoted for line in lines)

    kept = [i for i, h in enumerate(findings.hits) if new(h) and h.score >= least]
    return replace(
        findings,
        hits=tuple(findings.hits[i] for i in kept),
        candidates=tuple(findings.candidates[i] for i in kept),
    )


def _names_of(concepts: Sequence[Concept]) -> list[str]:
    return [n for c in concepts for n in (c.label, *c.aliases)]


def _quoted(composed: Composed, hits: Sequence[Hit]) -> list[Hit]:
    """The hits that an answer quotes, in its order."""
    return [hit for cited in composed.citations for hit in hits if begins_in(cited, hit.passage)]


def _about(asked: Question, hits: Sequence[Hit], store: Store) -> list[Concept]:
    """What an answer is about: what the question names, else what the hits quoted first define."""
    if asked.kind in ("path", "next"):
        goals = asked.names if asked.kind == "path" else asked.names[-1:]
        return [store.concepts[c] for c in goals]
    sided = [side.concept.id for side in asked.sides if side.concept is not None]
    sure = [h for h in hits[:2] if h.score >= SURE * hits[0].score]
    defined = [c for h in sure for c in store.defined_in.get(h.passage.id, ())[:1]]
    return [store.concepts[c] for c in dict.fromkeys([*sided, *asked.names, *defined])]


def _not_in_notes(
    asked: Question, sure: float, findings: Findings, hits: Sequence[Hit], store: Store
) -> Answer:
    by_words = closest_labels(store.concepts, asked.text, 3)
    near = [c.passage for c in findings.candidates[:5] if c.dense >= NEAR]
    by_meaning = [store.concepts[c].label for p in near for c in store.defined_in.get(p, ())[:1]]
    nearest = tuple(dict.fromkeys([*by_words, *by_meaning]))[:5]
    # What the notes do not say a run may find; then only what was named is near.
    wished = [offer for offer in offers(asked.wish, ()) if offer.confidence >= WISHED]
    if wished:
        words = set(key(asked.text))
        nearest = tuple(label for label in nearest if words.issuperset(key(label)))
    text, whose = "The notes do not say.", "they have"
    if store.imported_from:
        source = f"this graph was imported from {store.imported_from}"
        text = f"There are no notes to answer from: {source}."
        whose = "it has"
    if nearest:
        text += f" The nearest {whose}: {', '.join(f'**{label}**' for label in nearest)}."
    if wished:
        text += " A run can find out."
    return Answer(
        question=asked.asked,
        status="not_in_notes",
        kind=asked.kind,
        confidence=round(sure, 3),
        text=text,
        recipes=tuple(wished),
        hits=tuple(hits),
        nearest=nearest,
    )
