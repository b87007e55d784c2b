"""The Graph page: the canvas of concepts, what it asks the server for, and the card beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from app.open_store import Shelf, StillReading
from app.pages.assets import read_asset
from app.pages.component import component, event_text
from app.pages.graph.card import NO_CARD, card_markdown, decision_link, resting_markdown
from app.pages.graph.download import download
from app.pages.graph.search import matching
from app.pages.graph.view import concepts_in, graph_view, names_view, path_view
from app.pages.graph.wanted import concept_id, read_wanted
from app.pages.quiet import AT_ONCE, EACH
from app.pages.text import LATEX, escaped
from app.wording import on_a_page
from ingest.decide import decide_relation, overrides_file
from kg.errors import GradusError
from kg.marks import add_marks, known_ids, remove_marks
from kg.store import Store

__all__ = ["graph_page"]

SCRIPTS = ("graph.js", "graph_list.js", "download.js")  # one scope, in this order
# After a mark or a decision the map follows; its view stays where it was after a mark.
RENEW = "() => {{ window.gradus.renew({everything}); }}"
# What is decided, and what the file then says.
DECISIONS = {
    "right": (True, "that it is right"),
    "wrong": (False, "that it is wrong"),
    "undo": (None, "nothing more"),
}


def graph_page(shelf: Shelf, runs_dir: Path) -> None:
    """Lay the page out inside the current tab."""

    def card(event: gr.EventData) -> str:
        return _card(shelf, runs_dir, getattr(event, "id", None))

    def mark(event: gr.EventData) -> str:
        known = getattr(event, "known", None) is True
        return _marked(shelf, runs_dir, event_text(event, "label"), known)

    def decide(event: gr.EventData) -> str:
        first, then, decision = (event_text(event, n) for n in ("first", "then", "decision"))
        return _decided(shelf, runs_dir, first, then, decision)

    with gr.Row(equal_height=False, elem_id="graph-row"):
        with gr.Column(scale=11, min_width=300, elem_id="graph-column"):
            script = "".join(map(read_asset, SCRIPTS))
            canvas = component("graph", _served(shelf), script)
        with gr.Column(scale=4, min_width=300, elem_id="card-column"):
            shown = gr.Markdown(NO_CARD, latex_delimiters=LATEX, elem_id="card", line_breaks=False)
    canvas.concept_chosen(card, None, shown, **EACH, **AT_ONCE)
    # What writes is an event, as runs are, not a function of the canvas: those could be called from
    # other sites.
    marked = canvas.mark_set(mark, None, shown, **AT_ONCE)
    marked.then(None, None, None, js=RENEW.format(everything="false"))
    decided = canvas.relation_decided(decide, None, shown, **AT_ONCE)
    decided.then(None, None, None, js=RENEW.format(everything="true"))


def _served(shelf: Shelf) -> list[Callable[..., dict[str, Any]]]:
    """What the canvas may ask; nothing of it writes, as other sites can ask it too."""

    def names(_: object = None) -> dict[str, Any]:
        return _or_message(lambda: names_view(shelf.current()))

    def view(sent: object = None) -> dict[str, Any]:
        return _or_message(lambda: _view(shelf.current(), sent))

    def path(about: object = None) -> dict[str, Any]:
        return _or_message(lambda: path_view(shelf.current(), concept_id(shelf.current(), about)))

    def find(wanted: object = None) -> dict[str, Any]:
        return _or_message(lambda: _found(shelf.current(), wanted))

    def save(wanted: object = None) -> dict[str, Any]:
        return _or_message(lambda: _saved(shelf.current(), wanted))

    return [names, view, path, find, save]


def _card(shelf: Shelf, runs_dir: Path, about: object, message: str = "") -> str:
    try:
        store = shelf.current()
        concept, known = concept_id(store, about), known_ids(store)
        if concept is None:
            return resting_markdown(store, known)
        return card_markdown(store, store.concepts[concept], known, message, runs_dir)
    except GradusError as error:
        return escaped(on_a_page(error))


def _marked(shelf: Shelf, runs_dir: Path, label: str, known: bool) -> str:
    """A concept's card after its mark was set or taken back, with what went wrong on it."""
    message = ""
    try:
        (add_marks if known else remove_marks)(shelf.current(), [label])
    except GradusError as error:
        message = escaped(on_a_page(error))
    return _card(shelf, runs_dir, label, message)


def _decided(shelf: Shelf, runs_dir: Path, first: str, then: str, decision: str) -> str:
    """A concept's card after a prerequisite was confirmed or rejected, with the file's name."""
    if decision not in DECISIONS:
        return _card(shelf, runs_dir, then)
    try:
        kept, words = DECISIONS[decision]
        decide_relation(shelf.folder, first, then, kept)
        file = escaped(str(overrides_file(shelf.folder, then)))
        message = f"{escaped(first)} before {escaped(then)}: {file} now says {words}."
        if decision != "undo":
            message += " " + decision_link("undo", first, then, "undo")
    except GradusError as error:
        message = escaped(on_a_page(error))
    return _card(shelf, runs_dir, then, message)


def _view(store: Store, sent: object) -> dict[str, Any]:
    return graph_view(store, read_wanted(store, sent))


def _saved(store: Store, request: object) -> dict[str, Any]:
    """The file that the browser asks for; all but a whole graph is what it now shows."""
    sent = request if isinstance(request, dict) else {}
    wanted = read_wanted(store, sent.get("wanted"))
    shown = None if sent.get("whole") is True else concepts_in(store, wanted)
    return dict(download(store, str(sent.get("form")), shown, wanted.about))


def _found(store: Store, wanted: object) -> dict[str, Any]:
    """The concepts for the list while a name is typed; `close` says that none has it."""
    ids, close = matching(store.concepts, str(wanted or "")[:200])
    return {"ids": ids, "close": close}


def _or_message(view: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return view()
    except StillReading as error:
        return {"error": on_a_page(error), "again": True}
    except GradusError as error:
        return {"error": on_a_page(error)}
