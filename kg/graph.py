"""The concept graph: acyclic prerequisites, study paths, and importance around a question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import networkx as nx

from kg.types import Relation

__all__ = ["acyclic", "association_graph", "depths", "importance", "prerequisite_graph", "study_path"]

# Damping of the random walk; the classic value of Page et al. 1999.
DAMPING = 0.85
# A walk farther than this many relations from the question's concepts adds nothing that ranking can see.
WALK_HOPS = 2


def prerequisite_graph(relations: Iterable[Relation], n_concepts: int) -> nx.DiGraph[int]:
    """Kept prerequisite edges over all concepts; an edge runs from what comes first to what needs it."""
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(n_concepts))
    for r in relations:
        if r.kind == "prerequisite" and r.kept:
            graph.add_edge(r.source, r.target, score=r.score)
    return graph


Scored = tuple[int, int, float]  # source, target, score


def acyclic(edges: Sequence[Scored]) -> tuple[list[Scored], list[Scored]]:
    """Split scored edges into an acyclic set and the dropped ones.

    Edges are taken strongest first; one that would close a cycle is dropped, so each dropped edge is the weakest of
    a cycle. Ties go by the pair of ids, so the result does not depend on the order given.

    >>> acyclic([(0, 1, 0.9), (1, 2, 0.8), (2, 0, 0.3)])
    ([(0, 1, 0.9), (1, 2, 0.8)], [(2, 0, 0.3)])
    """
    whole: nx.DiGraph[int] = nx.DiGraph()
    whole.add_edges_from((u, v) for u, v, _ in edges)
    part = {node: i for i, scc in enumerate(nx.strongly_connected_components(whole)) for node in scc}
    grown: nx.DiGraph[int] = nx.DiGraph()
    kept: list[Scored] = []
    dropped: list[Scored] = []
    for u, v, score in sorted(edges, key=lambda e: (-e[2], e[0], e[1])):
        # Only inside a strongly connected component can an edge close a cycle.
        inside = part[u] == part[v]
        if u == v or (inside and v in grown and u in grown and nx.has_path(grown, v, u)):
            dropped.append((u, v, score))
            continue
        kept.append((u, v, score))
        if inside:
            grown.add_edge(u, v)
    return kept, dropped


def study_path(graph: nx.DiGraph[int], goal: int, known: frozenset[int] = frozenset()) -> list[int]:
    """Everything to learn for a goal, foundations first, the goal last.

    Known concepts drop out together with what only they needed. Among concepts that could come next, the one that
    unlocks more of the path comes first.

    Raises
    ------
    networkx.NetworkXError
        When the goal is not in the graph.
    """
    view = graph.subgraph(set(graph) - (known - {goal}))
    needed = view.subgraph(nx.ancestors(view, goal) | {goal})
    unlocks = {node: len(nx.descendants(needed, node)) for node in needed}
    return list(nx.lexicographical_topological_sort(needed, key=lambda node: (-unlocks[node], node)))


def depths(graph: nx.DiGraph[int]) -> dict[int, int]:
    """Longest chain of prerequisites below each concept; 0 for foundations."""
    depth: dict[int, int] = {}
    for node in nx.topological_sort(graph):
        depth[node] = max((depth[p] + 1 for p in graph.predecessors(node)), default=0)
    return depth


def association_graph(relations: Iterable[Relation], n_concepts: int) -> nx.Graph[int]:
    """All kept relations without direction, weighted by score; parallel ones add up."""
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(n_concepts))
    for r in relations:
        if r.kept:
            before = graph.get_edge_data(r.source, r.target, {"weight": 0.0})["weight"]
            graph.add_edge(r.source, r.target, weight=before + r.score)
    return graph


def importance(graph: nx.Graph[int], seeds: Mapping[int, float]) -> dict[int, float]:
    """Personalised PageRank around weighted seed concepts; sums to 1, empty without seeds.

    The walk is restricted to concepts within WALK_HOPS of a seed, which bounds its cost on large graphs.

    References
    ----------
    Page, Brin, Motwani, Winograd (1999), The PageRank Citation Ranking.
    """
    seeds = {s: w for s, w in seeds.items() if w > 0 and s in graph}
    if not seeds:
        return {}
    near: set[int] = set()
    for seed in seeds:
        near |= set(nx.single_source_shortest_path_length(graph, seed, cutoff=WALK_HOPS))
    ranks: dict[int, float] = nx.pagerank(graph.subgraph(near), alpha=DAMPING, personalization=dict(seeds))
    return ranks
