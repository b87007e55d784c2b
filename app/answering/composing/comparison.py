"""Answers to "A or B?": what decides, each side in a table, and what else is said of each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.answering.composing.composed import Composed, Text
from app.answering.composing.ranking import Ranked
from app.answering.composing.selection import leading, understood
from app.answering.question.sides import Side
from app.answering.question.understand import Question
from app.answering.reading.excerpts import Excerpt, cite, words_shown
from app.answering.reading.statements import (
    Statement,
    excerpt,
    statements_of,
    summarised,
    whole,
)
from app.answering.reading.words import spoken
from ingest.notes.markdown import plain
from kg.linking import key
from kg.store import Store

__all__ = ["comparison", "side_is_told"]

READ = 5  # passages looked through for a side that the notes only mention
_BARE = (1.0, 1.0, 1.0)  # weights of the full-text fields when a side is looked up


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The statements of one passage that speak of a side; `at` is the one that says what it is."""

    statements: Sequence[Statement]
    first: int
    last: int


def side_is_told(side: Side, store: Store) -> bool:
    """Whether the notes tell of a side: it is a concept, or stands as it is named in one of their
    sentences.
    """
    return _telling(side, store) is not None


def comparison(asked: Question, ranked: Ranked | None, store: Store) -> Composed | None:
    """What answers best, then what each side is; None when the notes tell nothing of either."""
    telling = [_telling(side, store) for side in asked.sides]
    if not any(telling):
        return None
    text = Text()
    told = {
        (s.passage.id, s.start)
        for t in telling
        if t is not None
        for s in t.statements[t.first : t.last + 1]
    }
    lead = _leading(ranked)
    if lead and not told & {(s.passage.id, s.start) for s in lead}:
        text.add(excerpt(lead, 0, len(lead) - 1))
    _table(asked.sides, telling, text)
    return text.composed()


def _leading(ranked: Ranked | None) -> Sequence[Statement]:
    if ranked is None:
        return ()
    span = understood(leading(ranked), ranked)
    return ranked.statements[span.first : span.last + 1]


def _table(sides: Sequence[Side], telling: Sequence[_Stretch | None], text: Text) -> None:
    """What each side is, side by side."""
    cells = []
    for side, t in zip(sides, telling, strict=True):
        if t is None:
            cells.append(f"The notes do not say what {_cell(side.label)} is.")
            continue
        quoted = excerpt(t.statements, t.first, t.last)
        row = _row(side, t)
        if row is not None:
            text.citations.append(cite(row[0], len(text.citations) + 1))
            cells.append(f"{row[1]} [{len(text.citations)}]")
            continue
        text.citations.append(cite(quoted, len(text.citations) + 1))
        # A sentence stands in a cell as it is; a list, table or formula cannot, there its words
        # must do.
        alone = (
            t.first == t.last
            and t.statements[t.first].kind == "sentence"
            and "$$" not in quoted.text
        )
        summary = side.concept.summary if side.concept else ""
        words = words_shown(quoted) if alone else summary
        cells.append(f"{_cell(words or plain(quoted.text))} [{len(text.citations)}]")
    heads = " | ".join(_cell(s.label) for s in sides)
    text.parts.append(f"| {heads} |\n|{' --- |' * len(sides)}\n| {' | '.join(cells)} |")


def _row(side: Side, telling: _Stretch) -> tuple[Excerpt, str] | None:
    """The row of a table that names a side, with its text for a cell: each column's head before
    what stands in it.
    """
    table = next(
        (s for s in telling.statements[telling.first : telling.last + 1] if s.kind == "table"), None
    )
    if table is None:
        return None
    named = f" {spoken(side.alias or side.name)} "
    head, _, *rows = table.text.split("\n")
    for row in rows:
        if named in f" {spoken(row)} ":
            start = table.start + table.text.index(row)
            columns = zip(_columns(head), _columns(row), strict=False)
            cell = "; ".join(
                f"{name}: {value}" if name else value for name, value in columns if value
            )
            return Excerpt(table.passage, start, start + len(row)), cell
    return None


def _columns(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def _cell(text: str) -> str:
    """A text for a cell of a table: in one line, without the marks of a quotation around it."""
    lines = (line.lstrip("> ") for line in text.replace("|", "\\|").splitlines())
    return " ".join(" ".join(lines).split())


def _telling(side: Side, store: Store) -> _Stretch | None:
    """The statement that says what a side is: of its own passage, or the first one that mentions
    it.
    """
    if side.concept is not None and side.concept.passages:
        named = f" {spoken(side.alias)} " if side.alias else ""
        for statements in (statements_of(store.passages[p]) for p in side.concept.passages[:READ]):
            naming = [
                i
                for i, s in enumerate(statements)
                if s.kind != "code" and named in f" {spoken(s.text)} "
            ]
            if named and naming:
                return _Stretch(statements, *whole(statements, naming[0]))
        statements = statements_of(store.passages[side.concept.passages[0]])
        if statements:
            return _Stretch(
                statements, *whole(statements, summarised(statements, side.concept) or 0)
            )
    expression = " AND ".join(f'"{w}"' for w in key(side.name))
    if not expression:
        return None
    for p, _ in store.lexical(expression, READ, _BARE):
        statements = statements_of(store.passages[p])
        naming = [
            i for i, s in enumerate(statements) if s.kind != "code" and _names(s, side, store)
        ]
        if naming:
            return _Stretch(statements, *whole(statements, naming[0]))
    return None


def _names(statement: Statement, side: Side, store: Store) -> bool:
    """Whether a statement names a side, by one of its names."""
    if side.concept is not None:
        return any(f.concept == side.concept.id for f in store.lexicon.find(plain(statement.text)))
    return f" {spoken(side.name)} " in f" {spoken(statement.text)} "
