"""Which statements of the best passages answer a question, best first.

A statement is worth what share of the question's weighted words it holds (its heading's count as
held: they are what the section is about), whether it says the sort of thing that was asked for (a
reason, a number, a condition), how near its meaning is, and how good its passage was found to be.
benchmarks/answers/leads.py measures how often the best one is the one that a reader would lead
with.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from app.answering.question.asked_for import Sort
from app.answering.question.understand import Question
from app.answering.reading.excerpts import read_chars, section_of
from app.answering.reading.statements import Statement, statements_of
from app.answering.reading.words import spoken, stem, stems
from ingest.notes.markdown import plain
from ingest.notes.sentences import sentence_spans
from kg.encoder import Encoder
from kg.linking import key
from kg.types import AnswerKind, Concept, Hit

__all__ = ["Scored", "rank"]

# Hits that are looked into: so many, and at least this share of the best one's score.
LOOKED_INTO, CLOSE = 5, 0.75
# Encoding is what costs: meaning is compared only for the statements that are best without it. Six
# did no better.
SHARPENED = 3
REACH = 0.15
READ_CHARS = 200  # of a statement, when its meaning is compared
# Weights of a statement's share of words, cue, meaning and its passage's share of the best score;
# chosen on the starter notes, checked on another person's.
COVERED, CUE, MEANING, PASSAGE = 1.0, 0.4, 0.4, 1.0
DEFINES, STEPS, OWN = 0.4, 0.2, 0.2
CODE_COST = 0.25  # code seldom answers a question in words
CODE_ASKED = 1.0
LONG, LONG_COST = 400, 0.2  # characters
BROKEN_COST = 0.6  # a passage that begins in the middle of a sentence
ASIDE_COST = (
    0.15  # "Ex: …" illustrates what another statement says, and a question says nothing yet
)

_NUMBER = (
    r"(?<![\w(])(?!(?:19|20)\d\d\b)\d"
    r"|\b(?:one|two|three|four|five|six|eight|ten|half|twice|quarter|dozen|hundred|thousand|few"
    r"|million)\b"
)
# How a statement shows that it is of a sort that a question asks for.
_CUES: dict[Sort, str] = {
    "reason": (
        r"\bbecause\b|\bsince\b|\bso that\b|\btherefore\b|\breasons?\b|\bso\b|\bas\b"
        r"|\botherwise\b|\bor else\b|\bwould\b|\bhence\b|\bcauses?\b|\bwithout\b|-->|=>|→"
    ),
    "number": _NUMBER,
    "usual value": (
        r"\brules? of thumb\b|\btypical|\busual|\bdefaults?\b|\brecommend"
        r"|\b(?:begin|start) with\b"
    ),
    "condition": (
        r"\b(?:when|if|until|once|after|before|while|whenever|as soon|only|below|above|where)\b"
    ),
    "origin": r"\b(?:19|20)\d\d\b|\band others\b|\bet al\b",
    "sign": r"\bsigns?\b|\bsymptoms?\b|\btells?\b|\bnotice\b|\bmeans that\b|\bworse\b",
    "verdict": (
        r"\b(?:never|always|must|should|not|cannot|can|needs?|enough|only|works?|avoid|definitely"
        r"|does|no|yes|fine|helps?|may|useless)\b|n't\b|n’t\b"
    ),
    "remedy": (
        r"\bcures?\b|\bremed(?:y|ies)\b|\bhelps?\b|\bprevents?\b|\bagainst\b|\bavoids?\b"
        r"|\bfix(?:es)?\b|\btry\b"
    ),
    "formula": r"\$[^$]{5,}\$|codecogs",
    "code": r"```|^ {4}|\w+\(.*\)",
}
_CUE_WORDS = {sort: re.compile(words, re.I) for sort, words in _CUES.items()}
_ASIDE = re.compile(r"^[\s\-*+]*\(?(?:ex|e\.g|for example|for instance|example)\b", re.I)
_COPULA = (
    r"\W{0,4}(?:\([^)]{1,40}\)\W{0,3})?(?:is|are|means?|describes?|denotes?|stands for"
    r"|refers? to|=|:|–|—)"
)


@dataclass(frozen=True, slots=True)
class Scored:
    """A statement of one of the hits, with its worth for a question; higher is better."""

    hit: int  # position of its hit in the ranking
    at: int  # position among the statements of its passage
    score: float


def rank(
    asked: Question,
    kind: AnswerKind,
    hits: Sequence[Hit],
    wanted: Mapping[str, float],
    encoder: Encoder,
    defined: Concept | None = None,
    defining: Collection[int] = (),
) -> tuple[list[Scored], list[Sequence[Statement]]]:
    """Statements of the first hits by their worth, best first, and all statements of each of these
    hits.

    Parameters
    ----------
    wanted : mapping
        The question's content words with their weights.
    defined : Concept, optional
        What the question asks for, when it asks what one concept is; the statement of its summary
        leads.
    defining : collection of int
        Passages that define what the question names.
    """
    near = [h for h in hits[:LOOKED_INTO] if h.score >= CLOSE * hits[0].score]
    of_hits: list[Sequence[Statement]] = [statements_of(h.passage) for h in near]
    weights = {stem(w): weight for w, weight in wanted.items()}
    best = hits[0].score or 1.0
    # What a section says belongs together: its passages count as good as its best one.
    section = {section_of(h.passage): h.score / best for h in reversed(near)}
    worth = [
        PASSAGE * section[section_of(h.passage)] + OWN * (h.passage.id in defining) for h in near
    ]
    summary = spoken(defined.summary) if defined else ""
    rough = [
        Scored(h, i, _rough(s, near[h], i, weights, asked.sorts, kind, summary) + worth[h])
        for h, statements in enumerate(of_hits)
        for i, s in enumerate(statements)
    ]
    rough.sort(key=lambda s: (-s.score, s.hit, s.at))
    # What is far behind by its words does not come first by its meaning.
    n = sum(s.score > rough[0].score - REACH for s in rough[:SHARPENED])
    first, rest = rough[:n], rough[n:]
    if len(first) < 2:
        return rough, of_hits
    texts = [plain(of_hits[s.hit][s.at].text)[:READ_CHARS] for s in first]
    cosine = encoder.encode(texts) @ asked.reading.vector  # (SHARPENED,)
    # Rounded, because the last digits depend on what else was encoded in the same batch.
    sharp = [
        Scored(s.hit, s.at, s.score + MEANING * round(float(c), 3))
        for s, c in zip(first, cosine, strict=True)
    ]
    least = MEANING * round(float(cosine.min()), 3)
    scored = [*sharp, *(Scored(s.hit, s.at, s.score + least) for s in rest)]
    return sorted(scored, key=lambda s: (-s.score, s.hit, s.at)), of_hits


def _rough(
    statement: Statement,
    hit: Hit,
    at: int,
    wanted: Mapping[str, float],
    sorts: frozenset[Sort],
    kind: AnswerKind,
    summary: str,
) -> float:
    """Worth of a statement by its words alone, its passage's score apart."""
    text = _best_row(statement.text, wanted) if statement.kind == "table" else statement.text
    if statement.kind == "item" and read_chars(text) > LONG:
        text = _best_sentences(text, wanted)
    words = stems(text)
    heading = hit.passage.heading_path[-1] if hit.passage.heading_path else ""
    about = stems(heading)
    total = sum(wanted.values()) or 1.0
    value = (
        COVERED * sum(weight for w, weight in wanted.items() if w in words or w in about) / total
    )
    if sorts:
        value += CUE * sum(bool(_CUE_WORDS[sort].search(text)) for sort in sorts) / len(sorts)
    if kind == "definition":
        value += DEFINES * _defines(statement, at, about, wanted, summary)
    if (kind == "how" and statement.kind == "item" and statement.text[:1].isdecimal()) or (
        kind == "list" and statement.kind in ("item", "table")
    ):
        value += STEPS
    if statement.kind == "code":
        value += CODE_ASKED if "code" in sorts else 0.0 if kind == "how" else -CODE_COST
    if statement.kind not in ("table", "code"):
        value -= LONG_COST * min(
            2.0, max(0.0, read_chars(statement.text) / LONG - 1)
        )  # holds many words by chance
    if at == 0 and statement.kind == "sentence" and statement.text[:1].islower():
        value -= BROKEN_COST
    asks = statement.kind == "sentence" and statement.text.rstrip('*_ )"”').endswith("?")
    return value - ASIDE_COST * (asks or _ASIDE.match(statement.text) is not None)


def _best_sentences(item: str, wanted: Mapping[str, float]) -> str:
    """The two neighbouring sentences of a long item that hold most: all of it holds many words by
    chance.
    """
    spans = sentence_spans(item)
    pairs = [item[a:b] for (a, _), (_, b) in zip(spans, [*spans[1:], spans[-1]], strict=True)]
    return max(pairs, key=lambda text: sum(wanted.get(w, 0.0) for w in stems(text)))


def _best_row(table: str, wanted: Mapping[str, float]) -> str:
    """A table's head and the one row that holds most of the wanted words."""
    lines = table.split("\n")
    worth = [sum(wanted.get(w, 0.0) for w in stems(line)) for line in lines[2:]]
    return f"{lines[0]} {lines[2 + worth.index(max(worth))]}" if worth else table


def _defines(
    statement: Statement, at: int, about: frozenset[str], wanted: Mapping[str, float], summary: str
) -> float:
    """How much a statement reads like saying what the question's words are: up to 1, 1.5 for what a
    summary quotes.
    """
    text = plain(statement.text)
    if summary and statement.kind in ("sentence", "item"):
        words = spoken(statement.text)
        if summary in words or (len(words) >= 20 and words in summary):
            return 1.5
    subject = re.match(
        rf"(?:[-*+]\s*)?(?:an?\s|the\s)?(?P<subject>[^.:;=]{{1,60}}?){_COPULA}", text, re.I
    )
    if subject and wanted:
        named = {stem(w) for w in key(subject["subject"]) if len(w) > 2}
        total = sum(wanted.values()) or 1.0
        held = [w for w in wanted if w in named]
        # "The embedding distance is …" says what something else is.
        if sum(wanted[w] for w in held) >= 0.6 * total and len(named) <= len(held) + 1:
            return 1.0
    return 0.6 if at == 0 and about & set(wanted) else 0.0
