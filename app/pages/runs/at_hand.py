"""What a cluster has, beside the field that chooses where a run goes."""

from __future__ import annotations

from html import escape

from executors.amounts import show_bytes
from executors.cluster.where import Node, at_hand
from executors.errors import RecipeError

__all__ = ["at_hand_html"]


def at_hand_html(on: str) -> str:
    """The nodes of the cluster with what is free there, and how many runs it has; or why not."""
    try:
        found = at_hand(on)
    except RecipeError as error:
        return f'<p class="g-error">{escape(str(error))}</p>'
    lines = "".join(f"<li>{escape(_node_line(node))}</li>" for node in found.nodes)
    going = sum(run["state"] == "running" for run in found.runs)
    waiting = sum(run["state"] == "waiting" for run in found.runs)
    return (
        f'<ul class="g-quiet">{lines}</ul><p class="g-quiet">{going} running, {waiting} waiting</p>'
    )


def _node_line(node: Node) -> str:
    cards = ", ".join(f"{card.name} ({show_bytes(card.free_bytes)} free)" for card in node.cards)
    free = f"{node.cpus_free:g} of {node.cpus:g} cores free"
    seen = node.fault or f"{free}, {show_bytes(node.free_bytes)} of memory free"
    return f"{node.name} ({node.address}): {cards + ', ' if cards else ''}{seen}"
