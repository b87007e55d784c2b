"""What the reader knows already: marks on concepts, kept in the store through every ingest.

A mark is a label as it was written; which concept it means is found out each time it is read, so
that it outlives a concept's renaming as long as the label is among the new one's aliases. Marks
belong to no generation: setting one makes none, and a reader of an older generation sees it at
once.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from kg.errors import NoStore
from kg.linking import find_concept, key
from kg.schema import connect, meaning, read_meta
from kg.store import Store
from kg.writing import transaction

__all__ = ["Mark", "add_marks", "known_ids", "read_marks", "remove_marks"]

_TABLE = "CREATE TABLE IF NOT EXISTS known (label TEXT PRIMARY KEY)"  # made with the first mark


@dataclass(frozen=True, slots=True)
class Mark:
    """A label that was marked as known, and the concept it means now.

    None when the notes have it no more.
    """

    label: str
    concept: int | None


def read_marks(store: Store) -> tuple[Mark, ...]:
    """The marks as they are now, whatever the store's generation; in the order they were set."""
    with contextlib.closing(connect(store.folder, writable=False)) as connection:
        try:
            labels = _labels(connection)
        except sqlite3.DatabaseError as error:
            raise meaning(error, store.folder) from error
    return tuple(Mark(label, store.lexicon.named(label)) for label in labels)


def known_ids(store: Store) -> frozenset[int]:
    """The concepts that are marked as known."""
    return frozenset(mark.concept for mark in read_marks(store) if mark.concept is not None)


def add_marks(store: Store, labels: Sequence[str]) -> tuple[Mark, ...]:
    """Mark concepts as known, by label or alias; returns all marks.

    Nothing is marked when one label is unknown.

    Raises
    ------
    UnknownConcept
        When a label names no concept; carries the closest labels.
    StoreBusy
        While an ingest writes to the store.
    """
    known = known_ids(store)
    asked: dict[int, str] = {}
    for label in labels:
        asked.setdefault(find_concept(store.concepts, label).id, label.strip())
    _change(store, add=[label for concept, label in asked.items() if concept not in known])
    return read_marks(store)


def remove_marks(store: Store, labels: Sequence[str]) -> tuple[Mark, ...]:
    """Take marks back, by any name of their concept or as they were written.

    Returns those that stay.

    Raises
    ------
    UnknownConcept
        When a label is no mark and names no concept; carries the closest labels. Nothing is taken
        back then.
    StoreBusy
        While an ingest writes to the store.
    """
    marks = read_marks(store)
    gone: set[str] = set()
    for label in labels:
        written = {m.label for m in marks if key(m.label) == key(label)}
        meant = store.lexicon.named(label)
        if meant is None and not written:
            find_concept(store.concepts, label)
        gone |= written | {m.label for m in marks if meant is not None and m.concept == meant}
    _change(store, remove=sorted(gone))
    return read_marks(store)


def _labels(connection: sqlite3.Connection) -> list[str]:
    made = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'known'"
    ).fetchone()
    return (
        [row[0] for row in connection.execute("SELECT label FROM known ORDER BY rowid")]
        if made
        else []
    )


def _change(store: Store, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
    if not (add or remove):
        return
    with transaction(store.folder) as connection:
        if not read_meta(connection, store.folder):
            raise NoStore(
                f"there is no store in {store.folder} any more; make one with: gradus ingest PATH"
            )
        connection.execute(_TABLE)
        connection.executemany("DELETE FROM known WHERE label = ?", [(label,) for label in remove])
        connection.executemany(
            "INSERT OR IGNORE INTO known VALUES (?)", [(label,) for label in add]
        )
