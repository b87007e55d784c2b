"""The component in which a note is shown beside an answer."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from app.open_store import Shelf
from app.pages.assets import read_asset
from app.pages.component import component
from app.pages.guard import LOCAL_HOSTS
from app.pages.note.note_view import note_view, picture_view, wanted_place
from kg.errors import GradusError

__all__ = ["beside"]


def beside(shelf: Shelf, editor: str) -> gr.HTML:
    """Lay the place for a note out; `editor` is what "Open in editor" opens, on this machine."""

    def note(wanted: object, request: gr.Request) -> dict[str, Any] | None:
        try:
            store = shelf.current()
            at = wanted_place(store, wanted)
            if at is None or not isinstance(wanted, Mapping):
                return None
            opened_in = editor if _is_here(request) else "none"
            return note_view(store, at, opened_in, str(wanted.get("said") or ""))
        except GradusError:
            return None

    def picture(wanted: object = None) -> str:
        try:
            return picture_view(shelf.current(), wanted)
        except GradusError:
            return ""

    return component("beside", [note, picture], _script())


def _is_here(request: gr.Request) -> bool:
    """Whether the visitor sits at this machine, and knows it by a name of its own."""
    client = getattr(request, "client", None)
    try:
        local = ipaddress.ip_address(client.host if client else "").is_loopback
    except ValueError:
        return False
    name = str(request.headers.get("host", "")).rsplit(":", 1)[0].strip("[]")
    return local and name in LOCAL_HOSTS


def _script() -> str:
    """The component's script, with the names of the KaTeX that comes within gradio."""
    script = read_asset("beside.js")
    for end in ("js", "css"):
        script = script.replace(f"KATEX.{end}", _gradios_own("katex", end))
    return script


def _gradios_own(name: str, end: str) -> str:
    """The file of gradio's own that holds a library; "" where this gradio has none."""
    folder = Path(gr.__file__).parent / "templates/frontend/assets"
    return next((file.name for file in sorted(folder.glob(f"{name}-*.{end}"))), "")
