"""A writer that says what a test wrote."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Sequence

from app.writer.prompt import Message

__all__ = ["Scripted"]


@dataclasses.dataclass
class Scripted:
    """A writer that says what a test wrote, and keeps what it was given."""

    text: str
    name: str = "scripted"
    asked: list[Sequence[Message]] = dataclasses.field(default_factory=list)

    def load(self) -> None:
        """It is there."""

    def stream(self, prompt: Sequence[Message], over: threading.Event) -> Iterator[str]:
        """The text in pieces of nine characters."""
        self.asked.append(prompt)
        yield from (self.text[i : i + 9] for i in range(0, len(self.text), 9))
