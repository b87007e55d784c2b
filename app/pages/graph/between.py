"""The surest way from one concept to another: by what comes first, else by any relation."""

from __future__ import annotations

import math
from collections.abc import Mapping

import networkx as nx

from app.pages.graph.atlas import atlas
from kg.store import Store

__all__ = ["way_between"]

A_STEP = 0.05  # what each step costs beside its doubt: of ways equally sure, the shortest


def way_between(
    store: Store, graph: nx.DiGraph[int], one: int, other: int
) -> tuple[list[int], str]:
    """The concepts from one to another, both among them, and what kind of way it is, in words.

    Parameters
    ----------
    graph : networkx.DiGraph
        The prerequisites to go by; concepts that it lacks are passed by.
    """
    first, last = store.concepts[one].label, store.concepts[other].label
    if one == other:
        return [one], f"Both are {first}"
    for a, b, words in (
        (one, other, f"What leads from {first} to {last}"),
        (other, one, f"{first} builds on {last}: what leads from there"),
    ):
        if a in graph and b in graph and nx.has_path(graph, a, b):
            way = nx.dijkstra_path(graph, a, b, weight=_doubt)
            return way, f"{words}: {_steps(len(way) - 1)}"
    links = atlas(store).links.subgraph(graph)
    if one in links and other in links and nx.has_path(links, one, other):
        way = nx.dijkstra_path(links, one, other, weight=lambda _, __, edge: 1 / edge["weight"])
        return way, f"Neither {first} nor {last} comes before the other; this links them"
    return [one, other], f"Nothing in the notes links {first} with {last}"


def _doubt(_: int, __: int, edge: Mapping[str, float]) -> float:
    return A_STEP - math.log(min(max(edge.get("score", 1.0), 1e-9), 1.0))


def _steps(n: int) -> str:
    return "1 step" if n == 1 else f"{n} steps"
