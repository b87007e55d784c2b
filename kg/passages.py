"""The passages of a store, read from it when they are asked for."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import overload

from kg.kept import Kept
from kg.rows import NoteRow, read_passages, read_sections, read_some
from kg.types import Passage

__all__ = ["KEPT", "Passages"]

KEPT = 20_000  # passages that stay in memory: those that were asked for last


class Passages(Sequence[Passage]):
    """All passages; ids are their positions.

    Parameters
    ----------
    reading : callable
        Gives the context in which the connection may be used.
    notes : sequence of (id, name, passages)
        In the order of the store.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        reading: Callable[[], AbstractContextManager[None]],
        notes: Sequence[tuple[int, str, int]],
    ) -> None:
        self._connection = connection
        self._reading = reading
        self._notes = [(note, name) for note, name, _ in notes]
        self._firsts = list(accumulate((n for *_, n in notes), initial=0))  # ids
        self._kept = Kept(KEPT, self._read)
        self._sections = lru_cache(KEPT)(self._read_sections)

    def __len__(self) -> int:
        return self._firsts[-1]

    @overload
    def __getitem__(self, index: int) -> Passage: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Passage, ...]: ...

    def __getitem__(self, index: int | slice) -> Passage | tuple[Passage, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(len(self))[index])
        return self._kept[range(len(self))[index]]

    def __iter__(self) -> Iterator[Passage]:
        for (note, name), first in zip(self._notes, self._firsts, strict=False):
            with self._reading():
                passages = read_passages(self._connection, note, name, first)
            yield from passages

    def some(self, ids: Sequence[int]) -> list[Passage]:
        """Passages in the order of their ids' sequence, read together."""
        return self._kept.some(ids)

    def place(self, passage: int) -> tuple[int, int]:
        """The id of a passage's note, and its position there."""
        at = self._at(passage)
        return self._notes[at][0], passage - self._firsts[at]

    @cached_property
    def note_rows(self) -> dict[int, NoteRow]:
        """Of each note, by its id, its name and the id of its first passage."""
        return {
            note: (name, first)
            for (note, name), first in zip(self._notes, self._firsts, strict=False)
        }

    def section(self, passage: int) -> tuple[int, ...]:
        """The passages of the note that have the same headings, in order, this one among them."""
        at = self._at(passage)
        first = self._firsts[at]
        headings, members = self._sections(at)
        return tuple(first + seq for seq in members[headings[passage - first]])

    def _at(self, passage: int) -> int:
        return bisect_right(self._firsts, passage) - 1

    def _read(self, ids: Sequence[int]) -> list[Passage]:
        with self._reading():
            return read_some(self._connection, [*map(self.place, ids)], self.note_rows)

    def _read_sections(self, at: int) -> tuple[list[str], dict[str, list[int]]]:
        """Of one note the headings of each passage as they are stored, and who has them."""
        with self._reading():
            headings = read_sections(self._connection, self._notes[at][0])
        members: dict[str, list[int]] = {}
        for seq, path in enumerate(headings):
            members.setdefault(path, []).append(seq)
        return headings, members
