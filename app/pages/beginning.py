"""What begins once the pages can be opened: notes are read, the store opened, the encoder loaded.

What a reader waits for meanwhile is said on the page.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gradio as gr

from app.open_store import Shelf
from app.pages.ask.page import welcome
from app.pages.graph.view import graph_view
from app.writer.written import Writer, WriterFailure
from kg.errors import NoStore

__all__ = ["LOADING", "get_ready", "greeter", "load_writer"]

LOADING = "Loading the model that finds passages"
log = logging.getLogger(__name__)


def get_ready(shelf: Shelf, first: Callable[[], object] | None) -> None:
    """Load what the first question needs; without a store the pages say how to begin.

    Parameters
    ----------
    first : callable or None
        What is waited for before, as long as it takes.
    """
    try:
        if first is not None:
            first()
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


def greeter(shelf: Shelf) -> Callable[[], Any]:
    """A function to what an empty conversation shows now."""

    def greet() -> Any:
        return gr.update(placeholder=welcome(shelf))

    return greet
