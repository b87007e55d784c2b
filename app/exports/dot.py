"""The graph in DOT, the language of Graphviz."""

from __future__ import annotations

import re

from app.exports.selection import PREREQUISITES, Choice, one_line, selected, shown
from kg.store import Store

__all__ = ["to_dot"]

# Graphviz draws an entity in a label as what it names.
_ENTITY = re.compile(r"&(?=#?\w+;)")
_STYLES = {"prerequisite": "solid", "broader": "dashed", "related": "dotted"}


def to_dot(store: Store, choice: Choice = PREREQUISITES) -> str:
    """Write the concepts that have relations as a directed graph, foundations on the left.

    Node ids are those of the other formats; `label` and `tooltip` (the summary) are drawn, `kind`,
    `score`, `kept`, `tier` and `shortcut` are kept on the edges for programs.

    References
    ----------
    https://graphviz.org/doc/info/lang.html
    """
    chosen = selected(store, choice)
    linked = chosen.linked | ({choice.about} if choice.about is not None else set())
    lines = ["digraph gradus {", "    rankdir=LR;", "    node [shape=box, style=rounded];"]
    for c in chosen.concepts:
        if c.id in linked:
            drawn = {"label": shown(c, chosen), "tooltip": one_line(c.summary)}
            lines.append(f"    {_quoted(chosen.ids[c.id])} [{_list(drawn)}];")
    for r in chosen.relations:
        attributes = {
            "kind": r.kind,
            "score": f"{r.score:g}",
            "kept": str(r.kept).lower(),
            "tier": r.tier,
            "shortcut": str(r.shortcut).lower(),
            "style": _STYLES[r.kind],
            "color": "" if r.kept else "gray",
            "dir": "none" if r.kind == "related" else "",
        }
        ends = f"{_quoted(chosen.ids[r.source])} -> {_quoted(chosen.ids[r.target])}"
        lines.append(f"    {ends} [{_list(attributes)}];")
    return "\n".join([*lines, "}"]) + "\n"


def _list(attributes: dict[str, str]) -> str:
    """Attributes as DOT has them, without those that are empty."""
    return ", ".join(f"{name}={_quoted(value)}" for name, value in attributes.items() if value)


def _quoted(text: str) -> str:
    """A DOT string; a backslash would begin an escape in a label, as \\N does."""
    plain = _ENTITY.sub("&amp;", text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
