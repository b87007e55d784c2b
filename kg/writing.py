"""Writing a store: all that an ingest changes, in one transaction."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kg.errors import GradusError
from kg.packed import pack_text, unpack_text
from kg.rows import (
    NOTHING_UNLIKELY,
    Unlikely,
    insert_passages,
    insert_relations,
    read_passages,
)
from kg.schema import check_types, connect, meaning, meta_to_write, told
from kg.types import Concept, Mention, Passage, Relation
from kg.vectors import PassageVectors, of_bytes, pack_owners, unpack_owners
from kg.whole_file import clear_unfinished

__all__ = ["NoteRecord", "Writer", "transaction", "writing"]


@dataclass(frozen=True, slots=True)
class NoteRecord:
    """What the store knows of one note file; `parsed` is its parse as JSON text."""

    id: int
    path: str
    root: str
    name: str
    sha256: str


@dataclass
class Writer:
    """An open write transaction; nothing of it is seen by readers before `writing` ends well."""

    folder: Path
    connection: sqlite3.Connection
    meta: dict[str, str]

    def notes(self) -> list[NoteRecord]:
        """Every note of the store."""
        rows = self.connection.execute("SELECT id, path, root, name, sha256 FROM notes").fetchall()
        return [NoteRecord(*row) for row in rows]

    def parsed(self, note: int) -> str:
        """A note's parse, the JSON text it was put with."""
        query = "SELECT parsed FROM notes WHERE id = ?"
        return unpack_text(self.connection.execute(query, (note,)).fetchone()[0])

    def passages(self, note: int, first_id: int = 0) -> list[Passage]:
        """A note's passages with their statements; ids count up from `first_id`."""
        name = self.connection.execute("SELECT name FROM notes WHERE id = ?", (note,)).fetchone()[0]
        return read_passages(self.connection, note, name, first_id)

    def vectors(self, note: int) -> list[tuple[int, npt.NDArray[np.float32]]]:
        """A note's vectors with the position of their passage, in order."""
        rows = self.connection.execute(
            "SELECT seq, vector FROM vectors WHERE note = ? ORDER BY seq, part", (note,)
        ).fetchall()
        return [(seq, of_bytes(blob, len(blob))[0]) for seq, blob in rows]

    def words(self, note: int, seq: int) -> bytes:
        """The vectors of a passage's words, as `kg.vectors.in_bits` made them."""
        row = self.connection.execute(
            "SELECT vectors FROM words WHERE note = ? AND seq = ?", (note, seq)
        ).fetchone()
        return bytes(row[0]) if row else b""

    def known(self, sources: Iterable[bytes]) -> dict[bytes, PassageVectors]:
        """The vectors that passages of the store have, by the digest of what was encoded."""
        found = {}
        with told(self.folder):
            for source in set(sources):
                row = self.connection.execute(
                    "SELECT note, seq, vectors, statement_of, statements FROM words "
                    "WHERE source = ?",
                    (source,),
                ).fetchone()
                if row:
                    texts = self.connection.execute(
                        "SELECT vector FROM vectors WHERE note = ? AND seq = ? ORDER BY part",
                        row[:2],
                    ).fetchall()
                    words, statement_of, statements = row[2:]
                    owners = unpack_owners(statement_of)
                    vectors = tuple(v for (v,) in texts)
                    found[source] = PassageVectors(source, vectors, words, owners, statements)
        return found

    def names(self) -> dict[str, tuple[bytes, bytes]]:
        """Names encoded before: the vector of each in bytes, and its words' in bits."""
        return {
            name: (v, w)
            for name, v, w in self.connection.execute("SELECT name, vector, words FROM names")
        }

    def put_names(self, names: Mapping[str, tuple[bytes, bytes]]) -> None:
        """Replace the names kept by these."""
        self.connection.execute("DELETE FROM names")
        self.connection.executemany(
            "INSERT INTO names VALUES (?, ?, ?)", ((n, v, w) for n, (v, w) in names.items())
        )

    def put_note(
        self,
        record: NoteRecord,
        parsed: str,
        passages: Sequence[Passage],
        vectors: Sequence[PassageVectors],
    ) -> int:
        """Add a note with its passages and their statements, replacing an older version.

        Each passage has its vectors at its position.
        """
        self.connection.execute("DELETE FROM notes WHERE path = ?", (record.path,))
        cursor = self.connection.execute(
            "INSERT INTO notes (path, root, name, sha256, parsed) VALUES (?, ?, ?, ?, ?)",
            (record.path, record.root, record.name, record.sha256, pack_text(parsed)),
        )
        note = int(cursor.lastrowid or 0)
        insert_passages(self.connection, note, passages)
        self.connection.executemany(
            "INSERT INTO vectors VALUES (?, ?, ?, ?)",
            (
                (note, i, j, vector)
                for i, own in enumerate(vectors)
                for j, vector in enumerate(own.texts)
            ),
        )
        self.connection.executemany(
            "INSERT INTO words VALUES (?, ?, ?, ?, ?, ?)",
            (
                (note, i, own.source, own.words, pack_owners(own.statement_of), own.statements)
                for i, own in enumerate(vectors)
            ),
        )
        return note

    def remove_note(self, path: str) -> None:
        """Take a note out, with its passages and vectors."""
        self.connection.execute("DELETE FROM notes WHERE path = ?", (path,))

    def rename_notes(self, named: Mapping[str, tuple[str, str]]) -> None:
        """Give notes, by path, another root and name; what is derived is left to `put_derived`."""
        # In two steps, as one note may take the name that another gives up.
        self.connection.executemany(
            "UPDATE notes SET name = '/' || id WHERE path = ?", [(p,) for p in named]
        )
        self.connection.executemany(
            "UPDATE notes SET root = ?, name = ? WHERE path = ?",
            [(r, n, p) for p, (r, n) in named.items()],
        )

    def put_derived(
        self,
        note_order: Sequence[str],
        concepts: Sequence[Concept],
        mentions: Iterable[Mention],
        relations: Iterable[Relation],
        full_text: Iterable[tuple[int, str, str, str]],
        unlikely: Unlikely = NOTHING_UNLIKELY,
    ) -> None:
        """Replace what is derived from all notes together.

        `full_text` rows are (passage id, heading, body, names of the concepts defined there).
        """
        for table in ("concepts", "aliases", "mentions", "relations", "evidence", "candidates"):
            self.connection.execute(f"DELETE FROM {table}")
        self.connection.execute("INSERT INTO passages_fts (passages_fts) VALUES ('delete-all')")
        self.connection.executemany(
            "INSERT INTO concepts VALUES (?, ?, ?, ?, ?, ?)",
            (
                (
                    c.id,
                    c.label,
                    json.dumps(c.notes),
                    c.summary,
                    json.dumps(c.passages),
                    json.dumps([dataclasses.astuple(r) for r in c.resources]),
                )
                for c in concepts
            ),
        )
        self.connection.executemany(
            "INSERT INTO aliases VALUES (?, ?, ?)",
            ((c.id, i, alias) for c in concepts for i, alias in enumerate(c.aliases)),
        )
        self.connection.executemany(
            "INSERT INTO mentions VALUES (?, ?, ?, ?, ?)",
            ((m.concept, m.passage, m.start, m.end, m.alias) for m in mentions),
        )
        insert_relations(self.connection, relations, unlikely)
        self.connection.executemany(
            "INSERT INTO passages_fts (rowid, heading, body, names) VALUES (?, ?, ?, ?)", full_text
        )
        self.put_meta("note_order", json.dumps(list(note_order)))

    def put_meta(self, key: str, value: str) -> None:
        """Record something about the store itself."""
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
        self.meta[key] = value


@contextlib.contextmanager
def transaction(folder: Path) -> Iterator[sqlite3.Connection]:
    """One transaction on a store's database: committed when the block ends well.

    Else it is undone. The database is new where there is none.

    Raises
    ------
    StoreBusy
        When another holds the store.
    StoreVersion
        When the database is damaged, or none.
    GradusError
        When the disk is full or the folder cannot be written.
    """
    try:
        connection = connect(folder, writable=True)
    except OSError as error:
        raise GradusError(
            f"cannot write a store in {folder}: {error}; choose another with --store"
        ) from error
    except sqlite3.DatabaseError as error:
        known = meaning(error, folder)
        if type(known) is GradusError:
            known = GradusError(
                f"cannot write a store in {folder}: {error}; choose another with --store"
            )
        raise known from error
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.ProgrammingError):
            raise
        raise meaning(error, folder) from error
    finally:
        # Closing without COMMIT rolls back: the store is then as it was before.
        connection.close()


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[Writer]:
    """One ingest's transaction: a new generation when the block ends well and something changed.

    A store of an older version becomes one of this in it.

    Raises
    ------
    StoreVersion
        When the store is a newer version's; and all that `transaction` raises.
    """
    with transaction(folder) as connection:
        clear_unfinished(folder)
        meta = meta_to_write(connection, folder)
        with told(folder):
            check_types(connection)
            before_it = int(meta["generation"])
        writer = Writer(folder, connection, meta)
        before = connection.total_changes
        yield writer
        if connection.total_changes != before:
            writer.put_meta("generation", str(before_it + 1))
