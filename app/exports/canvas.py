"""The graph as a JSON Canvas, which Obsidian opens: concepts as cards, foundations on top."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import networkx as nx

from app.exports.markdown_text import escaped
from app.exports.selection import PREREQUISITES, Choice, Selection, one_line, selected, shown
from app.graph_layout import place_nodes
from kg.store import Store
from kg.types import Concept, Relation

__all__ = ["to_canvas"]

CARD_WIDTH, CARD_HEIGHT = 280, 120
SUMMARY_CHARS = 180  # what a card has room for
# The layout's own units are those of a map of names: boxes as wide as their label, rows 34 apart.
LIKE_LABEL = "n" * 26  # every card is as wide as the layout's box of such a label
ACROSS, DOWN = 1.3, 5
SMALL_WIDTH, SMALL_HEIGHT, GAP = 220, 60, 20  # cards of concepts that no relation touches
COLOURS = {"stated": "4", "sure": "5"}  # the spec's presets: green, cyan
UNKEPT = "1"  # red


def to_canvas(store: Store, choice: Choice = PREREQUISITES) -> str:
    """Write the graph as JSON Canvas 1.0: cards by depth, those without relations in a group.

    References
    ----------
    https://jsoncanvas.org/spec/1.0/
    """
    chosen = selected(store, choice)
    linked = chosen.linked
    cards = _cards([c for c in chosen.concepts if c.id in linked], chosen)
    below = max((card["y"] + CARD_HEIGHT for card in cards), default=0) + 4 * GAP
    left = min((card["x"] for card in cards), default=0)
    rest = _group([c for c in chosen.concepts if c.id not in linked], chosen, left, below)
    edges = [_edge(n, r, chosen) for n, r in enumerate(chosen.relations)]
    return (
        json.dumps({"nodes": [*rest, *cards], "edges": edges}, ensure_ascii=False, indent=1) + "\n"
    )


def _cards(concepts: Sequence[Concept], chosen: Selection) -> list[dict[str, Any]]:
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(c.id for c in concepts)
    kept = ((r.source, r.target) for r in chosen.relations if r.kept and r.kind == "prerequisite")
    graph.add_edges_from(kept)
    placed = place_nodes(graph, dict.fromkeys(graph, LIKE_LABEL))
    return [
        {
            "id": chosen.ids[c.id],
            "type": "text",
            "text": _text(c, chosen),
            "x": round(placed[c.id].x * ACROSS),
            "y": round(-placed[c.id].y * DOWN),
            "width": CARD_WIDTH,
            "height": CARD_HEIGHT,
        }
        for c in concepts
    ]


def _text(concept: Concept, chosen: Selection) -> str:
    summary = one_line(concept.summary)
    if len(summary) > SUMMARY_CHARS:
        summary = summary[:SUMMARY_CHARS].rsplit(" ", 1)[0] + " …"
    return f"**{escaped(shown(concept, chosen))}**" + (f"\n\n{escaped(summary)}" if summary else "")


def _group(concepts: Sequence[Concept], chosen: Selection, x: int, y: int) -> list[dict[str, Any]]:
    """A group of small cards, about as wide as high; nothing without concepts."""
    if not concepts:
        return []
    columns = math.ceil(math.sqrt(len(concepts) / 3))
    rows = math.ceil(len(concepts) / columns)
    small = [
        {
            "id": chosen.ids[c.id],
            "type": "text",
            "text": escaped(shown(c, chosen)),
            "x": x + GAP + n % columns * (SMALL_WIDTH + GAP),
            "y": y + GAP + n // columns * (SMALL_HEIGHT + GAP),
            "width": SMALL_WIDTH,
            "height": SMALL_HEIGHT,
        }
        for n, c in enumerate(concepts)
    ]
    group = {
        "id": "group without relations",  # the ids of concepts hold no space
        "type": "group",
        "label": "Without relations",
        "x": x,
        "y": y,
        "width": columns * (SMALL_WIDTH + GAP) + GAP,
        "height": rows * (SMALL_HEIGHT + GAP) + GAP,
    }
    return [group, *small]


def _edge(n: int, r: Relation, chosen: Selection) -> dict[str, Any]:
    edge = {
        "id": f"e{n}",
        "fromNode": chosen.ids[r.source],
        "fromSide": "bottom",
        "toNode": chosen.ids[r.target],
        "toSide": "top",
    }
    if r.kind == "related":
        edge["toEnd"] = "none"
    if r.kind != "prerequisite" or not r.kept:
        edge["label"] = r.kind if r.kept else f"{r.kind}?"
    colour = COLOURS.get(r.tier, "") if r.kept else UNKEPT
    return edge | ({"color": colour} if colour else {})
