"""The Learn page: a goal, and the path to it step by step, with what is done and what is asked."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app.open_store import Shelf
from app.pages.component import component, event_text
from app.pages.graph.search import matching
from app.pages.graph.wanted import concept_id
from app.pages.learn.plan import learn_markdown, start_markdown
from app.pages.quiet import AT_ONCE, EACH
from app.pages.text import LATEX, escaped
from app.wording import on_a_page
from kg.errors import GradusError
from kg.marks import add_marks, known_ids, remove_marks

__all__ = ["learn_page"]

SUGGESTED = 12


def learn_page(shelf: Shelf) -> None:
    """Lay the page out inside the current tab."""

    def goals(typed: object = None) -> dict[str, Any]:
        try:
            concepts = shelf.current().concepts
            ids, close = matching(concepts, str(typed or "")[:200])
            return {"labels": [concepts[i].label for i in ids[:SUGGESTED]], "close": close}
        except GradusError as error:
            return {"error": on_a_page(error)}

    def show(event: gr.EventData) -> str:
        return _path(shelf, event_text(event, "label"), getattr(event, "full", None) is True)

    def mark(event: gr.EventData) -> str:
        known = getattr(event, "known", None) is True
        message = ""
        try:
            (add_marks if known else remove_marks)(shelf.current(), [event_text(event, "label")])
        except GradusError as error:
            message = escaped(on_a_page(error))
        full = getattr(event, "full", None) is True
        return _path(shelf, event_text(event, "goal"), full, message)

    chooser = component("learn", [goals])
    path = gr.Markdown("", latex_delimiters=LATEX, elem_id="path", line_breaks=False)
    chooser.goal_chosen(show, None, path, **EACH, **AT_ONCE)
    chooser.step_marked(mark, None, path, **AT_ONCE)


def _path(shelf: Shelf, label: str, full: bool, message: str = "") -> str:
    try:
        store = shelf.current()
        goal, known = concept_id(store, label), known_ids(store)
        if goal is None:
            return start_markdown(store, known)
        return learn_markdown(store, goal, known, full, message)
    except GradusError as error:
        return escaped(on_a_page(error))
