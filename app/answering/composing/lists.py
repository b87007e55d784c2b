"""Answers that list every statement on a subject, or what the notes put below a concept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from app.answering.composing.composed import Composed
from app.answering.question.understand import Question
from app.answering.reading.excerpts import (
    Excerpt,
    cite,
    heading_of,
    listed,
    section_of,
)
from app.answering.reading.statements import statements_of
from app.answering.reading.words import repeats, stem, stems
from app.answering.study import home_of
from ingest.notes.markdown import plain
from ingest.notes.sentences import sentence_spans
from kg.linking import key
from kg.search import Findings
from kg.store import Store
from kg.types import Citation, Concept, Hit, Passage, StatementKind

__all__ = ["listing", "parts", "parts_of"]

MOST_LOOKED_THROUGH = 400  # passages, where no subject is named
_BODY = (1.0, 1.0, 1.0)  # weights of the full-text fields
LISTED = 0.45  # share of the best hit's score from which a hit's statements are listed
MOST_LISTED = 16
LIST_CHARS = 2400  # who asks for all is ready to read more
ITEM_CHARS = 500
ON_SUBJECT = (
    0.6  # share of the question's weighted words that a listed statement or its heading holds
)
GROUPED = 6  # statements of several sections; from here on they stand below their headings

# How the notes mark what a list is of: "[TRICK] …", "Rule of thumb: …".
_MARKS = {"trick": r"\btricks?\b", "tip": r"\btips?\b", "rule of thumb": r"\brules? of thumb\b"}


def parts_of(asked: Question, store: Store) -> list[int]:
    """The concepts below the one that a list is asked of, in the notes' order; one is no list."""
    if not (asked.lists_all and asked.bare and len(asked.names) == 1):
        return []
    whole = asked.names[0]
    below = {r.target for r in store.relations if r.kind == "broader" and r.source == whole}
    told = [c for c in below if store.concepts[c].passages]
    return sorted(told, key=lambda c: store.concepts[c].passages[0]) if len(told) > 1 else []


def parts(asked: Question, store: Store) -> Composed | None:
    """What the notes put below a concept, each with what it is; None when they put nothing."""
    below = [store.concepts[c] for c in parts_of(asked, store)]
    cited = [home_of(store, concept, n) for n, concept in enumerate(below[:MOST_LISTED], 1)]
    lines = [f"- {_what(concept)} [{n}]" for n, concept in enumerate(below[:MOST_LISTED], 1)]
    if len(below) > len(lines):
        lines.append(f"\n*The notes have {len(below)}; these come first.*")
    return Composed("\n".join(lines), tuple(c for c in cited if c)) if below else None


def _what(concept: Concept) -> str:
    """A concept and its summary, which need not name it anew."""
    label, name = f"**{concept.label}**", key(concept.label)
    if not concept.summary:
        return label
    named = key(concept.summary)[: len(name)] == name
    return concept.summary if named else f"{label}: {concept.summary}"


def listing(asked: Question, findings: Findings, store: Store) -> Composed | None:
    """Every statement on the subject from all notes, each once; None when there are not at least
    two.
    """
    wanted = {stem(w): weight for w, weight in asked.subject.items()}
    marks = "|".join(_MARKS[mark] for mark in asked.marks)
    marker = re.compile(marks, re.I) if marks else None
    items: list[tuple[bool, float, Excerpt]] = []
    seen: list[frozenset[str]] = []
    for hit in _looked_through(asked, wanted, findings, store):
        for excerpt, share in _stated(hit, wanted):
            there = frozenset(key(plain(excerpt.text)))
            if repeats(there, seen):
                continue
            seen.append(there)
            items.append(
                (
                    marker is not None and bool(marker.search(excerpt.text)),
                    share * hit.score,
                    excerpt,
                )
            )
    if sum(marked for marked, _, _ in items) >= 2:
        items = [item for item in items if item[0]]
    if len(items) < 2:
        return None
    items.sort(key=lambda item: (not item[0], -item[1], item[2].passage.id, item[2].start))
    best = [excerpt for _, _, excerpt in items]
    return _listed(_within(best), len(best))


def _looked_through(
    asked: Question, wanted: Mapping[str, float], findings: Findings, store: Store
) -> list[Hit]:
    """The hits on the subject; without a subject every passage that names what is listed."""
    if wanted:
        return [h for h in findings.hits if h.score >= LISTED * findings.hits[0].score]
    either = " OR ".join(f'"{mark}"' for mark in asked.marks)
    found = store.lexical(either, MOST_LOOKED_THROUGH, _BODY) if either else []
    return [Hit(store.passages[p], score, ()) for p, score in found]


def _stated(hit: Hit, wanted: Mapping[str, float]) -> list[tuple[Excerpt, float]]:
    """What a passage states about the wanted words: items and short paragraphs whole, of long ones
    the sentences.
    """
    passage = hit.passage
    total = sum(wanted.values())
    heading = stems(passage.heading_path[-1]) if passage.heading_path else frozenset()
    stated = []
    for kind, start, end in _blocks_in_words(passage):
        text = passage.text[start:end]
        if len(text) <= ITEM_CHARS:
            spans = [(0, len(text))]
        elif kind == "item":
            continue
        else:
            spans = sentence_spans(text)
        for a, b in spans:
            words = stems(text[a:b])
            about = words | heading if b - a == len(text) else words
            share = (
                sum(weight for w, weight in wanted.items() if w in about) / total if total else 1.0
            )
            # What also names the subject itself is more surely about it than what only stands below
            # it.
            share += (
                0.25 * sum(weight for w, weight in wanted.items() if w in words) / total
                if total
                else 0.0
            )
            # What begins or ends in the middle of a sentence goes with a formula and says nothing
            # without it.
            broken = kind == "sentence" and (
                text[a : a + 1].islower() or text[a:b].rstrip()[-1:] in ",:"
            )
            if share >= ON_SUBJECT and not broken and not text[a:b].rstrip().endswith(":"):
                stated.append((Excerpt(passage, start + a, start + b), share))
    return stated


def _blocks_in_words(passage: Passage) -> Iterator[tuple[StatementKind, int, int]]:
    """Offsets of a passage's list items and paragraphs, each with the kind of its statements."""
    for _, of_block in groupby(statements_of(passage), key=lambda s: s.block):
        first, *others = of_block
        if first.kind in ("item", "sentence"):
            yield first.kind, first.start, others[-1].end if others else first.end


def _within(excerpts: Sequence[Excerpt]) -> list[Excerpt]:
    """The first that fit into a list one can still read."""
    kept: list[Excerpt] = []
    room = LIST_CHARS
    for excerpt in excerpts[:MOST_LISTED]:
        if len(excerpt.text) <= room or len(kept) < 2:
            kept.append(excerpt)
            room -= len(excerpt.text)
    return kept


def _listed(excerpts: Sequence[Excerpt], known: int) -> Composed:
    """Bullets, below their headings when there are many of several sections."""
    sections = list(dict.fromkeys(section_of(e.passage) for e in excerpts))
    grouped = len(excerpts) >= GROUPED and len(sections) > 1
    if grouped:
        order = {section: i for i, section in enumerate(sections)}
        excerpts = sorted(
            excerpts, key=lambda e: (order[section_of(e.passage)], e.passage.id, e.start)
        )
    citations: list[Citation] = []
    lines: list[str] = []
    section = None
    for n, excerpt in enumerate(excerpts, 1):
        citations.append(cite(excerpt, n))
        heading = heading_of(excerpt.passage)
        if grouped and (excerpt.passage.note, heading) != section:
            lines.append(f"{chr(10) if lines else ''}**{heading or excerpt.passage.note}**\n")
            section = (excerpt.passage.note, heading)
        lines.append(f"- {listed(excerpt, n)}")
    if known > len(excerpts):
        lines.append(f"\n*The notes have {known} statements on this; these fit best.*")
    return Composed("\n".join(lines), tuple(citations))
