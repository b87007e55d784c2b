"""From which folder each note of a store was ingested."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from kg.schema import connect, meaning, read_meta

__all__ = ["note_roots"]


def note_roots(folder: Path) -> dict[str, Path]:
    """The ingested folder of each note, by the note's name.

    Raises
    ------
    NoStore
        When nothing has been ingested there yet.
    StoreVersion
        When the store is another version's, damaged, or no store.
    """
    connection = connect(folder, writable=False)
    try:
        read_meta(connection, folder)
        return {name: Path(root) for name, root in connection.execute("SELECT name, root FROM notes")}
    except sqlite3.DatabaseError as error:
        raise meaning(error, folder) from error
    finally:
        connection.close()
