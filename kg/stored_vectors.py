"""The vectors of a store, read from it when they are asked for."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kg.kept import Kept
from kg.passages import KEPT, Passages
from kg.rows import asked_for
from kg.schema import INDEX, told
from kg.vectors import (
    WORD_BITS,
    StatementVectors,
    build_index,
    build_shortlist,
    check_bits,
    load_shortlist,
    nearest,
    of_bytes,
    save_shortlist,
    shortlist,
)

__all__ = ["StoredVectors"]

KEPT_WORDS = 20_000  # passages whose words' vectors stay in memory, about 2 KB each
# Of so many vectors all are compared with a question's; of more, those of a shortlist.
FLAT_MOST = 50_000
SHORTLIST = 500


class StoredVectors:
    """The vectors of passages, of their statements, and of the words in them.

    Parameters
    ----------
    reading : callable
        Gives the context in which the connection may be used; it is not entered twice at a time.
    folder : Path
        Where the shortlist's file is.
    generation : str
        What the shortlist must be of.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        reading: Callable[[], AbstractContextManager[None]],
        passages: Passages,
        folder: Path,
        generation: str,
    ) -> None:
        self._connection = connection
        self._reading = reading
        self._passages = passages
        self._folder = folder
        self._generation = generation
        self._vectors = Kept(KEPT, self._read_vectors)
        self._words = Kept(KEPT_WORDS, self._read_words)

    def __len__(self) -> int:
        return len(self._owners)

    def warm(self) -> None:
        """Load what finds the nearest ones (writing its file if out of date) now."""
        if self._small:
            self._index  # noqa: B018
            # What a larger store, or an older version's, has left there is of no use any more.
            with contextlib.suppress(OSError):
                (self._folder / INDEX).unlink(missing_ok=True)
        else:
            self._shortlist  # noqa: B018

    def nearest(self, query: npt.NDArray[np.float32], k: int) -> list[tuple[int, float]]:
        """Passages by the cosine of their best vector with the query's, shape (d,).

        Best first, at most k. Of many passages, the best of a shortlist.
        """
        if not len(self):
            return []
        if self._small:
            return self._nearest_of_all(query, k)
        rows = shortlist(self._shortlist, query, max(SHORTLIST, 4 * k), self._dimension)
        owners, vectors = self._of_passages(np.unique(self._owners[rows]).tolist())
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        best = np.maximum.reduceat(vectors @ query, starts)
        order = np.lexsort((owners[starts], -best))[:k]
        return [(int(owners[starts[i]]), float(best[i])) for i in order]

    def _of_passages(
        self, passages: Sequence[int]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """The vectors of some passages in order, shape (m, d), and the passage of each, (m,)."""
        d = self._dimension
        notes = self._passages.note_rows
        query = (
            f"{asked_for(map(self._passages.place, passages))} SELECT note, seq, vector "
            "FROM asked CROSS JOIN vectors USING (note, seq)"
        )
        with self._reading():
            rows = self._connection.execute(query).fetchall()
            owners = np.array([notes[note][1] + seq for note, seq, _ in rows], dtype=np.int64)
            vectors = of_bytes(b"".join(vector for *_, vector in rows), d)
        return owners, vectors

    def _nearest_of_all(self, query: npt.NDArray[np.float32], k: int) -> list[tuple[int, float]]:
        best: dict[int, float] = {}
        # Several vectors belong to one passage: ask for more until k passages are found or none are
        # left.
        n = 4 * k
        while True:
            rows, scores = nearest(self._index, query, n)
            for row, score in zip(rows, scores, strict=True):
                best.setdefault(int(self._owners[row]), float(score))
            if len(best) >= k or n >= len(self):
                return list(best.items())[:k]
            n *= 2

    def of_passages(self, passages: Sequence[int]) -> list[npt.NDArray[np.float32]]:
        """The vectors of each passage, shape (parts, d)."""
        return self._vectors.some(passages)

    def _read_vectors(self, passages: Sequence[int]) -> list[npt.NDArray[np.float32]]:
        owners, vectors = self._of_passages(passages)
        return [vectors[owners == passage] for passage in passages]

    def words(self, passages: Sequence[int]) -> list[bytes]:
        """Vectors of each passage's words, as `kg.vectors.in_bits` made them.

        Empty when the encoder gives none.
        """
        return self._words.some(passages)

    def _read_words(self, passages: Sequence[int]) -> list[bytes]:
        rows = self._rows_of_words("vectors", passages)
        d = self._dimension
        with told(self._folder):
            for (words,) in rows:
                check_bits(words, d, WORD_BITS)
        return [words for (words,) in rows]

    def statements(self, passages: Sequence[int]) -> list[StatementVectors]:
        """The vectors of each passage's statements and of the words in them."""
        d = self._dimension
        rows = self._rows_of_words("vectors, statement_of, statements", passages)
        with told(self._folder):
            return [StatementVectors.of(words, of, whole, d) for words, of, whole in rows]

    def _rows_of_words(self, columns: str, passages: Sequence[int]) -> list[tuple[bytes, ...]]:
        places = [*map(self._passages.place, passages)]
        query = (
            f"{asked_for(places)} SELECT note, seq, {columns} "
            "FROM asked CROSS JOIN words USING (note, seq)"
        )
        with self._reading():
            rows = {(note, seq): row for note, seq, *row in self._connection.execute(query)}
            if not {*places} <= rows.keys():
                raise ValueError("a passage has no vectors")
        return [tuple(rows[place]) for place in places]

    @cached_property
    def _owners(self) -> npt.NDArray[np.int64]:
        """Passage of each vector, in order, shape (m,)."""
        notes = self._passages.note_rows
        with self._reading():
            rows = self._connection.execute("SELECT note, seq FROM vectors")
            owners = np.sort(np.fromiter((notes[note][1] + seq for note, seq in rows), np.int64))
            if len(np.unique(owners)) != len(self._passages):
                raise ValueError("passages have no vectors")
            return owners

    @cached_property
    def _dimension(self) -> int:
        with self._reading():
            row = self._connection.execute("SELECT length(vector) FROM vectors LIMIT 1").fetchone()
        return int(row[0]) if row else 1

    @property
    def _small(self) -> bool:
        return len(self) <= FLAT_MOST

    @cached_property
    def _index(self) -> Any:
        """Of all vectors, in memory: to read them takes no longer than a file of it would."""
        every = [*self._slabs()]
        d = self._dimension
        return build_index(np.concatenate(every) if every else np.zeros((0, d), np.float32))

    @cached_property
    def _shortlist(self) -> Any:
        """From its file, or built and saved when that cannot be trusted."""
        path = self._folder / INDEX
        index = load_shortlist(path, self._generation)
        if index is None or index.ntotal != len(self):
            index = build_shortlist(self._slabs(), self._dimension)
            # A store on a read-only or full disk still answers; the file only saves time.
            with contextlib.suppress(OSError):
                save_shortlist(index, path, self._generation)
        return index

    def _slabs(self) -> Iterator[npt.NDArray[np.float32]]:
        """The vectors of each note, shape (m, d), in the order of the passages."""
        query = "SELECT vector FROM vectors WHERE note = ? ORDER BY seq, part"
        for note in self._passages.note_rows:
            yield self._read(query, (note,))

    def _read(self, query: str, of: tuple[int, ...]) -> npt.NDArray[np.float32]:
        d = self._dimension  # read before: the connection is not given twice at a time
        with self._reading():
            rows = self._connection.execute(query, of).fetchall()
            return of_bytes(b"".join(vector for (vector,) in rows), d)
