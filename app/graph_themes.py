"""Themes of a graph too large to read at once: what belongs together, in study order.

Pure sets over ids: how themes are named and drawn is decided by those who show them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import networkx as nx

__all__ = ["FEWEST", "MOST", "WHOLE", "arrows_between", "central", "themes_of"]

WHOLE = 80  # as many concepts, with their names, can be read at once
FEWEST, MOST = 8, 15  # themes
SMALL = 3  # concepts; a theme of fewer goes with the one that it is linked to most
# Tried in turn until there are enough themes; the higher, the smaller they are.
RESOLUTIONS = (1.0, 1.5, 2.2, 3.3, 5.0)
BUILT_ON_MOST = 2  # themes that a theme is drawn to build on
SHARE = 0.1  # of a theme's arrows from others that one must give to be drawn


def themes_of(
    ids: Collection[int], links: nx.Graph[int], order: Mapping[int, float]
) -> list[list[int]]:
    """Parts of some concepts, in study order, each smaller than the whole.

    Concepts that are linked closely share a theme. Those without a link are dealt out by `order`,
    behind the others. The same graph gives the same themes.

    Parameters
    ----------
    links : networkx.Graph
        What is linked with what, and its `weight`.
    order : mapping of int to float
        Where each concept stands in study order.

    Returns
    -------
    list of list of int
        Every concept once; each theme in study order.
    """
    own: nx.Graph[int] = nx.Graph()
    own.add_nodes_from(sorted(ids))  # the order in which louvain visits them
    own.add_edges_from((u, v, data) for u, v, data in links.subgraph(ids).edges(data=True))
    loose = [node for node in own if not own.degree(node)]
    own.remove_nodes_from(loose)
    groups: list[list[int]] = [[*group] for group in _communities(own, MOST - bool(loose))]
    if len(groups) == 1 and not loose:
        groups = _dealt(sorted(own, key=lambda node: (order[node], node)), MOST)
    groups.sort(key=lambda group: (sum(order[node] for node in group) / len(group), min(group)))
    apart = _dealt(sorted(loose, key=lambda node: (order[node], node)), MOST - len(groups))
    ordered = [sorted(group, key=lambda node: (order[node], node)) for group in groups]
    return ordered + apart


def central(group: Collection[int], links: nx.Graph[int], most: int = 3) -> list[int]:
    """What a theme is named by: those with the strongest links within it, the strongest first."""
    own = links.subgraph(group)
    strength = dict(own.degree(weight="weight"))
    return sorted(own, key=lambda node: (-strength[node], node))[:most]


def arrows_between(
    groups: Sequence[Collection[int]], graph: nx.DiGraph[int]
) -> list[tuple[int, int]]:
    """For each theme the earlier ones that it builds on most, as pairs of positions."""
    theme = {node: i for i, group in enumerate(groups) for node in group}
    weight: dict[tuple[int, int], int] = {}
    for u, v in graph.edges:
        pair = (theme.get(u, -1), theme.get(v, -1))
        if -1 < pair[0] < pair[1]:
            weight[pair] = weight.get(pair, 0) + 1
    arrows = []
    for later in range(len(groups)):
        into = sorted((-n, pair) for pair, n in weight.items() if pair[1] == later)
        least = -SHARE * sum(n for n, _ in into)
        arrows += [pair for n, pair in into[:BUILT_ON_MOST] if -n >= least]
    return sorted(arrows)


def _communities(graph: nx.Graph[int], most: int) -> list[set[int]]:
    """At most `most` communities, and at least `FEWEST` where the graph has so many.

    References
    ----------
    Blondel, Guillaume, Lambiotte, Lefebvre (2008), Fast unfolding of communities in large networks.
    """
    groups: list[set[int]] = []
    for resolution in RESOLUTIONS if len(graph) else ():
        found = nx.community.louvain_communities(graph, resolution=resolution, seed=0)
        groups = _merged(graph, found, most)
        if len(groups) >= FEWEST:
            break
    return groups


def _merged(graph: nx.Graph[int], groups: Sequence[Collection[int]], most: int) -> list[set[int]]:
    """Fewer groups: the smallest goes with the one that it is linked to most, time and again."""
    theme = {node: i for i, group in enumerate(groups) for node in group}
    members = {i: set(group) for i, group in enumerate(groups)}
    weight: dict[int, dict[int, float]] = {i: {} for i in members}
    for u, v, strength in graph.edges(data="weight", default=1.0):
        a, b = theme[u], theme[v]
        if a != b:
            weight[a][b] = weight[a].get(b, 0.0) + strength
            weight[b][a] = weight[b].get(a, 0.0) + strength
    while len(members) > 1:
        least = min(members, key=lambda i: (len(members[i]), i))
        if len(members) <= most and len(members[least]) >= SMALL:
            break
        rest = [i for i in members if i != least]
        into = min(rest, key=lambda i: (-weight[least].get(i, 0.0), len(members[i]), i))
        members[into] |= members.pop(least)
        for other, strength in weight.pop(least).items():
            weight[other].pop(least)
            if other != into:
                weight[into][other] = weight[into].get(other, 0.0) + strength
                weight[other][into] = weight[into][other]
    return list(members.values())


def _dealt(nodes: Sequence[int], most: int) -> list[list[int]]:
    """Consecutive parts, of `WHOLE` each where at most so many parts hold them."""
    n = min(max(1, most), math.ceil(len(nodes) / WHOLE))
    size = math.ceil(len(nodes) / n) if n else 1
    return [list(nodes[i : i + size]) for i in range(0, len(nodes), size)]
