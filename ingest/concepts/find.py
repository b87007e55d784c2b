"""Concepts and mentions from all parsed notes together.

Relations between them are left to `ingest.relations`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ingest.concepts.candidates import NoteParts, candidates_of, termhood_of
from ingest.concepts.decided import regroup
from ingest.concepts.merge import Group, final_names, merge
from ingest.concepts.summary import summary_of
from ingest.concepts.words import Vectors
from ingest.decisions.read import Decision
from ingest.report import Failure
from kg.linking import Lexicon
from kg.types import Concept, Mention, Passage, Resource

__all__ = ["concepts_as_decided", "find_mentions"]

MAX_RESOURCES = 12


def concepts_as_decided(
    notes: Sequence[NoteParts],
    decisions: Sequence[Decision],
    vectors: Vectors,
) -> tuple[tuple[Concept, ...], tuple[Failure, ...]]:
    """Concepts as people have decided, and the decisions that could not be followed."""
    candidates = candidates_of(notes, termhood_of(notes, vectors))
    groups, failures = regroup(merge(candidates, notes), decisions, notes)
    owned = {p.id: (note, p) for note in notes for p in note.passages}
    ordered = sorted(groups, key=lambda g: min((c.rank == 3, c.order) for c in g.candidates))
    names = final_names(ordered)
    return tuple(
        _concept(i, group, names[i], notes, owned) for i, group in enumerate(ordered)
    ), failures


def find_mentions(concepts: Sequence[Concept], passages: Iterable[Passage]) -> Iterator[Mention]:
    """Every place where a passage names a concept by its label or an alias."""
    lexicon = Lexicon.of(concepts)
    for passage in passages:
        for found in lexicon.find(passage.text):
            yield Mention(found.concept, passage.id, found.start, found.end, found.alias)


def _concept(
    i: int,
    group: Group,
    names: tuple[str, tuple[str, ...]],
    notes: Sequence[NoteParts],
    owned: dict[int, tuple[NoteParts, Passage]],
) -> Concept:
    ranked = sorted(group.candidates, key=lambda c: (c.rank, c.order))
    passages = tuple(dict.fromkeys(p for c in ranked for p in c.passages))
    defining = [c for c in ranked if c.rank < 3] or ranked
    home = tuple(dict.fromkeys(notes[c.order[0]].name for c in defining))
    summary = summary_of([owned[p][1] for p in passages], [names[0], *names[1]])
    return Concept(
        i, names[0], names[1], home, summary, passages, tuple(_resources(passages, owned))
    )


def _resources(
    passages: Sequence[int], owned: dict[int, tuple[NoteParts, Passage]]
) -> Iterator[Resource]:
    """Links, images and code blocks that stand in a concept's passages."""
    given = 0
    for p in passages:
        note, passage = owned[p]
        inside = [
            m
            for m in note.parsed.marked
            if m.cell == passage.cell and passage.start <= m.start < passage.end
        ]
        for mark in inside:
            if mark.kind in ("link", "image") and given < MAX_RESOURCES:
                given += 1
                yield Resource(
                    "link" if mark.kind == "link" else "image",
                    mark.text,
                    mark.target,
                    note.name,
                    mark.cell,
                    mark.line,
                )
        for block in note.parsed.blocks:
            within = block.cell == passage.cell and passage.start <= block.start < passage.end
            if block.kind == "code" and within and given < MAX_RESOURCES:
                given += 1
                code = note.parsed.text_of(block.cell)[block.start : block.end]
                yield Resource(
                    "code", code, block.language, note.name, block.cell, block.line_start
                )
