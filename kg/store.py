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

from kg.errors import NoStore, StoreVersion
from kg.graph import prerequisite_graph
from kg.linking import Lexicon, fold, spaced, term_set
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
from kg.schema import OF_PASSAGES, check_types, connect, read_meta, told
from kg.stored_vectors import StoredVectors
from kg.types import Concept, Mention, Place, Relation

__all__ = ["NoteFile", "Store", "note_roots", "open_store"]

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
    vectors: StoredVectors
    concepts: tuple[Concept, ...]
    note_names: tuple[str, ...]
    note_paths: dict[str, Path]
    _connection: sqlite3.Connection
    _reading: Callable[[], AbstractContextManager[None]]  # one thread at a time
    imported_from: str = (
        ""  # the file that the graph was imported from; then there are no notes and no passages
    )
    _imported_places: tuple[tuple[Place, ...], ...] = ()
    # What in the notes could not be followed: note, line and why.
    warnings: tuple[tuple[str, int, str], ...] = ()

    def close(self) -> None:
        """End the read transaction; the values stay usable, lookups do not."""
        self._connection.close()

    def warm(self, words: bool = False) -> None:
        """Load the index of vectors (writing its file if out of date) now, not at first use.

        Also passages' words, of as many as stay in memory.
        """
        self.vectors.warm()
        first = range(min(len(self.passages), KEPT) if words else 0)
        self.passages.some(first)
        for passage in first:
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
        joined = (a + b for a, b in _HYPHENATED.findall(text)) if "-" in text else ()
        return frozenset(map(fold, term_set(text).union(joined)))

    def text_terms(self, passage: int) -> frozenset[str]:
        """The words of a passage's text alone, as they are searched for."""
        return self._text_terms(passage)

    @cached_property
    def _text_terms(self) -> Callable[[int], frozenset[str]]:
        return lru_cache(KEPT)(lambda passage: frozenset(term_set(self.passages[passage].text)))

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
                f"the store in {folder} holds no notes yet (`gradus ingest PATH --store {folder}` "
                "fills it)"
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
        passages = Passages(connection, reading, in_order)
        generation, identity = int(meta["generation"]), meta.get("identity", "")
        whole = f"{identity} {generation}"
        store = Store(
            folder=folder,
            generation=generation,
            identity=identity,
            encoder_name=meta["encoder"],
            passages=passages,
            vectors=StoredVectors(connection, reading, passages, folder, whole),
            concepts=read_concepts(connection),
            note_names=tuple(order),
            note_paths={name: Path(path) for _, name, path in notes},
            _connection=connection,
            _reading=reading,
            imported_from=imported.get("file", ""),
            _imported_places=tuple(
                tuple(Place(*p) for p in ps) for ps in imported.get("places", ())
            ),
            warnings=tuple(
                (n, line, why) for n, line, why in json.loads(meta.get("warnings", "[]"))
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
