"""Whose turn it is: what changes one visitor's conversation comes one after another.

Visitors do not wait for each other here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from app.pages.ask.conversations import Conversation

__all__ = ["Turn", "Turns"]


@dataclass(slots=True)
class Turn:
    """The conversation as the event before left it; whoever has the turn may put another."""

    conversation: Conversation
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _wanted: int = 0  # events that have the turn or wait for it


class Turns:
    """The turns of all visitors, of one event loop."""

    def __init__(self) -> None:
        self._of: dict[str, Turn] = {}

    @asynccontextmanager
    async def take(self, session: str, current: Conversation) -> AsyncIterator[Turn]:
        """Wait for the turn of a session, in the order of asking.

        Parameters
        ----------
        current : Conversation
            The open one, where nobody of this session has the turn: what gradio hands to an event
            that waits is what it was when the waiting began.
        """
        turn = self._of.setdefault(session, Turn(current))
        turn._wanted += 1
        try:
            async with turn._lock:
                yield turn
        finally:
            turn._wanted -= 1
            if not turn._wanted:
                del self._of[session]
