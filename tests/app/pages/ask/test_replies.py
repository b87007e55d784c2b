"""What the chat shows of one question, reply by reply, without a page."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import pytest
from awaited import awaited
from scripted import Scripted

from app.answering.answer import answer
from app.open_store import Shelf
from app.pages.ask import replies as drawn
from app.pages.ask.answer import answer_markdown
from app.pages.ask.replies import Reply, replies
from app.writer.prompt import Message
from app.writer.written import Writer
from kg.encoder import Encoder
from kg.types import Answer

QUESTION = "What is proofing?"


class Broken(Scripted):
    """A writer with an error of its own."""

    def stream(self, prompt: Sequence[Message], over: threading.Event) -> Iterator[str]:
        raise RuntimeError("bug")


@pytest.fixture
def shelf(store_folder: Path, encoder: Encoder) -> Iterator[Shelf]:
    opened = Shelf(store_folder, encoder)
    yield opened
    opened.close()


def asked(
    shelf: Shelf, writer: Writer | None = None, stop: threading.Event | None = None
) -> list[Reply]:
    """All replies to QUESTION but the sign of life, which comes when the machine is slow."""

    async def read() -> list[Reply]:
        return [r async for r in replies(QUESTION, [], shelf, writer, stop or threading.Event())]

    return [r for r in awaited(read()) if "Reading the notes" not in r.text]


def extract(shelf: Shelf, encoder: Encoder) -> Answer:
    return answer(QUESTION, shelf.current(), encoder)


def test_an_answer_grows_to_what_the_page_makes_of_it(shelf: Shelf, encoder: Encoder) -> None:
    """Each reply begins with the one before, and each carries the answer."""
    said = extract(shelf, encoder)
    found = asked(shelf)
    assert len(found) > 3
    assert all(later.text.startswith(one.text) for one, later in pairwise(found))
    shown = answer_markdown(shelf.current(), said)
    assert found[-1] == Reply(shown, said, True, said.text, said.citations)
    assert all(r.lasting and r.answer == said for r in found)


def test_a_late_answer_is_shown_in_fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn slowly skips beginnings whose time has passed, and ends with the whole."""
    growing = [str(number) for number in range(20)]
    monkeypatch.setattr(drawn, "PIECE_PAUSE_S", 1e-9)

    async def read() -> list[str]:
        return [text async for text in drawn._paced(growing)]

    assert awaited(read()) == ["0", "19"]
    monkeypatch.setattr(drawn, "PIECE_PAUSE_S", 0.05)
    assert len(awaited(read())) > 2


def test_an_answer_is_shown_at_once_while_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """With more questions than are worked on, only its first words and the whole."""
    waiting = {object() for _ in range(drawn._AT_A_TIME + 1)}
    monkeypatch.setattr(drawn, "_unanswered", waiting)
    monkeypatch.setattr(drawn, "PIECE_PAUSE_S", 60)

    async def read() -> list[str]:
        return [text async for text in drawn._paced([str(number) for number in range(20)])]

    assert awaited(read()) == ["0", "19"]


def test_drafts_pass_and_the_checked_answer_lasts(shelf: Shelf, encoder: Encoder) -> None:
    """A draft is no part of the conversation; what was said is the notes' answer."""
    *drafts, last = asked(
        shelf, Scripted("Proofing is the rest in which dough rises [1]. Bakers slept then [1].")
    )
    assert drafts and not any(r.lasting or r.answer for r in drafts)
    assert all("scripted is writing …" in r.text for r in drafts)
    assert (
        "Proofing is the rest in which dough rises." in last.text
        and "Bakers slept" not in last.text
    )
    assert last.lasting and last.answer == extract(shelf, encoder)


def test_a_writers_error_leaves_the_notes_own_words(shelf: Shelf) -> None:
    """Whatever a writer does, the answer is there with one line why it was not worded."""
    last = asked(shelf, Broken(""))[-1]
    assert "Not written by scripted: it failed with an error of its own (RuntimeError)" in last.text
    assert "the rest in which dough rises" in last.text


def test_no_store_is_one_line(tmp_path: Path, encoder: Encoder) -> None:
    """It says what to do, stays in the chat, and is no turn of the conversation."""
    (only,) = asked(Shelf(tmp_path / "none", encoder))
    assert only.lasting and only.answer is None
    assert only.text.startswith('<p class="g-error">') and "under Notes" in only.text


def test_who_stops_reading_stops_the_writer(shelf: Shelf) -> None:
    """A page that was closed in the middle of a draft ends the writing at once."""
    stop = threading.Event()

    async def leave() -> None:
        async with aclosing(
            replies(QUESTION, [], shelf, Scripted("Proofing is the rest. " * 40), stop)
        ) as coming:
            async for reply in coming:
                if "is writing" in reply.text:
                    assert not stop.is_set()
                    return

    awaited(leave())
    assert stop.is_set()
