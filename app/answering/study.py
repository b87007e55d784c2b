"""The order in which to learn: the plan for goals with its reasons, what comes next, what to know
first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

import networkx as nx

from app.answering.reading.excerpts import cite
from app.answering.reading.statements import excerpt, statements_of, summarised
from ingest.passages.statements import says_something
from kg.linking import find_concept
from kg.paths import likely_first, reasons, study_path, unlocked
from kg.store import Store
from kg.types import Citation, Concept, Evidence, PathStep

__all__ = [
    "NextStep",
    "Plan",
    "concept_ids",
    "followers",
    "home_of",
    "learn_next",
    "next_steps",
    "prerequisites_of",
    "study_plan",
]

SHOWN = 5
MOST_NEXT = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What to learn for some goals, foundations first; and what is left out, in the same order."""

    steps: tuple[PathStep, ...]
    known: tuple[str, ...] = ()  # would be steps if they were not known
    further: tuple[str, ...] = ()  # steps of the full plan alone


@dataclass(frozen=True, slots=True)
class NextStep:
    """A concept that could be learned now."""

    label: str
    summary: str
    builds_on: tuple[
        tuple[str, Evidence | None], ...
    ]  # what it needs, all known, strongest first, with the evidence
    unlocks: int  # concepts not yet known that need it, directly or not
    citation: (
        Citation | None
    )  # of what it is; where the notes do not explain it, of a line that needs it


def concept_ids(store: Store, labels: Iterable[str]) -> frozenset[int]:
    """The concepts of these labels or aliases.

    Raises
    ------
    UnknownConcept
        When a label names no concept; carries the closest labels.
    """
    return frozenset(find_concept(store.concepts, label).id for label in labels)


def study_plan(
    store: Store, goals: Collection[int], known: Collection[int] = (), full: bool = False
) -> Plan:
    """What to learn for some goals; each step says for what it is needed, by the strongest reason
    first.

    The short plan holds the strongest reasons (see `kg.paths.study_path`), and names only those
    that no others imply. Where no edge leads to a goal, its plan opens with what most likely comes
    first, without a reason.
    """
    likely = store.likely(goals)
    graph = likely_first(store.prerequisites, goals, likely)
    path = study_path(graph, goals, known, full, likely)
    evidence = _evidence(store, set(path))
    why = reasons(store.prerequisites, path, full)
    steps = []
    for n, c in enumerate(path, 1):
        concept = store.concepts[c]
        needing = tuple((store.concepts[t].label, evidence.get((c, t))) for t in why[c])
        home, unsure = home_of(store, concept, n), not needing and c not in goals
        steps.append(PathStep(concept.label, concept.summary, needing, home, unsure))
    on, done = set(path), set(known)
    whole = study_path(graph, goals, (), full, likely) if done else []
    left_out = [c for c in whole if c in done - on]
    further = [] if full else [c for c in study_path(graph, goals, known, full=True) if c not in on]
    return Plan(tuple(steps), _labels(store, left_out), _labels(store, further))


def learn_next(store: Store, known: Collection[int], most: int = MOST_NEXT) -> tuple[NextStep, ...]:
    """What can be learned with what is known, most unlocking first.

    Concepts all of whose prerequisites are known; where there are none, foundations that something
    builds on.
    """
    graph = store.prerequisites
    ready = unlocked(graph, known, most)
    if not ready:
        ready = [c for c in unlocked(graph, (), most + len(known)) if c not in known][:most]
    steps = []
    for n, c in enumerate(ready, 1):
        concept = store.concepts[c]
        first = sorted(graph.predecessors(c), key=lambda p: (-graph.edges[p, c]["score"], p))
        evidence = _evidence(store, {c, *first})
        builds_on = tuple((store.concepts[p].label, evidence.get((p, c))) for p in first)
        opens = len(nx.descendants(graph, c) - set(known))
        where = home_of(store, concept, n) or _needed_at(store, c, n)
        steps.append(NextStep(concept.label, concept.summary, builds_on, opens, where))
    return tuple(steps)


def next_steps(store: Store, known_label: str, most: int = SHOWN) -> tuple[PathStep, ...]:
    """What directly needs a concept, the surest first; each step carries how the notes say so.

    Raises
    ------
    UnknownConcept
        When the label names no concept; carries the closest labels.
    """
    known = find_concept(store.concepts, known_label)
    chosen = _strongest(store.prerequisites, {known.id}, store.prerequisites.successors, most)
    evidence = _evidence(store, {known.id, *chosen})
    steps = []
    for n, c in enumerate(chosen, 1):
        concept = store.concepts[c]
        why = ((known.label, evidence.get((known.id, c))),)
        steps.append(PathStep(concept.label, concept.summary, why, home_of(store, concept, n)))
    return tuple(steps)


def prerequisites_of(store: Store, concepts: Iterable[int], most: int = SHOWN) -> tuple[str, ...]:
    """Direct prerequisites of concepts, the strongest few, in study order."""
    graph = store.prerequisites
    best = _strongest(graph, set(concepts), graph.predecessors, most)
    # Fewer prerequisites of its own means nearer to the foundations.
    return tuple(
        store.concepts[p].label for p in sorted(best, key=lambda p: (graph.in_degree(p), p))
    )


def followers(store: Store, concepts: Iterable[int], most: int = SHOWN) -> tuple[str, ...]:
    """What directly needs these concepts, the strongest few."""
    graph = store.prerequisites
    return tuple(
        store.concepts[n].label for n in _strongest(graph, set(concepts), graph.successors, most)
    )


def _strongest(
    graph: nx.DiGraph[int], own: set[int], beside: Callable[[int], Iterator[int]], most: int
) -> list[int]:
    """Neighbours of some concepts on one side, by their strongest edge."""
    strength: dict[int, float] = {}
    for c in own:
        for n in beside(c):
            if n not in own:
                edge = graph.edges[n, c] if graph.has_edge(n, c) else graph.edges[c, n]
                strength[n] = max(strength.get(n, 0.0), edge["score"])
    return sorted(strength, key=lambda n: (-strength[n], n))[:most]


def _evidence(store: Store, among: set[int]) -> dict[tuple[int, int], Evidence]:
    """The best evidence of each kept prerequisite edge among some concepts that has any."""
    return {
        (r.source, r.target): r.evidence[0]
        for r in store.relations
        if r.kind == "prerequisite" and r.evidence and r.source in among and r.target in among
    }


def _needed_at(store: Store, concept: int, n: int) -> Citation | None:
    """The line by which something needs a concept that the notes name and do not explain."""
    for after in _strongest(store.prerequisites, {concept}, store.prerequisites.successors, SHOWN):
        said = _evidence(store, {concept, after}).get((concept, after))
        if said is not None and said.quote.strip():
            return Citation(n, said.note, said.line, said.line, said.cell, said.quote)
    return None


def _labels(store: Store, ids: Iterable[int]) -> tuple[str, ...]:
    return tuple(store.concepts[c].label for c in ids)


def home_of(store: Store, concept: Concept, n: int) -> Citation | None:
    """The lines that say what a concept is, else the first that say something of it."""
    if not concept.passages:
        return None
    for p in concept.passages:
        statements = statements_of(store.passages[p])
        at = summarised(statements, concept)
        if at is not None:
            return cite(excerpt(statements, at, at), n)
    passage = store.passages[concept.passages[0]]
    lines = [(i, line.strip()) for i, line in enumerate(passage.text.split("\n")) if line.strip()]
    body = [(i, text) for i, text in lines if not text.startswith("#") and says_something(text)]
    i, quote = (body or lines)[0]
    line = passage.line_start + i
    return Citation(n, passage.note, line, line, passage.cell, quote)
