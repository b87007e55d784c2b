"""Answers to "A or B?": what decides, what each side is in a table, then what else the notes say of each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.excerpts import Excerpt, cite
from app.leads import Scored, rank, stem
from app.prose import Composed, Text
from app.statements import Statement, excerpt, statements_of, whole
from ingest.markdown import plain
from kg.encoder import Encoder
from kg.linking import Lexicon, words
from kg.search import Findings
from kg.store import Store
from kg.types import Concept

__all__ = ["Side", "comparison", "is_choice", "sides_in"]

SIDE_CHARS = 420  # of further words on each side
CELL_CHARS = 320
READ = 5  # passages looked through for a side that the notes only mention
_BARE = (1.0, 1.0, 1.0)  # weights of the full-text fields when a side is looked up


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: as the question names it, and the concept it is, if it is one."""

    name: str
    concept: Concept | None

    @property
    def label(self) -> str:
        """How an answer calls it."""
        return self.concept.label if self.concept else self.name

    def stems(self) -> tuple[frozenset[str], ...]:
        """The words of each of its names."""
        names = (self.concept.label, *self.concept.aliases, self.name) if self.concept else (self.name,)
        return tuple(frozenset(stem(w) for w, _, _ in words(n)) for n in names)


@dataclass(frozen=True, slots=True)
class _Told:
    """The statements of one passage that speak of a side; `at` is the one that says what it is."""

    statements: Sequence[Statement]
    first: int
    last: int


def sides_in(names: tuple[str, str] | None, linked: Sequence[int], store: Store, lexicon: Lexicon) -> list[Side]:
    """The two sides: as the question's grammar names them, else the first two concepts that it names."""
    sides = []
    for name in names or ():
        found = lexicon.find(name, strict_case=False)
        # "layer norm" is no concept when only "norm" is one.
        whole_name = [f for f in found if len(words(name[f.start : f.end])) >= len(words(name)) - 1]
        sides.append(Side(name, store.concepts[whole_name[0].concept] if whole_name else None))
    if len(sides) == 2 and sides[0].concept != sides[1].concept:
        return sides
    concepts = [store.concepts[c] for c in linked][:2]
    return [Side(c.label, c) for c in concepts] if len(concepts) == 2 else []


def comparison(
    question: str, sides: Sequence[Side], findings: Findings, store: Store, encoder: Encoder, choosing: bool
) -> Composed | None:
    """Both sides, or None when the notes tell nothing of either.

    Parameters
    ----------
    choosing : bool
        Whether the question asks which to take: then what speaks of both leads, else it follows the table.
    """
    told = [_told(side, store) for side in sides]
    if not any(told):
        return None
    ranked, said = rank(question, "fact", findings.hits, findings.words, encoder)
    both = _of_both(ranked, said, sides)
    text = Text()
    used: set[tuple[int, int]] = set()
    for t in told:
        if t is not None:
            used |= {(s.passage.id, s.start) for s in t.statements[t.first : t.last + 1]}
    if both is not None and any((s.passage.id, s.start) in used for s in both.statements[both.first : both.last + 1]):
        both = None
    if both is not None:
        used |= {(s.passage.id, s.start) for s in both.statements[both.first : both.last + 1]}
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
        text.citations.append(cite(found, len(text.citations) + 1))
        summary = side.concept.summary if side.concept and side.concept.summary else plain(found.text)[:CELL_CHARS]
        cells.append(f"{_cell(summary)} [{len(text.citations)}]")
    heads = " | ".join(_cell(s.label) for s in sides)
    text.parts.append(f"| {heads} |\n|{' --- |' * len(sides)}\n| {' | '.join(cells)} |")


def _cell(said: str) -> str:
    return " ".join(said.replace("|", "\\|").split())


def _told(side: Side, store: Store) -> _Told | None:
    """The statement that says what a side is: of its own passage, or the first one that mentions it."""
    if side.concept is not None and side.concept.passages:
        statements = statements_of(store.passages[side.concept.passages[0]])
        if statements:
            return _Told(statements, *whole(statements, _summarised(statements, side.concept)))
    spoken = [w for w, _, _ in words(side.name)]
    if not spoken:
        return None
    expression = " AND ".join(f'"{w}"' for w in spoken)
    for p, _ in store.lexical(expression, READ, _BARE):
        statements = statements_of(store.passages[p])
        naming = [i for i, s in enumerate(statements) if s.kind != "code" and _names(s, side)]
        if naming:
            return _Told(statements, *whole(statements, naming[0]))
    return None


def _summarised(statements: Sequence[Statement], concept: Concept) -> int:
    """Position of the statement that a concept's summary quotes, else of the first."""
    summary = _spoken(concept.summary)
    for i, s in enumerate(statements):
        own = _spoken(s.text)
        if summary and (summary in own or (len(own) >= 20 and own in summary)):
            return i
    return 0


def _spoken(text: str) -> str:
    return " ".join(w for w, _, _ in words(plain(text)))


def _names(statement: Statement, side: Side) -> bool:
    there = {stem(w) for w, _, _ in words(plain(statement.text))}
    return any(name <= there for name in side.stems() if name)


def _of_both(ranked: Sequence[Scored], said: Sequence[Sequence[Statement]], sides: Sequence[Side]) -> _Told | None:
    """The best statement that names both sides; a table of them, too."""
    for s in ranked:
        statement = said[s.hit][s.at]
        if statement.kind != "code" and all(_names(statement, side) for side in sides):
            return _Told(said[s.hit], *whole(said[s.hit], s.at))
    return None


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
    chosen: list[Excerpt] = []
    candidates = [(said[s.hit], s.at) for s in ranked if said[s.hit][s.at].passage.id in passages]
    if not candidates:
        candidates = [(told.statements, i) for i in range(told.last + 1, len(told.statements))]
    for statements, at in candidates:
        first, last = whole(statements, at)
        places = {(s.passage.id, s.start) for s in statements[first : last + 1]}
        found = excerpt(statements, first, last)
        if places & used or statements[at].kind in ("code", "math") or len(found.text) > room:
            continue
        used |= places
        room -= len(found.text)
        chosen.append(found)
    for found in sorted(chosen, key=lambda e: (e.passage.id, e.start)):
        text.add(found, side.label)


def is_choice(question: str) -> bool:
    """Whether a comparison asks which of two to take."""
    return bool(re.search(r"\bor\b|\binstead of\b|\brather than\b|\bbetter\b|\bshould\b|\bprefer\b", question, re.I))
