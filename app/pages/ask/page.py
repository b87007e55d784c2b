"""The Ask page: a conversation whose answers cite the notes.

What is shown of a question is left to `app.pages.ask.replies`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import html
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from app.evaluation.feedback import KINDS, Feedback, give_feedback
from app.open_store import Shelf, StillReading
from app.pages.ask.answer import example_questions
from app.pages.ask.conversations import (
    Conversation,
    Exchange,
    Kept,
    asked_text,
    keep,
    read,
    remove,
    rename,
    secret_of,
    storage_key,
)
from app.pages.ask.listing import conversation_list, listing
from app.pages.ask.replies import Roots, replies
from app.pages.ask.turns import Turns
from app.pages.component import event_text
from app.pages.note.beside import beside
from app.pages.quiet import AT_ONCE, EACH, QUIET
from app.pages.text import LATEX, chip, escaped
from app.wording import count_of, on_a_page
from app.writer.written import Writer
from kg.errors import GradusError, NoStore
from kg.types import Answer

__all__ = ["ASKING", "AskPage", "ask_page", "welcome"]

QUESTION_LIMIT = 10_000  # characters
# A question asked while an answer is still being written waits for it, as both change the same
# conversation; not in gradio's queue, where all visitors would wait for each other.
ASKING: dict[str, Any] = {"trigger_mode": "multiple", "concurrency_limit": None, **QUIET}
Message = dict[str, Any]
Shown = tuple[list[Message], Conversation]  # what the chat shows, the conversation
# The same, the list of conversations, what the browser keeps.
Update = tuple[Any, Conversation, Any, Any]
Change = Callable[[Conversation, gr.EventData, object], Update]
FEEDBACK = tuple(KINDS.values())


@dataclass(frozen=True, slots=True)
class AskPage:
    """The page's components, and the functions behind what asks, stops the writer and begins."""

    chat: gr.Chatbot
    conversation: gr.State
    kept: gr.BrowserState
    outputs: list[Any]  # of an `Update`
    listing: list[Any]  # of what `listed` gives
    ask: Callable[[gr.EventData, Conversation, object, gr.Request], AsyncIterator[Shown]]
    listed: Callable[[Conversation, object], tuple[Any, Any]]
    stop: Callable[[gr.Request], None]
    begin: Callable[[object], Update]


@dataclass(frozen=True, slots=True, eq=False)
class _Desk:
    """Answers the questions of all visitors, and keeps their conversations."""

    shelf: Shelf
    writer: Writer | None
    roots: Roots = lambda: ()
    writing: dict[str, threading.Event] = field(default_factory=dict)  # what stops a visitor's
    turns: Turns = field(default_factory=Turns)

    async def ask(
        self,
        event: gr.EventData,
        current: Conversation,
        browser: object,
        request: gr.Request,
    ) -> AsyncIterator[Shown]:
        """Answer a question, after those that were asked before it.

        Nothing else of the page is an output: gradio makes each anew for every reply.
        """
        question, again = (
            event_text(event, "question", QUESTION_LIMIT),
            getattr(event, "again", False) is True,
        )
        session = str(request.session_hash)
        async with self.turns.take(session, current) as turn:
            coming = self._answers(question, again, turn.conversation, session)
            async with aclosing(coming) as coming:
                async for shown in coming:
                    turn.conversation = shown[1]
                    yield shown
            secret = _told(browser, "secret")
            if question.strip() and secret == secret_of(secret):
                await asyncio.to_thread(keep, self.shelf.folder, str(secret), turn.conversation)

    def listed(self, current: Conversation, browser: object) -> tuple[Any, Any]:
        """What comes after an answer: the list of conversations, and what the browser keeps."""
        secret = _secret(browser)
        kept = read(self.shelf.folder, secret)
        if current.exchanges and current.id not in (c.id for c in kept.conversations):
            kept = keep(self.shelf.folder, secret, current)  # the browser had no secret when asking
        return listing(kept, current), _browsers(secret, current)

    async def _answers(
        self, question: str, again: bool, before: Conversation, session: str
    ) -> AsyncGenerator[Shown, None]:
        """What comes of a question; `again` puts it in place of the last one."""
        question = asked_text(question)[:QUESTION_LIMIT]
        if not question:
            yield _messages(before), before
            return
        if again:
            before = dataclasses.replace(before, exchanges=before.exchanges[:-1])
        exchange = Exchange(question)
        asked = _with(before, exchange)
        yield _messages(asked), asked
        stop = self.writing[session] = threading.Event()
        try:
            coming = replies(question, before.turns, self.shelf, self.writer, stop, self.roots)
            async with aclosing(coming) as coming:
                async for reply in coming:
                    exchange = dataclasses.replace(
                        exchange,
                        shown=reply.text,
                        said=reply.said,
                        cited=reply.cited,
                        answer=reply.answer,
                    )
                    after = _with(before, exchange)
                    # Until the answer is there, the conversation is without it: a reader may leave
                    # at any moment.
                    lasting = after if reply.lasting else asked
                    yield _messages(after), lasting
        finally:
            self.writing.pop(session, None)

    def stop(self, request: gr.Request) -> None:
        stop = self.writing.get(str(request.session_hash))
        if stop is not None:
            stop.set()

    def in_turn(self, change: Change) -> Callable[..., AsyncIterator[Update]]:
        """An event of a visitor that changes the conversation, once those before it are done."""

        async def changed(
            event: gr.EventData, current: Conversation, browser: object, request: gr.Request
        ) -> AsyncIterator[Update]:
            async with self.turns.take(str(request.session_hash), current) as turn:
                # It may write files.
                update = await asyncio.to_thread(change, turn.conversation, event, browser)
                turn.conversation = update[1]
                yield update

        return changed

    def begin(self, browser: object) -> Update:
        """The conversation that was open in this browser, as the page begins."""
        secret = _secret(browser)
        kept = read(self.shelf.folder, secret)
        return self._opened(secret, kept, str(_told(browser, "open")))

    def open(self, current: Conversation, event: gr.EventData, browser: object) -> Update:
        """Begin a new conversation, open one again, or delete one."""
        act, chosen, words = (event_text(event, name) for name in ("act", "id", "words"))
        secret = _secret(browser)
        if act == "remove":
            kept = remove(self.shelf.folder, secret, chosen)
            if chosen != current.id:
                return gr.skip(), current, listing(kept, current, words), gr.skip()
        else:
            kept = read(self.shelf.folder, secret)
        return self._opened(secret, kept, chosen if act == "open" else "", words)

    def list(self, event: gr.EventData, current: Conversation, browser: object) -> dict[str, Any]:
        """Search in the list, give a conversation a name, or write it as Markdown."""
        act, chosen = event_text(event, "act"), event_text(event, "id")
        secret = _secret(browser)
        if act == "rename":
            kept = rename(self.shelf.folder, secret, chosen, event_text(event, "name"))
        else:
            kept = read(self.shelf.folder, secret)
        written = [c for c in kept.conversations if act == "write" and c.id == chosen]
        return listing(kept, current, event_text(event, "words"), written)

    def clear(self, current: Conversation, _: gr.EventData, browser: object) -> Update:
        """Forget the conversation that is open: what was cleared does not come back."""
        secret = _secret(browser)
        return self._opened(secret, remove(self.shelf.folder, secret, current.id))

    def rate(self, current: Conversation, event: gr.EventData, browser: object) -> Update:
        """Store what a reader thinks of an answer; whoever takes it back leaves nothing."""
        index = getattr(event, "index", None)
        at = index // 2 if isinstance(index, int) else -1
        answer = current.exchanges[at].answer if 0 <= at < len(current.exchanges) else None
        if answer is None:
            return gr.skip(), current, gr.skip(), gr.skip()
        kind = next((k for k, words in KINDS.items() if words == getattr(event, "liked", None)), "")
        rated = dataclasses.replace(current.exchanges[at], feedback=kind)
        give_feedback(self.shelf.folder, _feedback(rated, answer))
        exchanges = (*current.exchanges[:at], rated, *current.exchanges[at + 1 :])
        current = dataclasses.replace(current, exchanges=exchanges)
        keep(self.shelf.folder, _secret(browser), current)
        return gr.skip(), current, gr.skip(), gr.skip()

    def _opened(self, secret: str, kept: Kept, chosen: str = "", words: str = "") -> Update:
        """One of the kept conversations, else a new one."""
        opened = next((c for c in kept.conversations if c.id == chosen), Conversation())
        rated = [KINDS.get(e.feedback) for e in opened.exchanges]
        chat = gr.update(value=_messages(opened), feedback_value=rated)
        return chat, opened, listing(kept, opened, words), _browsers(secret, opened)


def ask_page(
    shelf: Shelf,
    writer: Writer | None = None,
    editor: str = "none",
    roots: Roots = lambda: (),
) -> AskPage:
    """Lay the page out inside the current tab; a writer words the answers where one is given.

    `editor` is what a note opens in, for visitors of this machine; `roots` gives the folders of the
    files that runs may read.
    """
    desk = _Desk(shelf, writer, roots)
    conversation = gr.State(Conversation())
    # Gradio's own secret would change with every start of the server.
    kept = gr.BrowserState(None, storage_key=storage_key(shelf.folder), secret="gradus")
    with gr.Row(equal_height=False, elem_id="ask-row"):
        with gr.Column(min_width=0, elem_id="ask-column"):
            conversations = conversation_list()
            chat = _chat(shelf)
            _box()
        beside(shelf, editor)
    inputs, listed = [conversation, kept], [conversations, kept]
    outputs = [chat, conversation, *listed]
    # What changes the conversation waits for the answer that is written, and ends the writing.
    chat.clear(desk.stop, None, None, **AT_ONCE)
    chat.clear(desk.in_turn(desk.clear), inputs, outputs, **ASKING)
    conversations.open_link(desk.stop, None, None, **AT_ONCE)
    conversations.open_link(desk.in_turn(desk.open), inputs, outputs, **ASKING)
    conversations.list_link(desk.list, inputs, conversations, **EACH, **QUIET)
    chat.like(desk.in_turn(desk.rate), inputs, outputs, **ASKING)
    return AskPage(
        chat, conversation, kept, outputs, listed, desk.ask, desk.listed, desk.stop, desk.begin
    )


def _secret(browser: object) -> str:
    return secret_of(_told(browser, "secret"))


def _browsers(secret: str, opened: Conversation) -> dict[str, str]:
    """What the browser keeps: its secret, and which conversation is open."""
    return {"secret": secret, "open": opened.id}


def _told(browser: object, name: str) -> object:
    return browser.get(name) if isinstance(browser, dict) else None


def _with(before: Conversation, exchange: Exchange) -> Conversation:
    return dataclasses.replace(before, exchanges=(*before.exchanges, exchange))


def _feedback(exchange: Exchange, answer: Answer) -> Feedback:
    return Feedback(
        exchange.question,
        exchange.feedback,
        exchange.said,
        answer.status,
        exchange.cited,
        exchange.id,
    )


def _chat(shelf: Shelf) -> gr.Chatbot:
    return gr.Chatbot(
        latex_delimiters=LATEX,
        allow_tags=False,
        line_breaks=False,
        show_label=False,
        label="Conversation",
        buttons=["copy"],
        layout="panel",
        feedback_options=list(FEEDBACK),
        autoscroll=False,  # to an answer's end; bridge.js brings the question to the top
        height="calc(100dvh - 236px)",
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


def welcome(shelf: Shelf) -> str:
    """What an empty conversation shows: how many concepts there are, and first questions."""
    try:
        store = shelf.current()
    except NoStore:
        return (
            '<div class="g-welcome"><h2>No notes yet</h2><p>Add some under Notes, above.</p></div>'
        )
    except StillReading as error:
        said = html.escape(str(error))
        return f'<div class="g-welcome"><h2>One moment</h2><p>{said}</p></div>'
    except GradusError as error:
        said = html.escape(on_a_page(error))
        return f'<div class="g-welcome"><h2>The notes cannot be read</h2><p>{said}</p></div>'
    examples = " ".join(chip("ask", question, question) for question in example_questions(store))
    concepts = count_of(len(store.concepts), "concept")
    notes = count_of(len(store.note_names), "note")
    return (
        '<div class="g-welcome"><h2>Ask your notes</h2>'
        f"<p>{concepts} from {notes}. Every answer cites the lines it comes from.</p>"
        f'<div class="g-examples">{examples}</div></div>'
    )


def _messages(conversation: Conversation) -> list[Message]:
    """What the chat shows: for each question, it and its answer."""
    pairs = ((_quoted(e.question), e.shown) for e in conversation.exchanges)
    shown = [(_message("user", q), _message("assistant", a) if a else None) for q, a in pairs]
    return [message for pair in shown for message in pair if message]


def _message(role: str, text: str) -> Message:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def _quoted(question: str) -> str:
    """The question as it was typed: shown as text, never as Markdown or HTML."""
    lines = [escaped(line) or "&#8203;" for line in question.split("\n")]
    return f'<div class="g-asked">{"<br>".join(lines)}</div>'
