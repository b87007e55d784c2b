"""What begins once the pages can be opened: notes are read, the store opened, the encoder loaded.

What a reader waits for meanwhile is said on the page.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr

from app.open_store import Shelf
from app.pages.ask.page import welcome
from app.pages.graph.view import graph_view
from app.writer.written import Writer, WriterFailure
from kg.errors import NoStore

__all__ = ["GREET_S", "LOADING", "READING", "Progress", "get_ready", "greeter", "load_writer"]

READING = "Reading your notes"
LOADING = "Loading the model that finds passages"
GREET_S = 1.0  # how often the page looks whether it waits for something else
Progress = Callable[[str, int, int], None]  # what is done, how much of it, of how much
log = logging.getLogger(__name__)


def get_ready(shelf: Shelf, read_notes: Callable[[Progress], None] | None) -> None:
    """Load what the first question needs; without a store the pages say what to run."""
    try:
        if read_notes is not None:
            read_notes(
                lambda what, done, total: shelf.tell(f"{READING}: {what}, {done} of {total}")
            )
        shelf.tell("")  # a store that is not there now is not coming
        store = shelf.current()
        graph_view(store)  # what it finds out once for all
        shelf.tell(LOADING)
        shelf.encoder(store)
    except NoStore as error:
        log.info("%s", error)
    finally:
        shelf.tell("")


def load_writer(writer: Writer) -> None:
    """Load a model of ours before the first question; when that fails, the answers say so."""
    try:
        writer.load()
    except WriterFailure as failure:
        log.warning("%s: %s", writer.name, failure)


def greeter(shelf: Shelf) -> Callable[[], tuple[str, Any, Any]]:
    """A function to what the page waits for, an empty conversation, and whether to ask again."""

    def greet() -> tuple[str, Any, Any]:
        doing = shelf.doing
        line = f'<p class="g-doing" role="status">{escape(doing)} …</p>' if doing else ""
        return line, gr.update(placeholder=welcome(shelf)), gr.Timer(active=bool(doing))

    return greet
