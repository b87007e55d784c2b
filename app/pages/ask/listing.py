"""The list of conversations above the chat: what it shows, and what is asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from app.pages.ask.conversations import Conversation, Kept, found
from app.pages.ask.markdown import conversation_markdown, file_name
from app.pages.component import component

__all__ = ["conversation_list", "listing"]


def conversation_list() -> gr.HTML:
    """Lay the list out; it is filled when the page begins."""
    return component("conversations")


def listing(
    kept: Kept, current: Conversation, words: str = "", written: Sequence[Conversation] = ()
) -> dict[str, Any]:
    """What the list shows: the conversations that hold all of the words, the newest first.

    Parameters
    ----------
    current : Conversation
        The one that is open.
    written : sequence of Conversation
        What the browser is to save as files of Markdown.
    """
    last = current.exchanges[-1].question if current.exchanges else ""
    rows = [
        {"id": c.id, "name": c.title, "asked": c.asked, "open": c.id == current.id}
        for c in found(kept.conversations, words)
    ]
    files = [{"name": file_name(c), "text": conversation_markdown(c)} for c in written]
    return {
        "rows": rows,
        "of": len(kept.conversations),
        "told": kept.fault,
        "last": last,
        "files": files,
    }
