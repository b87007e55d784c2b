"""The Graph page: the canvas of concepts, what it asks the server for, and the card beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr
import networkx as nx

from app.pages.assets import read_asset
from app.pages.card import card_markdown
from app.pages.layout import around, most_connected, place_nodes
from app.pages.shelf import Shelf
from app.pages.text import LATEX
from kg.errors import GradusError
from kg.graph import depths
from kg.linking import find_concept
from kg.paths import study_path
from kg.store import Store
from kg.types import Concept

__all__ = ["GraphPage", "graph_page", "graph_view", "path_view", "themes"]

THEME_LIMIT = 8  # more colours than this cannot be told apart
ONE_THEME = 0.8  # above this share a theme's colour says nothing
MANY_THEMES = 0.5  # nor do colours when the commonest themes together cover less than this
NO_CARD = "Choose a concept, on the map or in the list, to see what the notes say about it and what to learn first."


@dataclass(frozen=True, slots=True)
class GraphPage:
    """The page's components that the others act on."""

    canvas: gr.HTML
    card: gr.Markdown


def graph_page(shelf: Shelf) -> GraphPage:
    """Lay the page out inside the current tab."""

    def view(about: object = None) -> dict[str, Any]:
        return _or_message(lambda: graph_view(shelf.current(), _concept_id(shelf.current(), about)))

    def path(about: object = None) -> dict[str, Any]:
        return _or_message(lambda: path_view(shelf.current(), _concept_id(shelf.current(), about)))

    def card(event: gr.EventData) -> str:
        try:
            store = shelf.current()
            found = _concept_id(store, getattr(event, "id", None))
            return NO_CARD if found is None else card_markdown(store, store.concepts[found])
        except GradusError as error:
            return str(error)

    with gr.Row(equal_height=False, elem_id="graph-row"):
        with gr.Column(scale=11, min_width=300, elem_id="graph-column"):
            canvas = gr.HTML(
                None,
                html_template=read_asset("graph.html"),
                js_on_load=read_asset("graph.js"),
                server_functions=[view, path],
                apply_default_css=False,
                elem_id="graph",
            )
        with gr.Column(scale=4, min_width=300, elem_id="card-column"):
            shown = gr.Markdown(NO_CARD, latex_delimiters=LATEX, elem_id="card", line_breaks=False)
    canvas.concept_chosen(
        card,
        None,
        shown,
        queue=False,
        show_progress="hidden",
        trigger_mode="always_last",
        api_visibility="private",
    )
    return GraphPage(canvas, shown)


def graph_view(store: Store, about: int | None = None) -> dict[str, Any]:
    """What the canvas draws: placed concepts, arrows, themes, and every concept's name for the list.

    Arrows that others imply are left out (the transitive reduction), which changes no study order.

    Parameters
    ----------
    about : int or None
        Id of the concept whose surroundings to show; the whole graph, or its most connected part, when None.
    """
    graph = store.prerequisites
    chosen = most_connected(graph) if about is None else around(graph, about)
    reduced = nx.transitive_reduction(graph.subgraph(chosen))
    labels = {node: store.concepts[node].label for node in chosen}
    placed = place_nodes(reduced, labels)
    theme_of, named = themes(store, chosen)
    nodes = [
        {"id": node, "label": labels[node], "links": graph.degree(node), "theme": _place_in(named, theme_of[node])}
        | asdict(placed[node])
        for node in sorted(chosen)
    ]
    linked = sum(1 for _, degree in graph.degree() if degree)
    return {
        "nodes": nodes,
        "edges": [list(edge) for edge in sorted(reduced.edges)],
        "themes": named + (["others"] if any(node["theme"] == len(named) for node in nodes) else []),
        "about": about,
        "message": _what_is_shown(len(chosen), linked, len(store.concepts), about),
        "concepts": [[c.id, c.label, " · ".join(c.aliases)] for c in sorted(store.concepts, key=_by_label)],
    }


def path_view(store: Store, goal: int | None) -> dict[str, Any]:
    """The study path to a concept, foundations first, and what needs it directly; ids."""
    if goal is None:
        return {"path": [], "after": []}
    return {"path": study_path(store.prerequisites, [goal]), "after": sorted(store.prerequisites.successors(goal))}


def themes(store: Store, chosen: Sequence[int]) -> tuple[dict[int, str], list[str]]:
    """The theme of each chosen concept, and the themes that get a colour of their own.

    A theme is the home note, or, with a single note, the heading at the top. Where nearly all is one theme, or each
    concept has a note to itself, colours tell the number of steps from the foundations instead.
    """
    theme_of = {node: _theme(store, store.concepts[node]) for node in chosen}
    common = Counter(theme_of.values()).most_common(THEME_LIMIT)
    told = sum(n for _, n in common) >= MANY_THEMES * len(chosen)
    if common and told and common[0][1] < ONE_THEME * len(chosen):
        return theme_of, [name for name, _ in common]
    depth = depths(store.prerequisites)
    last = THEME_LIMIT - 1
    steps = ["foundations", *(f"step {i}" for i in range(1, last)), f"step {last} and on"]
    theme_of = {node: steps[min(depth[node], last)] for node in chosen}
    return theme_of, [step for step in steps if step in theme_of.values()]


def _theme(store: Store, concept: Concept) -> str:
    if len(store.note_names) == 1 and concept.passages:
        headings = store.passages[concept.passages[0]].heading_path
        return headings[0] if headings else store.note_names[0]
    name = concept.notes[0] if concept.notes else "others"
    stem = name.removesuffix(".md").removesuffix(".ipynb")
    return re.sub(r"^\d+[-_. ]+", "", stem).replace("-", " ").replace("_", " ") or name


def _what_is_shown(shown: int, linked: int, total: int, about: int | None) -> str:
    if about is not None:
        return f"What the chosen concept builds on and what needs it: {shown} of {total} concepts"
    if shown < linked:
        return f"The {shown} most connected of {total} concepts; choose one to see what surrounds it"
    if not shown:
        return f"None of the {total} concepts has a known prerequisite; the list has them all"
    apart = total - linked
    return f"{shown} concepts" + (f"; {apart} more without known prerequisites are in the list" if apart else "")


def _concept_id(store: Store, about: object) -> int | None:
    """Read what the browser sent: an id, a label, or nothing; anything else is an unknown concept."""
    if about is None or about == "":
        return None
    if isinstance(about, int) and not isinstance(about, bool) and 0 <= about < len(store.concepts):
        return about
    return find_concept(store.concepts, str(about)[:200]).id


def _or_message(view: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return view()
    except GradusError as error:
        return {"error": str(error)}


def _place_in(named: list[str], theme: str) -> int:
    return named.index(theme) if theme in named else len(named)


def _by_label(concept: Concept) -> str:
    return concept.label.casefold()
