"""Reading a store: one whole generation, with full-text and vector lookup."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from kg.errors import NoStore, StoreVersion
from kg.graph import prerequisite_graph
from kg.linking import Lexicon, fold, spaced, terms
from kg.packed import unpack_text
from kg.passages import KEPT, Passages
from kg.paths import Likely
from kg.rows import (
    LEAST,
    read_candidates,
    read_concepts,
    read_mentions,
    read_relations,
)
from kg.schema import INDEX, OF_PASSAGES, check_types, connect, read_meta, told
from kg.types import Concept, Mention, Place, Relation
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

__all__ = ["NoteFile", "Store", "note_roots", "open_store"]

KEPT_WORDS = 20_000  # passages whose words' vectors stay in memory, about 2 KB each
# Of so many vectors all are compared with a question's; of more, those of a shortlist.
FLAT_MOST = 50_000
SHORTLIST = 400
_HYPHENATED = re.compile(r"([^\W_]+)-([^\W_]+)")


@dataclass(frozen=True, slots=True)
class NoteFile:
    """A note's file as it was when it was ingested."""

    path: Path
    root: Path  # the ingested folder it lies in
    sha256: str  # of its text


@dataclass
class Store:
    """One generation of a store, read-only. Ids of passages and concepts are their positions.

    The connection keeps its read transaction open, so that full-text lookups see the same
    generation while an ingest writes the next; `is_current` says when to open again.
    """

    folder: Path
    generation: int
    identity: str  # of the store, whatever its generation
    encoder_name: str
    passages: Passages
    concepts: tuple[Concept, ...]
    note_names: tuple[str, ...]
    note_paths: dict[str, Path]
    _connection: sqlite3.Connection
    _reading: Callable[[], AbstractContextManager[None]]  # one thread at a time
    imported_from: str = (
        ""  # the file that the graph was imported from; then there are no notes and no passages
    )
    _imported_places: tuple[tuple[Place, ...], ...] = ()

    def close(self) -> None:
        """End the read transaction; the values stay usable, lookups do not."""
        self._connection.close()

    def warm(self, words: bool = False) -> None:
        """Load the index of vectors (writing its file if out of date) now, not at first use.

        Also passages' words, of as many as stay in memory.
        """
        if self._small:
            self._index  # noqa: B018
            # What a larger store, or an older version's, has left there is of no use any more.
            with contextlib.suppress(OSError):
                (self.folder / INDEX).unlink(missing_ok=True)
        else:
            self._shortlist  # noqa: B018
        for passage in range(min(len(self.passages), KEPT) if words else 0):
            self.passage_terms(passage)

    def is_current(self) -> bool:
        """Whether no ingest has committed a newer generation since this one was opened."""
        try:
            fresh = connect(self.folder, writable=False)
        except (NoStore, sqlite3.OperationalError):
            return False
        try:
            meta = read_meta(fresh, self.folder)
            return (meta.get("generation"), meta.get("identity", "")) == (
                str(self.generation),
                self.identity,
            )
        except StoreVersion:
            return False
        finally:
            fresh.close()

    def note_text(self, name: str, cell: int | None = None) -> str:
        """A note's text as ingested; for a notebook, the text of one cell.

        Offsets of passages count in it.

        Raises
        ------
        KeyError
            When the note is not in the store.
        """
        return self.note_texts(name)[cell or 0]

    def note_texts(self, name: str) -> tuple[str, ...]:
        """A note's text as ingested, alone; for a notebook, the texts of its cells.

        Raises
        ------
        KeyError
            When the note is not in the store.
        """
        (parsed,) = self._of_note("parsed", name)
        with told(self.folder):
            return tuple(map(str, json.loads(unpack_text(parsed))["texts"]))

    def note_file(self, name: str) -> NoteFile:
        """Where a note was read from, and what it then held.

        Raises
        ------
        KeyError
            When the note is not in the store.
        """
        path, root, digest = self._of_note("path, root, sha256", name)
        return NoteFile(Path(path), Path(root), digest)

    def _of_note(self, columns: str, name: str) -> tuple[Any, ...]:
        with self._reading():
            row: tuple[Any, ...] | None = self._connection.execute(
                f"SELECT {columns} FROM notes WHERE name = ?", (name,)
            ).fetchone()
        if row is None:
            raise KeyError(name)
        return row

    def candidates(self) -> tuple[Relation, ...]:
        """Relations that were scored and not kept.

        Read from the disk each time, as there are many.
        """
        with self._reading():
            return read_relations(self._connection, kept=False)

    def likely(self, goals: Collection[int]) -> Likely | None:
        """For each goal the chance, from `kg.rows.LEAST` on, that each other concept comes first.

        Of two that may come before each other, the likelier. None for an imported graph.
        """
        if self.imported_from:
            return None
        wanted = [*goals]
        marks = ", ".join("?" * len(wanted))
        with self._reading():
            rows = self._connection.execute(
                "SELECT source, target, score FROM relations WHERE kind = 'prerequisite' AND "
                f"(target IN ({marks}) OR source IN ({marks}))",
                (*wanted, *wanted),
            ).fetchall()
            pairs, scores = read_candidates(self._connection)
        some = np.isin(pairs, wanted).any(axis=0) & (scores >= LEAST)
        chance = dict(
            zip(map(tuple, pairs[:, some].T.tolist()), scores[some].tolist(), strict=True)
        )
        chance |= {(int(p), int(c)): float(s) for p, c, s in rows}
        return {
            goal: {p: s for (p, c), s in chance.items() if c == goal and s > chance.get((c, p), 0)}
            for goal in goals
        }

    def places(self, concept: Concept) -> tuple[Place, ...]:
        """Where the notes define a concept, the best place first.

        Of an imported graph, where they did.
        """
        if self._imported_places:
            return self._imported_places[concept.id]
        own = (self.passages[p] for p in concept.passages)
        return tuple(Place(p.note, p.cell, p.line_start, p.line_end) for p in own)

    def lexical(self, expression: str, k: int, weights: Sequence[float]) -> list[tuple[int, float]]:
        """Passages that match an FTS5 expression, with BM25 scores, higher better.

        Parameters
        ----------
        weights : sequence of three floats
            Weights of the fields heading, body and names (of the concepts defined there).
        """
        # FTS5's bm25() is negative with the best lowest; negate it so that higher is better.
        query = (
            "SELECT rowid, -bm25(passages_fts, ?, ?, ?) AS score FROM passages_fts WHERE "
            "passages_fts MATCH ? ORDER BY score DESC, rowid LIMIT ?"
        )
        with self._reading():
            rows = self._connection.execute(query, (*weights, expression, k)).fetchall()
        return [(int(i), float(s)) for i, s in rows]

    def passage_frequency(self, term: str) -> int:
        """Number of passages that hold a term, stemmed as the full-text index stems."""
        return self._frequency(term)

    @cached_property
    def _frequency(self) -> Callable[[str], int]:
        return lru_cache(KEPT)(self._count)

    def _count(self, term: str) -> int:
        quoted = '"' + spaced(term.replace('"', "")) + '"'
        with self._reading():
            row = self._connection.execute(
                "SELECT count(*) FROM passages_fts WHERE passages_fts MATCH ?", (quoted,)
            ).fetchone()
        return int(row[0])

    def vocabulary(self) -> Mapping[str, int]:
        """The words of the full-text index as it stems them, with how many passages hold each."""
        return self._vocabulary

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        with self._reading():
            self._connection.execute(
                "CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary "
                "USING fts5vocab(main, passages_fts, row)"
            )
            rows = self._connection.execute("SELECT term, doc FROM temp.vocabulary").fetchall()
        return {term: int(count) for term, count in rows}

    def nearest_passages(self, query: npt.NDArray[np.float32], k: int) -> list[tuple[int, float]]:
        """Passages by the cosine of their best vector with the query's, shape (d,).

        Best first, at most k. Of many passages, the best of a shortlist.
        """
        if not len(self._owners):
            return []
        if self._small:
            return self._nearest_of_all(query, k)
        rows = shortlist(self._shortlist, query, max(SHORTLIST, 4 * k), self._dimension)
        among = dict.fromkeys(self._owners[rows].tolist())
        scored = [(p, float((self.passage_vectors(p) @ query).max())) for p in among]
        return sorted(scored, key=lambda found: (-found[1], found[0]))[:k]

    def _nearest_of_all(self, query: npt.NDArray[np.float32], k: int) -> list[tuple[int, float]]:
        best: dict[int, float] = {}
        # Several vectors belong to one passage: ask for more until k passages are found or none are
        # left.
        n = 4 * k
        while True:
            rows, scores = nearest(self._index, query, n)
            for row, score in zip(rows, scores, strict=True):
                best.setdefault(int(self._owners[row]), float(score))
            if len(best) >= k or n >= len(self._owners):
                return list(best.items())[:k]
            n *= 2

    def passage_vectors(self, passage: int) -> npt.NDArray[np.float32]:
        """The vectors of one passage, shape (parts, d)."""
        return self._vectors_of(passage)

    @cached_property
    def _vectors_of(self) -> Callable[[int], npt.NDArray[np.float32]]:
        return lru_cache(KEPT)(self._read_vectors)

    def _read_vectors(self, passage: int) -> npt.NDArray[np.float32]:
        query = "SELECT vector FROM vectors WHERE note = ? AND seq = ? ORDER BY part"
        d = self._dimension
        with self._reading():
            rows = self._connection.execute(query, self.passages.place(passage)).fetchall()
            return of_bytes(b"".join(vector for (vector,) in rows), d)

    def passage_words(self, passages: Sequence[int]) -> list[bytes]:
        """Vectors of each passage's words, as `kg.vectors.in_bits` made them.

        Empty when the encoder gives none.
        """
        return [self._words(p) for p in passages]

    @cached_property
    def _words(self) -> Callable[[int], bytes]:
        return lru_cache(KEPT_WORDS)(self._read_words)

    def _read_words(self, passage: int) -> bytes:
        (words,) = self._of_words("vectors", passage)
        d = self._dimension
        with told(self.folder):
            check_bits(words, d, WORD_BITS)
        return words

    def statement_vectors(self, passages: Sequence[int]) -> list[StatementVectors]:
        """The vectors of each passage's statements and of the words in them."""
        d = self._dimension
        rows = [self._of_words("vectors, statement_of, statements", p) for p in passages]
        with told(self.folder):
            return [StatementVectors.of(words, of, whole, d) for words, of, whole in rows]

    def _of_words(self, columns: str, passage: int) -> tuple[bytes, ...]:
        query = f"SELECT {columns} FROM words WHERE note = ? AND seq = ?"
        with self._reading():
            row: tuple[bytes, ...] | None = self._connection.execute(
                query, self.passages.place(passage)
            ).fetchone()
            if row is None:
                raise ValueError("a passage has no vectors")
            return row

    def passage_terms(self, passage: int) -> frozenset[str]:
        """The folded words of a passage, its headings, and concepts it defines."""
        return self._terms(passage)

    @cached_property
    def _terms(self) -> Callable[[int], frozenset[str]]:
        return lru_cache(KEPT)(self._read_terms)

    def _read_terms(self, passage: int) -> frozenset[str]:
        own = (self.concepts[c] for c in self.defined_in.get(passage, ()))
        names = (n for c in own for n in (c.label, *c.aliases))
        text = " ".join((*self.passages[passage].heading_path, *names, self.passages[passage].text))
        # Who asks for "unet" is answered by "U-Net".
        joined = (a + b for a, b in _HYPHENATED.findall(text))
        return frozenset(fold(w) for w in {*(term for term, _, _ in terms(text)), *joined})

    def text_terms(self, passage: int) -> frozenset[str]:
        """The words of a passage's text alone, as they are searched for."""
        return self._text_terms(passage)

    @cached_property
    def _text_terms(self) -> Callable[[int], frozenset[str]]:
        return lru_cache(KEPT)(
            lambda passage: frozenset(term for term, _, _ in terms(self.passages[passage].text))
        )

    @cached_property
    def lexicon(self) -> Lexicon:
        """Every concept's names."""
        return Lexicon.of(self.concepts)

    @cached_property
    def prerequisites(self) -> nx.DiGraph[int]:
        """Kept prerequisite edges, from what comes first to what needs it."""
        return prerequisite_graph(self.relations, len(self.concepts))

    @cached_property
    def relations(self) -> tuple[Relation, ...]:
        """The kept ones."""
        with self._reading():
            return read_relations(self._connection, kept=True)

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """Every place where a passage names a concept."""
        with self._reading():
            return read_mentions(self._connection)

    def mentions_in(self, passage: int) -> tuple[Mention, ...]:
        """Mentions of one passage, in order of their place."""
        with self._reading():
            return read_mentions(self._connection, passage)

    @cached_property
    def defined_in(self) -> dict[int, tuple[int, ...]]:
        """Concepts that each passage defines."""
        out: dict[int, list[int]] = {}
        for concept in self.concepts:
            for passage in concept.passages:
                out.setdefault(passage, []).append(concept.id)
        return {p: tuple(cs) for p, cs in out.items()}

    @cached_property
    def _owners(self) -> npt.NDArray[np.int64]:
        """Passage of each vector, in order, shape (m,)."""
        first = self.passages.first_ids()
        with self._reading():
            rows = self._connection.execute("SELECT note, seq FROM vectors")
            owners = np.sort(np.fromiter((first[note] + seq for note, seq in rows), np.int64))
            if len(np.unique(owners)) != len(self.passages):
                raise ValueError("passages have no vectors")
            return owners

    @cached_property
    def _dimension(self) -> int:
        with self._reading():
            row = self._connection.execute("SELECT length(vector) FROM vectors LIMIT 1").fetchone()
        return int(row[0]) if row else 1

    @property
    def _small(self) -> bool:
        return len(self._owners) <= FLAT_MOST

    @cached_property
    def _index(self) -> Any:
        """Of all vectors, in memory: to read them takes no longer than a file of it would."""
        every = [*self._slabs()]
        d = self._dimension
        return build_index(np.concatenate(every) if every else np.zeros((0, d), np.float32))

    @cached_property
    def _shortlist(self) -> Any:
        """From its file, or built and saved when that cannot be trusted."""
        path, of = self.folder / INDEX, f"{self.identity} {self.generation}"
        index = load_shortlist(path, of)
        if index is None or index.ntotal != len(self._owners):
            index = build_shortlist(self._slabs(), self._dimension)
            # A store on a read-only or full disk still answers; the file only saves time.
            with contextlib.suppress(OSError):
                save_shortlist(index, path, of)
        return index

    def _slabs(self) -> Iterator[npt.NDArray[np.float32]]:
        """The vectors of each note, shape (m, d), in the order of the passages."""
        query = "SELECT vector FROM vectors WHERE note = ? ORDER BY seq, part"
        d = self._dimension
        for note in self.passages.first_ids():
            with self._reading():
                rows = self._connection.execute(query, (note,)).fetchall()
                vectors = of_bytes(b"".join(vector for (vector,) in rows), d)
            yield vectors


def open_store(folder: Path) -> Store:
    """Open the newest whole generation of a store.

    Raises
    ------
    NoStore
        When nothing has been ingested there yet.
    StoreVersion
        When the store is another version's, damaged, or no store.
    StoreBusy
        When it is locked.
    """
    connection = connect(folder, writable=False)
    with contextlib.ExitStack() as undo, told(folder):
        undo.callback(connection.close)
        connection.execute("BEGIN")
        meta = read_meta(connection, folder)
        if int(meta.get("generation", "0")) == 0:
            raise NoStore(
                f"the store in {folder} holds no notes yet; fill it with: gradus ingest PATH "
                f"--store {folder}"
            )
        check_types(connection, besides=OF_PASSAGES)
        notes = connection.execute("SELECT id, name, path FROM notes").fetchall()
        ids = {name: i for i, name, _ in notes}
        counts = dict(
            connection.execute("SELECT note, count(*) FROM passages GROUP BY note").fetchall()
        )
        order = json.loads(meta["note_order"])
        imported = json.loads(meta.get("imported", "{}"))
        reading = partial(_one_at_a_time, threading.Lock(), folder)
        in_order = [(ids[name], name, counts.get(ids[name], 0)) for name in order]
        store = Store(
            folder=folder,
            generation=int(meta["generation"]),
            identity=meta.get("identity", ""),
            encoder_name=meta["encoder"],
            passages=Passages(connection, reading, in_order),
            concepts=read_concepts(connection),
            note_names=tuple(order),
            note_paths={name: Path(path) for _, name, path in notes},
            _connection=connection,
            _reading=reading,
            imported_from=imported.get("file", ""),
            _imported_places=tuple(
                tuple(Place(*p) for p in ps) for ps in imported.get("places", ())
            ),
        )
        _check(store)
        undo.pop_all()
        return store


@contextlib.contextmanager
def _one_at_a_time(lock: threading.Lock, folder: Path) -> Iterator[None]:
    """A connection is one thread's at a time; what cannot be read is said of the store."""
    with lock, told(folder):
        yield


def _check(store: Store) -> None:
    """Raise ValueError where rows name what is not there: later reads would trip over it."""
    passages, concepts = len(store.passages), len(store.concepts)
    named = [p for concept in store.concepts for p in concept.passages]
    there = all(isinstance(p, int) and 0 <= p < passages for p in named)
    numbered = [c.id for c in store.concepts] == [*range(concepts)]
    within = f"NOT BETWEEN 0 AND {concepts - 1}"
    lost = store._connection.execute(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM mentions WHERE passage NOT BETWEEN 0 AND ? "
        f"OR concept {within}) OR EXISTS (SELECT 1 FROM relations WHERE kept AND "
        f"(source {within} OR target {within}))",
        (passages - 1,),
    ).fetchone()
    if not there or not numbered or lost:
        raise ValueError("it names passages or concepts that are not there")


def note_roots(folder: Path) -> dict[str, Path]:
    """The ingested folder of each note, by the note's name.

    Raises
    ------
    NoStore
        When nothing has been ingested there yet.
    StoreVersion
        When the store is another version's, damaged, or no store.
    """
    with contextlib.closing(connect(folder, writable=False)) as connection, told(folder):
        read_meta(connection, folder)
        rows = connection.execute("SELECT name, root FROM notes").fetchall()
    return {name: Path(root) for name, root in rows}
