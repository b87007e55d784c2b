"""Answer a question from the notes' own words, with exact citations, or say that the notes do not hold it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from app.compose import SUPPORT, Composed, comparison, listing, path, places, prose
from app.matching import offers
from app.questions import Turn, kind_of, resolve, spelled_out
from app.study import followers, prerequisites_of, study_steps
from kg.encoder import Encoder
from kg.linking import closest_labels, fold, key
from kg.search import Findings, find
from kg.store import Store
from kg.types import Answer, AnswerKind, Concept, Hit

__all__ = ["answer", "study_steps"]

# A question counts as answered when its best passage is near in meaning and holds the question's rarer words:
# cosine + share of the weighted words, at even odds at ANSWERABLE. Set by hand between answerable and unanswerable
# questions on a few sets of notes; how far that holds is told in benchmarks/README.md.
ANSWERABLE = 0.74
STEEPNESS = 9.0
LOOKED_AT = 3
LIST_HITS = 30
NEAR = 0.25  # cosine from which a passage is near enough to offer its concept in place of an answer
_LOOKING = re.compile(
    r"where|find|read(?:ing)?|learn|explain(?:ed|s)?|described?|defined?|notes?|sources?|links?|papers?|articles?|"
    r"lectures?|videos?|notebooks?|posts?|blog|urls?|further|written|covered|discussed|watch"
)
QUESTION_CHARS = 10_000


def answer(question: str, store: Store, encoder: Encoder, history: Sequence[Turn] = (), k: int = 10) -> Answer:
    """Answer one question.

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
    alone = spelled_out(resolve(asked, history, store.concepts, store.lexicon), store.lexicon)
    names = list(dict.fromkeys(f.concept for f in store.lexicon.find(alone, strict_case=False)))
    kind = kind_of(alone, len(names))
    if kind == "empty":
        return Answer(asked, "not_in_notes", kind, 0.0, "Ask about something in your notes.")
    findings = find(alone, store, encoder, max(k, LIST_HITS) if kind == "list" else k)
    hits = findings.hits[:k]
    # The question itself names the goal of a path and both sides of a comparison: nothing to doubt.
    confidence = _confidence(findings)
    sides = [store.concepts[c] for c in names if store.concepts[c].passages]
    structural = (kind == "path" and bool(names)) or (kind == "comparison" and len(sides) >= 2)
    structural = structural or (kind == "where" and bool(sides) and _asks_only_where(findings, sides))
    if not structural and (confidence < 0.5 or not hits):
        return _not_in_notes(asked, kind, confidence, findings, hits, store, alone)
    composed = _compose(kind, alone, findings, store, encoder, sides, names)
    about = _about(kind, names, hits, store)
    main = [c.id for c in about[: max(1, min(2, len(names)))]]
    return Answer(
        question=asked,
        status="answered",
        kind=kind,
        confidence=round(max(confidence, 0.9) if structural else confidence, 3),
        text=composed.text,
        citations=composed.citations,
        concepts=tuple(c.label for c in about),
        prerequisites=prerequisites_of(store, main),
        next=followers(store, main),
        recipes=offers(alone, [n for c in about[:1] for n in (c.label, *c.aliases)]),
        hits=hits,
        path=composed.path,
    )


def _compose(
    kind: AnswerKind,
    question: str,
    findings: Findings,
    store: Store,
    encoder: Encoder,
    sides: Sequence[Concept],
    names: Sequence[int],
) -> Composed:
    composed = None
    if kind == "path" and names:
        composed = path(store.concepts[names[-1]], store)
    elif kind == "comparison" and len(sides) >= 2:
        composed = comparison(sides[:2], findings, store, encoder, question)
    elif kind == "list":
        composed = listing(findings, store)
    elif kind == "where":
        composed = places(findings, store)
    one = store.concepts[findings.concepts[0]] if kind == "definition" and len(findings.concepts) == 1 else None
    return composed or prose(question, findings, store, encoder, _lead(kind, findings, store), kind == "how", one)


def _asks_only_where(findings: Findings, named: Sequence[Concept]) -> bool:
    """Whether a question says nothing but what it looks for and that it looks for it."""
    spoken = {w for c in named for n in (c.label, *c.aliases) for w in key(n)}
    return all(fold(w) in spoken or _LOOKING.fullmatch(w) for w in findings.words)


def _lead(kind: AnswerKind, findings: Findings, store: Store) -> Hit:
    """The hit an answer opens with: for "what is X?", the first that defines X in words."""
    if kind == "definition" and len(findings.concepts) == 1:
        own = store.concepts[findings.concepts[0]].passages
        for hit in findings.hits[:LOOKED_AT]:
            if hit.passage.id in own and hit.passage.kind not in ("code", "output"):
                return hit
    return findings.hits[0]


def _confidence(findings: Findings) -> float:
    """Odds that the notes hold the answer, in [0, 1]."""
    best = max((c.dense + c.covered for c in findings.candidates[:LOOKED_AT]), default=0.0)
    return 1 / (1 + math.exp(-STEEPNESS * (best - ANSWERABLE)))


def _about(kind: AnswerKind, names: Sequence[int], hits: Sequence[Hit], store: Store) -> list[Concept]:
    """The concepts an answer is about: those the question names, else those its best hits define."""
    if kind == "path" and names:
        return [store.concepts[names[-1]]]
    sure = [h for h in hits[:2] if h.score >= SUPPORT * hits[0].score]
    defined = [c for h in sure for c in store.defined_in.get(h.passage.id, ())[:1]]
    return [store.concepts[c] for c in dict.fromkeys([*names, *defined])]


def _not_in_notes(
    asked: str,
    kind: AnswerKind,
    confidence: float,
    findings: Findings,
    hits: Sequence[Hit],
    store: Store,
    alone: str,
) -> Answer:
    by_words = closest_labels(store.concepts, alone, 3)
    near = [c.passage for c in findings.candidates[:5] if c.dense >= NEAR]
    by_meaning = [store.concepts[c].label for p in near for c in store.defined_in.get(p, ())[:1]]
    nearest = tuple(dict.fromkeys([*by_words, *by_meaning]))[:5]
    text = "The notes do not say."
    if nearest:
        text += f" The nearest they have: {', '.join(f'**{n}**' for n in nearest)}."
    return Answer(
        asked, "not_in_notes", kind, round(confidence, 3), text, hits=tuple(hits), nearest=nearest
    )  # fmt: skip
