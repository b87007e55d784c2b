"""Answers that want a form of their own: a list, places to read.

Running text is left to `app.answering.forms.prose`, two sides in a table to
`app.answering.forms.comparison`, an order of study to `app.answering.forms.study_order`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from app.answering.forms.composed import Composed
from app.answering.reading.excerpts import (
    Excerpt,
    body_of,
    cite,
    heading_of,
    listed,
    section_of,
)
from app.answering.reading.statements import statements_of
from app.answering.reading.words import repeats, stem, stems
from ingest.notes.markdown import plain
from ingest.notes.sentences import sentence_spans
from kg.linking import key
from kg.search import Findings
from kg.store import Store
from kg.types import Citation, Concept, Hit, Passage, StatementKind

__all__ = ["listing", "places", "wants_all"]

LISTED = 0.45  # share of the best hit's score from which a hit's statements are listed
MOST_LISTED = 16
LIST_CHARS = 2400  # who asks for all is ready to read more
ITEM_CHARS = 500
ON_SUBJECT = (
    0.6  # share of the question's weighted words that a listed statement or its heading holds
)
GROUPED = 6  # statements of several sections; from here on they stand below their headings
MOST_PLACES = 12
EXPLAINED = 3

_LIST_WORD = re.compile(
    r"^(?:list|name|enumerate|all|every|each|give|show|exist|kinds?|types?|sorts?|statements?|notes?|say|rules?|thumb|"
    r"tips?|tricks?|ways?|techniques?|methods?|options?)$",
    re.I,
)
_EVERY = re.compile(
    r"\b(?:all|every|each|list|name|enumerate|tips?|tricks?|rules of thumb|statements?)\b", re.I
)
# What a list is of, when the notes mark it so: "[TRICK] …", "Rule of thumb: …".
_MARKER = re.compile(r"^(?:tricks?|tips?|rules?|thumb)$", re.I)
_RULE = r"\brules? of thumb\b"
_SPELLED = {"trick": r"\btricks?\b", "tip": r"\btips?\b", "rule": _RULE, "thumb": _RULE}
_VIDEO = re.compile(r"\bvideos?\b|\bfilms?\b|\bwatch\b|\blectures?\b|\blessons?\b", re.I)
_NOTEBOOK = re.compile(r"\bnotebooks?\b", re.I)
_VIDEO_LINK = re.compile(r"youtu\.?be|vimeo|\bvideo|\bfilm|lesson|lecture", re.I)
_NOTEBOOK_LINK = re.compile(r"\.ipynb|nbviewer|colab|notebook", re.I)


def wants_all(question: str) -> bool:
    """Whether a list of every statement is asked for, not an enumeration that the notes may hold
    somewhere.
    """
    return bool(_EVERY.search(question))


def listing(question: str, findings: Findings, store: Store) -> Composed | None:
    """Every statement on the subject from all notes, each once; None when there are not at least
    two.
    """
    wanted = {stem(w): weight for w, weight in findings.words.items() if not _LIST_WORD.match(w)}
    named = [m for m in (_SPELLED[stem(w)] for w in key(question) if _MARKER.match(w)) if m]
    marker = re.compile("|".join(dict.fromkeys(named)), re.I) if named else None
    items: list[tuple[bool, float, Excerpt]] = []
    seen: list[frozenset[str]] = []
    for hit in (h for h in findings.hits if h.score >= LISTED * findings.hits[0].score):
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


def _stated(hit: Hit, wanted: Mapping[str, float]) -> list[tuple[Excerpt, float]]:
    """What a passage states about the wanted words: items and short paragraphs whole, of long ones
    the sentences.
    """
    passage = hit.passage
    total = sum(wanted.values())
    heading = stems(passage.heading_path[-1]) if passage.heading_path else frozenset()
    found = []
    for kind, start, end in _blocks_in_words(passage):
        text = passage.text[start:end]
        if len(text) <= ITEM_CHARS:
            spans = [(0, len(text))]
        elif kind == "item":
            continue
        else:
            spans = sentence_spans(text)
        for a, b in spans:
            own = stems(text[a:b])
            about = own | heading if b - a == len(text) else own
            share = (
                sum(weight for w, weight in wanted.items() if w in about) / total if total else 1.0
            )
            # What also names the subject itself is more surely about it than what only stands below
            # it.
            share += (
                0.25 * sum(weight for w, weight in wanted.items() if w in own) / total
                if total
                else 0.0
            )
            # What begins or ends in the middle of a sentence goes with a formula and says nothing
            # without it.
            broken = kind == "sentence" and (
                text[a : a + 1].islower() or text[a:b].rstrip()[-1:] in ",:"
            )
            if share >= ON_SUBJECT and not broken and not text[a:b].rstrip().endswith(":"):
                found.append((Excerpt(passage, start + a, start + b), share))
    return found


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
        lines.append(
            f"\n*The notes say more on this: {known} statements, of which these fit best.*"
        )
    return Composed("\n".join(lines), tuple(citations))


def places(question: str, findings: Findings, store: Store) -> Composed | None:
    """Links to read or watch, with where the notes give them, else where they explain it; None when
    nowhere.
    """
    linked = [store.concepts[c] for c in findings.concepts]
    near = [c for h in findings.hits[:2] for c in store.defined_in.get(h.passage.id, ())]
    # What the question names has its own links; only without them do those of the best passages
    # serve.
    about = [c for c in linked if any(r.kind == "link" for r in c.resources)] or [
        store.concepts[i] for i in near
    ]
    resources = [
        (c.label, r) for c in dict.fromkeys(about) for r in c.resources if r.kind == "link"
    ]
    resources.sort(key=lambda found: not _of_sort(question, f"{found[1].text} {found[1].target}"))
    lines: dict[tuple[str, str], str] = {}
    citations: list[Citation] = []
    for label, r in resources:
        if (r.text, r.target) in lines or not r.target.startswith(("http://", "https://")):
            continue
        quote = store.note_text(r.note, r.cell).split("\n")[r.line - 1].strip()
        n = len(citations) + 1
        citations.append(Citation(n, r.note, r.line, r.line, r.cell, quote))
        lines[r.text, r.target] = f"- [{_escaped(r.text) or r.target}]({r.target}) — {label} [{n}]"
        if len(lines) == MOST_PLACES:
            break
    return (
        Composed("\n".join(lines.values()), tuple(citations))
        if lines
        else _explained_at(linked, store)
    )


def _of_sort(question: str, link: str) -> bool:
    """Whether a link is of the sort that is asked for; any is when none is named."""
    if _VIDEO.search(question) and not _NOTEBOOK.search(question):
        return bool(_VIDEO_LINK.search(link))
    if _NOTEBOOK.search(question) and not _VIDEO.search(question):
        return bool(_NOTEBOOK_LINK.search(link))
    return True


def _explained_at(concepts: Sequence[Concept], store: Store) -> Composed | None:
    """Where the notes explain what a question names."""
    lines: list[str] = []
    citations: list[Citation] = []
    for concept in concepts:
        told: set[tuple[str, tuple[str, ...]]] = set()
        for passage in (store.passages[p] for p in concept.passages):
            if section_of(passage) in told or len(told) == EXPLAINED:
                continue
            told.add(section_of(passage))
            citations.append(cite(body_of(passage), len(citations) + 1))
            under = " › ".join(h.replace("*", "") for h in passage.heading_path) or passage.note
            lines.append(f"- **{concept.label}**: {under} [{len(citations)}]")
    return (
        Composed("Explained in the notes:\n\n" + "\n".join(lines), tuple(citations))
        if lines
        else None
    )


def _escaped(text: str) -> str:
    return re.sub(r"([\[\]])", r"\\\1", text)
