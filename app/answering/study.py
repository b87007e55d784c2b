"""The order in which to learn: what to know first, what comes next, and the path to a goal with its reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import networkx as nx

from app.answering.excerpts import says_something
from kg.graph import study_path
from kg.linking import find_concept
from kg.store import Store
from kg.types import Citation, Concept, Evidence, PathStep

__all__ = ["followers", "next_steps", "prerequisites_of", "study_steps"]

SHOWN = 5


def study_steps(store: Store, goal_label: str, known: Sequence[str] = ()) -> tuple[PathStep, ...]:
    """Everything to learn for a goal, foundations first, the goal last; each step says for what it is needed.

    Raises
    ------
    UnknownConcept
        When the goal or a known label names no concept; carries the closest labels.
    """
    goal = find_concept(store.concepts, goal_label)
    done = frozenset(find_concept(store.concepts, label).id for label in known)
    path = study_path(store.prerequisites, goal.id, done)
    inside = set(path)
    evidence = {
        (r.source, r.target): r.evidence
        for r in store.relations
        if r.kind == "prerequisite" and r.kept and r.source in inside and r.target in inside
    }
    steps = []
    for n, c in enumerate(path, 1):
        needing = sorted(set(store.prerequisites.successors(c)) & inside, key=path.index)
        why = tuple((store.concepts[t].label, _first(evidence.get((c, t), ()))) for t in needing)
        concept = store.concepts[c]
        steps.append(PathStep(concept.label, concept.summary, why, _home(store, concept, n)))
    return tuple(steps)


def next_steps(store: Store, known_label: str, most: int = SHOWN) -> tuple[PathStep, ...]:
    """What directly needs a concept, the surest first; each step carries how the notes say so.

    Raises
    ------
    UnknownConcept
        When the label names no concept; carries the closest labels.
    """
    known = find_concept(store.concepts, known_label)
    evidence = {
        r.target: r.evidence for r in store.relations if r.kind == "prerequisite" and r.kept and r.source == known.id
    }
    steps = []
    for n, c in enumerate(_strongest(store.prerequisites, {known.id}, store.prerequisites.successors, most), 1):
        concept = store.concepts[c]
        why = ((known.label, _first(evidence.get(c, ()))),)
        steps.append(PathStep(concept.label, concept.summary, why, _home(store, concept, n)))
    return tuple(steps)


def prerequisites_of(store: Store, concepts: Iterable[int], most: int = SHOWN) -> tuple[str, ...]:
    """Direct prerequisites of concepts, the strongest few, in study order."""
    graph = store.prerequisites
    best = _strongest(graph, set(concepts), graph.predecessors, most)
    # Fewer prerequisites of its own means nearer to the foundations.
    return tuple(store.concepts[p].label for p in sorted(best, key=lambda p: (graph.in_degree(p), p)))


def followers(store: Store, concepts: Iterable[int], most: int = SHOWN) -> tuple[str, ...]:
    """What directly needs these concepts, the strongest few."""
    graph = store.prerequisites
    return tuple(store.concepts[n].label for n in _strongest(graph, set(concepts), graph.successors, most))


def _strongest(graph: nx.DiGraph[int], own: set[int], beside: Callable[[int], Iterator[int]], most: int) -> list[int]:
    """Neighbours of some concepts on one side, by their strongest edge."""
    strength: dict[int, float] = {}
    for c in own:
        for n in beside(c):
            if n not in own:
                edge = graph.edges[n, c] if graph.has_edge(n, c) else graph.edges[c, n]
                strength[n] = max(strength.get(n, 0.0), edge["score"])
    return sorted(strength, key=lambda n: (-strength[n], n))[:most]


def _first(evidence: Sequence[Evidence]) -> Evidence | None:
    return evidence[0] if evidence else None


def _home(store: Store, concept: Concept, n: int) -> Citation | None:
    """The first lines that define a concept."""
    if not concept.passages:
        return None
    passage = store.passages[concept.passages[0]]
    lines = [(i, line.strip()) for i, line in enumerate(passage.text.split("\n")) if line.strip()]
    body = [(i, text) for i, text in lines if not text.startswith("#") and says_something(text)]
    i, quote = (body or lines)[0]
    line = passage.line_start + i
    return Citation(n, passage.note, line, line, passage.cell, quote)
