"""What changes one visitor's conversation comes one after another; visitors do not wait."""

from __future__ import annotations

import asyncio

from awaited import awaited

from app.pages.ask.conversations import Conversation
from app.pages.ask.turns import Turns

OPEN = Conversation(name="as the page began")


def test_who_waited_goes_on_from_what_was_left() -> None:
    """In the order of asking, each with the conversation of the one before."""

    async def ask() -> list[str]:
        turns, said = Turns(), list[str]()

        async def add(name: str) -> None:
            async with turns.take("one", OPEN) as turn:
                said.append(f"{name} after {turn.conversation.name}")
                for _ in range(5):
                    await asyncio.sleep(0)
                turn.conversation = Conversation(name=name)

        await asyncio.gather(*(add(name) for name in "abc"))
        return said

    assert awaited(ask()) == ["a after as the page began", "b after a", "c after b"]


def test_visitors_do_not_wait_for_each_other() -> None:
    """While one has its turn, another takes its own."""

    async def ask() -> bool:
        turns = Turns()
        async with (
            turns.take("one", OPEN),
            asyncio.timeout(5),
            turns.take("other", OPEN) as turn,
        ):
            return turn.conversation is OPEN

    assert awaited(ask())


def test_who_leaves_keeps_nobody_waiting() -> None:
    """Neither one that fails nor one that goes while it waits; and nothing is kept of a visitor."""

    async def ask() -> tuple[str, Turns]:
        turns = Turns()

        async def fail() -> None:
            async with turns.take("one", OPEN):
                await asyncio.sleep(0)
                raise RuntimeError

        async def wait() -> None:
            async with turns.take("one", OPEN):
                await asyncio.Event().wait()

        failing, waiting = asyncio.create_task(fail()), asyncio.create_task(wait())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(failing, waiting, return_exceptions=True)
        async with asyncio.timeout(5), turns.take("one", OPEN) as turn:
            return turn.conversation.name, turns

    name, turns = awaited(ask())
    assert name == OPEN.name
    assert not turns._of
