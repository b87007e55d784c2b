"""Study paths against networkx: complete, in order, short by a stated rule."""

from __future__ import annotations

import math
from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.paths import (
    HELPS,
    LEAST,
    MOST_SHORT,
    PASSED_ON,
    STRONG,
    likely_first,
    reasons,
    study_path,
    unlocked,
)

SIZE = 10
nodes = st.integers(0, SIZE - 1)
scores = st.sampled_from([0.5, 0.65, 0.8, 0.98])


@st.composite
def graphs(draw: st.DrawFn) -> nx.DiGraph[int]:
    """Acyclic graphs whose ids say nothing of their order."""
    shuffle = draw(st.permutations(range(SIZE)))
    pairs = draw(
        st.dictionaries(st.tuples(nodes, nodes).filter(lambda e: e[0] < e[1]), scores, max_size=30)
    )
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(SIZE))
    graph.add_edges_from((shuffle[u], shuffle[v], {"score": s}) for (u, v), s in pairs.items())
    return graph


some = st.sets(nodes, max_size=4)
goals = st.sets(nodes, min_size=1, max_size=3)


@given(graphs(), nodes)
def test_with_nothing_known_the_full_path_is_all_ancestors(
    graph: nx.DiGraph[int], goal: int
) -> None:
    """networkx's ancestors, and the goal, which comes last."""
    path = study_path(graph, [goal], full=True)
    assert set(path) == nx.ancestors(graph, goal) | {goal}
    assert path[-1] == goal and len(path) == len(set(path))


@given(graphs(), goals, some)
def test_known_concepts_drop_out_with_what_only_they_needed(
    graph: nx.DiGraph[int], ends: set[int], known: set[int]
) -> None:
    """What is left are the ancestors in a graph without the known concepts; goals always stay."""
    open_graph = graph.copy()
    open_graph.remove_nodes_from(known - ends)
    wanted = ends.union(*(nx.ancestors(open_graph, goal) for goal in ends))
    assert set(study_path(graph, ends, known, full=True)) == wanted


@given(graphs(), goals, some, st.booleans())
def test_no_path_violates_an_edge(
    graph: nx.DiGraph[int], ends: set[int], known: set[int], full: bool
) -> None:
    """A concept stands before all that it leads to, also over steps left out."""
    path = study_path(graph, ends, known, full)
    for i, later in enumerate(path):
        assert not nx.descendants(graph, later) & set(path[:i])


@given(graphs(), goals, some)
def test_paths_to_several_goals_merge(
    graph: nx.DiGraph[int], ends: set[int], known: set[int]
) -> None:
    """The merged path holds what the paths to each goal hold, in one order, short and full."""
    for full in (False, True):
        each = [study_path(graph, [goal], known - ends, full) for goal in ends]
        assert set(study_path(graph, ends, known, full)) == set().union(*each)


@given(graphs(), goals, some)
def test_the_short_path_is_a_part_of_the_full_one(
    graph: nx.DiGraph[int], ends: set[int], known: set[int]
) -> None:
    """In its order, with every direct prerequisite and a reason for every step."""
    full, short = study_path(graph, ends, known, full=True), study_path(graph, ends, known)
    assert short == [node for node in full if node in set(short)]
    for goal in ends:
        assert set(graph.predecessors(goal)) - known <= set(short)
    assert all(set(graph.successors(node)) & set(short) for node in set(short) - ends)


@given(graphs(), nodes)
def test_what_falls_out_is_needed_less_strongly_than_what_stays(
    graph: nx.DiGraph[int], goal: int
) -> None:
    """The rule as stated, against all simple chains: by the strength of the best one."""
    short = set(study_path(graph, [goal]))
    for node in nx.ancestors(graph, goal):
        chains = nx.all_simple_paths(graph, node, goal)
        strength = max(
            math.prod(graph.edges[e]["score"] for e in pairwise(chain))
            * PASSED_ON ** (len(chain) - 2)
            for chain in chains
        )
        assert (node in short) == (strength >= STRONG or graph.has_edge(node, goal))


def test_a_short_path_has_no_more_steps_than_a_session_holds() -> None:
    """Of twenty that the direct prerequisite needs, those go that unlock less.

    Direct prerequisites always stay.
    """
    graph: nx.DiGraph[int] = nx.DiGraph([(i, 100) for i in range(20)] + [(100, 101), (18, 17)])
    assert study_path(graph, [101]) == [18, *range(MOST_SHORT - 2), 100, 101]
    many: nx.DiGraph[int] = nx.DiGraph([(i, 100) for i in range(20)])
    assert study_path(many, [100]) == [*range(20), 100]


@given(graphs(), nodes, some, st.integers(1, 5))
def test_a_mark_never_makes_a_short_path_longer(
    graph: nx.DiGraph[int], goal: int, known: set[int], most: int
) -> None:
    """Whatever the limit, no step takes the place of one that is known.

    Each that stays still has its reason.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kg.paths.MOST_SHORT", most)
        without = study_path(graph, [goal])
        left = study_path(graph, [goal], known)
    assert len(left) <= len(without) - len(set(without) & known - {goal})
    assert all(set(graph.successors(node)) & set(left) for node in set(left) - {goal})


chances = st.dictionaries(nodes, st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), max_size=SIZE)


@given(graphs(), nodes, chances)
def test_what_hardly_helps_with_the_goal_itself_falls_out(
    graph: nx.DiGraph[int], goal: int, likely: dict[int, float]
) -> None:
    """Of what stands behind the direct prerequisites; nothing comes in by it."""
    short = study_path(graph, [goal])
    left = study_path(graph, [goal], likely={goal: likely})
    near = {*graph.predecessors(goal), goal}
    assert left == [n for n in short if n in near or likely.get(n, 0) >= HELPS]


def test_what_is_stated_keeps_all_that_is_stated_behind_it() -> None:
    """However unlikely it looks beside the goal."""
    graph: nx.DiGraph[int] = nx.DiGraph([(0, 1, {"stated": True}), (1, 2, {"stated": True})])
    graph.add_edge(3, 1)
    assert study_path(graph, [2], likely={2: {}}) == [0, 1, 2]


@given(graphs(), goals, st.dictionaries(nodes, chances, max_size=3))
def test_a_goal_that_nothing_leads_to_gets_the_likeliest(
    graph: nx.DiGraph[int], ends: set[int], likely: dict[int, dict[int, float]]
) -> None:
    """A few, likely enough, without a cycle; all other goals keep what they have."""
    helped = likely_first(graph, ends, likely)
    assert nx.is_directed_acyclic_graph(helped) and set(graph.edges) <= set(helped.edges)
    for p, c in set(helped.edges) - set(graph.edges):
        assert c in ends and not graph.in_degree(c) and likely[c][p] >= LEAST
    assert all(helped.in_degree(c) <= 3 for c in ends if not graph.in_degree(c))
    alone: nx.DiGraph[int] = nx.DiGraph()
    alone.add_nodes_from(range(5))
    given = {4: {0: 0.9, 1: 0.7, 2: 0.5, 3: 0.4}}
    assert [*likely_first(alone, [4], given).edges] == [(0, 4), (1, 4)]
    assert [*likely_first(alone, [4], {4: {0: 0.5, 3: 0.4}}).edges] == [(0, 4)]


def test_what_unlocks_more_comes_first() -> None:
    """Of two foundations, the one that three others build on stands first."""
    graph: nx.DiGraph[int] = nx.DiGraph([(0, 4), (1, 2), (1, 3), (2, 4), (3, 4)])
    assert study_path(graph, [4]) == [1, 0, 2, 3, 4]


def test_known_concepts_take_with_them_only_what_nothing_else_needs() -> None:
    """0 → 1 → 3, 0 → 2 → 3, 4 → 1: who knows 1 needs neither 1 nor 4, but still 0 for 2."""
    graph: nx.DiGraph[int] = nx.DiGraph([(0, 1), (1, 3), (0, 2), (2, 3), (4, 1)])
    assert study_path(graph, [3], {1}) == [0, 2, 3]
    assert study_path(graph, [3], {3}) == study_path(graph, [3])


def test_an_unknown_goal_is_refused() -> None:
    """A goal outside the graph is an error, not an empty path."""
    with pytest.raises(nx.NetworkXError):
        study_path(nx.DiGraph([(0, 1)]), [7])


@given(graphs(), goals)
def test_reasons_of_a_short_path_are_its_transitive_reduction(
    graph: nx.DiGraph[int], ends: set[int]
) -> None:
    """Of the edges among its steps; of a full path they are all edges; strongest first."""
    path = study_path(graph, ends)
    reduced = nx.transitive_reduction(graph.subgraph(path))
    why = reasons(graph, path)
    assert {(u, v) for u, later in why.items() for v in later} == set(reduced.edges)
    whole = reasons(graph, path, full=True)
    assert {(u, v) for u, later in whole.items() for v in later} == set(graph.subgraph(path).edges)
    for u, later in whole.items():
        strengths = [graph.edges[u, v]["score"] for v in later]
        assert strengths == sorted(strengths, reverse=True)


@given(graphs(), some)
def test_what_is_unlocked_needs_only_what_is_known(graph: nx.DiGraph[int], known: set[int]) -> None:
    """Exactly those with prerequisites, all known, that are not known themselves.

    Most unlocking first.
    """
    ready = unlocked(graph, known, SIZE)
    if known:
        assert set(ready) == {
            v
            for v in set(graph) - known
            if graph.in_degree(v) and set(graph.predecessors(v)) <= known
        }
    else:
        assert set(ready) == {v for v in graph if not graph.in_degree(v) and graph.out_degree(v)}
    opens = [len(nx.descendants(graph, v) - known) for v in ready]
    assert opens == sorted(opens, reverse=True)
    assert unlocked(graph, known, 2) == ready[:2]
