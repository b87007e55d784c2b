"""Passages with their statements to rows of a store and back, for its reader and its writer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from kg.types import Passage, StatementSpan

__all__ = ["insert_passages", "read_passages"]


def read_passages(
    connection: sqlite3.Connection, note: int, name: str, first_id: int = 0
) -> list[Passage]:
    """The passages of one note, in reading order; their ids count up from `first_id`.

    Parameters
    ----------
    note : int
        The note's id in the table of notes.
    name : str
        Its name, which every passage carries.
    """
    statements: dict[int, list[StatementSpan]] = {}
    for passage, *place in connection.execute(
        'SELECT passage, start, "end", kind, block, "group" FROM statements '
        "WHERE note = ? ORDER BY seq",
        (note,),
    ):
        statements.setdefault(passage, []).append(StatementSpan(*place))
    rows = connection.execute(
        'SELECT cell, start, "end", line_start, line_end, heading_path, text, kind FROM passages '
        "WHERE note = ? ORDER BY seq",
        (note,),
    )
    passages = []
    for seq, (cell, start, end, first, last, path, text, kind) in enumerate(rows):
        headings, spans = tuple(json.loads(path)), tuple(statements.get(seq, ()))
        passages.append(
            Passage(
                first_id + seq, name, cell, start, end, first, last, headings, text, kind, spans
            )
        )
    return passages


def insert_passages(connection: sqlite3.Connection, note: int, passages: Sequence[Passage]) -> None:
    """Add all passages of one note, in reading order, with their statements."""
    connection.executemany(
        "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (note, seq, p.cell, p.start, p.end, p.line_start, p.line_end,
             json.dumps(p.heading_path), p.text, p.kind)
            for seq, p in enumerate(passages)
        ),
    )  # fmt: skip
    statements = ((seq, s) for seq, p in enumerate(passages) for s in p.statements)
    connection.executemany(
        "INSERT INTO statements VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (note, at, seq, s.start, s.end, s.kind, s.block, s.group)
            for at, (seq, s) in enumerate(statements)
        ),
    )
