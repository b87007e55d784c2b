"""Study order on the prerequisite graph: paths to goals, reasons, what could be next."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import networkx as nx

__all__ = ["HELPS", "Likely", "likely_first", "reasons", "study_path", "unlocked"]

# For each goal the chance that each other concept comes first, whether the edge was kept or not.
Likely = Mapping[int, Mapping[int, float]]

# What a reason keeps of its strength with each concept it is passed on through: what the goal's
# prerequisites need is less surely needed for the goal itself.
PASSED_ON = 0.8
# Strength from which a concept behind the direct prerequisites belongs to a short path: five edges
# that notes state (0.98 each), or about three inferred ones of 0.85, or one of 0.65 and two stated.
STRONG = 0.35
# Concepts of a short path before its goal: with the goal fifteen steps, as many as one session's
# plan holds.
MOST_SHORT = 14
# Chance of coming before the goal itself from which what comes before something on its path belongs
# there too, where that is inferred: what is needed twice over is often not needed for the goal.
HELPS = 0.3
# For a goal that no edge leads to: how likely what comes first must be, and how many of it. From
# the first on, else the few best from the second on.
ENOUGH, MOST_ENOUGH, LEAST, MOST_LEAST = 0.6, 3, 0.45, 2
BITS = 4096


def likely_first(
    graph: nx.DiGraph[int], goals: Collection[int], likely: Likely | None
) -> nx.DiGraph[int]:
    """The graph, with the likeliest to come first for each goal that no edge leads to.

    Such edges were too unsure to be kept; as a start they are better than none.
    """
    bare = [goal for goal in goals if not graph.in_degree(goal)]
    if not likely or not bare:
        return graph
    graph = nx.DiGraph(graph)
    for goal in bare:
        behind = nx.descendants(graph, goal) | {goal}
        ranked = sorted(
            ((s, -p) for p, s in likely.get(goal, {}).items() if p not in behind and s >= LEAST),
            reverse=True,
        )
        enough = [one for one in ranked if one[0] >= ENOUGH][:MOST_ENOUGH]
        graph.add_edges_from((-p, goal, {"score": s}) for s, p in enough or ranked[:MOST_LEAST])
    return graph


def study_path(
    graph: nx.DiGraph[int],
    goals: Collection[int],
    known: Collection[int] = (),
    full: bool = False,
    likely: Likely | None = None,
) -> list[int]:
    """What to learn for some goals, foundations first.

    Known concepts drop out together with what only they needed. The full path is all that is left;
    the short one holds the direct prerequisites of each goal and, up to `MOST_SHORT`, what is
    needed most strongly behind them: by the best chain of edges to the goal, whose strength is the
    product of their scores, times `PASSED_ON` for each concept between, and at least `STRONG`.
    Where `likely` is given, it also comes before the goal itself with a chance of at least `HELPS`,
    or by stated edges alone. So with a concept one of those it is needed for is on the path (but
    for what only comes before the goal itself), and the path to several goals holds those to each.
    What is known makes a short path shorter and nothing takes its place. All paths come in one
    order: among concepts that could come next, the one that unlocks more comes first.

    Raises
    ------
    networkx.NetworkXError
        When a goal is not in the graph.
    """
    ends = set(goals)
    whole = graph.subgraph(_with_ancestors(graph, ends))
    unlocks = _reach(whole)
    order = nx.lexicographical_topological_sort(whole, key=lambda node: (-unlocks[node], node))
    view = whole.subgraph(set(whole) - (set(known) - ends))
    if full:
        needed = _with_ancestors(view, ends)
        return [node for node in order if node in needed]
    near = set(ends)
    for goal in ends:
        helps = None if likely is None else likely.get(goal, {})
        most = MOST_SHORT
        if len(view) < len(whole):
            # What is known leaves its place empty: a mark never brings a step on the path that was
            # not worth one.
            most = len(
                set(_strongest(whole, goal, MOST_SHORT, helps))
                & _with_ancestors(view, {goal}) - {goal}
            )
        near.update(_strongest(view, goal, most, helps))
    return [node for node in order if node in near]


def _with_ancestors(graph: nx.DiGraph[int], ends: Collection[int]) -> set[int]:
    return set(ends).union(*(nx.ancestors(graph, end) for end in ends))


def _strongest(
    graph: nx.DiGraph[int], goal: int, most: int, helps: Mapping[int, float] | None
) -> list[int]:
    """What a goal needs most strongly, its direct prerequisites first."""

    def cost(_: int, __: int, edge: Mapping[str, float]) -> float:
        return -math.log(max(edge.get("score", 1.0), 1e-9) * PASSED_ON)

    needed = graph.subgraph(_with_ancestors(graph, {goal}))
    unlocks = _reach(needed)
    # Nothing is passed on by the edge to the goal itself.
    limit = -math.log(STRONG * PASSED_ON)
    far = nx.single_source_dijkstra_path_length(
        needed.reverse(copy=False), goal, cutoff=limit, weight=cost
    )
    direct = set(needed.predecessors(goal))
    beyond = set(far) - direct - {goal}
    if helps is not None:
        stated = nx.subgraph_view(
            needed, filter_edge=lambda u, v: needed.edges[u, v].get("stated", False)
        )
        beyond &= nx.ancestors(stated, goal) | {n for n, s in helps.items() if s >= HELPS}
    behind = sorted(beyond, key=lambda node: (round(far[node], 9), -unlocks[node], node))
    return [*direct, *behind[: max(0, most - len(direct))]]


def reasons(
    graph: nx.DiGraph[int], path: Sequence[int], full: bool = False
) -> dict[int, list[int]]:
    """For each step of a path the later ones that need it, by the strongest edge first.

    With `full` by every edge between them, else without what others imply: the transitive
    reduction.
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
    """Concepts that could be learned next, those first that the most others build on.

    All that they need is known, and they need something. With nothing known: foundations that
    something builds on.
    """
    done = frozenset(known)
    if done:
        ready: Iterable[int] = (
            v
            for v in graph
            if v not in done and graph.in_degree(v) and done.issuperset(graph.predecessors(v))
        )
    else:
        ready = (v for v in graph if not graph.in_degree(v) and graph.out_degree(v))
    opens = _reach(graph, done)
    return sorted(ready, key=lambda v: (-opens[v], v))[:most]


def _reach(graph: nx.DiGraph[int], uncounted: Collection[int] = ()) -> dict[int, int]:
    """How many concepts each one leads to, but for the uncounted ones."""
    order = list(nx.topological_sort(graph))
    place = {node: i for i, node in enumerate(order)}
    after = [[place[later] for later in graph.successors(node)] for node in order]
    bits = [0 if node in uncounted else 1 for node in order]
    counts = [0] * len(order)
    # What is reached is a number with a bit for each concept, for some of them at a time to bound
    # the memory.
    for first in range(0, len(order), BITS):
        ahead = [0] * len(order)
        for i in range(min(first + BITS, len(order)) - 1, -1, -1):
            reached = 0
            for later in after[i]:
                reached |= ahead[later]
            counts[i] += reached.bit_count()
            ahead[i] = reached | (bits[i] << i - first if i >= first else 0)
    return dict(zip(order, counts, strict=True))
