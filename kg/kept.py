"""What was read stays in memory, up to a number; what is missing is read together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["Kept"]

V = TypeVar("V")


class Kept(dict[int, V]):
    """Values by number, read when they are asked for; those read first are the first to go.

    Parameters
    ----------
    most : int
        How many stay.
    read : callable
        Gives the values of some numbers, in their order.
    """

    def __init__(self, most: int, read: Callable[[Sequence[int]], Sequence[V]]) -> None:
        super().__init__()
        self._most = most
        self._read = read
        self._writing = threading.Lock()

    def __missing__(self, number: int) -> V:
        """Read one alone."""
        return self.some([number])[0]

    def some(self, numbers: Sequence[int]) -> list[V]:
        """The values of some numbers, in their order: those that are missing in one reading."""
        found = {number: self[number] for number in numbers if number in self}
        missing = [number for number in dict.fromkeys(numbers) if number not in found]
        if missing:
            read = dict(zip(missing, self._read(missing), strict=True))
            found |= read
            with self._writing:
                self.update(read)
                while len(self) > self._most:
                    del self[next(iter(self))]
        return [found[number] for number in numbers]
