"""What the chat shows of a question as it comes: a sign of life, answer in pieces, drafts.

Where it is shown, and what becomes of the conversation, is left to `app.pages.ask.page`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import html
import logging
import os
import threading
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from app.answering.answer import answer
from app.answering.question.follow_ups import Turn
from app.open_store import Shelf
from app.pages.ask.answer import answer_markdown, draft_markdown, pieces
from app.wording import on_a_page
from app.writer.written import Writer, worth_writing, written
from kg.errors import GradusError
from kg.store import Store
from kg.types import Answer, Citation

__all__ = ["Reply", "Roots", "replies"]

PIECE_PAUSE_S = 0.018
DRAFT_PAUSE_S = 0.12  # the chat draws the whole message anew each time
HEARTBEAT_S = 1.0  # gradio notices that a page was closed when something is yielded, not before
SLOWEST_HEARTBEAT_S = 8.0  # of a question that waits for many others: each costs the server time
PATIENCE_S = 0.4
Roots = Callable[[], Collection[Path]]
log = logging.getLogger(__name__)
# No more at a time than there are cores: more would each take longer, and the pages with them.
_AT_A_TIME = os.cpu_count() or 1
_ANSWERING = ThreadPoolExecutor(_AT_A_TIME, "answer")
_unanswered: set[asyncio.Future[tuple[Store, Answer] | str]] = set()  # questions of all visitors


@dataclass(frozen=True, slots=True)
class Reply:
    """A message that takes the place of the one before it."""

    text: str  # Markdown, safe to show
    answer: Answer | None = None  # what follow-ups are understood from, once it is there
    lasting: bool = True  # whether it stays in the conversation when the reader leaves now
    said: str = ""  # the answer in words, with [n] for its citations; "" for what is passing
    cited: tuple[Citation, ...] = ()


async def replies(
    question: str,
    turns: Sequence[Turn],
    shelf: Shelf,
    writer: Writer | None,
    stop: threading.Event,
    roots: Roots = lambda: (),
) -> AsyncGenerator[Reply, None]:
    """Answer one question; the last reply is the whole answer, or one line why there is none.

    Parameters
    ----------
    writer : Writer or None
        Words the answer; None leaves it in the notes' own words.
    stop : threading.Event
        Ends the writing when set; it is set when the replies are no longer read.
    roots : callable
        Gives the folders in which files for a run are looked for.
    """
    loop = asyncio.get_running_loop()
    answering = loop.run_in_executor(_ANSWERING, _answered, shelf, question, turns, roots)
    _unanswered.add(answering)
    answering.add_done_callback(_unanswered.discard)
    patience, later = PATIENCE_S, HEARTBEAT_S
    while not (await asyncio.wait([answering], timeout=patience))[0]:
        # the first question waits for the encoder, or for the notes themselves
        doing = html.escape(shelf.doing or "Reading the notes")
        yield Reply(f'<p class="g-quiet g-waiting">{doing} …</p>', lasting=False)
        patience, later = later, min(2 * later, SLOWEST_HEARTBEAT_S)
    answered = await answering
    if isinstance(answered, str):
        yield Reply(_error_line(answered), said=answered)
        return
    store, extract = answered
    if writer is None or not worth_writing(extract):
        async for piece in _paced(pieces(answer_markdown(store, extract))):
            yield Reply(piece, extract, said=extract.text, cited=extract.citations)
        return
    earlier = [question for question, _ in turns]
    steps = written(extract, store, shelf.encoder(store), writer, earlier, stop)
    async with aclosing(_steps(steps, extract, stop)) as coming:
        async for step in coming:
            if isinstance(step, Answer):
                # What was written is for reading; follow-ups are understood from what the notes
                # say.
                shown = answer_markdown(store, step)
                yield Reply(shown, extract, said=step.text, cited=step.citations)
            else:
                yield Reply(draft_markdown(extract, step, writer.name), lasting=False)


async def _paced(growing: Sequence[str]) -> AsyncGenerator[str, None]:
    """Growing texts, one each pause; those whose time has passed meanwhile are left out.

    A server with many visitors thus shows each answer in fewer steps, not later; while others wait
    for their turn, at once.
    """
    clock = asyncio.get_running_loop().time
    begun = clock()
    shown, last = 0, len(growing) - 1
    yield growing[shown]
    while shown < last:
        due = int((clock() - begun) / PIECE_PAUSE_S)
        busy = len(_unanswered) > _AT_A_TIME
        shown = last if busy else min(max(shown + 1, due), last)
        await asyncio.sleep(0 if busy else begun + shown * PIECE_PAUSE_S - clock())
        yield growing[shown]


def _answered(
    shelf: Shelf, question: str, turns: Sequence[Turn], roots: Roots
) -> tuple[Store, Answer] | str:
    """The answer with the store that gave it; an error becomes a line, never a traceback."""
    try:
        store = shelf.awaited()
        return store, answer(question, store, shelf.encoder(store), turns, roots=roots())
    except GradusError as error:
        return on_a_page(error)
    except Exception:  # the page's outermost edge: the log has the traceback, the reader a line
        log.exception("answering failed")
        return "This question could not be answered because of an error in Gradus."


def _error_line(message: str) -> str:
    return f'<p class="g-error">{html.escape(message)}</p>'


async def _steps(
    steps: Iterator[str | Answer], extract: Answer, stop: threading.Event
) -> AsyncGenerator[str | Answer, None]:
    """What is written, as it comes; reading stops when the page is closed."""
    text = ""
    try:
        yield text
        while True:
            coming = asyncio.create_task(asyncio.to_thread(_next, steps, extract))
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


def _next(steps: Iterator[str | Answer], extract: Answer) -> str | Answer:
    try:
        return next(steps)
    except Exception:  # as above: whatever a writer does, the notes' own words are there
        log.exception("writing failed")
        notice = "Not written because of an error in Gradus; these are the notes' words."
        return dataclasses.replace(extract, notice=notice)
