"""Breaking cycles: which edges to give up, at the least loss of weight.

Within a strongly connected component that is an order of its nodes in which the edges that lead
backwards weigh least: found exactly for small components, and for others by taking edges strongest
first and then moving single nodes to better places for as long as that gains anything. The problem
is NP-hard, so for the others it is a good order, not surely the best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import networkx as nx

__all__ = ["EXACT", "backward_edges", "greedy_order"]

Edge = tuple[int, int]

# Nodes up to which the best order is found exactly. Each more doubles the time, here about 20 ms.
EXACT = 10
PASSES = 20  # over all nodes; the search nearly always ends by itself before


def backward_edges(weights: Mapping[Edge, int]) -> set[Edge]:
    """Edges to drop so that no cycle is left.

    In weight no more than taking edges strongest first would drop.

    Each of them closes a cycle with edges that stay. The result depends on edges and weights, not
    on their order.

    Parameters
    ----------
    weights : mapping of (source, target) to int
        What dropping each edge costs, not negative.

    Examples
    --------
    >>> sorted(backward_edges({(0, 1): 5, (1, 2): 3, (2, 0): 4, (1, 3): 3, (3, 0): 4}))
    [(0, 1)]
    """
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_edges_from(weights)
    part = {
        node: i for i, scc in enumerate(nx.strongly_connected_components(graph)) for node in scc
    }
    inside: dict[int, dict[Edge, int]] = {}
    for (u, v), weight in weights.items():
        # Only inside a strongly connected component can an edge close a cycle.
        if u != v and part[u] == part[v]:
            inside.setdefault(part[u], {})[u, v] = weight
    dropped = {(u, v) for u, v in weights if u == v}
    for own in inside.values():
        dropped |= _backward(_best_order(own), own)
    return dropped


def _backward(order: Sequence[int], edges: Iterable[Edge]) -> set[Edge]:
    place = {node: i for i, node in enumerate(order)}
    return {(u, v) for u, v in edges if place[u] > place[v]}


def _best_order(weights: Mapping[Edge, int]) -> list[int]:
    ranked = sorted(weights, key=lambda edge: (-weights[edge], edge))
    nodes = sorted({node for edge in weights for node in edge})
    order = (
        _exact(nodes, weights) if len(nodes) <= EXACT else _improved(greedy_order(ranked), weights)
    )
    # Some edge may lead backwards without need; taken after all that lead forwards, it stays where
    # it closes no cycle.
    backward = _backward(order, weights)
    return greedy_order(sorted(ranked, key=backward.__contains__))


def _exact(nodes: Sequence[int], weights: Mapping[Edge, int]) -> list[int]:
    """The best order, by the best last node of every subset.

    References
    ----------
    Held, Karp (1962), A dynamic programming approach to sequencing problems.
    """
    n = len(nodes)
    cost = [[weights.get((u, v), 0) for v in nodes] for u in nodes]
    least = [0] * (1 << n)
    last = [0] * (1 << n)
    for subset in range(1, 1 << n):
        members = [i for i in range(n) if subset >> i & 1]
        # Behind the others of the subset, its edges to them lead backwards.
        options = ((least[subset ^ 1 << i] + sum(cost[i][j] for j in members), i) for i in members)
        least[subset], last[subset] = min(options)
    order: list[int] = []
    subset = (1 << n) - 1
    while subset:
        order.append(nodes[last[subset]])
        subset ^= 1 << last[subset]
    return order[::-1]


def greedy_order(ranked: Iterable[Edge]) -> list[int]:
    """An order in which only edges that close a cycle with better ones lead back.

    References
    ----------
    Pearce, Kelly (2006), A dynamic topological sort algorithm for directed acyclic graphs.
    """
    ranked = list(ranked)
    place = {node: i for i, node in enumerate(sorted({node for edge in ranked for node in edge}))}
    after: dict[int, list[int]] = {node: [] for node in place}
    before: dict[int, list[int]] = {node: [] for node in place}
    for u, v in ranked:
        low, high = place[v], place[u]
        if high >= low:
            ahead = _reached(v, after, lambda node, high=high: place[node] <= high)  # type: ignore[misc]
            if u in ahead:
                continue
            behind = _reached(u, before, lambda node, low=low: place[node] >= low)  # type: ignore[misc]
            moved = sorted(behind, key=place.__getitem__) + sorted(ahead, key=place.__getitem__)
            for node, free in zip(moved, sorted(place[node] for node in moved), strict=True):
                place[node] = free
        after[u].append(v)
        before[v].append(u)
    return sorted(place, key=place.__getitem__)


def _reached(
    start: int, beside: Mapping[int, Sequence[int]], within: Callable[[int], bool]
) -> set[int]:
    reached = {start}
    waiting = [start]
    while waiting:
        for node in beside[waiting.pop()]:
            if node not in reached and within(node):
                reached.add(node)
                waiting.append(node)
    return reached


def _improved(order: list[int], weights: Mapping[Edge, int]) -> list[int]:
    """Move single nodes to where fewer edges lead backwards, until none gains by it."""
    place = {node: i for i, node in enumerate(order)}
    # What standing behind the neighbour costs more.
    pull: dict[int, dict[int, int]] = {node: {} for node in order}
    for (u, v), weight in weights.items():
        pull[u][v] = pull[u].get(v, 0) + weight
        pull[v][u] = pull[v].get(u, 0) - weight
    for _ in range(PASSES):
        moved = False
        for node in sorted(pull):
            here, to = place[node], _better_place(node, place, pull[node])
            if to is None:
                continue
            moved = True
            order.insert(to, order.pop(here))
            for i in range(min(here, to), max(here, to) + 1):
                place[order[i]] = i
        if not moved:
            break
    return order


def _better_place(node: int, place: Mapping[int, int], pull: Mapping[int, int]) -> int | None:
    """The index to move a node to, None when it stands well already."""
    here = place[node]
    cost = best = 0  # of standing before all neighbours; only differences count
    current = 0
    to = 0
    for other in sorted(pull, key=place.__getitem__):
        cost += pull[other]
        if place[other] < here:
            current = cost
        if cost < best:
            best, to = cost, place[other] + 1
    if best >= current:
        return None
    return to if to <= here else to - 1
