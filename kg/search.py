"""Search: look up words and vectors, match word by word, fuse into one ranking."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kg.encoder import Encoder
from kg.errors import IndexMismatch
from kg.linking import STOP_WORDS, Found, fold, spaced, terms
from kg.store import Store
from kg.types import Hit
from kg.vectors import Words, best_matches

__all__ = ["Candidate", "Findings", "Reading", "Signs", "content_words", "find", "read", "search"]

# How many passages each retriever brings to the fusion, at least; and the sections that are then
# looked at whole.
POOL = 60
LOOKED_AT = 20_000  # passages that full-text search scores, the rarest word's aside
SECTIONS = 8
SECTION_MOST = 60  # passages of one section
# Weights of the full-text fields: heading, body, names of the concepts that the passage defines.
FIELD_WEIGHTS = (2.0, 1.0, 1.0)
# A passage's own score is the convex sum of these parts, each in [0, 1]. Benchmarks/README.md tells
# how they came about, and what was tried and left out.
DENSE, LATE, LEXICAL, COVERED = 0.4, 0.45, 0.075, 0.075
# Code alone seldom answers a question in words, a picture alone never.
CODE_MALUS, PICTURE_MALUS = 0.04, 0.08
# A statement is read in its section: half of what ranks a passage is the best passage beside it
# there.
SECTION = 0.5
# Hits that tell whether the notes hold an answer at all.
SIGNS_FROM = 5
# Shown hits that a reader would call the same are shown once.
SAME_WORDS = 0.9
QUESTION_CHARS = 2000

_OPERATORS = frozenset({"AND", "OR", "NOT"})  # people type them as other search boxes want them
_PICTURES = re.compile(r"\s*(?:#{1,6}\s[^\n]*\n\s*)?(?:(?:<img\b[^>]*>|!\[[^\]]*\]\([^)]*\))\s*)+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage with the parts of its score, each in [0, 1]."""

    passage: int
    dense: float  # cosine of the question with the passage's best vector, negatives cut
    late: float  # late interaction: each word's best match in the passage, weighted by rarity
    lexical: float  # BM25, divided by the best of this question
    covered: float  # share of the words, weighted by rarity, that passage and headings hold

    @property
    def score(self) -> float:
        """The passage's own score, in [0, 1]."""
        return (
            DENSE * self.dense + LATE * self.late + LEXICAL * self.lexical + COVERED * self.covered
        )


@dataclass(frozen=True, slots=True)
class Signs:
    """What tells whether the notes hold an answer, each in [0, 1]; of the first few hits."""

    best: float  # the best own score
    weakest: float  # how well the worst third of the words is matched, where it is matched best
    unknown: float  # share of the question's words, weighted by rarity, that no passage holds


@dataclass(frozen=True, slots=True)
class Reading:
    """A question as the retrievers take it."""

    text: str  # with names spelled as in the notes
    concepts: tuple[int, ...]  # that it names, in its order
    words: Mapping[str, float]  # its content words with their weight (rarity in these notes)
    vector: npt.NDArray[np.float32]  # (d,) unit length
    pieces: npt.NDArray[np.float32]  # (q, d) of the content words' pieces
    weights: npt.NDArray[np.float32]  # (q,) of these pieces, sum 1


@dataclass(frozen=True, slots=True)
class Findings:
    """What search found out about a question."""

    hits: tuple[Hit, ...]
    candidates: tuple[Candidate, ...]  # of the hits, in their order
    concepts: tuple[int, ...]  # concepts the question names, in its order
    words: Mapping[str, float]  # the question's content words with their weight
    signs: Signs


def search(question: str, store: Store, encoder: Encoder, k: int = 10) -> tuple[Hit, ...]:
    """The k passages that fit a question best, best first; fewer when the store has fewer.

    Raises
    ------
    IndexMismatch
        When the encoder is not the one the store was made with.
    """
    return find(read(question, store, encoder), store, k).hits


def read(question: str, store: Store, encoder: Encoder) -> Reading:
    """A question as the retrievers take it: encoded here, and nowhere again.

    Raises
    ------
    IndexMismatch
        When the encoder is not the one the store was made with.
    """
    if encoder.name != store.encoder_name:
        raise IndexMismatch(
            f"the store was made with the encoder '{store.encoder_name}', got '{encoder.name}'"
        )
    names = store.lexicon.find(question, strict_case=False)
    text = _as_noted(question, names, store)
    words = content_words(text, store)
    vectors, pieces = encoder.encode_words([text])
    kept, weights = _weighed(text, pieces[0], words)
    linked = tuple(dict.fromkeys(name.concept for name in names))
    return Reading(text, linked, words, vectors[0], pieces[0].vectors[kept], weights)


def find(reading: Reading, store: Store, k: int = 10) -> Findings:
    """Search, with what was seen on the way."""
    pool = max(POOL, k)
    either = " OR ".join(f'"{spaced(word)}"' for word in _rarest(reading.words, store))
    lexical = dict(store.lexical(either, pool, FIELD_WEIGHTS) if either else ())
    dense = dict(store.vectors.nearest(reading.vector, pool))
    asked = _Asked(reading, lexical, dense)
    defining = {p for c in reading.concepts for p in store.concepts[c].passages}
    candidates = _candidates(asked, store, sorted({*dense, *lexical, *defining}))
    beside = [p for p in _beside(candidates, store) if p not in candidates]
    candidates |= _candidates(asked, store, beside)
    scores = _scores(candidates, store)
    ranked = sorted(candidates.values(), key=lambda c: (-scores[c.passage], c.passage))
    chosen = _distinct(ranked, store, k)
    hits = tuple(
        Hit(store.passages[c.passage], round(scores[c.passage], 4), _labels(store, c.passage))
        for c in chosen
    )
    # What only names something, such as a heading alone, tells of no answer.
    saying = [c for c in chosen if store.passages[c.passage].statements]
    signs = _signs(reading, saying[:SIGNS_FROM], store)
    return Findings(hits, tuple(chosen), reading.concepts, reading.words, signs)


def _rarest(words: Iterable[str], store: Store) -> Iterator[str]:
    """The words that tell most, from the rarest on, as long as not too many passages hold them."""
    looked_at = 0
    for word in sorted(words, key=store.passage_frequency):
        looked_at += store.passage_frequency(word)
        if looked_at > LOOKED_AT and looked_at > store.passage_frequency(word):
            break
        yield word


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with what each retriever brought."""

    reading: Reading
    lexical: Mapping[int, float]  # BM25 by passage
    dense: Mapping[int, float]  # cosine by passage, of the nearest


def content_words(question: str, store: Store) -> dict[str, float]:
    """The question's words that carry meaning, weighted by rarity in these notes, at most 1.

    In "WHERE or HAVING?" the capitals say that no stop words are meant.
    """
    asked = question[:QUESTION_CHARS]
    found = terms(asked)
    spelled = {asked[start:end] for _, start, end in found}
    names = {w.casefold() for w in spelled if w.isupper() and len(w) > 1 and w not in _OPERATORS}
    if question.isupper():
        names = set()
    spoken = list(dict.fromkeys(term for term, _, _ in found))
    kept = [w for w in spoken if w not in STOP_WORDS or w in names] or spoken
    n = max(1, len(store.passages))
    rarest = math.log(1 + n)
    return {w: math.log(1 + n / (1 + store.passage_frequency(w))) / rarest for w in kept}


def _as_noted(question: str, names: Sequence[Found], store: Store) -> str:
    """The question with its names cut into words as in the notes: "unet" as "U-Net"."""
    for f in reversed(names):
        spelled, concept = question[f.start : f.end], store.concepts[f.concept]
        for name in (concept.label, *concept.aliases):
            cut = [[term for term, _, _ in terms(text)] for text in (spelled, name)]
            if cut[0] != cut[1] and "".join(cut[0]) == "".join(cut[1]):
                question = question[: f.start] + name + question[f.end :]
                break
    return question


def _weighed(
    question: str, read: Words, words: Mapping[str, float]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
    """Which word pieces belong to content words, and their weights, which sum to 1."""
    weight_at = np.zeros(len(question) + 1, dtype=np.float32)
    for term, start, end in terms(question[:QUESTION_CHARS]):
        # Pairs of characters overlap.
        own = weight_at[start:end]
        np.maximum(own, words.get(term, 0.0), out=own)
    weights = weight_at[np.minimum(read.spans[:, 0], len(question))]
    kept = weights > 0
    return kept, weights[kept] / max(float(weights[kept].sum()), 1e-9)


def _candidates(asked: _Asked, store: Store, passages: Sequence[int]) -> dict[int, Candidate]:
    reading = asked.reading
    best_lexical = max(asked.lexical.values(), default=1.0) or 1.0
    total = sum(reading.words.values()) or 1.0
    folded = {fold(word): weight for word, weight in reading.words.items()}
    late = best_matches(reading.pieces, store.vectors.words(passages)) @ reading.weights
    others = [p for p in passages if p not in asked.dense]
    vectors = store.vectors.of_passages(others)
    cosines = dict(asked.dense) | {
        p: float((own @ reading.vector).max()) for p, own in zip(others, vectors, strict=True)
    }
    store.passages.some(passages)  # in one reading, before they are looked at one by one
    out = {}
    for p, matched in zip(passages, late, strict=True):
        there = store.passage_terms(p)
        out[p] = Candidate(
            passage=p,
            dense=max(0.0, cosines[p]),
            # An encoder without vectors of words leaves their part to the passage's own.
            late=float(matched) if len(reading.pieces) else max(0.0, cosines[p]),
            lexical=max(0.0, asked.lexical.get(p, 0.0) / best_lexical),
            covered=sum(weight for word, weight in folded.items() if word in there) / total,
        )
    return out


def _signs(reading: Reading, first: Sequence[Candidate], store: Store) -> Signs:
    matches = np.sort(
        best_matches(reading.pieces, store.vectors.words([c.passage for c in first])), axis=1
    )  # (n, q)
    third = max(1, len(reading.pieces) // 3)
    if len(reading.pieces):
        weakest = float(matches[:, :third].mean(axis=1).max(initial=0.0))
    else:
        weakest = max((c.dense for c in first), default=0.0)
    unknown = sum(
        weight for word, weight in reading.words.items() if not store.passage_frequency(word)
    )
    return Signs(
        max((c.score for c in first), default=0.0),
        weakest,
        unknown / (sum(reading.words.values()) or 1.0),
    )


def _beside(candidates: Mapping[int, Candidate], store: Store) -> Iterable[int]:
    """The passages of the sections that hold the best candidates."""
    ranked = sorted(candidates.values(), key=lambda c: (-c.score, c.passage))
    sections = list(dict.fromkeys(store.passages.section(c.passage) for c in ranked))[:SECTIONS]
    return [p for section in sections for p in section[:SECTION_MOST]]


def _scores(candidates: Mapping[int, Candidate], store: Store) -> dict[int, float]:
    """Fused score of each candidate: its own, and that of the best in its section."""
    own = {p: c.score - _malus(store, p) for p, c in candidates.items()}
    best: dict[tuple[str, tuple[str, ...]], float] = {}
    for p, score in own.items():
        section = _section(store, p)
        best[section] = max(best.get(section, 0.0), score)
    return {
        p: max(0.0, (1 - SECTION) * score + SECTION * best[_section(store, p)])
        for p, score in own.items()
    }


def _malus(store: Store, p: int) -> float:
    passage = store.passages[p]
    if passage.kind in ("code", "output"):
        return CODE_MALUS
    return PICTURE_MALUS if _PICTURES.fullmatch(passage.text) else 0.0


def _section(store: Store, p: int) -> tuple[str, tuple[str, ...]]:
    return store.passages[p].note, store.passages[p].heading_path


def _distinct(ranked: Sequence[Candidate], store: Store, k: int) -> list[Candidate]:
    """The first k that do not repeat an earlier one's words."""
    chosen: list[Candidate] = []
    seen: list[frozenset[str]] = []
    for candidate in ranked:
        if len(chosen) >= k:
            break
        words = store.text_terms(candidate.passage)
        if any(_same(words, s) for s in seen):
            continue
        chosen.append(candidate)
        seen.append(words)
    return chosen


def _same(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two sets of words share nearly all; sets of unlike sizes are not looked into."""
    small, large = sorted((len(one), len(other)))
    if small < SAME_WORDS * large:
        return False
    shared = len(one & other)
    return shared >= SAME_WORDS * max(1, small + large - shared)


def _labels(store: Store, p: int) -> tuple[str, ...]:
    """Concepts a passage defines, then those it names, each once."""
    named = (m.concept for m in store.mentions_in(p))
    return tuple(
        store.concepts[c].label for c in dict.fromkeys((*store.defined_in.get(p, ()), *named))
    )
