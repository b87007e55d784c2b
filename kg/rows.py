"""Passages to rows of a store and back, and what is derived from them back from its rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from types import NoneType
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from kg.packed import pack, pack_text, unpack, unpack_text
from kg.types import (
    Concept,
    Evidence,
    Mention,
    Passage,
    Relation,
    RelationKind,
    Resource,
    StatementSpan,
)

__all__ = [
    "LEAST",
    "NOTHING_UNLIKELY",
    "NoteRow",
    "Unlikely",
    "asked_for",
    "insert_passages",
    "insert_relations",
    "read_candidates",
    "read_concepts",
    "read_mentions",
    "read_passages",
    "read_relations",
    "read_sections",
    "read_some",
]

# A pair that is scored lower is no edge: nobody looks at it but who asks for all that was scored.
LEAST = 0.05
_STEPS = 10_000  # of a chance, from 0 to 1


@dataclass(frozen=True, slots=True)
class Unlikely:
    """Pairs of concepts scored below LEAST, of which nothing but that is told."""

    pairs: npt.NDArray[np.integer]  # (2, m): what would come first, what would need it
    scores: npt.NDArray[np.float64]  # (m,)


NOTHING_UNLIKELY = Unlikely(np.zeros((2, 0), dtype=np.int32), np.zeros(0))
NoteRow = tuple[str, int]  # its name, the id of its first passage
_KINDS = get_args(RelationKind)
# The types of the columns, as they are read.
_STATEMENT = ((int,), (int,), (str,), (int,), (int,))
_STATEMENT_COLUMNS = 'note, passage, start, "end", kind, block, "group"'
_PASSAGE_COLUMNS = 'note, seq, cell, start, "end", line_start, line_end, heading_path, text, kind'
_PASSAGE = ((int, NoneType), (int,), (int,), (int,), (int,), (str,), (str,), (str,))


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

    Raises
    ------
    ValueError
        When a row is not what it should be.
    """
    of_note = "WHERE note = ? ORDER BY seq"
    rows = connection.execute(f"SELECT {_PASSAGE_COLUMNS} FROM passages {of_note}", (note,))
    statements = connection.execute(
        f"SELECT {_STATEMENT_COLUMNS} FROM statements {of_note}", (note,)
    )
    spans = _spans(statements)
    passages = [_passage(row, name, first_id, spans) for row in rows]
    if [p.id - first_id for p in passages] != [*range(len(passages))]:
        raise ValueError("passages are missing")
    return passages


def read_some(
    connection: sqlite3.Connection, places: Sequence[tuple[int, int]], notes: Mapping[int, NoteRow]
) -> list[Passage]:
    """Passages from several notes, in one query.

    Parameters
    ----------
    places : sequence of (note, seq)
        The notes' ids with the positions there.
    notes : mapping
        The name of each note, by its id, and the id of its first passage.

    Raises
    ------
    ValueError
        When one is not there, or a row is not what it should be.
    """
    rows = connection.execute(
        f"{asked_for(places)} SELECT {_PASSAGE_COLUMNS} FROM asked "
        "CROSS JOIN passages USING (note, seq)"
    )
    statements = connection.execute(
        f"{asked_for(places, 'passage')} SELECT {_STATEMENT_COLUMNS} FROM asked "
        "CROSS JOIN statements USING (note, passage) ORDER BY note, seq"
    )
    spans = _spans(statements)
    found = {(row[0], row[1]): _passage(row, *notes[row[0]], spans) for row in rows}
    if len(found) != len({*places}):
        raise ValueError("passages are missing")
    return [found[place] for place in places]


def asked_for(places: Iterable[tuple[int, int]], seq: str = "seq") -> str:
    """The start of a query: a table `asked` of a few notes and the positions there."""
    values = ",".join(f"({int(note)},{int(at)})" for note, at in places)
    of = f"VALUES {values}" if values else "SELECT 0, 0 WHERE 0"
    return f"WITH asked (note, {seq}) AS ({of})"


def _spans(rows: Iterable[tuple[Any, ...]]) -> dict[tuple[int, int], list[StatementSpan]]:
    """The statements of each passage, by its note and position."""
    spans: dict[tuple[int, int], list[StatementSpan]] = {}
    for note, passage, *place in rows:
        _check(_STATEMENT, place)
        spans.setdefault((note, passage), []).append(StatementSpan(*place))
    return spans


def _passage(
    row: tuple[Any, ...],
    name: str,
    first_id: int,
    spans: Mapping[tuple[int, int], Sequence[StatementSpan]],
) -> Passage:
    note, seq, *values = row
    _check(_PASSAGE, values)
    cell, start, end, first, last, path, text, kind = values
    headings, statements = tuple(json.loads(path)), tuple(spans.get((note, seq), ()))
    return Passage(
        first_id + seq, name, cell, start, end, first, last, headings, text, kind, statements
    )


def read_sections(connection: sqlite3.Connection, note: int) -> list[str]:
    """The headings above each passage of a note, as they are stored."""
    rows = connection.execute(
        "SELECT heading_path FROM passages WHERE note = ? ORDER BY seq", (note,)
    )
    return [path for (path,) in rows]


def _check(kinds: Sequence[tuple[type, ...]], row: Sequence[object]) -> None:
    """SQLite does not mind what stands in a column, every reader does."""
    if not all(map(isinstance, row, kinds)):
        raise ValueError("a table holds what does not belong there")


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


def read_concepts(connection: sqlite3.Connection) -> tuple[Concept, ...]:
    """All concepts, in the order of their ids."""
    aliases: dict[int, list[str]] = {}
    for concept, alias in connection.execute(
        "SELECT concept, alias FROM aliases ORDER BY concept, seq"
    ):
        aliases.setdefault(concept, []).append(alias)
    rows = connection.execute(
        "SELECT id, label, notes, summary, passages, resources FROM concepts ORDER BY id"
    )
    return tuple(
        Concept(
            id=i,
            label=label,
            aliases=tuple(aliases.get(i, ())),
            notes=tuple(json.loads(notes)),
            summary=summary,
            passages=tuple(json.loads(passages)),
            resources=tuple(Resource(*r) for r in json.loads(resources)),
        )
        for i, label, notes, summary, passages, resources in rows
    )


def read_mentions(
    connection: sqlite3.Connection, passage: int | None = None
) -> tuple[Mention, ...]:
    """All mentions, or those of one passage, in the order in which they were found."""
    only, which = ("", ()) if passage is None else (" WHERE passage = ? ORDER BY rowid", (passage,))
    rows = connection.execute(
        f'SELECT concept, passage, start, "end", alias FROM mentions{only}', which
    )
    return tuple(Mention(*row) for row in rows)


def insert_relations(
    connection: sqlite3.Connection,
    relations: Iterable[Relation],
    unlikely: Unlikely = NOTHING_UNLIKELY,
) -> None:
    """Add relations: those that somebody may look at as rows, the others packed."""
    ids: dict[Evidence, int] = {}
    packed: list[tuple[int, int, float, list[int]]] = []
    rows = []
    for r in relations:
        evidence = [ids.setdefault(e, len(ids)) for e in r.evidence]
        bare = not (r.kept or r.tier or r.shortcut) and r.kind == "prerequisite"
        if bare and r.score == _steps(r.score) / _STEPS:
            packed.append((r.source, r.target, r.score, evidence))
        else:
            named = json.dumps(evidence)
            rows.append((r.kind, r.source, r.target, r.score, r.kept, named, r.tier, r.shortcut))
    connection.executemany("INSERT INTO relations VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    # Column by column they are packed to half of what they take pair by pair.
    pairs = np.array([pair for *pair, _, _ in packed]).reshape(-1, 2).T
    scores = np.array([score for *_, score, _ in packed])
    every = np.hstack([pairs, unlikely.pairs]).astype("<i4")
    steps = np.rint(np.clip(np.append(scores, unlikely.scores), 0, 1) * _STEPS).astype("<u2")
    connection.execute(
        "INSERT INTO candidates VALUES (?, ?, ?)",
        (
            pack(every.tobytes()),
            pack(steps.tobytes()),
            pack_text(json.dumps([evidence for *_, evidence in packed])),
        ),
    )
    told = json.dumps([astuple(e) for e in ids], ensure_ascii=False)
    connection.execute("INSERT INTO evidence VALUES (?)", (pack_text(told),))


def read_relations(connection: sqlite3.Connection, kept: bool) -> tuple[Relation, ...]:
    """The relations that were kept, or those that were scored and not kept.

    Raises
    ------
    ValueError
        When they are damaged.
    """
    (told,) = connection.execute("SELECT told FROM evidence").fetchone() or (pack_text("[]"),)
    known = dict(enumerate(Evidence(*e) for e in json.loads(unpack_text(told))))

    def named(ids: Iterable[int]) -> tuple[Evidence, ...]:
        return tuple(known[i] for i in ids)

    rows = connection.execute("SELECT * FROM relations WHERE kept = ? ORDER BY rowid", (kept,))
    found = [
        Relation(kind, p, c, score, kept, named(json.loads(evidence)), tier, bool(short))
        for kind, p, c, score, _, evidence, tier, short in rows
    ]
    if not kept:
        (packed,) = connection.execute("SELECT evidence FROM candidates").fetchone() or ((),)
        evidence = json.loads(unpack_text(packed)) if packed else []
        pairs, scores = read_candidates(connection)
        evidence += [()] * (len(scores) - len(evidence))  # of the unlikely ones none is told
        each = zip(pairs.T.tolist(), scores.tolist(), evidence, strict=True)
        found += [_candidate(p, c, score, named(ids)) for (p, c), score, ids in each]
        found.sort(key=lambda r: (_KINDS.index(r.kind), r.source, r.target))
    return tuple(found)


def read_candidates(
    connection: sqlite3.Connection,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Pairs of concepts that were scored and not kept, shape (2, m), and their scores, (m,).

    Raises
    ------
    ValueError
        When they are damaged.
    """
    packed = connection.execute("SELECT pairs, scores FROM candidates").fetchone()
    pairs, scores = map(unpack, packed) if packed else (b"", b"")
    steps = np.frombuffer(scores, dtype="<u2")
    return np.frombuffer(pairs, dtype="<i4").reshape(2, -1), steps / _STEPS


def _steps(score: float) -> int:
    """A chance in the steps it is rounded to."""
    return round(min(max(score, 0.0), 1.0) * _STEPS)


def _candidate(source: int, target: int, score: float, evidence: tuple[Evidence, ...]) -> Relation:
    return Relation("prerequisite", source, target, score, kept=False, evidence=evidence)
