"""Answer a question from the notes' own words, with exact citations, or say that the notes do not
hold it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.answering.confidence import ANSWERED_FROM, confidence
from app.answering.forms.comparison import Side, comparison, is_choice, side_is_told, sides_in
from app.answering.forms.composed import Composed
from app.answering.forms.lists import listing, places, wants_all
from app.answering.forms.prose import prose
from app.answering.forms.study_order import after, now, path
from app.answering.measured.measured import measured
from app.answering.offers.offers import offers
from app.answering.offers.wishes import Wish, read_wish
from app.answering.question.follow_ups import Turn, resolve, wants_more
from app.answering.question.kinds import (
    asks_what_now,
    goals_of,
    kind_of,
    searched,
    sides_of,
    spelled_out,
)
from app.answering.question.spelling import speller
from app.answering.study import followers, prerequisites_of
from app.paths import runs_folder
from kg.encoder import DEFAULT_ENCODER, Encoder
from kg.linking import closest_labels, fold, key
from kg.marks import known_ids
from kg.search import Findings, find
from kg.store import Store
from kg.types import Answer, AnswerKind, Citation, Concept, Hit, RecipeOffer

__all__ = ["answer"]

LIST_HITS = 30
NEAR = 0.25  # cosine from which a passage is near enough to offer its concept in place of an answer
_LOOKING = re.compile(
    r"where|find|read(?:ing)?|learn|explain(?:ed|s)?|described?|defined?|notes?|sources?|links?|papers?|articles?|"
    r"lectures?|videos?|notebooks?|posts?|blog|urls?|further|written|covered|discussed|watch"
)
_ASKING = re.compile(
    r"what|is|are|an?|the|define|definition|meaning|means?|of|explain|describe|tell|me|about|does|do|please|you|can|exactly"
)
QUESTION_CHARS = 10_000
MORE = 0.4  # who asks for more is shown hits down to this share of the best score
WISHED = 0.7  # confidence from which a recipe is offered where the notes have no answer
SURE = 0.8  # a second hit must have at least this share of the first one's score for the answer to be about it too


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as it is understood: what it says when asked alone, its kind, and what it
    names.
    """

    text: str
    kind: AnswerKind
    names: tuple[int, ...]  # concepts, in the question's order
    sides: tuple[Side, ...]  # of a comparison
    more: bool  # whether it goes on with the answer before


def answer(
    question: str, store: Store, encoder: Encoder, history: Sequence[Turn] = (), k: int = 10
) -> Answer:
    """Answer one question; what runs in the store's folder measured of what it asks stands beside
    the answer.

    Parameters
    ----------
    history : sequence of (question, Answer)
        The conversation so far, oldest first; a follow-up is understood from it.
    k : int
        Number of hits in the answer.

    Raises
    ------
    IndexMismatch
        When the encoder is not the one the store was made with.
    """
    asked = question.strip()[:QUESTION_CHARS]
    meant = _understood(asked, store, history)
    if meant.kind == "empty":
        return Answer(asked, "not_in_notes", meant.kind, 0.0, "Ask about something in your notes.")
    shared = encoder.name == DEFAULT_ENCODER
    wish = read_wish(meant.text, encoder.encode([meant.text])[0] if shared else None)
    said = _from_notes(asked, meant, wish, store, encoder, history, k)
    if meant.more:
        return said
    return replace(said, measured=measured(wish, meant.kind, runs_folder(store.folder)))


def _from_notes(
    asked: str,
    meant: _Asked,
    wish: Wish,
    store: Store,
    encoder: Encoder,
    history: Sequence[Turn],
    k: int,
) -> Answer:
    wide = meant.kind == "list" or meant.more
    findings = find(searched(meant.text), store, encoder, max(k, LIST_HITS) if wide else k)
    hits = findings.hits[:k]
    sure = confidence(findings.signs)
    structural = _is_structural(meant, findings, store)
    if not structural and (sure < ANSWERED_FROM or not hits or meant.kind == "path"):
        # What the notes do not say a run may find.
        recipes = tuple(offer for offer in offers(wish, ()) if offer.confidence >= WISHED)
        return _not_in_notes(
            asked, meant, 0.0 if meant.kind == "path" else sure, findings, hits, store, recipes
        )
    if meant.more:
        findings = _without_told(findings, history)
        if not findings.hits:
            text = "The notes say no more on this."
            return Answer(asked, "not_in_notes", meant.kind, round(sure, 3), text, hits=hits)
    composed = _compose(meant, findings, store, encoder)
    about = _about(meant, _quoted(composed, findings.hits) or findings.hits, store)
    recipes = offers(wish, _names_of(about[:1]))
    offered = f"{_offered(recipes[0])}\n\n" if meant.kind == "recipe" and recipes else ""
    main = [c.id for c in about[: max(1, min(2, len(meant.names)))]]
    return Answer(
        question=asked,
        status="answered",
        kind=meant.kind,
        confidence=round(max(sure, 0.9) if structural else sure, 3),
        text=offered + composed.text,
        citations=composed.citations,
        concepts=tuple(c.label for c in about),
        prerequisites=prerequisites_of(store, main),
        next=followers(store, main),
        recipes=recipes,
        hits=hits,
        path=composed.path,
    )


def _understood(asked: str, store: Store, history: Sequence[Turn]) -> _Asked:
    if asks_what_now(asked) and (not history or known_ids(store)):
        return _Asked(asked, "next", (), (), False)
    mended = speller(store.lexicon, store.passage_frequency)
    before = [(mended(question), said) for question, said in history]
    alone = spelled_out(
        resolve(mended(asked), before, store.concepts, store.lexicon), store.lexicon
    )
    names = tuple(dict.fromkeys(f.concept for f in store.lexicon.find(alone, strict_case=False)))
    kind = kind_of(alone, len(names))
    if not names and kind_of(alone, 1) == "path":
        kind = "path"  # to something that is no concept of these notes
    sides: tuple[Side, ...] = ()
    if kind in ("comparison", "fact", "yesno", "definition"):
        named = sides_of(alone)
        # Two concepts in a question that sets none against the other are no choice: "should I …
        # after unfreezing?"
        sides = tuple(sides_in(named, names, store)) if named or kind == "comparison" else ()
        if kind == "comparison":
            kind = kind if sides else "fact"
        elif sides and all(side.concept is not None for side in sides) and is_choice(alone):
            kind = "comparison"
    if kind == "comparison":
        # Search knows concepts by their full names.
        for side in sides:
            if side.concept is not None and not store.lexicon.find(side.name, strict_case=False):
                alone = alone.replace(side.name, side.concept.label)
    if kind == "path":
        names = goals_of(alone, store.lexicon)
    return _Asked(alone, kind, names, sides, bool(history) and wants_more(asked))


def _is_structural(meant: _Asked, findings: Findings, store: Store) -> bool:
    """Whether the question itself names what the answer is made of, so that there is nothing to
    doubt.
    """
    if meant.kind in ("path", "next"):
        return bool(meant.names) or meant.kind == "next"
    if meant.kind == "comparison":
        return all(side_is_told(side, store) for side in meant.sides)
    defined = [store.concepts[c] for c in meant.names if store.concepts[c].passages]
    return meant.kind == "where" and bool(defined) and _asks_only(findings, defined, _LOOKING)


def _compose(meant: _Asked, findings: Findings, store: Store, encoder: Encoder) -> Composed:
    composed = None
    if meant.kind == "path" and meant.names:
        composed = path([store.concepts[c] for c in meant.names], store)
    elif meant.kind == "next":
        composed = after(store.concepts[meant.names[-1]], store) if meant.names else now(store)
    elif meant.kind == "comparison":
        composed = comparison(
            meant.text, meant.sides, findings, store, encoder, is_choice(meant.text)
        )
    elif meant.kind == "list" and wants_all(meant.text):
        composed = listing(meant.text, findings, store)
    elif meant.kind == "where":
        composed = places(meant.text, findings, store)
    if composed is not None:
        return composed
    one = store.concepts[findings.concepts[0]] if len(findings.concepts) == 1 else None
    # "What is X good for?" asks more than what X is.
    defines = meant.kind == "definition" and (one is None or _asks_only(findings, [one], _ASKING))
    sort: AnswerKind = (
        "definition" if defines else "fact" if meant.kind == "definition" else meant.kind
    )
    return prose(meant.text, sort, findings, store, encoder, one if defines else None)


def _offered(recipe: RecipeOffer) -> str:
    """How to run a recipe, as the first line of an answer."""
    preset = "".join(
        f" --{name.replace('_', '-')} {value}" for name, value in recipe.params.items()
    )
    return f"Gradus can run this on your data: `gradus run {recipe.name}{preset}`"


def _without_told(findings: Findings, history: Sequence[Turn]) -> Findings:
    """The findings without passages that the conversation has quoted already."""
    cited = [c for _, said in history for c in said.citations]
    told = {(c.note, c.cell, line) for c in cited for line in (c.line_start, c.line_end)}

    def new(hit: Hit) -> bool:
        p = hit.passage
        lines = range(p.line_start, p.line_end + 1)
        return not any((p.note, p.cell, line) in told for line in lines)

    kept = [
        i
        for i, h in enumerate(findings.hits)
        if new(h) and h.score >= MORE * findings.hits[0].score
    ]
    return replace(
        findings,
        hits=tuple(findings.hits[i] for i in kept),
        candidates=tuple(findings.candidates[i] for i in kept),
    )


def _asks_only(findings: Findings, named: Sequence[Concept], asking: re.Pattern[str]) -> bool:
    """Whether a question says nothing but the names of concepts and that it asks for them."""
    spoken = {w for n in _names_of(named) for w in key(n)}
    return all(fold(w) in spoken or asking.fullmatch(w) for w in findings.words)


def _names_of(concepts: Sequence[Concept]) -> list[str]:
    return [n for c in concepts for n in (c.label, *c.aliases)]


def _quoted(composed: Composed, hits: Sequence[Hit]) -> list[Hit]:
    """The hits that an answer quotes, in its order."""

    def holds(hit: Hit, said: Citation) -> bool:
        p = hit.passage
        return (p.note, p.cell) == (
            said.note,
            said.cell,
        ) and p.line_start <= said.line_start <= p.line_end

    return [hit for said in composed.citations for hit in hits if holds(hit, said)]


def _about(meant: _Asked, hits: Sequence[Hit], store: Store) -> list[Concept]:
    """The concepts an answer is about: those the question names, else those that the hits it quotes
    first define.
    """
    if meant.kind in ("path", "next"):
        return [
            store.concepts[c] for c in (meant.names if meant.kind == "path" else meant.names[-1:])
        ]
    sided = [side.concept.id for side in meant.sides if side.concept is not None]
    sure = [h for h in hits[:2] if h.score >= SURE * hits[0].score]
    defined = [c for h in sure for c in store.defined_in.get(h.passage.id, ())[:1]]
    return [store.concepts[c] for c in dict.fromkeys([*sided, *meant.names, *defined])]


def _not_in_notes(
    asked: str,
    meant: _Asked,
    sure: float,
    findings: Findings,
    hits: Sequence[Hit],
    store: Store,
    recipes: tuple[RecipeOffer, ...],
) -> Answer:
    by_words = closest_labels(store.concepts, meant.text, 3)
    near = [c.passage for c in findings.candidates[:5] if c.dense >= NEAR]
    by_meaning = [store.concepts[c].label for p in near for c in store.defined_in.get(p, ())[:1]]
    nearest = tuple(dict.fromkeys([*by_words, *by_meaning]))[:5]
    text, whose = "The notes do not say.", "they have"
    if store.imported_from:
        text = f"There are no notes to answer from: this graph was imported from {store.imported_from}."
        whose = "it has"
    if nearest:
        text += f" The nearest {whose}: {', '.join(f'**{n}**' for n in nearest)}."
    return Answer(
        asked,
        "not_in_notes",
        meant.kind,
        round(sure, 3),
        text,
        recipes=recipes,
        hits=tuple(hits),
        nearest=nearest,
    )
