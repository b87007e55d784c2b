"""What all views of one generation of a store have in common: links, study order, themes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import networkx as nx

from app.graph_themes import central, themes_of
from kg.graph import depths
from kg.store import Store

__all__ = ["Atlas", "atlas"]

# How much of a link each kind of relation makes, where themes are looked for.
WEIGHTS = {"prerequisite": 1.0, "broader": 1.0, "related": 0.5}
LEAST = 0.01  # of a link's weight
SPLITS = 200  # that are kept
NAMED_BY = 3  # concepts that name a theme


class Atlas:
    """Links between concepts, their study order, and their themes, each split found once.

    Attributes
    ----------
    links : networkx.Graph
        Every concept; what any relation links, with its `weight`.
    by_name : list of int
        Every concept, by its label.
    order : dict of int to float
        Where each concept stands in study order: its depth, then its place by name.
    dependants : dict of int to int
        How many concepts need each one, directly or by others between.
    """

    def __init__(self, store: Store) -> None:
        self.links: nx.Graph[int] = nx.Graph()
        self.links.add_nodes_from(range(len(store.concepts)))
        for r in store.relations:
            before = self.links.get_edge_data(r.source, r.target, {"weight": 0.0})["weight"]
            weight = before + WEIGHTS[r.kind] * max(r.score, LEAST)
            self.links.add_edge(r.source, r.target, weight=weight)
        self._together = self._with_notes(store)
        labels = [concept.label.casefold() for concept in store.concepts]
        self.by_name = sorted(range(len(labels)), key=lambda c: (labels[c], c))
        depth, n = depths(store.prerequisites), len(labels) + 1
        self.order = {c: depth[c] + place / n for place, c in enumerate(self.by_name)}
        self.dependants = _dependants(store.prerequisites)
        self._names: dict[tuple[int, ...], list[int]] = {}
        self._splits: dict[frozenset[int], list[list[int]]] = {}

    def _with_notes(self, store: Store) -> nx.Graph[int]:
        """The links, and a weak one from what has none to the first linked concept of its note.

        A note with more of the one than of the other is no theme.
        """
        together: nx.Graph[int] = self.links.copy()
        linked: dict[str, list[int]] = {}
        bare: dict[str, list[int]] = {}
        for concept in store.concepts:
            for note in concept.notes[:1]:
                kind = linked if self.links.degree(concept.id) else bare
                kind.setdefault(note, []).append(concept.id)
        for note, concepts in bare.items():
            if len(concepts) <= len(linked.get(note, ())):
                together.add_edges_from((c, linked[note][0], {"weight": LEAST}) for c in concepts)
        return together

    def themes(self, ids: Collection[int]) -> list[list[int]]:
        """The themes of some concepts, in study order."""
        key = frozenset(ids)
        if key not in self._splits:
            if len(self._splits) >= SPLITS:
                self._splits.clear()
                self._names.clear()
            self._splits[key] = themes_of(ids, self._together, self.order)
        return self._splits[key]

    def named_by(self, theme: Sequence[int]) -> list[int]:
        """The concepts that name a theme, the most central first."""
        key = tuple(theme)
        if key not in self._names:
            self._names[key] = central(theme, self.links, NAMED_BY)
        return self._names[key]


def _dependants(graph: nx.DiGraph[int]) -> dict[int, int]:
    """The number of each node's descendants, which are held as the bits of one number."""
    after: dict[int, int] = {}
    for node in reversed(list(nx.topological_sort(graph))):
        bits = 0
        for later in graph.successors(node):
            bits |= after[later] | 1 << later
        after[node] = bits
    return {node: bits.bit_count() for node, bits in after.items()}


@dataclass(frozen=True, eq=False)
class _Opened:
    """A store, told from others by which it is, not by what it holds."""

    store: Store

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Opened) and self.store is other.store

    def __hash__(self) -> int:
        return id(self.store)


@lru_cache(maxsize=2)  # a generation and the one before it
def _atlas(opened: _Opened) -> Atlas:
    return Atlas(opened.store)


def atlas(store: Store) -> Atlas:
    """The atlas of a store, made once."""
    return _atlas(_Opened(store))
