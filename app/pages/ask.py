"""The Ask page: a conversation whose answers cite the notes."""

from __future__ import annotations

import asyncio
import dataclasses
import html
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.answering.answer import answer
from app.pages.answer import answer_markdown, draft_markdown, example_questions, pieces
from app.pages.shelf import Shelf
from app.pages.text import LATEX, chip, plain
from app.writer.written import Writer, worth_writing, written
from kg.errors import GradusError
from kg.store import Store
from kg.types import Answer

__all__ = ["ASKING", "AskPage", "ask_page", "welcome"]

QUESTION_LIMIT = 10_000  # characters
PIECE_PAUSE_S = 0.018
DRAFT_PAUSE_S = 0.12  # the chat draws the whole message anew each time
HEARTBEAT_S = 1.0  # gradio notices that a page was closed when something is yielded, not before
PATIENCE_S = 0.4
# A question asked while an answer is still being written waits for it: both change the same conversation.
ASKING: dict[str, Any] = {
    "trigger_mode": "multiple",
    "concurrency_id": "ask",
    "concurrency_limit": 1,
    "show_progress": "hidden",
    "api_visibility": "private",
}
# Emptied at once, in the browser: what is typed while an answer is being written must stay.
_EMPTY_THE_BOX = """(...inputs) => {
  const box = document.querySelector('#question textarea');
  box.value = '';
  box.dispatchEvent(new Event('input', { bubbles: true }));
  return inputs;
}"""
Turn = tuple[str, Answer]
Message = dict[str, Any]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AskPage:
    """The page's components, and the functions that links elsewhere use to ask and to stop the writer."""

    chat: gr.Chatbot
    box: gr.Textbox
    turns: gr.State
    shown: gr.State
    ask: Any
    stop: Callable[[gr.Request], None]


def ask_page(shelf: Shelf, writer: Writer | None = None) -> AskPage:
    """Lay the page out inside the current tab; a writer words the answers where one is given."""
    writing: dict[str, threading.Event] = {}  # visitor -> what stops the writer

    async def ask(
        question: str, turns: list[Turn], shown: list[Message], request: gr.Request
    ) -> AsyncIterator[tuple[list[Message], list[Turn], list[Message]]]:
        question = str(question or "").strip()[:QUESTION_LIMIT]
        if not question:
            yield shown, turns, shown
            return
        asked = [*shown, _message("user", _quoted(question))]
        yield asked, turns, asked
        replying = asyncio.create_task(asyncio.to_thread(_answered, shelf, question, turns))
        if not (await asyncio.wait([replying], timeout=PATIENCE_S))[0]:  # the first question loads the encoder
            waiting = [*asked, _message("assistant", '<p class="g-quiet">Reading the notes …</p>')]
            yield waiting, turns, asked
        found = await replying
        if isinstance(found, str):
            told = [*asked, _message("assistant", found)]
            yield told, turns, told
            return
        store, said = found
        # What was written is for reading; follow-ups are understood from what the notes say.
        after = [*turns, (question, said)]
        if writer is None or not worth_writing(said):
            for piece in pieces(answer_markdown(store, said)):
                told = [*asked, _message("assistant", piece)]
                yield told, after, told
                await asyncio.sleep(PIECE_PAUSE_S)
            return
        stop = writing[str(request.session_hash)] = threading.Event()
        steps = written(said, store, shelf.encoder(store), writer, [q for q, _ in turns], stop)
        try:
            async for step in _steps(steps, said, stop):
                if isinstance(step, str):
                    # Until the answer is there, the conversation is without it: a reader may leave at any moment.
                    draft = draft_markdown(store, said, step, writer.name)
                    yield [*asked, _message("assistant", draft)], turns, asked
                else:
                    told = [*asked, _message("assistant", answer_markdown(store, step))]
                    yield told, after, told
        finally:
            writing.pop(str(request.session_hash), None)

    def stop(request: gr.Request) -> None:
        found = writing.get(str(request.session_hash))
        if found is not None:
            found.set()

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
    box.submit(ask, [box, turns, shown], [chat, turns, shown], js=_EMPTY_THE_BOX, **ASKING)
    chat.clear(start_over, None, [chat, turns, shown], queue=False, api_visibility="private")
    return AskPage(chat, box, turns, shown, ask, stop)


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


def _answered(shelf: Shelf, question: str, turns: list[Turn]) -> tuple[Store, Answer] | str:
    """The answer with the store that gave it; an error becomes a line, never a traceback."""
    try:
        store = shelf.current()
        return store, answer(question, store, shelf.encoder(store), turns)
    except GradusError as error:
        return f'<p class="g-error">{html.escape(str(error))}</p>'
    except Exception:  # the page's outermost edge: the log has the traceback, the reader a line
        log.exception("answering failed")
        return '<p class="g-error">This question could not be answered because of an error in Gradus.</p>'


async def _steps(steps: Iterator[str | Answer], said: Answer, stop: threading.Event) -> AsyncIterator[str | Answer]:
    """What is written, as it comes; reading stops when the page is closed."""
    text = ""
    try:
        yield text
        while True:
            coming = asyncio.create_task(asyncio.to_thread(_next, steps, said))
            while not (await asyncio.wait([coming], timeout=HEARTBEAT_S))[0]:
                yield text
            step = await coming
            yield step
            if isinstance(step, Answer):
                return
            text = step
            await asyncio.sleep(DRAFT_PAUSE_S)
    finally:
        stop.set()


def _next(steps: Iterator[str | Answer], said: Answer) -> str | Answer:
    try:
        return next(steps)
    except Exception:  # as above: whatever a writer does, the notes' own words are there
        log.exception("writing failed")
        return dataclasses.replace(
            said, notice="Not written because of an error in Gradus; these are the notes' words."
        )


def _message(role: str, text: str) -> Message:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def _quoted(question: str) -> str:
    """The question as it was typed: shown as text, never as Markdown or HTML."""
    lines = [plain(line) or "&#8203;" for line in question.split("\n")]
    return f'<div class="g-asked">{"<br>".join(lines)}</div>'


def _count(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
