"""The graph as JSON in networkx's node-link form, which `reading` takes back."""

from __future__ import annotations

import json
from typing import Any

import networkx as nx

from app.exports.selection import EVERYTHING, Choice, edge_attributes, node_attributes, selected
from kg.store import Store

__all__ = ["FORMAT", "VERSION", "to_json"]

FORMAT, VERSION = "gradus-graph", 1


def to_json(store: Store, choice: Choice = EVERYTHING) -> str:
    """Write the graph as networkx's `node_link_data(graph, edges="edges")` would."""
    chosen = selected(store, choice)
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(format=FORMAT, version=VERSION)
    for concept in chosen.concepts:
        graph.add_node(chosen.ids[concept.id], **node_attributes(concept, chosen))
    for r in chosen.relations:
        graph.add_edge(chosen.ids[r.source], chosen.ids[r.target], key=r.kind, **edge_attributes(r))
    written: dict[str, Any] = nx.node_link_data(graph, edges="edges")
    # networkx groups edges by their source; the store's order is kept, so that a file read back is
    # written the same.
    place = {
        (chosen.ids[r.source], chosen.ids[r.target], r.kind): n
        for n, r in enumerate(chosen.relations)
    }
    written["edges"].sort(key=lambda e: place[e["source"], e["target"], e["key"]])
    return json.dumps(written, ensure_ascii=False, indent=1) + "\n"
