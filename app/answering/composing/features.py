"""What is seen of each statement of the best passages when a question is asked.

Nothing here knows a language's words: how near a statement is to the question, by meaning and word
by word; how good its passage is; where it stands, and of what form it is; and what the concepts
that the question names have to do with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.answering.question.understand import Question
from app.answering.reading.excerpts import section_of
from app.answering.reading.statements import Statement, statements_of
from app.answering.reading.words import folded
from kg.linking import key
from kg.search import Candidate, Findings
from kg.store import Store
from kg.types import Concept, Hit
from kg.vectors import turned

__all__ = ["FEATURES", "OF_PASSAGE", "RELATIONS", "Seen", "related", "seen", "softmax"]

Array = npt.NDArray[np.float64]

KINDS = ("sentence", "item", "table", "code", "math", "html")
# Marks in a statement's own text, each a feature.
MARKS = ("**", "`", "$", "=", "(", "](", "![", '"', ":", " - ", "—", "->", "→", "?", "!")
SHARP = 12.0  # how sharply the nearest of all statements stands out among them
OPENING = 60  # characters in which a statement's subject stands
_NEAR = ("meaning", "late")
_COMPARED = (*_NEAR, "held")
OF_PASSAGE = (
    "score", "of_best", "dense", "late_of_passage", "lexical", "covered", "rank", "behind",
    "defining", "defines", "in_code", "in_list", "depth", "held_by_heading",
)  # fmt: skip
_OF_STATEMENT = (
    *_COMPARED, "held_alone", "summary", "summary_asked", "named_first", "named_first_asked", "at",
    "through", "first", "last", "opens_block", "length", "lines", "begins_bold", "begins_small",
    "begins_numbered", "ends_in_colon", "ends_in_question", "digit",
)  # fmt: skip
_AMONG = tuple(
    f"{n}_{how}" for n in _COMPARED for how in ("best", "mean", "below", "passage_below")
)
_BESIDE = tuple(f"{n}_{where}" for n in _NEAR for where in ("before", "after", "rank", "share"))
FEATURES = (
    *_OF_STATEMENT, *OF_PASSAGE, *_AMONG, *_BESIDE, *(f"kind_{k}" for k in KINDS),
    *(f"mark_{m}" for m in MARKS),
)  # fmt: skip
RELATIONS = (
    "log_chance", "below", "chance", "same_passage", "distance", "same_section", "follows",
    "same_block", "same_list", "leads", "best_chance", "place", "listed_list", "listed_section",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """The statements of the hits, one after another, and what is seen of each."""

    statements: tuple[Statement, ...]
    hit: npt.NDArray[np.int64]  # (n,) position of its hit
    at: npt.NDArray[np.int64]  # (n,) position in its passage
    rows: Array  # (n, FEATURES)
    meaning: Array  # (n,) cosine with the question
    matches: Array  # (n, q) of each piece of the question's words the best match, at least one


def seen(asked: Question, findings: Findings, store: Store) -> Seen:
    """What is seen of every statement of the hits."""
    of_hits = [statements_of(h.passage) for h in findings.hits]
    statements = tuple(s for own in of_hits for s in own)
    hit = np.array([h for h, own in enumerate(of_hits) for _ in own], dtype=np.int64)
    at = np.array([i for own in of_hits for i in range(len(own))], dtype=np.int64)
    if not statements:
        nothing = np.zeros((0, 1))
        return Seen(statements, hit, at, np.zeros((0, len(FEATURES))), nothing[:, 0], nothing)
    about = _About.of(asked, findings, store)
    meaning, matches = _near(asked, findings.hits, store)
    late = matches @ (asked.reading.weights if len(asked.reading.pieces) else np.ones(1))
    near = np.column_stack([meaning, late])
    own = np.array(
        [
            _of_statement(s, i, of_hits[h], about)
            for s, h, i in zip(statements, hit, at, strict=True)
        ]
    )
    passages = np.array(
        [
            _of_passage(h, c, n, findings.hits[0].score, about)
            for n, (h, c) in enumerate(zip(findings.hits, findings.candidates, strict=True))
        ]
    )
    held = own[:, 0]
    compared = np.column_stack([near, held])
    kinds = np.array([[s.kind == kind for kind in KINDS] for s in statements], dtype=float)
    marks = np.array([[mark in s.text for mark in MARKS] for s in statements], dtype=float)
    rows = np.column_stack(
        [
            compared,
            own[:, 1:],
            passages[hit],
            _among(compared, hit),
            _beside(near, hit),
            kinds,
            marks,
        ]
    )
    return Seen(statements, hit, at, rows, meaning, matches)


@dataclass(frozen=True, slots=True)
class _About:
    """What a question's words and names are, for its statements to be held against."""

    words: dict[str, float]  # folded, with their share of the weight
    names: tuple[frozenset[str], ...]
    summaries: tuple[frozenset[str], ...]
    defining: frozenset[int]  # passages that define what it names
    defined: frozenset[int]  # passages that define anything
    definition: bool  # whether it asks what something is

    @classmethod
    def of(cls, asked: Question, findings: Findings, store: Store) -> _About:
        named: Sequence[Concept] = [store.concepts[c] for c in findings.concepts]
        total = sum(findings.words.values()) or 1.0
        words: dict[str, float] = {}
        for word, weight in findings.words.items():
            for one in folded(word):
                words[one] = words.get(one, 0.0) + weight / total
        return cls(
            words,
            tuple(frozenset(key(n)) for c in named for n in (c.label, *c.aliases)),
            tuple(folded(c.summary) for c in named if c.summary),
            frozenset(p for c in named for p in c.passages),
            frozenset(h.passage.id for h in findings.hits if store.defined_in.get(h.passage.id)),
            asked.kind == "definition",
        )

    def held(self, words: frozenset[str]) -> float:
        """Share of the question's words, weighted by rarity, that are among these."""
        return min(1.0, sum(weight for word, weight in self.words.items() if word in words))


def _near(asked: Question, hits: Sequence[Hit], store: Store) -> tuple[Array, Array]:
    """Cosine of each statement with the question, (n,), and its best matches, (n, q).

    An encoder without vectors of words leaves their part to the statements' own.
    """
    vector, pieces = turned(asked.reading.vector), turned(asked.reading.pieces)
    of_hits = store.vectors.statements([h.passage.id for h in hits])
    meaning = np.concatenate([own.meet(vector) for own in of_hits]).astype(np.float64)
    if not len(pieces):
        return meaning, meaning[:, None]
    matches = np.concatenate([own.matches(pieces) for own in of_hits])
    return meaning, matches.astype(np.float64)


def _of_statement(
    statement: Statement, at: int, beside: Sequence[Statement], about: _About
) -> list[float]:
    """The features of a statement by itself, from the share of words held on."""
    text = statement.text
    words = folded(text)
    heading = (
        folded(statement.passage.heading_path[-1])
        if statement.passage.heading_path
        else frozenset()
    )
    bare = text.lstrip("-*+0123456789.) \t")
    opening = frozenset(key(text[:OPENING])) if about.names else frozenset()
    named = max((len(n & opening) / len(n) for n in about.names if n), default=0.0)
    quoted = max((len(s & words) / len(s) for s in about.summaries if s), default=0.0)
    return [
        about.held(words | heading),
        about.held(words),
        float(quoted > 0.9),
        float(quoted > 0.9 and about.definition),
        named,
        named * about.definition,
        min(at, 10) / 10,
        at / max(1, len(beside) - 1),
        float(at == 0),
        float(at == len(beside) - 1),
        float(at == 0 or beside[at - 1].block != statement.block),
        math.log1p(len(text)) / 6,
        min(text.count("\n"), 20) / 20,
        float(text.lstrip("-+0123456789.) \t").startswith(("**", "__"))),
        float(bare[:1].islower()),
        float(text[:1].isdecimal()),
        float(text.rstrip("*_ ").endswith((":", "：", "::"))),
        float(text.rstrip('*_ )"”').endswith(("?", "？"))),
        float(any(c.isdecimal() for c in bare)),
    ]


def _of_passage(
    hit: Hit, candidate: Candidate, rank: int, best: float, about: _About
) -> list[float]:
    path = hit.passage.heading_path
    return [
        hit.score,
        hit.score / (best or 1.0),
        candidate.dense,
        candidate.late,
        candidate.lexical,
        candidate.covered,
        1 / (1 + rank),
        hit.score - best,
        float(hit.passage.id in about.defining),
        float(hit.passage.id in about.defined),
        float(hit.passage.kind in ("code", "output")),
        float(hit.passage.kind == "list"),
        min(len(path), 5) / 5,
        about.held(folded(path[-1])) if path else 0.0,
    ]


def _among(compared: Array, hit: npt.NDArray[np.int64]) -> Array:
    """Each statement's nearness beside that of its passage's and of all, shape (n, 4 a column)."""
    columns = []
    for near in compared.T:
        best, mean = np.zeros(len(near)), np.zeros(len(near))
        for h in np.unique(hit):
            own = np.sort(near[hit == h])[::-1]
            best[hit == h], mean[hit == h] = own[0], own[:3].mean()
        columns += [best, mean, near - best, best - near.max()]
    return np.column_stack(columns)


def _beside(near: Array, hit: npt.NDArray[np.int64]) -> Array:
    """What stands before and after, the rank in the passage, and the share of all."""
    columns = []
    for one in near.T:
        before, after, rank = (np.zeros(len(one)) for _ in range(3))
        same = hit[1:] == hit[:-1]
        before[1:], after[:-1] = np.where(same, one[:-1], 0), np.where(same, one[1:], 0)
        for h in np.unique(hit):
            rank[hit == h] = 1 / (1 + np.argsort(np.argsort(-one[hit == h], kind="stable")))
        columns += [before, after, rank, softmax(SHARP * one)]
    return np.column_stack(columns)


def softmax(worth: Array) -> Array:
    """Chances, which sum to 1, of logits; both of shape (n,)."""
    chance = np.exp(worth - worth.max())
    return np.asarray(chance / chance.sum())


def related(found: Seen, worth: Array, wants_list: bool) -> Array:
    """What a statement has to do with the one that leads, shape (n, RELATIONS).

    Parameters
    ----------
    worth : array of shape (n,)
        The logits of leading.
    wants_list : bool
        Whether several things or steps are asked for.
    """
    chance = softmax(worth)
    lead = int(np.argmax(worth))
    of_lead = found.statements[lead]
    here = found.hit == found.hit[lead]
    section = np.array(
        [section_of(s.passage) == section_of(of_lead.passage) for s in found.statements]
    )
    block = here & np.array([s.block == of_lead.block for s in found.statements])
    group = here & np.array([s.group == of_lead.group >= 0 for s in found.statements])
    place = np.argsort(np.argsort(-worth, kind="stable"))
    return np.column_stack(
        [
            np.log(chance + 1e-6),
            worth - worth.max(),
            chance,
            here,
            np.where(here, np.minimum(np.abs(found.at - found.at[lead]), 6), 6) / 6,
            section,
            here & (found.at > found.at[lead]),
            block,
            group,
            np.arange(len(worth)) == lead,
            np.full(len(worth), chance.max()),
            1 / (1 + place),
            group & wants_list,
            section & wants_list,
        ]
    ).astype(np.float64)
