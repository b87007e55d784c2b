"""The graph as GraphML, for Gephi, yEd, igraph, networkx and others."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import networkx as nx
from networkx.readwrite.graphml import GraphMLWriter

from app.exports.selection import EVERYTHING, Choice, edge_attributes, node_attributes, selected
from kg.store import Store

__all__ = ["to_graphml"]

# What an XML 1.0 file cannot hold, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_END = re.compile(r"\r\n?")  # which a reader would take for \n anyway
_TRUTHS = frozenset({"kept", "shortcut"})


def to_graphml(store: Store, choice: Choice = EVERYTHING) -> str:
    """Write the graph as GraphML 1.0, UTF-8.

    Lists (`aliases`, `notes`, `lines`, `evidence`) are JSON texts, as GraphML knows no lists.
    Characters that XML forbids become U+FFFD.

    References
    ----------
    http://graphml.graphdrawing.org/specification.html
    """
    chosen = selected(store, choice)
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for concept in chosen.concepts:
        graph.add_node(chosen.ids[concept.id], **_flat(node_attributes(concept, chosen)))
    for n, r in enumerate(chosen.relations):
        graph.add_edge(
            chosen.ids[r.source], chosen.ids[r.target], key=f"e{n}", **_flat(edge_attributes(r))
        )
    writer = GraphMLWriter(encoding="utf-8", prettyprint=True, named_key_ids=True)
    writer.add_graph_element(graph)
    for value in writer.xml.iter("data"):
        # networkx writes Python's "True"; XML's own word is "true", and strict readers take no
        # other.
        if value.get("key") in _TRUTHS and value.text:
            value.text = value.text.lower()
    ElementTree.indent(writer.xml)
    text: str = ElementTree.tostring(writer.xml, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _flat(attributes: dict[str, Any]) -> dict[str, str | int | float | bool]:
    return {name: _value(value) for name, value in attributes.items()}


def _value(value: Any) -> str | int | float | bool:
    if isinstance(value, list):
        value = json.dumps(value, ensure_ascii=False)
    return _FORBIDDEN.sub("\ufffd", _LINE_END.sub("\n", value)) if isinstance(value, str) else value
