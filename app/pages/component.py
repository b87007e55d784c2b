"""A component of our own: HTML with a script, and what the script may ask the server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from app.pages.assets import read_asset

__all__ = ["component", "event_text"]

NAME_LIMIT = 200  # characters


def component(name: str, functions: Sequence[Callable[..., Any]] = (), script: str = "") -> gr.HTML:
    """Lay out `NAME.html` as the element NAME.

    Parameters
    ----------
    functions : sequence of callable
        What the script may ask; other sites can ask it too, so that none of it writes.
    script : str
        What runs when the element is there, instead of `NAME.js`.
    """
    return gr.HTML(
        None,
        html_template=read_asset(f"{name}.html"),
        js_on_load=script or read_asset(f"{name}.js"),
        server_functions=[*functions],
        apply_default_css=False,
        elem_id=name,
    )


def event_text(event: gr.EventData, name: str, most: int = NAME_LIMIT) -> str:
    """A text of at most so many characters that comes with an event; "" where it is none."""
    text = getattr(event, name, "")
    return text[:most] if isinstance(text, str) else ""
