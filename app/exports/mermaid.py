"""The graph as a Mermaid flowchart, for Markdown that GitHub, GitLab and Obsidian draw."""

from __future__ import annotations

import re

from app.exports.selection import PREREQUISITES, Choice, selected, shown
from kg.store import Store

__all__ = ["EDGES_DRAWN", "TEXT_DRAWN", "to_mermaid"]

# Mermaid's own limits, which a page may raise: maxEdges, maxTextSize.
EDGES_DRAWN, TEXT_DRAWN = 500, 50_000
_ARROWS = {"prerequisite": "-->", "broader": "-.->", "related": "---"}
# What may stand as it is; the rest of ASCII could end a label, or be taken for an entity, a tag,
# Markdown, a formula, a directive or an address. A dot or bracket after a first number, or a first
# dash or plus, would begin a list.
_MEANT = re.compile(
    r"[!-~](?<![A-Za-z0-9 ,.'()/!?+=:-])|:(?!\s)|^[-+]|(?<=^\d)[.)]|(?<=^\d\d)[.)]|(?<=^\d{3})[.)]"
)
_FL, _END = "\ufb02", "¶ß"  # within Mermaid an entity begins with the one and ends with the other


def to_mermaid(store: Store, choice: Choice = PREREQUISITES) -> str:
    """Write the concepts that have relations as a flowchart from the foundations on, left to right.

    Solid arrows lead to what needs a concept, dotted ones to what is narrower, plain lines join
    related ones; thin dotted lines with a question mark are candidates that were not kept.
    """
    chosen = selected(store, choice)
    linked = chosen.linked | ({choice.about} if choice.about is not None else set())
    lines = ["flowchart LR"]
    lines += [
        f'    c_{chosen.ids[c.id]}["{_label(shown(c, chosen))}"]'
        for c in chosen.concepts
        if c.id in linked
    ]
    for r in chosen.relations:
        arrow = _ARROWS[r.kind] if r.kept else "-.-|?|"
        lines.append(f"    c_{chosen.ids[r.source]} {arrow} c_{chosen.ids[r.target]}")
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    plain = text.replace(_FL, "fl").replace(_END, "¶ ß")
    return _MEANT.sub(lambda m: f"#{ord(m.group())};", plain)
