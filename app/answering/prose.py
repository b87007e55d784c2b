"""An answer in running text: the statement that answers first, then what supports it, each with its mark.

Kinds of questions that want another form (tables, lists, paths, places) are left to `app.answering.compose`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.answering.contradictions import Disagreement, disagreements
from app.answering.excerpts import Excerpt, cite, read_chars, shown
from app.answering.leads import Scored, rank
from app.answering.statements import Statement, excerpt, whole
from ingest.markdown import plain
from kg.encoder import Encoder
from kg.linking import fold, key, words
from kg.search import Findings
from kg.store import Store
from kg.types import AnswerKind, Citation, Concept, Passage, PathStep

__all__ = ["WHOLE_CHARS", "Composed", "Text", "body_of", "heading_of", "prose"]

WHOLE_CHARS = 1200  # of an answer, unless what leads is longer or code must stay whole
BESIDE_OFFER_CHARS = 600  # where a recipe is offered, which says more
LEAD_CHARS = 360  # what leads grows up to here by statements nearly as good, or to its whole paragraph or list
NEARLY = 0.35  # less than the best score
WORTH = 0.75  # a supporting statement is worth at least this share of the best
LEAST_ROOM = 60  # characters; below it nothing more is looked for
PARAGRAPH_CHARS = 420  # a supporting sentence brings its paragraph up to this length, else only what it needs
CODE_CHARS = 1500  # of code that goes with an answer to "how"
SAME_WORDS = 0.8


@dataclass(frozen=True, slots=True)
class Composed:
    """Markdown with [n] marks, and what they refer to."""

    text: str
    citations: tuple[Citation, ...]
    path: tuple[PathStep, ...] = ()


class Text:
    """An answer while it is being written: parts of Markdown, and the citations that they carry."""

    __slots__ = ("_section", "citations", "parts")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.citations: list[Citation] = []
        self._section: tuple[str, str] | None = None

    def add(self, found: Excerpt, heading: str = "") -> None:
        """An excerpt with its mark, below its heading where that is not the one before's."""
        section = (found.passage.note, heading)
        if heading and section != self._section:
            self.parts.append(f"**{heading}**")
        self._section = section
        self.citations.append(cite(found, len(self.citations) + 1))
        self.parts.append(shown(found, len(self.citations)))

    def composed(self) -> Composed:
        """What has been written."""
        return Composed("\n\n".join(self.parts), tuple(self.citations))


@dataclass(frozen=True, slots=True)
class _Span:
    """Statements of one hit, from one position to another, both included."""

    hit: int
    first: int
    last: int

    def places(self) -> set[tuple[int, int]]:
        return {(self.hit, i) for i in range(self.first, self.last + 1)}


def prose(
    question: str,
    kind: AnswerKind,
    findings: Findings,
    store: Store,
    encoder: Encoder,
    defined: Concept | None = None,
) -> Composed:
    """The statement that answers, what contradicts it, and what supports it, up to about WHOLE_CHARS characters.

    Parameters
    ----------
    defined : Concept, optional
        What the question asks for, when it asks what one concept is.
    """
    wanted = _of_concepts(findings, store) if kind == "recipe" else findings.words
    own = {p for c in findings.concepts for p in store.concepts[c].passages}
    ranked, said = rank(question, kind, findings.hits, wanted, encoder, defined, own)
    text = Text()
    if not ranked:
        # A section of links alone: show it as it stands.
        passage = findings.hits[0].passage
        text.add(Excerpt(passage, *body_of(passage)))
        return text.composed()
    lead = _lead(ranked, said, WHOLE_CHARS if kind in ("list", "how") else LEAD_CHARS)
    named = {key(n) for c in findings.concepts for n in (store.concepts[c].label, *store.concepts[c].aliases)}
    drawn_on = [said[s.hit][s.at] for s in ranked if s.score >= WORTH * ranked[0].score]
    opposite = disagreements(drawn_on, findings.hits, findings.words, encoder)
    if opposite:
        # What leads is part of a disagreement, or the reader has to know of one before anything else.
        taken = _show_disagreement(opposite[0], said, text)
    else:
        heading = heading_of(said[lead.hit][0].passage)
        text.add(_excerpt(lead, said), "" if key(heading) in named else heading)
        taken = lead.places()
    supporting = _supporting(ranked, said, lead, taken, kind)
    for span in _in_order(supporting, said, lead.hit):
        passage = said[span.hit][0].passage
        heading = heading_of(passage)
        same = _section(passage) == _section(said[lead.hit][0].passage) and not opposite
        text.add(_excerpt(span, said), "" if same and key(heading) in named else heading)
    return text.composed()


def _of_concepts(findings: Findings, store: Store) -> Mapping[str, float]:
    """Of a wish for a recipe, the words that name concepts: the others say on what it shall run."""
    names = {
        w for c in findings.concepts for n in (store.concepts[c].label, *store.concepts[c].aliases) for w in key(n)
    }
    return {w: weight for w, weight in findings.words.items() if fold(w) in names} or findings.words


def _show_disagreement(found: Disagreement, said: Sequence[Sequence[Statement]], text: Text) -> set[tuple[int, int]]:
    """Both sides as a list; which statements have been said."""
    lines = []
    for statement in (found.one, found.other):
        excerpted = Excerpt(statement.passage, statement.start, statement.end)
        text.citations.append(cite(excerpted, len(text.citations) + 1))
        words_of = re.sub(r"^(?:[-*+]|\d+[.)])\s+", "", shown(excerpted, len(text.citations)).strip())
        where = heading_of(statement.passage) or statement.passage.note
        lines.append(f"- {where}: " + words_of.replace("\n", "\n  "))
    text.parts.append("**Your notes disagree:**\n\n" + "\n".join(lines))
    both = (found.one, found.other)
    return {(h, i) for h, statements in enumerate(said) for i, s in enumerate(statements) if s in both}


def _lead(ranked: Sequence[Scored], said: Sequence[Sequence[Statement]], list_chars: int) -> _Span:
    """The best statement with what it needs and, as long as that is short, what belongs to it.

    A list stays whole up to `list_chars`, with the sentence that announces it.
    """
    best = ranked[0]
    statements = said[best.hit]
    first, last = whole(statements, best.at)

    def chars(a: int, b: int) -> int:
        return read_chars(excerpt(statements, a, b).text)

    if chars(0, len(statements) - 1) <= LEAD_CHARS and statements[best.at].kind != "code":
        return _Span(best.hit, 0, len(statements) - 1)  # a short section reads best as it stands
    a, b = _around(statements, first, last)
    announced = whole(statements, a)[0] < a or statements[a].text[:1].isdecimal()
    if chars(a, b) <= (list_chars if statements[best.at].group >= 0 and announced else LEAD_CHARS):
        first, last = whole(statements, a)[0], b
    for other in ranked[1:4]:
        if other.hit != best.hit or other.score < best.score - NEARLY or first <= other.at <= last:
            continue
        a, b = whole(statements, other.at)
        a, b = min(a, first), max(b, last)
        adjacent = other.at in (first - 1, last + 1) and not _skips(statements, a, b)
        if adjacent and chars(a, b) <= LEAD_CHARS and statements[other.at].kind != "code":
            first, last = a, b
    return _Span(best.hit, first, last)


def _around(statements: Sequence[Statement], first: int, last: int) -> tuple[int, int]:
    """The paragraph, or the list, that statements stand in."""
    while first > 0 and _together(statements[first - 1], statements[first]):
        first -= 1
    while last + 1 < len(statements) and _together(statements[last], statements[last + 1]):
        last += 1
    return first, last


def _together(one: Statement, other: Statement) -> bool:
    return one.block == other.block or one.group == other.group >= 0


def _skips(statements: Sequence[Statement], first: int, last: int) -> bool:
    """Whether something that says nothing (links, pictures) stands between."""
    run = statements[first : last + 1]
    return any(b.block > a.block + 1 for a, b in pairwise(run))


def _supporting(
    ranked: Sequence[Scored],
    said: Sequence[Sequence[Statement]],
    lead: _Span,
    taken: set[tuple[int, int]],
    kind: AnswerKind,
) -> set[tuple[int, int]]:
    """Which further statements go into the answer."""
    home = said[lead.hit]
    room = (BESIDE_OFFER_CHARS if kind == "recipe" else WHOLE_CHARS) - sum(
        read_chars(said[h][i].text) for h, i in taken
    )
    told = [_words(said[h][i]) for h, i in taken]
    taken = set(taken)
    chosen: set[tuple[int, int]] = set()
    for s in _candidates(ranked, said, lead, kind):
        if (s.hit, s.at) in taken or room < LEAST_ROOM:
            continue
        statements = said[s.hit]
        code = statements[s.at].kind == "code"
        if code and (kind != "how" or statements[s.at].passage.kind == "output"):
            continue
        needed = whole(statements, s.at)
        wide = _around(statements, *needed)
        fits = read_chars(excerpt(statements, *wide).text) <= PARAGRAPH_CHARS
        for first, last in (wide, needed) if fits else (needed,):
            new = _Span(s.hit, first, last).places() - taken
            cost = sum(read_chars(said[h][i].text) for h, i in new)
            limit = max(room, CODE_CHARS) if code and statements is home and cost <= CODE_CHARS else room
            if cost <= limit and not any(_repeats(_words(said[h][i]), told) for h, i in new):
                taken |= new
                chosen |= new
                room -= cost
                told += [_words(said[h][i]) for h, i in new]
                break
    return chosen


def _candidates(
    ranked: Sequence[Scored], said: Sequence[Sequence[Statement]], lead: _Span, kind: AnswerKind
) -> Iterator[Scored]:
    """Statements that may support, in the order in which they are considered."""
    worth = [s for s in ranked if s.score >= WORTH * ranked[0].score]
    home = _section(said[lead.hit][0].passage)

    def own(s: Scored) -> bool:
        return _section(said[s.hit][0].passage) == home

    def place(s: Scored) -> tuple[int, int]:
        return said[s.hit][s.at].passage.id, s.at

    if kind == "definition":
        # Who asks what something is reads on from the definition.
        begin = (said[lead.hit][0].passage.id, lead.last)
        yield from sorted((s for s in ranked if own(s) and place(s) > begin), key=place)
    elif kind == "how":
        yield from [s for s in ranked if own(s) and said[s.hit][s.at].kind == "code"][:1]
    yield from worth


def _words(statement: Statement) -> frozenset[str]:
    return frozenset(w for w, _, _ in words(plain(statement.text)))


def _repeats(one: frozenset[str], told: Sequence[frozenset[str]]) -> bool:
    return any(len(one & other) > SAME_WORDS * max(1, len(one | other)) for other in told)


def _in_order(chosen: set[tuple[int, int]], said: Sequence[Sequence[Statement]], home: int) -> list[_Span]:
    """Runs of neighbouring statements: the leading section's first, each section's in reading order."""
    section = _section(said[home][0].passage)
    hits: dict[tuple[str, tuple[str, ...]], int] = {}
    for h in sorted({h for h, _ in chosen}):
        hits.setdefault(_section(said[h][0].passage), h)

    def order(place: tuple[int, int]) -> tuple[bool, int, int, int]:
        passage = said[place[0]][0].passage
        own = _section(passage)
        return own != section, hits[own], passage.id, place[1]

    runs: list[_Span] = []
    for h, i in sorted(chosen, key=order):
        last = runs[-1] if runs else None
        if last is not None and last.hit == h and last.last == i - 1 and not _skips(said[h], i - 1, i):
            runs[-1] = _Span(h, last.first, i)
        else:
            runs.append(_Span(h, i, i))
    return runs


def _excerpt(span: _Span, said: Sequence[Sequence[Statement]]) -> Excerpt:
    return excerpt(said[span.hit], span.first, span.last)


def _section(passage: Passage) -> tuple[str, tuple[str, ...]]:
    return passage.note, passage.heading_path


def heading_of(passage: Passage) -> str:
    """The passage's heading without the other names it gives ("Unfreezing | Unfreeze"), "" without one."""
    return plain(passage.heading_path[-1]).replace("*", "").split(" | ")[0] if passage.heading_path else ""


def body_of(passage: Passage) -> tuple[int, int]:
    """Offsets of a passage without its heading line, or all of it when there is nothing else."""
    match = re.match(r"\s*#{1,6}\s[^\n]*\n+", passage.text)
    return (match.end() if match and passage.text[match.end() :].strip() else 0), len(passage.text)
