"""The Ask page: a conversation whose answers cite the notes."""

from __future__ import annotations

import asyncio
import html
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.answer import answer
from app.ui_answer import answer_markdown, example_questions, pieces
from app.ui_shelf import Shelf
from app.ui_text import LATEX, chip, plain
from kg.errors import GradusError
from kg.types import Answer

__all__ = ["ASKING", "AskPage", "ask_page", "welcome"]

QUESTION_LIMIT = 10_000  # characters
PIECE_PAUSE_S = 0.018
PATIENCE_S = 0.4
# A question asked while an answer is still being written waits for it: both change the same conversation.
ASKING: dict[str, Any] = {
    "trigger_mode": "multiple",
    "concurrency_id": "ask",
    "concurrency_limit": 1,
    "show_progress": "hidden",
    "api_visibility": "private",
}
Turn = tuple[str, Answer]
Message = dict[str, Any]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AskPage:
    """The page's components, and the function that links elsewhere use to ask."""

    chat: gr.Chatbot
    box: gr.Textbox
    turns: gr.State
    shown: gr.State
    ask: Any


def ask_page(shelf: Shelf) -> AskPage:
    """Lay the page out inside the current tab."""

    async def ask(
        question: str, turns: list[Turn], shown: list[Message]
    ) -> AsyncIterator[tuple[list[Message], list[Turn], list[Message]]]:
        question = str(question or "").strip()[:QUESTION_LIMIT]
        if not question:
            yield shown, turns, shown
            return
        asked = [*shown, _message("user", _quoted(question))]
        yield asked, turns, asked
        replying = asyncio.create_task(asyncio.to_thread(_reply, shelf, question, turns))
        if not (await asyncio.wait([replying], timeout=PATIENCE_S))[0]:  # the first question loads the encoder
            waiting = [*asked, _message("assistant", '<p class="g-quiet">Reading the notes …</p>')]
            yield waiting, turns, asked
        reply, turn = await replying
        for piece in pieces(reply):
            told = [*asked, _message("assistant", piece)]
            yield told, turns + turn, told
            await asyncio.sleep(PIECE_PAUSE_S)

    def start_over() -> tuple[list[Message], list[Turn], list[Message]]:
        return [], [], []

    turns = gr.State([])
    shown = gr.State([])
    chat = gr.Chatbot(
        latex_delimiters=LATEX,
        allow_tags=False,
        line_breaks=False,
        show_label=False,
        label="Conversation",
        buttons=["copy"],
        layout="panel",
        feedback_options=None,
        autoscroll=False,  # it would jump to an answer's end; bridge.js brings the question to the top
        height="calc(100dvh - 198px)",
        min_height=320,
        elem_id="chat",
        placeholder=welcome(shelf),
    )
    box = gr.Textbox(
        label="Your question",
        show_label=False,
        placeholder="Ask your notes",
        lines=1,
        max_lines=5,
        max_length=QUESTION_LIMIT,
        submit_btn=True,
        autofocus=True,
        elem_id="question",
    )
    box.submit(ask, [box, turns, shown], [chat, turns, shown], **ASKING)
    # emptied at once, in the browser: what is typed while an answer is being written must stay
    box.submit(None, None, box, js="() => ''", show_progress="hidden", api_visibility="private")
    chat.clear(start_over, None, [chat, turns, shown], queue=False, api_visibility="private")
    return AskPage(chat, box, turns, shown, ask)


def welcome(shelf: Shelf) -> str:
    """What an empty conversation shows: how many concepts there are, and questions to begin with."""
    try:
        store = shelf.current()
    except GradusError as error:
        return f'<div class="g-welcome"><h2>No notes yet</h2><p>{html.escape(str(error))}</p></div>'
    examples = [chip("ask", question, question) for question in example_questions(store)]
    counts = f"{_count(len(store.concepts), 'concept')} from {_count(len(store.note_names), 'note')}"
    return (
        f'<div class="g-welcome"><h2>Ask your notes</h2><p>{counts}. Every answer cites the lines it comes from.</p>'
        f'<div class="g-examples">{" ".join(examples)}</div></div>'
    )


def _reply(shelf: Shelf, question: str, turns: list[Turn]) -> tuple[str, list[Turn]]:
    """The answer as Markdown, and the turn to remember; an error becomes a line, never a traceback."""
    try:
        store = shelf.current()
        found = answer(question, store, shelf.encoder(store), turns)
        return answer_markdown(store, found), [(question, found)]
    except GradusError as error:
        return f'<p class="g-error">{html.escape(str(error))}</p>', []
    except Exception:  # the page's outermost edge: the log has the traceback, the reader a line
        log.exception("answering failed")
        return '<p class="g-error">This question could not be answered because of an error in Gradus.</p>', []


def _message(role: str, text: str) -> Message:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def _quoted(question: str) -> str:
    """The question as it was typed: shown as text, never as Markdown or HTML."""
    lines = [plain(line) or "&#8203;" for line in question.split("\n")]
    return f'<div class="g-asked">{"<br>".join(lines)}</div>'


def _count(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
