"""Place concepts on the canvas: layers in study order, foundations at the bottom.

Pure geometry over a graph of ids; what a concept looks like is decided in `assets/graph.js`. Labels
are wide and low, so levels are stacked: a hundred concepts then fit a screen with their names
readable.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import networkx as nx

__all__ = ["NODE_LIMIT", "Placed", "around", "layers", "place_beside", "place_nodes"]

NODE_LIMIT = 160  # more labels than this cannot be read at once
# Between levels, between rows of one level, between boxes of one row.
LEVEL_PX, ROW_PX, GAP_PX = 56, 34, 14
CHARACTER_PX, PADDING_PX, WIDEST_PX = 7.7, 39, 240
SHAPE = 1.25  # width to height of the canvas that the picture is made for
WIDEST_SPREAD = 2.5
SWEEPS = 8


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a concept stands, y downwards: the left end of its box, and its middle height."""

    x: float
    y: float
    width: float
    level: int


def around(
    graph: nx.DiGraph[int], goal: int, limit: int = NODE_LIMIT, back: int | None = None
) -> list[int]:
    """A concept, what it builds on, and what needs it directly; the nearest `limit`.

    Parameters
    ----------
    back : int or None
        How many steps what it builds on may lie behind it; None: any number.
    """
    behind = graph.reverse(copy=False)
    below = nx.single_source_shortest_path_length(behind, goal, cutoff=back)
    needing = sorted(graph.successors(goal))
    order = sorted(below, key=lambda node: (below[node], node))
    return list(dict.fromkeys([goal, *order[: limit - min(len(needing), limit // 3)], *needing]))[
        :limit
    ]


def layers(graph: nx.DiGraph[int]) -> dict[int, int]:
    """Level of each concept: edges go upwards, and a foundation stands before what needs it.

    Raises
    ------
    networkx.NetworkXUnfeasible
        When the graph has a cycle.
    """
    level: dict[int, int] = {}
    order = list(nx.topological_sort(graph))
    for node in order:
        level[node] = max((level[before] + 1 for before in graph.predecessors(node)), default=0)
    for node in order:
        if not graph.in_degree(node) and graph.out_degree(node):
            level[node] = min(level[after] for after in graph.successors(node)) - 1
    return level


def place_nodes(graph: nx.DiGraph[int], labels: Mapping[int, str]) -> dict[int, Placed]:
    """Lay a prerequisite graph out; a level's concepts share one row, or several if many."""
    level = layers(graph)
    width = {node: min(WIDEST_PX, len(labels[node]) * CHARACTER_PX + PADDING_PX) for node in graph}
    widest = max(
        3 * WIDEST_PX, math.sqrt(SHAPE * LEVEL_PX * sum(width[node] + GAP_PX for node in graph))
    )
    placed: dict[int, Placed] = {}
    y = 0.0
    for number, nodes in enumerate(_ordered_levels(graph, level)):
        rows = _rows(nodes, width, widest)
        for row in rows:
            x = -(sum(width[node] for node in row) + GAP_PX * (len(row) - 1)) / 2
            for node in row:
                placed[node] = Placed(round(x, 1), round(-y, 1), round(width[node], 1), number)
                x += width[node] + GAP_PX
            y += ROW_PX
        y += LEVEL_PX - ROW_PX
    return _spread(placed)


def place_beside(
    nodes: Sequence[int], labels: Mapping[int, str], placed: Mapping[int, Placed]
) -> dict[int, Placed]:
    """Rows for concepts without an order, below all that is placed; their level is -1."""
    width = {node: min(WIDEST_PX, len(labels[node]) * CHARACTER_PX + PADDING_PX) for node in nodes}
    taken = [place.x + place.width for place in placed.values()]
    narrow = min((place.x for place in placed.values()), default=0.0)
    widest = max(3 * WIDEST_PX, max(taken, default=0.0) - narrow)
    if not placed:
        area = LEVEL_PX * sum(width[node] + GAP_PX for node in nodes)
        widest = max(widest, math.sqrt(SHAPE * area))
    out: dict[int, Placed] = {}
    y = max((place.y for place in placed.values()), default=-LEVEL_PX) + LEVEL_PX
    for row in _rows(nodes, width, widest):
        x = -(sum(width[node] for node in row) + GAP_PX * (len(row) - 1)) / 2
        for node in row:
            out[node] = Placed(round(x, 1), round(y, 1), round(width[node], 1), -1)
            x += width[node] + GAP_PX
        y += ROW_PX
    return out


def _spread(placed: Mapping[int, Placed]) -> dict[int, Placed]:
    """Draw a tall picture's boxes apart sideways, to fill the canvas and give names room."""
    if not placed:
        return {}
    width = max(p.x + p.width for p in placed.values()) - min(p.x for p in placed.values())
    height = max(p.y for p in placed.values()) - min(p.y for p in placed.values())
    factor = min(WIDEST_SPREAD, max(1.0, SHAPE * height / width))
    return {
        node: replace(p, x=round((p.x + p.width / 2) * factor - p.width / 2, 1))
        for node, p in placed.items()
    }


def _rows(nodes: Sequence[int], width: Mapping[int, float], widest: float) -> list[list[int]]:
    """Deal a level's concepts over few rows, so that neighbours stay one above the other."""
    n = max(1, math.ceil(sum(width[node] + GAP_PX for node in nodes) / widest))
    return [list(nodes[i::n]) for i in range(n)]


def _ordered_levels(graph: nx.DiGraph[int], level: Mapping[int, int]) -> list[list[int]]:
    """Order each level by the mean place of its neighbours, to untangle most crossings.

    References
    ----------
    Sugiyama, Tagawa, Toda (1981), Methods for visual understanding of hierarchical system
    structures.
    """
    levels: list[list[int]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for node in sorted(level):
        levels[level[node]].append(node)
    place = {node: _centred(i, len(nodes)) for nodes in levels for i, node in enumerate(nodes)}
    for sweep in range(SWEEPS):
        upwards = sweep % 2 == 0
        for nodes in levels if upwards else reversed(levels):
            pull = {}
            for node in nodes:
                near = list(graph.predecessors(node) if upwards else graph.successors(node))
                pull[node] = (
                    sum(place[other] for other in near) / len(near) if near else place[node]
                )
            nodes.sort(key=lambda node: (pull[node], node))
            place.update({node: _centred(i, len(nodes)) for i, node in enumerate(nodes)})
    return [nodes for nodes in levels if nodes]


def _centred(position: int, n: int) -> float:
    return position - (n - 1) / 2
