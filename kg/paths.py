"""Study order on the prerequisite graph: the path to goals, why each step is on it, and what could come next."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import networkx as nx

__all__ = ["reasons", "study_path", "unlocked"]

# What a reason keeps of its strength with each concept it is passed on through: what the goal's prerequisites need is
# less surely needed for the goal itself.
PASSED_ON = 0.8
# Strength from which a concept behind the direct prerequisites belongs to a short path: five edges that notes state
# (0.98 each), or about three inferred ones of 0.85, or one of 0.65 and two stated.
STRONG = 0.35
# Concepts of a short path before its goal: with the goal fifteen steps, as many as one session's plan holds.
MOST_SHORT = 14


def study_path(
    graph: nx.DiGraph[int], goals: Collection[int], known: Collection[int] = (), full: bool = False
) -> list[int]:
    """What to learn for some goals, foundations first.

    Known concepts drop out together with what only they needed. The full path is all that is left; the short one holds
    the direct prerequisites of each goal and, up to `MOST_SHORT`, what is needed most strongly behind them: by the best
    chain of edges to the goal, whose strength is the product of their scores, times `PASSED_ON` for each concept
    between, and at least `STRONG`. So with a concept one of those it is needed for is on the path, and the path to
    several goals holds those to each. Both come in one order, the short path in that of the full one: among concepts
    that could come next, the one that unlocks more comes first.

    Raises
    ------
    networkx.NetworkXError
        When a goal is not in the graph.
    """
    ends = set(goals)
    view = graph.subgraph(set(graph) - (set(known) - ends))
    needed = view.subgraph(ends.union(*(nx.ancestors(view, goal) for goal in ends)))
    unlocks = _reach(needed)
    order = nx.lexicographical_topological_sort(needed, key=lambda node: (-unlocks[node], node))
    if full:
        return list(order)
    near = ends.union(*(_strongest(needed, goal, unlocks) for goal in ends))
    return [node for node in order if node in near]


def _strongest(needed: nx.DiGraph[int], goal: int, unlocks: Mapping[int, int]) -> list[int]:
    """What a goal needs most strongly, its direct prerequisites first."""

    def cost(_: int, __: int, edge: Mapping[str, float]) -> float:
        return -math.log(max(edge.get("score", 1.0), 1e-9) * PASSED_ON)

    # Nothing is passed on by the edge to the goal itself.
    limit = -math.log(STRONG * PASSED_ON)
    far = nx.single_source_dijkstra_path_length(needed.reverse(copy=False), goal, cutoff=limit, weight=cost)
    direct = set(needed.predecessors(goal))
    behind = sorted(set(far) - direct - {goal}, key=lambda node: (round(far[node], 9), -unlocks[node], node))
    return [*direct, *behind[: max(0, MOST_SHORT - len(direct))]]


def reasons(graph: nx.DiGraph[int], path: Sequence[int], full: bool = False) -> dict[int, list[int]]:
    """For each step of a path the later ones that need it, by the strongest edge first.

    With `full` by every edge between them, else without what others imply: the transitive reduction.
    """
    on = graph.subgraph(path)
    place = {node: i for i, node in enumerate(path)}
    edges = on.edges if full else nx.transitive_reduction(on).edges
    out: dict[int, list[int]] = {node: [] for node in path}
    for u, v in edges:
        out[u].append(v)
    for u, later in out.items():
        later.sort(key=lambda v: (-on.edges[u, v].get("score", 1.0), place[v]))
    return out


def unlocked(graph: nx.DiGraph[int], known: Collection[int], most: int) -> list[int]:
    """Concepts that could be learned next, at most so many, those first that the most others build on.

    All that they need is known, and they need something. With nothing known: foundations that something builds on.
    """
    done = set(known)
    if done:
        ready: Iterable[int] = (
            v for v in graph if v not in done and graph.in_degree(v) and done.issuperset(graph.predecessors(v))
        )
    else:
        ready = (v for v in graph if not graph.in_degree(v) and graph.out_degree(v))
    opens = {v: len(nx.descendants(graph, v) - done) for v in ready}
    return sorted(opens, key=lambda v: (-opens[v], v))[:most]


def _reach(graph: nx.DiGraph[int]) -> dict[int, int]:
    """How many concepts each one leads to."""
    order = list(nx.topological_sort(graph))
    bit = {node: 1 << i for i, node in enumerate(order)}
    ahead: dict[int, int] = {}
    for node in reversed(order):
        seen = 0
        for after in graph.successors(node):
            seen |= ahead[after] | bit[after]
        ahead[node] = seen
    return {node: seen.bit_count() for node, seen in ahead.items()}
