"""The concept graph against networkx as an oracle: acyclic, in study order, importance that adds up."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.graph import acyclic, association_graph, depths, importance, prerequisite_graph, study_path
from kg.types import Relation

NODES = 7
edges = st.dictionaries(
    st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1)),
    st.sampled_from([0.1, 0.3, 0.5, 0.5, 0.9]),
    max_size=25,
).map(lambda d: [(u, v, s) for (u, v), s in d.items()])
forward_edges = st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda e: e[0] < e[1]), max_size=25)


def dag(pairs: set[tuple[int, int]], shuffle: list[int]) -> nx.DiGraph[int]:
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(shuffle)))
    graph.add_edges_from((shuffle[u], shuffle[v]) for u, v in pairs)
    return graph


@given(edges)
def test_what_is_kept_has_no_cycle_and_nothing_is_lost(given_edges: list[tuple[int, int, float]]) -> None:
    """Kept and dropped edges are the given ones, and the kept ones can be put in order."""
    kept, dropped = acyclic(given_edges)
    assert sorted(kept + dropped) == sorted(given_edges)
    assert nx.is_directed_acyclic_graph(nx.DiGraph((u, v) for u, v, _ in kept))


@given(edges)
def test_a_dropped_edge_is_the_weakest_of_a_cycle(given_edges: list[tuple[int, int, float]]) -> None:
    """Kept edges that are at least as strong lead back from its end to its start."""
    kept, dropped = acyclic(given_edges)
    for u, v, score in dropped:
        stronger: nx.DiGraph[int] = nx.DiGraph()
        stronger.add_nodes_from((u, v))
        stronger.add_edges_from((a, b) for a, b, s in kept if s >= score)
        assert nx.has_path(stronger, v, u)


@given(edges, st.randoms(use_true_random=False))
def test_acyclic_does_not_depend_on_the_order_given(given_edges: list[tuple[int, int, float]], random: object) -> None:
    """Any order of the same edges gives the same split."""
    other = given_edges.copy()
    random.shuffle(other)  # type: ignore[attr-defined]
    assert acyclic(other) == acyclic(given_edges)


@given(forward_edges, st.permutations(range(10)), st.integers(0, 9), st.sets(st.integers(0, 9), max_size=4))
def test_a_study_path_is_what_the_goal_needs_in_an_order_that_works(
    pairs: set[tuple[int, int]], shuffle: list[int], goal: int, known: set[int]
) -> None:
    """Ancestors of the goal that do not lead through known concepts, each after all it needs, the goal last."""
    graph = dag(pairs, shuffle)
    path = study_path(graph, goal, frozenset(known))
    open_graph = graph.copy()
    open_graph.remove_nodes_from(known - {goal})
    assert set(path) == nx.ancestors(open_graph, goal) | {goal}
    assert len(set(path)) == len(path) and path[-1] == goal
    place = {node: i for i, node in enumerate(path)}
    assert all(place[u] < place[v] for u, v in graph.edges if u in place and v in place)


@given(forward_edges, st.permutations(range(10)), st.integers(0, 9))
def test_with_nothing_known_a_path_is_all_ancestors(pairs: set[tuple[int, int]], shuffle: list[int], goal: int) -> None:
    """networkx's ancestors, and the goal."""
    graph = dag(pairs, shuffle)
    assert set(study_path(graph, goal)) == nx.ancestors(graph, goal) | {goal}


def test_known_concepts_take_with_them_only_what_nothing_else_needs() -> None:
    """0 → 1 → 3, 0 → 2 → 3, 4 → 1: who knows 1 needs neither 1 nor 4, but still 0 for 2."""
    graph: nx.DiGraph[int] = nx.DiGraph([(0, 1), (1, 3), (0, 2), (2, 3), (4, 1)])
    assert study_path(graph, 3, frozenset({1})) == [0, 2, 3]
    assert study_path(graph, 3, frozenset({3})) == study_path(graph, 3)


def test_an_unknown_goal_is_refused() -> None:
    """A goal outside the graph is an error, not an empty path."""
    with pytest.raises(nx.NetworkXError):
        study_path(nx.DiGraph([(0, 1)]), 7)


@given(forward_edges, st.permutations(range(10)))
def test_depth_is_the_longest_chain_below(pairs: set[tuple[int, int]], shuffle: list[int]) -> None:
    """Against the longest path in the graph of ancestors."""
    graph = dag(pairs, shuffle)
    for node, depth in depths(graph).items():
        assert depth == nx.dag_longest_path_length(graph.subgraph(nx.ancestors(graph, node) | {node}))


relation_lists = st.lists(
    st.builds(
        Relation,
        kind=st.sampled_from(["prerequisite", "broader", "related"]),
        source=st.integers(0, 7),
        target=st.integers(0, 7),
        score=st.sampled_from([0.5, 0.7, 1.0]),
        kept=st.booleans(),
        evidence=st.just(()),
    ),
    max_size=20,
)


@given(relation_lists, st.dictionaries(st.integers(0, 9), st.sampled_from([0.0, 0.5, 2.0]), max_size=4))
def test_importance_sums_to_one_and_stays_near(relations: list[Relation], seeds: dict[int, float]) -> None:
    """A probability over concepts at most two relations from a seed; nothing without a seed."""
    graph = association_graph(relations, 8)
    ranks = importance(graph, seeds)
    live = {s for s, w in seeds.items() if w > 0 and s in graph}
    if not live:
        assert ranks == {}
        return
    assert sum(ranks.values()) == pytest.approx(1, abs=1e-5)
    assert live <= set(ranks)
    assert all(min(nx.shortest_path_length(graph, s, n) for s in live if nx.has_path(graph, s, n)) <= 2 for n in ranks)


def test_importance_falls_with_distance() -> None:
    """On a chain, the seed ranks first and each further concept lower."""
    chain = [Relation("related", i, i + 1, 0.5, True, ()) for i in range(3)]
    ranks = importance(association_graph(chain, 4), {0: 1.0})
    assert ranks[0] > ranks[2] and ranks[1] > ranks[2] and 3 not in ranks


@given(relation_lists)
def test_only_kept_prerequisites_are_edges_and_parallel_relations_add_up(relations: list[Relation]) -> None:
    """The study graph has kept prerequisites only; the association graph the sum of all kept scores of a pair."""
    graph = prerequisite_graph(relations, 8)
    assert set(graph.edges) == {(r.source, r.target) for r in relations if r.kind == "prerequisite" and r.kept}
    assert set(graph) == set(range(8))
    both = association_graph(relations, 8)
    for u, v in both.edges:
        weight = sum(r.score for r in relations if r.kept and {r.source, r.target} == {u, v})
        assert both.edges[u, v]["weight"] == pytest.approx(weight)
