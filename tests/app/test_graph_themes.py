"""Themes: every concept in one, few enough to read, smaller than the whole, the same each time."""

from __future__ import annotations

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from app.graph_themes import MOST, WHOLE, arrows_between, central, themes_of


@st.composite
def linked(draw: st.DrawFn) -> nx.Graph[int]:
    """Graphs of any shape, more than can be read at once."""
    n = draw(st.integers(WHOLE + 1, 4 * WHOLE))
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(n))
    ends = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] != e[1])
    for u, v in draw(st.lists(ends, max_size=200)):
        graph.add_edge(u, v, weight=1.0)
    return graph


@settings(deadline=None, max_examples=40)
@given(linked())
def test_every_concept_is_in_one_theme(graph: nx.Graph[int]) -> None:
    """None twice, none left out, at most so many; and opening themes comes to an end."""
    order = {node: float(-node) for node in graph}
    groups = themes_of(list(graph), graph, order)
    assert sorted(node for group in groups for node in group) == sorted(graph)
    assert 1 < len(groups) <= MOST
    assert all(group == sorted(group, key=lambda node: order[node]) for group in groups)
    assert groups == themes_of(list(reversed(list(graph))), graph, order)


def test_what_is_linked_closely_is_one_theme() -> None:
    """Ten rings of twenty, each linked to the next by one edge."""
    graph: nx.Graph[int] = nx.Graph()
    for ring in range(10):
        own = range(20 * ring, 20 * ring + 20)
        graph.add_edges_from(((u, v) for u in own for v in own if u < v), weight=1.0)
        if ring:
            graph.add_edge(20 * ring - 1, 20 * ring, weight=0.1)
    groups = themes_of(list(graph), graph, {node: float(node) for node in graph})
    assert groups == [list(range(20 * ring, 20 * ring + 20)) for ring in range(10)]


def test_a_dense_whole_is_dealt_in_study_order() -> None:
    """Where nothing is closer to something than to all else, themes still open to what is read."""
    graph = nx.complete_graph(3 * WHOLE)
    groups = themes_of(list(graph), graph, {node: float(node) for node in graph})
    assert [node for group in groups for node in group] == list(range(3 * WHOLE))
    assert all(len(group) <= WHOLE for group in groups)


def test_a_theme_is_named_by_its_strongest_links() -> None:
    """Links that lead out of the theme do not count."""
    graph: nx.Graph[int] = nx.Graph()
    graph.add_weighted_edges_from([(0, 1, 1.0), (0, 2, 1.0), (2, 9, 5.0), (1, 2, 0.5)])
    assert central([0, 1, 2], graph, 2) == [0, 1]


def test_arrows_run_from_earlier_themes_alone() -> None:
    """The two that give the most, and none that gives less than a tenth."""
    edges = [(i, 100 + i) for i in range(30)] + [(50, 130), (101, 2)]
    edges += [(60 + i, 140 + i) for i in range(9)]
    groups = [list(range(50)), [50], list(range(60, 70)), list(range(100, 160))]
    assert arrows_between(groups, nx.DiGraph(edges)) == [(0, 3), (2, 3)]
