"""The Ask page: a conversation whose answers cite the notes.

What is shown of a question is left to `app.pages.ask.replies`.
"""

from __future__ import annotations

import html
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from app.answering.question.follow_ups import Turn
from app.open_store import Shelf, StillReading
from app.pages.ask.answer import example_questions
from app.pages.ask.kept import kept_text, kept_under, read_kept
from app.pages.ask.replies import replies
from app.pages.note.beside import beside
from app.pages.quiet import QUIET
from app.pages.text import LATEX, chip, escaped
from app.wording import count_of
from app.writer.written import Writer
from kg.errors import GradusError

__all__ = ["ASKING", "AskPage", "ask_page", "keep", "restore", "welcome"]

QUESTION_LIMIT = 10_000  # characters
# A question asked while an answer is still being written waits for it: both change the same
# conversation.
ASKING: dict[str, Any] = {
    "trigger_mode": "multiple",
    "concurrency_id": "ask",
    "concurrency_limit": 1,
    **QUIET,
}
Message = dict[str, Any]
# What the chat shows, the conversation, what the chat shows later.
Update = tuple[list[Message], list[Turn], list[Message]]


@dataclass(frozen=True, slots=True)
class AskPage:
    """The page's components, and the functions behind what asks, stops the writer and keeps."""

    chat: gr.Chatbot
    turns: gr.State
    shown: gr.State
    kept: gr.BrowserState
    ask: Callable[[str, list[Turn], list[Message], gr.Request], AsyncIterator[Update]]
    stop: Callable[[gr.Request], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Desk:
    """Answers the questions of all visitors."""

    shelf: Shelf
    writer: Writer | None
    writing: dict[str, threading.Event] = field(default_factory=dict)  # what stops a visitor's

    async def ask(
        self, question: str, turns: list[Turn], shown: list[Message], request: gr.Request
    ) -> AsyncIterator[Update]:
        question = str(question or "").strip()[:QUESTION_LIMIT]
        if not question:
            yield shown, turns, shown
            return
        asked = [*shown, _message("user", _quoted(question))]
        yield asked, turns, asked
        stop = self.writing[str(request.session_hash)] = threading.Event()
        try:
            async with aclosing(replies(question, turns, self.shelf, self.writer, stop)) as coming:
                async for reply in coming:
                    replied = [*asked, _message("assistant", reply.text)]
                    after = [*turns, (question, reply.answer)] if reply.answer else turns
                    # Until the answer is there, the conversation is without it: a reader may leave
                    # at any moment.
                    yield replied, after, replied if reply.lasting else asked
        finally:
            self.writing.pop(str(request.session_hash), None)

    def stop(self, request: gr.Request) -> None:
        stop = self.writing.get(str(request.session_hash))
        if stop is not None:
            stop.set()


def ask_page(shelf: Shelf, writer: Writer | None = None, editor: str = "none") -> AskPage:
    """Lay the page out inside the current tab; a writer words the answers where one is given.

    `editor` is what a note opens in, for visitors of this machine.
    """
    desk = _Desk(shelf, writer)
    turns, shown = gr.State([]), gr.State([])
    # The conversation is no secret from the browser that shows it.
    kept = gr.BrowserState("", storage_key=kept_under(shelf.folder), secret="gradus")
    with gr.Row(equal_height=False, elem_id="ask-row"):
        with gr.Column(min_width=0, elem_id="ask-column"):
            chat = _chat(shelf)
            _box()
        beside(shelf, editor)
    outputs = [chat, turns, shown, kept]
    chat.clear(_start_over, None, outputs, queue=False, api_visibility="private")
    return AskPage(chat, turns, shown, kept, desk.ask, desk.stop)


def keep(turns: list[Turn], shown: list[Message]) -> str:
    """What the browser is to keep of the conversation."""
    return kept_text(turns, [(m["role"], m["content"][0]["text"]) for m in shown])


def restore(kept: object) -> Update:
    """The conversation that the browser kept, as the page begins."""
    turns, shown = read_kept(kept)
    messages = [_message(role, text) for role, text in shown]
    return messages, turns, messages


def _chat(shelf: Shelf) -> gr.Chatbot:
    return gr.Chatbot(
        latex_delimiters=LATEX,
        allow_tags=False,
        line_breaks=False,
        show_label=False,
        label="Conversation",
        buttons=["copy"],
        layout="panel",
        feedback_options=None,
        autoscroll=False,  # to an answer's end; bridge.js brings the question to the top
        height="calc(100dvh - 198px)",
        min_height=320,
        elem_id="chat",
        placeholder=welcome(shelf),
    )


def _box() -> None:
    """Where questions are typed; the bridge sends them, as it does for links that ask."""
    gr.Textbox(
        label="Your question",
        show_label=False,
        placeholder="Ask your notes",
        lines=1,
        max_lines=5,
        max_length=QUESTION_LIMIT,
        submit_btn="Send",
        autofocus=True,
        elem_id="question",
    )


def _start_over() -> tuple[Any, ...]:
    return [], [], [], keep([], [])


def welcome(shelf: Shelf) -> str:
    """What an empty conversation shows: how many concepts there are, and first questions."""
    try:
        store = shelf.current()
    except StillReading as error:
        return f'<div class="g-welcome"><h2>One moment</h2><p>{html.escape(str(error))}</p></div>'
    except GradusError as error:
        return f'<div class="g-welcome"><h2>No notes yet</h2><p>{html.escape(str(error))}</p></div>'
    examples = " ".join(chip("ask", question, question) for question in example_questions(store))
    concepts = count_of(len(store.concepts), "concept")
    notes = count_of(len(store.note_names), "note")
    return (
        '<div class="g-welcome"><h2>Ask your notes</h2>'
        f"<p>{concepts} from {notes}. Every answer cites the lines it comes from.</p>"
        f'<div class="g-examples">{examples}</div></div>'
    )


def _message(role: str, text: str) -> Message:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def _quoted(question: str) -> str:
    """The question as it was typed: shown as text, never as Markdown or HTML."""
    lines = [escaped(line) or "&#8203;" for line in question.split("\n")]
    return f'<div class="g-asked">{"<br>".join(lines)}</div>'
