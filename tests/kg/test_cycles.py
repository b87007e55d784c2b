"""Which edges break cycles, against every order of few concepts and against greed."""

from __future__ import annotations

from itertools import permutations
from random import Random

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from kg.cycles import EXACT, backward_edges, greedy_order

Weights = dict[tuple[int, int], int]

few = st.dictionaries(
    st.tuples(st.integers(0, 4), st.integers(0, 4)), st.integers(0, 9), max_size=14
)


def against(order: tuple[int, ...] | list[int], weights: Weights) -> int:
    """Weight of the edges that lead backwards in an order."""
    place = {node: i for i, node in enumerate(order)}
    return sum(w for (u, v), w in weights.items() if place[u] > place[v])


def tangled(nodes: int, edges: int, seed: int) -> Weights:
    random = Random(seed)
    return {
        (u, v): random.randrange(1, 100)
        for u, v in (random.sample(range(nodes), 2) for _ in range(edges))
    }


@given(few)
def test_few_concepts_lose_the_least_possible(weights: Weights) -> None:
    """No order of five concepts has less weight leading backwards."""
    best = min(against(order, weights) for order in permutations(range(5)))
    loops = sum(w for (u, v), w in weights.items() if u == v)
    assert sum(weights[e] for e in backward_edges(weights)) == best + loops


def test_many_concepts_lose_no_more_than_by_greedy_choice() -> None:
    """On graphs with one large component, whose best order is not looked for exactly.

    Mostly they lose less.
    """
    better = 0
    for seed in range(12):
        weights = tangled(30, 150, seed)
        graph: nx.DiGraph[int] = nx.DiGraph(list(weights))
        assert max(map(len, nx.strongly_connected_components(graph))) > EXACT
        lost = backward_edges(weights)
        graph.remove_edges_from(lost)
        assert nx.is_directed_acyclic_graph(graph)
        assert all(nx.has_path(graph, v, u) for u, v in lost)
        greedy = against(greedy_order(sorted(weights, key=lambda e: (-weights[e], e))), weights)
        assert sum(weights[e] for e in lost) <= greedy
        better += sum(weights[e] for e in lost) < greedy
    assert better >= 10


def test_the_order_of_the_edges_does_not_matter_for_many_concepts() -> None:
    """The same edges, shuffled, lose the same."""
    weights = tangled(30, 150, 3)
    for seed in range(5):
        shuffled = Random(seed).sample(list(weights.items()), len(weights))
        assert backward_edges(dict(shuffled)) == backward_edges(weights)


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda e: e[0] != e[1]), unique=True
    )
)
def test_the_greedy_order_leaves_back_only_what_closes_a_cycle_with_those_before(
    edges: list[tuple[int, int]],
) -> None:
    """Against asking networkx for a way back, edge by edge."""
    taken: nx.DiGraph[int] = nx.DiGraph()
    taken.add_nodes_from(range(9))
    for u, v in edges:
        if not nx.has_path(taken, v, u):
            taken.add_edge(u, v)
    place = {node: i for i, node in enumerate(greedy_order(edges))}
    assert {(u, v) for u, v in edges if place[u] < place[v]} == set(taken.edges)
