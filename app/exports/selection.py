"""Which part of a store's graph leaves it, and under which names in every format."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import networkx as nx

from kg.graph import depths
from kg.store import Store
from kg.types import Concept, Place, Relation, RelationKind

__all__ = [
    "EVERYTHING",
    "PREREQUISITES",
    "Choice",
    "Selection",
    "edge_attributes",
    "node_attributes",
    "node_ids",
    "one_line",
    "selected",
    "shown",
]

ID_CHARS = 60  # of an id's readable part
_UNSHOWN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_PLAIN = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Choice:
    """What to take along; by default every concept with every kept relation."""

    kind: RelationKind | Literal["all"] = "all"
    candidates: bool = False  # also scored relations that were not kept
    about: int | None = None  # only this concept, what it builds on and what builds on it
    short: bool = False  # without prerequisites that others of the choice imply
    only: frozenset[int] | None = None  # only concepts of these numbers


EVERYTHING, PREREQUISITES = Choice(), Choice("prerequisite")


@dataclass(frozen=True, slots=True)
class Selection:
    """Concepts and relations to write, in the store's order; mappings are by concept id."""

    concepts: tuple[Concept, ...]
    relations: tuple[Relation, ...]
    ids: Mapping[int, str]
    depths: Mapping[int, int]  # the longest chain of prerequisites below; 0 for foundations
    places: Mapping[int, tuple[Place, ...]]

    @property
    def linked(self) -> frozenset[int]:
        """Concepts that a relation of the selection touches."""
        return frozenset(end for r in self.relations for end in (r.source, r.target))


def selected(store: Store, choice: Choice) -> Selection:
    """The chosen part of a store's graph."""
    chosen = set(range(len(store.concepts)))
    if choice.about is not None:
        graph = store.prerequisites
        chosen = (
            nx.ancestors(graph, choice.about) | nx.descendants(graph, choice.about) | {choice.about}
        )
    drawn: frozenset[tuple[int, int]] | None = None
    if choice.only is not None:
        chosen &= choice.only
        if choice.short:
            # What implies a shortcut may be left out.
            drawn = frozenset(nx.transitive_reduction(store.prerequisites.subgraph(chosen)).edges)
    scored = (*store.relations, *(store.candidates() if choice.candidates else ()))
    of_kind = [r for r in scored if choice.kind in ("all", r.kind)]
    within = [r for r in of_kind if r.source in chosen and r.target in chosen]
    relations = tuple(r for r in within if not (choice.short and _implied(r, drawn)))
    concepts = tuple(c for c in store.concepts if c.id in chosen)
    every = node_ids([c.label for c in store.concepts])
    depth = depths(store.prerequisites)
    return Selection(
        concepts,
        relations,
        {c.id: every[c.id] for c in concepts},
        {c.id: depth[c.id] for c in concepts},
        {c.id: store.places(c) for c in concepts},
    )


def _implied(relation: Relation, drawn: Container[tuple[int, int]] | None) -> bool:
    """Whether others imply a relation: all of the graph, or those that are drawn."""
    if drawn is None or relation.kind != "prerequisite" or not relation.kept:
        return relation.shortcut
    return (relation.source, relation.target) not in drawn


def node_ids(labels: Sequence[str]) -> list[str]:
    """An id for each label, of a-z, 0-9 and _: readable, and the same after every ingest.

    >>> node_ids(["Learning Rate", "U-Net", "learning rate"])
    ['learning_rate', 'u_net', 'learning_rate_8212edf3']
    """
    ids: dict[str, None] = {}  # in the labels' order
    for label in labels:
        parts = unicodedata.normalize("NFKD", label.casefold())
        folded = "".join(c for c in parts if not unicodedata.combining(c))
        plain = "_".join(_PLAIN.findall(folded))[:ID_CHARS].strip("_")
        digest = hashlib.sha256(label.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        is_whole = plain and all(c.isascii() for c in folded if c.isalnum())
        node_id = plain if is_whole and plain not in ids else f"{plain}_{digest}".strip("_")
        n = 1
        while node_id in ids:
            n += 1
            node_id = f"{plain}_{digest}_{n}".strip("_")
        ids[node_id] = None
    return list(ids)


def node_attributes(concept: Concept, selection: Selection) -> dict[str, Any]:
    """A concept's attributes under their documented names."""
    return {
        "label": concept.label,
        "aliases": list(concept.aliases),
        "summary": concept.summary,
        "notes": list(concept.notes),
        "lines": [dataclasses.asdict(p) for p in selection.places[concept.id]],
        "depth": selection.depths[concept.id],
    }


def edge_attributes(relation: Relation) -> dict[str, Any]:
    """A relation's attributes under their documented names."""
    return {
        "kind": relation.kind,
        "score": relation.score,
        "kept": relation.kept,
        "tier": relation.tier,
        "shortcut": relation.shortcut,
        "evidence": [dataclasses.asdict(e) for e in relation.evidence],
    }


def shown(concept: Concept, selection: Selection) -> str:
    """A concept's label on one line, its id when nothing of the label can be shown."""
    return one_line(concept.label) or selection.ids[concept.id]


def one_line(text: str) -> str:
    """A text without line ends and control characters, white space run together.

    >>> one_line("  batch\\x00\\n norm\\u2028alisation ")
    'batch norm alisation'
    """
    return " ".join(_spaced(text).split())


def _spaced(text: str) -> str:
    return "".join(
        " " if unicodedata.category(c) in _UNSHOWN or ord(c) & 0xFFFE == 0xFFFE else c for c in text
    )
