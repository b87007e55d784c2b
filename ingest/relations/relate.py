"""Relations with their evidence: stated and scored prerequisites, broader, related."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ingest.concepts.candidates import NoteParts
from ingest.concepts.summary import tells
from ingest.decisions.settle import NOTHING_DECIDED, Decided, settle
from ingest.names.labels import merge_key, named_by
from ingest.notes.lines import line_spans
from ingest.relations.gists import Gists
from ingest.relations.pairs import Nearest, nearest_concepts
from ingest.relations.prerequisites import Standing, prerequisites
from ingest.relations.signals import quote_line, read_signals
from ingest.relations.stated_prerequisites import stated_prerequisites
from ingest.report import Failure
from kg.linking import STOP_WORDS, key
from kg.rows import NOTHING_UNLIKELY, Unlikely
from kg.types import Concept, Evidence, Mention, Passage, Relation

__all__ = ["Related", "relate"]

RELATED_COSINE = 0.5
RELATED_MOST = 5
# An outermost heading over so many concepts names a theme.
UMBRELLA = 4
SPEAKING = 4  # a line of fewer words says nothing


@dataclass(frozen=True, slots=True)
class Related:
    """All relations, prerequisites dropped to break cycles, and contradicting sayings."""

    relations: tuple[Relation, ...]
    dropped: tuple[Relation, ...]
    warnings: tuple[Failure, ...] = ()
    unlikely: Unlikely = NOTHING_UNLIKELY  # pairs that are no prerequisites


def relate(
    concepts: Sequence[Concept],
    mentions: Sequence[Mention],
    notes: Sequence[NoteParts],
    gists: Gists,
    decided: Decided = NOTHING_DECIDED,
) -> Related:
    """Relations of every kind.

    Parameters
    ----------
    gists : Gists
        What stands for each concept in comparisons.
    decided : Decided
        Prerequisites that people add and remove.
    """
    signals = read_signals(concepts, mentions, notes)
    settled = settle(stated_prerequisites(concepts, mentions, notes), decided, concepts)
    broader = _broader(concepts, notes)
    passages = {p.id: p for note in notes for p in note.passages}
    standing = Standing(
        settled,
        umbrellas=_umbrellas(broader),
        nested={frozenset((r.source, r.target)) for r in broader},
        mute={c.id for c in concepts if not gists.texts[c.id].strip()},
        together=_together(concepts),
        homes=_homes(concepts, notes),
    )
    near = nearest_concepts(gists.centres)
    chosen = prerequisites(concepts, signals, gists, standing, _wording(concepts, passages), near)
    taken = {frozenset((r.source, r.target)) for r in chosen.relations if r.kept} | {
        *standing.nested
    }
    related = _related(near, taken, concepts, passages)
    return Related(
        (*chosen.relations, *broader, *related),
        chosen.dropped,
        settled.warnings,
        chosen.unlikely,
    )


def _wording(
    concepts: Sequence[Concept], passages: Mapping[int, Passage]
) -> Callable[[int, int], tuple[Evidence, ...]]:
    """Finds the sentence of c's passages that shares most with p's name and summary.

    The first one when none does.
    """

    def find(p: int, c: int) -> tuple[Evidence, ...]:
        name = set(key(concepts[p].label)) - STOP_WORDS
        about = set(key(concepts[p].summary)) - STOP_WORDS - set(key(concepts[c].label))
        best: tuple[int, Evidence] | None = None
        for passage in (passages[i] for i in concepts[c].passages):
            for start, end in line_spans(passage.text):
                line = passage.text[start:end]
                words = set(key(line))
                shared = 3 * len(words & name) + len(words & about)
                speaks = len(words) >= SPEAKING and tells(line)
                if speaks and (best is None or shared > best[0]):
                    number, quote = quote_line(passage, start)
                    best = shared, Evidence(passage.note, passage.cell, number, quote, "similarity")
        return (best[1],) if best else ()

    return find


def _broader(concepts: Sequence[Concept], notes: Sequence[NoteParts]) -> list[Relation]:
    """From structure: an outer heading is broader than inner ones and terms below it."""
    named = {merge_key(n): c.id for c in reversed(concepts) for n in (*c.aliases, c.label)}
    out: dict[tuple[int, int], Relation] = {}
    for outer, inner, place in _enclosures(concepts, notes, named):
        known = (outer, inner) in out or (inner, outer) in out
        if outer != inner and not known:
            out[outer, inner] = Relation("broader", outer, inner, 1.0, True, (place,))
    return [out[pair] for pair in sorted(out)]


def _enclosures(
    concepts: Sequence[Concept], notes: Sequence[NoteParts], named: Mapping[str, int]
) -> Iterator[tuple[int, int, Evidence]]:
    """Concepts under whose heading another's heading or passage stands, those, and the place."""
    terms: defaultdict[int, list[int]] = defaultdict(list)
    for concept in concepts:
        for passage_id in concept.passages:
            terms[passage_id].append(concept.id)
    for note in notes:
        for heading in note.parsed.headings:
            outer = _enclosing_concept(heading.path[:-1], named)
            inner = _heading_concept(heading.path, named)
            if outer is not None and inner is not None:
                words = note.parsed.text_of(heading.cell)[heading.start : heading.end]
                line = words.splitlines()[0].strip()
                yield outer, inner, Evidence(note.name, heading.cell, heading.line, line, "heading")
        for passage in note.passages:
            outer = _enclosing_concept(passage.heading_path, named)
            if outer is not None:
                yield from ((outer, term, _place(passage, "heading")) for term in terms[passage.id])


def _together(concepts: Sequence[Concept]) -> frozenset[frozenset[int]]:
    """Pairs of concepts that a passage explains both."""
    explained: defaultdict[int, list[int]] = defaultdict(list)
    for concept in concepts:
        for p in concept.passages:
            explained[p].append(concept.id)
    return frozenset(frozenset(pair) for ids in explained.values() for pair in combinations(ids, 2))


def _homes(concepts: Sequence[Concept], notes: Sequence[NoteParts]) -> dict[int, int]:
    """The place among the notes of the one that each concept is explained in first."""
    place = {note.name: i for i, note in enumerate(notes)}
    return {c.id: place[c.notes[0]] for c in concepts if c.notes}


def _umbrellas(broader: Sequence[Relation]) -> frozenset[int]:
    """Titles over many concepts ("Optimisers"): themes, unless a note makes them steps."""
    inner = {r.target for r in broader}
    children = Counter(r.source for r in broader)
    return frozenset(c for c, n in children.items() if n >= UMBRELLA and c not in inner)


def _heading_concept(path: tuple[str, ...], named: Mapping[str, int]) -> int | None:
    return named_by(path[-1], named) if path else None


def _enclosing_concept(path: tuple[str, ...], named: Mapping[str, int]) -> int | None:
    concepts = (_heading_concept(path[:n], named) for n in range(len(path), 0, -1))
    return next((c for c in concepts if c is not None), None)


def _related(
    near: Nearest,
    taken: set[frozenset[int]],
    concepts: Sequence[Concept],
    passages: Mapping[int, Passage],
) -> list[Relation]:
    """Concepts whose passages point the same way and that no surer relation joins already."""
    out: dict[tuple[int, int], Relation] = {}
    ids, cosines = near
    for i, others in enumerate(zip(ids.tolist(), cosines.tolist(), strict=True)):
        given = 0
        for j, cosine in zip(*others, strict=True):
            if j < 0 or cosine < RELATED_COSINE or given >= RELATED_MOST:
                break
            # Terms explained in one and the same passage are near only because they share it.
            if frozenset((i, j)) in taken or set(concepts[i].passages) & set(concepts[j].passages):
                continue
            given += 1
            pair = (min(i, j), max(i, j))
            if pair not in out:
                evidence = tuple(
                    _place(passages[concepts[c].passages[0]], "similarity") for c in pair
                )
                out[pair] = Relation("related", *pair, round(cosine, 4), True, evidence)
    return [out[pair] for pair in sorted(out)]


def _place(passage: Passage, signal: str) -> Evidence:
    line, quote = quote_line(passage, 0)
    return Evidence(passage.note, passage.cell, line, quote, signal)
