"""Answers to "A or B?": what decides, what each side is in a table, then what else the notes say of
each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.answering.forms.composed import Composed, Text
from app.answering.forms.ranking import Scored, rank
from app.answering.reading.excerpts import Excerpt, cite
from app.answering.reading.statements import Statement, excerpt, statements_of, whole
from app.answering.reading.words import spoken
from ingest.notes.markdown import plain
from kg.encoder import Encoder
from kg.linking import key
from kg.search import Findings
from kg.store import Store
from kg.types import Concept

__all__ = ["Side", "comparison", "is_choice", "side_is_told", "sides_in"]

SIDE_CHARS = 340  # of further words on each side
SHORTENED = 3  # letters that a shortened word has at least
READ = 5  # passages looked through for a side that the notes only mention
_BARE = (1.0, 1.0, 1.0)  # weights of the full-text fields when a side is looked up


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: as the question names it, and the concept it is, if it is one."""

    name: str
    concept: Concept | None

    @property
    def label(self) -> str:
        """How an answer calls it: by another name that was asked for, where the concept's own would
        surprise.
        """
        if self.concept is None:
            return self.name
        return f"{self.alias} ({self.concept.label})" if self.alias else self.concept.label

    @property
    def alias(self) -> str:
        """The concept's other name by which the question calls it, unless that only shortens its
        own; else "".
        """
        if self.concept is None or key(self.name) == key(self.concept.label):
            return ""
        found = next((a for a in self.concept.aliases if key(a) == key(self.name)), "")
        return "" if _shortens(found, self.concept.label) else found


@dataclass(frozen=True, slots=True)
class _Told:
    """The statements of one passage that speak of a side; `at` is the one that says what it is."""

    statements: Sequence[Statement]
    first: int
    last: int


def _shortens(name: str, label: str) -> bool:
    """Whether a name is a label's initials, or has the beginnings of its words: "CNN", "batch
    norm".
    """
    short, full = key(name), key(label)
    initials = "".join(word[0] for word in full)
    begun = len(short) == len(full) and all(
        f.startswith(s) for s, f in zip(short, full, strict=True)
    )
    return begun or "".join(short) == initials or "".join(full).startswith("".join(short))


def sides_in(names: tuple[str, str] | None, linked: Sequence[int], store: Store) -> list[Side]:
    """The two sides: as the question's grammar names them, else the first two concepts that it
    names.
    """
    sides = [Side(name, _concept(name, store)) for name in names or ()]
    if len(sides) == 2 and any(s.concept for s in sides) and sides[0].concept != sides[1].concept:
        return sides
    concepts = [store.concepts[c] for c in linked][:2]
    return [Side(c.label, c) for c in concepts] if len(concepts) == 2 else []


def _concept(name: str, store: Store) -> Concept | None:
    """The concept of this name, also of a shortened one: "layer norm" is Layer normalisation."""
    asked = key(name)
    for found in store.lexicon.find(name, strict_case=False):
        # "layer norm" is no concept when only "norm" is one.
        if len(key(name[found.start : found.end])) >= len(asked) - 1:
            return store.concepts[found.concept]
    for concept in store.concepts:
        for known in (concept.label, *concept.aliases):
            full = key(known)
            pairs = list(zip(asked, full, strict=False))
            if len(asked) == len(full) > 1 and all(
                f.startswith(s) and len(s) >= SHORTENED for s, f in pairs
            ):
                return concept
    return None


def side_is_told(side: Side, store: Store) -> bool:
    """Whether the notes tell of a side: it is a concept, or stands as it is named in one of their
    sentences.
    """
    return _told(side, store) is not None


def comparison(
    question: str,
    sides: Sequence[Side],
    findings: Findings,
    store: Store,
    encoder: Encoder,
    choosing: bool,
) -> Composed | None:
    """Both sides, or None when the notes tell nothing of either.

    Parameters
    ----------
    choosing : bool
        Whether the question asks which to take: then what speaks of both leads, else it follows the
        table.
    """
    told = [_told(side, store) for side in sides]
    if not any(told):
        return None
    ranked, said = rank(question, "fact", findings.hits, findings.words, encoder)
    text = Text()
    used = {
        place for t in told if t is not None for place in _places(t.statements, t.first, t.last)
    }
    both = _of_both(ranked, said, sides, store, used)
    if both is not None:
        used |= _places(both.statements, both.first, both.last)
    if both is not None and choosing:
        text.add(excerpt(both.statements, both.first, both.last))
    _table(sides, told, text)
    if both is not None and not choosing:
        text.add(excerpt(both.statements, both.first, both.last))
    for side, t in zip(sides, told, strict=True):
        if t is not None and side.concept is not None:
            _further(side, t, ranked, said, used, text)
    return text.composed()


def _table(sides: Sequence[Side], told: Sequence[_Told | None], text: Text) -> None:
    """What each side is, side by side."""
    cells = []
    for side, t in zip(sides, told, strict=True):
        if t is None:
            cells.append(f"The notes do not say what {_cell(side.label)} is.")
            continue
        found = excerpt(t.statements, t.first, t.last)
        row = _row(side, t)
        if row is not None:
            text.citations.append(cite(row[0], len(text.citations) + 1))
            cells.append(f"{row[1]} [{len(text.citations)}]")
            continue
        text.citations.append(cite(found, len(text.citations) + 1))
        # A sentence stands in a cell as it is; a list, table or formula cannot, there its words
        # must do.
        alone = (
            t.first == t.last
            and t.statements[t.first].kind == "sentence"
            and "$$" not in found.text
        )
        summary = side.concept.summary if side.concept and not alone else ""
        cells.append(
            f"{_cell(found.text if alone else summary or plain(found.text))} [{len(text.citations)}]"
        )
    heads = " | ".join(_cell(s.label) for s in sides)
    text.parts.append(f"| {heads} |\n|{' --- |' * len(sides)}\n| {' | '.join(cells)} |")


def _row(side: Side, told: _Told) -> tuple[Excerpt, str] | None:
    """The row of a table that names a side, with its text for a cell: each column's head before
    what stands in it.
    """
    table = next(
        (s for s in told.statements[told.first : told.last + 1] if s.kind == "table"), None
    )
    if table is None:
        return None
    named = f" {spoken(side.alias or side.name)} "
    head, _, *rows = table.text.split("\n")
    for row in rows:
        if named in f" {spoken(row)} ":
            start = table.start + table.text.index(row)
            columns = zip(_columns(head), _columns(row), strict=False)
            told_in = "; ".join(
                f"{name}: {value}" if name else value for name, value in columns if value
            )
            return Excerpt(table.passage, start, start + len(row)), told_in
    return None


def _columns(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def _cell(said: str) -> str:
    return " ".join(said.replace("|", "\\|").split())


def _told(side: Side, store: Store) -> _Told | None:
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
                return _Told(statements, *whole(statements, naming[0]))
        statements = statements_of(store.passages[side.concept.passages[0]])
        if statements:
            return _Told(statements, *whole(statements, _summarised(statements, side.concept)))
    expression = " AND ".join(f'"{w}"' for w in key(side.name))
    if not expression:
        return None
    for p, _ in store.lexical(expression, READ, _BARE):
        statements = statements_of(store.passages[p])
        naming = [
            i for i, s in enumerate(statements) if s.kind != "code" and _names(s, side, store)
        ]
        if naming:
            return _Told(statements, *whole(statements, naming[0]))
    return None


def _summarised(statements: Sequence[Statement], concept: Concept) -> int:
    """Position of the statement that a concept's summary quotes, else of the first."""
    summary = spoken(concept.summary)
    for i, s in enumerate(statements):
        own = spoken(s.text)
        if summary and (summary in own or (len(own) >= 20 and own in summary)):
            return i
    return 0


def _names(statement: Statement, side: Side, store: Store) -> bool:
    """Whether a statement names a side, by one of its names."""
    if side.concept is not None:
        return any(f.concept == side.concept.id for f in store.lexicon.find(plain(statement.text)))
    return f" {spoken(side.name)} " in f" {spoken(statement.text)} "


def _of_both(
    ranked: Sequence[Scored],
    said: Sequence[Sequence[Statement]],
    sides: Sequence[Side],
    store: Store,
    used: set[tuple[int, int]],
) -> _Told | None:
    """The best statement that names both sides and has not been told; a table of them, too."""
    own = [
        statements_of(store.passages[p])
        for side in sides
        if side.concept
        for p in side.concept.passages[:READ]
    ]
    everywhere = [(said[s.hit], s.at) for s in ranked] + [
        (ss, i) for ss in own for i in range(len(ss))
    ]
    for statements, at in everywhere:
        if statements[at].kind == "code" or not all(
            _names(statements[at], side, store) for side in sides
        ):
            continue
        first, last = whole(statements, at)
        if not _places(statements, first, last) & used:
            return _Told(statements, first, last)
    return None


def _places(statements: Sequence[Statement], first: int, last: int) -> set[tuple[int, int]]:
    return {(s.passage.id, s.start) for s in statements[first : last + 1]}


def _further(
    side: Side,
    told: _Told,
    ranked: Sequence[Scored],
    said: Sequence[Sequence[Statement]],
    used: set[tuple[int, int]],
    text: Text,
) -> None:
    """What else the question's best statements say of a side, else what follows its definition."""
    passages = set(side.concept.passages) if side.concept else set()
    room = SIDE_CHARS
    chosen: dict[tuple[int, int], tuple[Sequence[Statement], int]] = {}
    candidates = [(said[s.hit], s.at) for s in ranked if said[s.hit][s.at].passage.id in passages]
    candidates += [(told.statements, i) for i in range(told.last + 1, len(told.statements))]
    for statements, at in candidates:
        first, last = whole(statements, at)
        cost = statements[last].end - statements[first].start
        broken = statements[first].kind == "sentence" and statements[first].text[:1].islower()
        if broken or statements[at].kind in ("code", "math") or cost > room:
            continue
        if _places(statements, first, last) & used:
            continue
        used |= _places(statements, first, last)
        room -= cost
        chosen |= {(statements[i].passage.id, i): (statements, i) for i in range(first, last + 1)}
    runs: list[tuple[Sequence[Statement], int, int]] = []
    for (passage, i), (statements, _) in sorted(chosen.items(), key=lambda c: c[0]):
        last_run = runs[-1] if runs else None
        if last_run and last_run[0][0].passage.id == passage and last_run[2] == i - 1:
            runs[-1] = (last_run[0], last_run[1], i)
        else:
            runs.append((statements, i, i))
    for statements, first, last in runs:
        text.add(excerpt(statements, first, last), side.label)


def is_choice(question: str) -> bool:
    """Whether a comparison asks which of two to take."""
    return bool(
        re.search(
            r"\bor\b|\binstead of\b|\brather than\b|\bbetter\b|\bshould\b|\bprefer\b",
            question,
            re.I,
        )
    )
