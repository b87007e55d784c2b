"""The concept graph: acyclic prerequisites, and what others imply.

The order in which to learn is left to `kg.paths`, the choice of edges that break cycles to
`kg.cycles`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import networkx as nx

from kg.cycles import backward_edges
from kg.types import Relation

__all__ = ["acyclic", "depths", "prerequisite_graph", "shortcuts"]

UNIT = 1_000_000  # scores are compared to six digits
BITS = 4096


def prerequisite_graph(relations: Iterable[Relation], n_concepts: int) -> nx.DiGraph[int]:
    """Kept prerequisite edges over all concepts.

    An edge runs from what comes first to what needs it.
    """
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(n_concepts))
    for r in relations:
        if r.kind == "prerequisite" and r.kept:
            graph.add_edge(r.source, r.target, score=r.score, stated=r.tier == "stated")
    return graph


Scored = tuple[int, int, float]  # source, target, score


def acyclic(
    edges: Sequence[Scored], stated: Collection[tuple[int, int]] = ()
) -> tuple[list[Scored], list[Scored]]:
    """Split scored edges into an acyclic set and the dropped ones, strongest first.

    The dropped scores add up to as little as can be found (see `kg.cycles`), never to more than
    where edges are taken strongest first; each dropped edge closes a cycle with kept ones. The
    order given does not matter.

    Parameters
    ----------
    stated : collection of (source, target)
        Edges that a person gave: none of them is dropped where dropping others, however many, would
        do.

    >>> acyclic([(0, 1, 0.9), (1, 2, 0.8), (2, 0, 0.3)])
    ([(0, 1, 0.9), (1, 2, 0.8)], [(2, 0, 0.3)])
    """
    # Whole numbers add up the same in any order.
    weights = {(u, v): round(score * UNIT) + 1 for u, v, score in edges}
    above = sum(weights.values())
    weights |= {edge: weights[edge] + above for edge in stated if edge in weights}
    lost = backward_edges(weights)
    ranked = sorted(edges, key=lambda e: (-e[2], e[0], e[1]))
    return [e for e in ranked if e[:2] not in lost], [e for e in ranked if e[:2] in lost]


def shortcuts(edges: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Edges whose end is reached from their start by way of others too.

    Without them reachability stays the same.

    The complement of the transitive reduction. Time grows with edges times nodes / 64, memory with
    nodes: 50,000 nodes with 300,000 edges take seconds and tens of megabytes.

    Raises
    ------
    networkx.NetworkXUnfeasible
        When the edges close a cycle.

    >>> shortcuts([(0, 1), (1, 2), (0, 2)])
    {(0, 2)}
    """
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_edges_from(edges)
    order = list(nx.topological_sort(graph))
    place = {node: i for i, node in enumerate(order)}
    after = [sorted(place[v] for v in graph.successors(node)) for node in order]
    implied: set[tuple[int, int]] = set()
    # Which nodes are reached is a number with a bit for each, for some of the nodes at a time to
    # bound the memory.
    for first in range(0, len(order), BITS):
        # A node's own bit and those of what it reaches; bit i stands for order[first + i].
        inside = [0] * len(order)
        for u in range(min(first + BITS, len(order)) - 1, -1, -1):
            beyond = 0  # what the successors reach, not they themselves
            ends = 0
            for v in after[u]:
                own = 1 << v - first if first <= v < first + BITS else 0
                beyond |= inside[v] ^ own
                ends |= own
            for v in after[u] if beyond & ends else ():
                if first <= v < first + BITS and beyond >> v - first & 1:
                    implied.add((order[u], order[v]))
            inside[u] = beyond | ends | (1 << u - first if u >= first else 0)
    return implied


def depths(graph: nx.DiGraph[int]) -> dict[int, int]:
    """Longest chain of prerequisites below each concept; 0 for foundations."""
    depth: dict[int, int] = {}
    for node in nx.topological_sort(graph):
        depth[node] = max((depth[p] + 1 for p in graph.predecessors(node)), default=0)
    return depth
