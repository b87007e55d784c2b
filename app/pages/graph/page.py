"""The Graph page: the canvas of concepts, what it asks the server for, and the card beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr
import networkx as nx

from app.graph_layout import around, most_connected, place_nodes
from app.open_store import Shelf, StillReading
from app.pages.assets import read_asset
from app.pages.graph.card import NO_CARD, card_markdown, decision_link, resting_markdown
from app.pages.graph.download import download
from app.pages.graph.search import matching
from app.pages.quiet import AT_ONCE
from app.pages.text import LATEX, escaped
from ingest.decide import decide_relation, overrides_file
from kg.errors import GradusError
from kg.graph import depths
from kg.linking import find_concept
from kg.marks import add_marks, known_ids, remove_marks
from kg.paths import likely_first, reasons, study_path
from kg.store import Store
from kg.types import Concept

__all__ = ["GraphPage", "graph_page", "graph_view", "path_view", "themes"]

THEME_LIMIT = 8  # more colours than this cannot be told apart
ONE_THEME = 0.8  # above this share a theme's colour says nothing
MANY_THEMES = 0.5  # nor do colours when the commonest themes together cover less than this
# After a mark or a decision the map follows; its view stays where it was after a mark.
RENEW = "() => {{ window.gradus.renew({everything}); }}"
# What is decided, and what the file then says.
DECISIONS = {
    "right": (True, "that it is right"),
    "wrong": (False, "that it is wrong"),
    "undo": (None, "nothing more"),
}


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

    def find(wanted: object = None) -> dict[str, Any]:
        return _or_message(lambda: _found(shelf.current(), wanted))

    def save(wanted: object = None) -> dict[str, Any]:
        return _or_message(lambda: _saved(shelf.current(), wanted))

    def card(event: gr.EventData) -> str:
        return _card(shelf, getattr(event, "id", None))

    def mark(event: gr.EventData) -> str:
        label = str(getattr(event, "label", ""))[:200]
        return _marked(shelf, label, getattr(event, "known", None) is True)

    def decide(event: gr.EventData) -> str:
        first, then, decision = (
            str(getattr(event, name, ""))[:200] for name in ("first", "then", "decision")
        )
        return _decided(shelf, first, then, decision)

    with gr.Row(equal_height=False, elem_id="graph-row"):
        with gr.Column(scale=11, min_width=300, elem_id="graph-column"):
            canvas = gr.HTML(
                None,
                html_template=read_asset("graph.html"),
                js_on_load=read_asset("graph.js") + read_asset("download.js"),
                server_functions=[view, path, find, save],
                apply_default_css=False,
                elem_id="graph",
            )
        with gr.Column(scale=4, min_width=300, elem_id="card-column"):
            shown = gr.Markdown(NO_CARD, latex_delimiters=LATEX, elem_id="card", line_breaks=False)
    canvas.concept_chosen(card, None, shown, trigger_mode="always_last", **AT_ONCE)
    # What writes is an event, as runs are, not a function of the canvas: those could be called from
    # other sites.
    marked = canvas.mark_set(mark, None, shown, **AT_ONCE)
    marked.then(None, None, None, js=RENEW.format(everything="false"))
    decided = canvas.relation_decided(decide, None, shown, **AT_ONCE)
    decided.then(None, None, None, js=RENEW.format(everything="true"))
    return GraphPage(canvas, shown)


def _card(shelf: Shelf, about: object, message: str = "") -> str:
    try:
        store = shelf.current()
        concept, known = _concept_id(store, about), known_ids(store)
        if concept is None:
            return resting_markdown(store, known)
        return card_markdown(store, store.concepts[concept], known, message)
    except GradusError as error:
        return escaped(str(error))


def _marked(shelf: Shelf, label: str, known: bool) -> str:
    """A concept's card after its mark was set or taken back, with what went wrong on it."""
    message = ""
    try:
        (add_marks if known else remove_marks)(shelf.current(), [label])
    except GradusError as error:
        message = escaped(str(error))
    return _card(shelf, label, message)


def _decided(shelf: Shelf, first: str, then: str, decision: str) -> str:
    """A concept's card after a prerequisite was confirmed or rejected, with the file's name."""
    if decision not in DECISIONS:
        return _card(shelf, then)
    try:
        kept, words = DECISIONS[decision]
        decide_relation(shelf.folder, first, then, kept)
        file = escaped(str(overrides_file(shelf.folder, then)))
        message = f"{escaped(first)} before {escaped(then)}: {file} now says {words}."
        if decision != "undo":
            message += " " + decision_link("undo", first, then, "undo")
    except GradusError as error:
        message = escaped(str(error))
    return _card(shelf, then, message)


def graph_view(store: Store, about: int | None = None) -> dict[str, Any]:
    """What the canvas draws: placed concepts, arrows, themes; every concept's name for the list.

    Arrows that others imply are left out (the transitive reduction), which changes no study order.

    Parameters
    ----------
    about : int or None
        Id of the concept whose surroundings to show; the whole graph, or its most connected part,
        when None.
    """
    graph = store.prerequisites
    chosen = _on_map(graph, about)
    reduced = nx.transitive_reduction(graph.subgraph(chosen))
    labels = {node: store.concepts[node].label for node in chosen}
    placed = place_nodes(reduced, labels)
    theme_of, coloured = themes(store, chosen)
    colours = {theme: number for number, theme in enumerate(coloured)}
    others = len(coloured)  # the colour of all themes that have none of their own
    nodes = [
        {
            "id": node,
            "label": labels[node],
            "links": graph.degree(node),
            "theme": colours.get(theme_of[node], others),
        }
        | asdict(placed[node])
        for node in sorted(chosen)
    ]
    has_others = any(node["theme"] == others for node in nodes)
    linked = sum(1 for _, degree in graph.degree() if degree)
    listed = sorted(store.concepts, key=lambda concept: concept.label.casefold())
    return {
        "nodes": nodes,
        "edges": [list(edge) for edge in sorted(reduced.edges)],
        "themes": [*coloured, "others"] if has_others else coloured,
        "about": about,
        "known": sorted(known_ids(store)),
        "message": _what_is_shown(len(chosen), linked, len(store.concepts), about),
        "concepts": [[c.id, c.label, " · ".join(c.aliases)] for c in listed],
    }


def _on_map(graph: nx.DiGraph[int], about: int | None) -> list[int]:
    return most_connected(graph) if about is None else around(graph, about)


def _saved(store: Store, request: object) -> dict[str, Any]:
    """The file that the browser asks for; all but a whole graph is what it now shows."""
    wanted = request if isinstance(request, dict) else {}
    about = _concept_id(store, wanted.get("about"))
    shown = None if wanted.get("whole") is True else _on_map(store.prerequisites, about)
    return dict(download(store, str(wanted.get("form")), shown, about))


def path_view(store: Store, goal: int | None) -> dict[str, Any]:
    """The short study path to a concept, with its arrows; what needs it; what is known."""
    known = known_ids(store)
    if goal is None:
        return {"path": [], "edges": [], "after": [], "known": sorted(known)}
    likely = store.likely([goal])
    path = study_path(
        likely_first(store.prerequisites, [goal], likely), [goal], known, likely=likely
    )
    after = sorted(store.prerequisites.successors(goal))
    edges = [
        [step, later]
        for step, needing in reasons(store.prerequisites, path).items()
        for later in needing
    ]
    return {"path": path, "edges": edges, "after": after, "known": sorted(known)}


def themes(store: Store, chosen: Sequence[int]) -> tuple[dict[int, str], list[str]]:
    """The theme of each chosen concept, and the themes that get a colour of their own.

    A theme is the home note, or, with a single note, the heading at the top. Where nearly all is
    one theme, or each concept has a note to itself, colours tell the number of steps from the
    foundations instead.
    """
    theme_of = {node: _theme(store, store.concepts[node]) for node in chosen}
    common = Counter(theme_of.values()).most_common(THEME_LIMIT)
    telling = sum(n for _, n in common) >= MANY_THEMES * len(chosen)
    if common and telling and common[0][1] < ONE_THEME * len(chosen):
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
        most = f"The {shown} most connected of {total} concepts"
        return f"{most}; choose one to see what surrounds it"
    if not shown:
        return f"None of the {total} concepts has a known prerequisite; the list has them all"
    apart = total - linked
    more = f"; {apart} more without known prerequisites are in the list" if apart else ""
    return f"{shown} concepts{more}"


def _concept_id(store: Store, about: object) -> int | None:
    """Read what the browser sent: an id, a label, or nothing; else an unknown concept."""
    if about is None or about == "":
        return None
    if isinstance(about, int) and not isinstance(about, bool) and 0 <= about < len(store.concepts):
        return about
    return find_concept(store.concepts, str(about)[:200]).id


def _found(store: Store, wanted: object) -> dict[str, Any]:
    """The concepts for the list while a name is typed; `close` says that none has it."""
    ids, close = matching(store.concepts, str(wanted or "")[:200])
    return {"ids": ids, "close": close}


def _or_message(view: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return view()
    except StillReading as error:
        return {"error": str(error), "again": True}
    except GradusError as error:
        return {"error": str(error)}
