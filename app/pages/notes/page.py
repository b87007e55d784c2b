"""The Notes page, and the line above every place that says what a reader waits for."""

from __future__ import annotations

import gradio as gr

from app.pages.assets import read_asset
from app.pages.component import component

__all__ = ["notes_page", "work_line"]


def notes_page() -> gr.HTML:
    """Lay the page out inside the current tab; it asks `app.pages.notes.routes` by itself.

    Its event `ask_place` wishes for the place where questions are asked.
    """
    return component("notes")


def work_line() -> gr.HTML:
    """The line; its event `store_changed` says that there is something new to show."""
    return gr.HTML(
        None,
        html_template='<p class="g-doing" role="status"></p>',
        js_on_load=read_asset("work.js"),
        padding=False,
        apply_default_css=False,
        elem_id="doing",
    )
