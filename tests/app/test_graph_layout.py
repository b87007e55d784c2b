"""The map's layout: study order upwards, no box on another, and what is left out of a crowd."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.graph_layout import around, layers, place_beside, place_nodes

BOX_PX = 26


@st.composite
def graphs(draw: st.DrawFn) -> nx.DiGraph[int]:
    """Acyclic graphs: edges run from smaller to larger ids."""
    n = draw(st.integers(1, 40))
    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] < e[1])
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(n))
    if n > 1:
        graph.add_edges_from(draw(st.lists(pair, max_size=80)))
    return graph


@settings(deadline=None)
@given(graphs())
def test_every_arrow_runs_upwards(graph: nx.DiGraph[int]) -> None:
    """What is needed stands on a lower level, and lower on the canvas, than what needs it."""
    level, placed = layers(graph), place_nodes(graph, {node: f"concept {node}" for node in graph})
    assert set(placed) == set(graph)
    for before, after in graph.edges:
        assert level[before] < level[after]
        assert placed[before].y > placed[after].y


@settings(deadline=None)
@given(graphs(), st.integers(1, 60))
def test_no_box_lies_on_another(graph: nx.DiGraph[int], length: int) -> None:
    """Boxes neither touch nor overlap, however long the names are."""
    placed = list(
        place_nodes(graph, {node: "x" * (1 + (node * 7) % length) for node in graph}).values()
    )
    for i, a in enumerate(placed):
        for b in placed[i + 1 :]:
            apart = a.x + a.width < b.x or b.x + b.width < a.x
            assert apart or abs(a.y - b.y) > BOX_PX


def test_a_foundation_stands_right_below_what_needs_it() -> None:
    """A concept without prerequisites is not sent to the bottom when it is first needed high up."""
    graph = nx.DiGraph([(0, 1), (1, 2), (2, 3), (9, 3)])
    assert layers(graph) == {0: 0, 1: 1, 2: 2, 3: 3, 9: 2}


def test_a_cycle_is_an_error() -> None:
    """There is no study order in a cycle."""
    with pytest.raises(nx.NetworkXUnfeasible):
        layers(nx.DiGraph([(0, 1), (1, 0)]))


@settings(deadline=None)
@given(graphs(), st.integers(1, 30))
def test_what_has_no_order_stands_below_all_else(graph: nx.DiGraph[int], n: int) -> None:
    """In rows of its own, no box on another."""
    placed = place_nodes(graph, {node: f"concept {node}" for node in graph})
    loose = list(range(100, 100 + n))
    beside = place_beside(loose, {node: "y" * (node % 40) for node in loose}, placed)
    assert set(beside) == set(loose)
    assert min(b.y for b in beside.values()) > max(p.y for p in placed.values()) + BOX_PX
    boxes = list(beside.values())
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            apart = a.x + a.width < b.x or b.x + b.width < a.x
            assert apart or abs(a.y - b.y) > BOX_PX


@settings(deadline=None)
@given(graphs(), st.integers(0, 39), st.integers(1, 6))
def test_how_far_back_is_counted_in_steps(graph: nx.DiGraph[int], goal: int, back: int) -> None:
    """What comes before is left out beyond so many steps, and nothing else is."""
    goal %= len(graph)
    behind = nx.single_source_shortest_path_length(graph.reverse(), goal)
    near = {node for node, steps in behind.items() if steps <= back}
    assert set(around(graph, goal, back=back)) == near | set(graph.successors(goal))


@settings(deadline=None)
@given(graphs(), st.integers(0, 39))
def test_around_a_concept_is_all_it_builds_on_and_what_needs_it(
    graph: nx.DiGraph[int], goal: int
) -> None:
    """The surroundings are the ancestors and direct successors, and the limit holds."""
    goal %= len(graph)
    assert set(around(graph, goal)) == {goal} | nx.ancestors(graph, goal) | set(
        graph.successors(goal)
    )
    few = around(graph, goal, 6)
    assert len(few) <= 6
    assert few[0] == goal
