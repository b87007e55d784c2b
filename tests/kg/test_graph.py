"""The concept graph against networkx as an oracle: acyclic, without shortcuts."""

from __future__ import annotations

from random import Random

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.graph import acyclic, depths, prerequisite_graph, shortcuts
from kg.types import Relation

NODES = 7
edges = st.dictionaries(
    st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1)),
    st.sampled_from([0.1, 0.3, 0.5, 0.5, 0.9]),
    max_size=25,
).map(lambda d: [(u, v, s) for (u, v), s in d.items()])
forward_edges = st.sets(
    st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda e: e[0] < e[1]), max_size=25
)


def dag(pairs: set[tuple[int, int]], shuffle: list[int]) -> nx.DiGraph[int]:
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(shuffle)))
    graph.add_edges_from((shuffle[u], shuffle[v]) for u, v in pairs)
    return graph


@given(edges)
def test_what_is_kept_has_no_cycle_and_nothing_is_lost(
    given_edges: list[tuple[int, int, float]],
) -> None:
    """Kept and dropped edges are the given ones, and the kept ones can be put in order."""
    kept, dropped = acyclic(given_edges)
    assert sorted(kept + dropped) == sorted(given_edges)
    assert nx.is_directed_acyclic_graph(nx.DiGraph((u, v) for u, v, _ in kept))


def dropped_by_greedy(scored: list[tuple[int, int, float]]) -> float:
    """Weight dropped when edges are taken strongest first and those that close a cycle are left."""
    grown: nx.DiGraph[int] = nx.DiGraph()
    lost = 0.0
    for u, v, score in sorted(scored, key=lambda e: (-e[2], e[0], e[1])):
        if u == v or (u in grown and v in grown and nx.has_path(grown, v, u)):
            lost += score
        else:
            grown.add_edge(u, v)
    return lost


@given(edges)
def test_a_dropped_edge_closes_a_cycle_with_kept_ones(
    given_edges: list[tuple[int, int, float]],
) -> None:
    """No edge is dropped without need: kept ones lead from its end back to its start."""
    kept, dropped = acyclic(given_edges)
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(NODES))
    graph.add_edges_from((u, v) for u, v, _ in kept)
    assert all(nx.has_path(graph, v, u) for u, v, _ in dropped)


@given(edges)
def test_no_more_is_dropped_than_by_greedy_choice(
    given_edges: list[tuple[int, int, float]],
) -> None:
    """In sum of scores."""
    _, dropped = acyclic(given_edges)
    assert sum(s for *_, s in dropped) <= dropped_by_greedy(given_edges) + 1e-9


def test_two_weak_edges_are_given_up_for_one_strong_only_where_they_weigh_less() -> None:
    """0.5 stays against 0.2 + 0.2, and goes against 0.3 + 0.3, which greedy choice would drop."""
    around = [(1, 2, 0.6), (2, 0, 0.6), (1, 3, 0.6), (3, 0, 0.6)]
    weak = [(u, v, 0.3) for u, v, _ in around]
    assert acyclic([(0, 1, 0.5), *weak])[1] == [(0, 1, 0.5)]
    light = [(u, v, 0.2) for u, v, _ in around]
    assert [s for *_, s in acyclic([(0, 1, 0.5), *light])[1]] == [0.2, 0.2]


@given(edges, st.sets(st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1)), max_size=8))
def test_what_people_said_stays_whatever_else_must_go(
    given_edges: list[tuple[int, int, float]], said: set[tuple[int, int]]
) -> None:
    """Stated edges that agree are all kept, and none goes for inferred ones."""
    stated = {(u, v) for u, v, _ in given_edges} & said
    kept, dropped = acyclic(given_edges, stated)
    assert nx.is_directed_acyclic_graph(nx.DiGraph((u, v) for u, v, _ in kept))
    _, lost = acyclic([e for e in given_edges if e[:2] in stated])
    assert len([e for e in dropped if e[:2] in stated]) <= len(lost)
    if not lost:
        assert {e for e in given_edges if e[:2] in stated} <= set(kept)


@given(forward_edges, st.permutations(range(10)))
def test_shortcuts_are_what_a_transitive_reduction_leaves_out(
    pairs: set[tuple[int, int]], shuffle: list[int]
) -> None:
    """Exactly; without them the same is reached from everywhere."""
    graph = dag(pairs, shuffle)
    found = shortcuts(graph.edges)
    assert found == set(graph.edges) - set(nx.transitive_reduction(graph).edges)
    rest = graph.copy()
    rest.remove_edges_from(found)
    assert all(nx.ancestors(rest, node) == nx.ancestors(graph, node) for node in graph)


def test_shortcuts_in_a_graph_that_takes_several_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at a few ends at a time finds what networkx finds at once."""
    monkeypatch.setattr("kg.graph.BITS", 7)
    random = Random(5)
    pairs = {(min(e), max(e)) for e in (random.sample(range(60), 2) for _ in range(240))}
    graph = dag(pairs, random.sample(range(60), 60))
    assert shortcuts(graph.edges) == set(graph.edges) - set(nx.transitive_reduction(graph).edges)


def test_shortcuts_of_a_cycle_are_refused() -> None:
    """As by networkx."""
    with pytest.raises(nx.NetworkXUnfeasible):
        shortcuts([(0, 1), (1, 0)])


@given(edges, st.randoms(use_true_random=False))
def test_acyclic_does_not_depend_on_the_order_given(
    given_edges: list[tuple[int, int, float]], random: object
) -> None:
    """Any order of the same edges gives the same split."""
    other = given_edges.copy()
    random.shuffle(other)  # type: ignore[attr-defined]
    assert acyclic(other) == acyclic(given_edges)


@given(forward_edges, st.permutations(range(10)))
def test_depth_is_the_longest_chain_below(pairs: set[tuple[int, int]], shuffle: list[int]) -> None:
    """Against the longest path in the graph of ancestors."""
    graph = dag(pairs, shuffle)
    for node, depth in depths(graph).items():
        assert depth == nx.dag_longest_path_length(
            graph.subgraph(nx.ancestors(graph, node) | {node})
        )


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


@given(relation_lists)
def test_only_kept_prerequisites_are_edges(relations: list[Relation]) -> None:
    """The study graph has kept prerequisites only, over all concepts."""
    graph = prerequisite_graph(relations, 8)
    assert set(graph.edges) == {
        (r.source, r.target) for r in relations if r.kind == "prerequisite" and r.kept
    }
    assert set(graph) == set(range(8))
