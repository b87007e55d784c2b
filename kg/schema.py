"""The store's SQLite file: its tables, its version, and how a connection to it is opened."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

from kg.errors import GradusError, NoStore, StoreBusy, StoreVersion

__all__ = [
    "DATABASE",
    "INDEX",
    "OF_PASSAGES",
    "VERSION",
    "check_types",
    "connect",
    "create_tables",
    "meaning",
    "meta_to_write",
    "read_meta",
    "told",
]

DATABASE = "gradus.sqlite"
INDEX = "vectors.faiss"
VERSION = 8

# notes, passages, statements, vectors and words (the vectors of a passage's words and statements)
# belong to one note each and stay while its content stays; by its source, a digest of what was
# encoded, a passage finds its vectors again wherever it stands. The other tables are derived from
# all notes together and are written anew by every ingest that changes something, but for names:
# vectors of labels, which stay as long as some concept has that label. In those, a passage's id is
# its rank in (note order, position in the note), the numbering a reader gives. A statement's seq is
# its position in the note, too. All evidence stands in one row, packed, and relations name it by
# its place there. So do prerequisites that were scored and not kept, in candidates: of a large
# vault they are 99 in 100. The full-text index holds no text: it is that of the passages.
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE notes (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE, root TEXT NOT NULL, name TEXT NOT NULL UNIQUE,
    sha256 TEXT NOT NULL, parsed BLOB NOT NULL);
CREATE TABLE passages (
    note INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE, seq INTEGER NOT NULL,
    cell INTEGER, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    line_start INTEGER NOT NULL, line_end INTEGER NOT NULL,
    heading_path TEXT NOT NULL, text TEXT NOT NULL, kind TEXT NOT NULL,
    PRIMARY KEY (note, seq));
CREATE TABLE statements (
    note INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE, seq INTEGER NOT NULL,
    passage INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    kind TEXT NOT NULL, block INTEGER NOT NULL, "group" INTEGER NOT NULL,
    PRIMARY KEY (note, seq)) WITHOUT ROWID;
CREATE TABLE vectors (
    note INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE, seq INTEGER NOT NULL,
    part INTEGER NOT NULL, vector BLOB NOT NULL,
    PRIMARY KEY (note, seq, part));
CREATE TABLE words (
    note INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE, seq INTEGER NOT NULL,
    source BLOB NOT NULL, vectors BLOB NOT NULL, statement_of BLOB NOT NULL,
    statements BLOB NOT NULL,
    PRIMARY KEY (note, seq));
CREATE TABLE names (name TEXT PRIMARY KEY, vector BLOB NOT NULL, words BLOB NOT NULL);
CREATE TABLE concepts (
    id INTEGER PRIMARY KEY, label TEXT NOT NULL, notes TEXT NOT NULL, summary TEXT NOT NULL,
    passages TEXT NOT NULL, resources TEXT NOT NULL);
CREATE TABLE aliases (
    concept INTEGER NOT NULL, seq INTEGER NOT NULL, alias TEXT NOT NULL,
    PRIMARY KEY (concept, seq));
CREATE TABLE mentions (
    concept INTEGER NOT NULL, passage INTEGER NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, alias TEXT NOT NULL);
CREATE TABLE relations (
    kind TEXT NOT NULL, source INTEGER NOT NULL, target INTEGER NOT NULL,
    score REAL NOT NULL, kept INTEGER NOT NULL,
    evidence TEXT NOT NULL, tier TEXT NOT NULL, shortcut INTEGER NOT NULL);
CREATE TABLE evidence (told BLOB NOT NULL);
CREATE TABLE candidates (pairs BLOB NOT NULL, scores BLOB NOT NULL, evidence BLOB NOT NULL);
CREATE VIRTUAL TABLE passages_fts USING fts5 (
    heading, body, names, content = '', tokenize = 'porter unicode61 remove_diacritics 2');
"""
# Without them everything is found too, more slowly.
_INDEXES = """
CREATE INDEX IF NOT EXISTS words_by_source ON words (source);
CREATE INDEX IF NOT EXISTS statements_by_passage ON statements (note, passage);
CREATE INDEX IF NOT EXISTS mentions_by_passage ON mentions (passage);
"""


def connect(folder: Path, *, writable: bool) -> sqlite3.Connection:
    """A connection to the folder's database; transactions are opened by hand.

    Raises
    ------
    NoStore
        When it is opened for reading and there is none.
    """
    path = folder / DATABASE
    if writable:
        folder.mkdir(parents=True, exist_ok=True)
    elif not path.is_file():
        raise NoStore(
            f"there is no store in {folder} yet (`gradus ingest PATH --store {folder}` makes one)"
        )
    # SQLite keeps notes of its readers beside the file; where it may not, and no writer has left
    # any, none can come.
    alone = (
        not writable
        and not os.access(folder, os.W_OK)
        and not path.with_name(f"{DATABASE}-wal").exists()
    )
    address = f"{path.resolve().as_uri()}{'?immutable=1' if alone else ''}"
    # A reader stays on one thread at a time under the lock of its Store, not on the thread that
    # opened it. It waits for a writer that is closing; a writer does not wait for another's whole
    # ingest.
    connection = sqlite3.connect(
        address,
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=0.5 if writable else 5.0,
    )
    with contextlib.ExitStack() as undo:
        undo.callback(connection.close)
        if writable:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA foreign_keys = ON")
            except UnicodeDecodeError as error:  # of a message that quotes the damage
                raise _damaged(folder, error) from error
        undo.pop_all()
    return connection


@contextlib.contextmanager
def told(folder: Path) -> Iterator[None]:
    """What goes wrong with the database inside is raised as what it says about the store.

    Only for reading rows: whatever these do not hold as they should is damage, too.
    """
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # of ours: a connection that is closed
    except sqlite3.DatabaseError as error:
        raise meaning(error, folder) from error
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise _damaged(folder, error) from error


def meaning(error: sqlite3.Error, folder: Path) -> GradusError:
    """What an error of the database says about the store in a folder."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(
            f"another ingest is writing to the store in {folder}; try again when it is done"
        )
    # Without a code, Python could not read what the database gave it.
    damage = (0, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR)
    if code in damage or isinstance(error, sqlite3.IntegrityError):
        return _damaged(folder, error)
    return GradusError(f"the store in {folder} could not be used ({error}), and stays as it was")


def _damaged(folder: Path, error: Exception) -> StoreVersion:
    what = f"{error}"[:200] or type(error).__name__
    return StoreVersion(
        f"{folder / DATABASE} is not a store of Gradus, or is damaged ({what}); choose "
        "another with --store, "
        "or delete that file and ingest again"
    )


def meta_to_write(connection: sqlite3.Connection, folder: Path) -> dict[str, str]:
    """`read_meta` for a writer, inside its transaction: where there are no tables, they are made.

    Those of an older version are made anew. What people said stays: marks, the encoder, decisions
    of folders that are away. So do the notes' places, without a sum, as those of changed notes.

    Raises
    ------
    StoreVersion
        When the file is no store, or one of a newer version.
    StoreBusy
        When it is locked.
    """
    with told(folder):
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            # The identity tells a store from one made anew in its place, whose generations count
            # from 1 again.
            create_tables(connection)
            first = {"version": str(VERSION), "generation": "0", "identity": uuid.uuid4().hex}
            connection.executemany("INSERT INTO meta VALUES (?, ?)", first.items())
        elif _age(_version(connection)) == "older":
            _renew(connection)
        elif _age(_version(connection)) == "this":
            _execute(connection, _INDEXES)
    return read_meta(connection, folder)


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of a store, inside the caller's transaction."""
    _execute(connection, _TABLES + _INDEXES)


def _execute(connection: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def _renew(connection: sqlite3.Connection) -> None:
    meta = connection.execute("SELECT key, value FROM meta WHERE key <> 'version'").fetchall()
    notes = connection.execute("SELECT path, root, name FROM notes").fetchall()
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'known' ORDER BY name"
    for (table,) in connection.execute(tables).fetchall():
        # A full-text index takes tables of its own with it.
        connection.execute(f'DROP TABLE IF EXISTS "{table}"')
    create_tables(connection)
    connection.executemany("INSERT INTO meta VALUES (?, ?)", [*meta, ("version", str(VERSION))])
    connection.executemany(
        "INSERT INTO notes (path, root, name, sha256, parsed) VALUES (?, ?, ?, '', x'')", notes
    )


def _version(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()
    return str(row[0]) if row else None


def _age(version: str | None) -> Literal["older", "this", "newer", "none"]:
    """How a store's version stands to the one that is read here."""
    if version is None or not version.isdecimal():
        return "none"
    number = int(version)
    return "this" if number == VERSION else "older" if number < VERSION else "newer"


# What grows with the notes' text; a reader checks its rows when it reads them.
OF_PASSAGES = frozenset({"passages", "statements", "vectors", "words"})


def check_types(connection: sqlite3.Connection, besides: Collection[str] = ()) -> None:
    """Raise ValueError where a cell is not of its column's type, which SQLite does not mind.

    Every reader relies on it; blobs themselves are not read.

    Parameters
    ----------
    besides : collection of str
        Tables that are not looked at.
    """
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'passages_fts%'"
    tables = [name for (name,) in connection.execute(names).fetchall() if name not in besides]
    for table in tables:
        wrong = []
        for _, column, declared, needed, _, key in connection.execute(
            f'PRAGMA table_info("{table}")'
        ):
            allowed = {"REAL": ("real", "integer")}.get(declared, (str(declared).lower(),))
            either = allowed if needed or key else (*allowed, "null")
            wrong.append(f'typeof("{column}") NOT IN ({", ".join(map(repr, either))})')
        found = f'SELECT 1 FROM "{table}" WHERE {" OR ".join(wrong)} LIMIT 1'
        if wrong and connection.execute(found).fetchone():
            raise ValueError(f"the table {table} holds what does not belong there")


def read_meta(connection: sqlite3.Connection, folder: Path) -> dict[str, str]:
    """The store's own record of itself; empty for a database without tables.

    Raises
    ------
    StoreVersion
        When the file is no database, or one of another version.
    StoreBusy
        When it is locked.
    """
    with told(folder):
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        meta = dict(connection.execute("SELECT key, value FROM meta").fetchall()) if tables else {}
    age = _age(meta.get("version"))
    if tables and age != "this":
        raise StoreVersion(
            f"the store in {folder} has version {meta.get('version')}, this Gradus reads version "
            f"{VERSION}; {_ADVICE[age].format(folder)}"
        )
    return meta


_ADVICE = {
    "older": "bring it up to date with: gradus ingest PATH --store {} (what you decided and marked "
    "as known stays)",
    "newer": "it stays as it is: update Gradus, or choose another store with --store",
    "none": "choose another store with --store",
}
