"""Search: link the question's concepts, look up words, vectors and the concept graph, and fuse into one ranking."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kg.encoder import Encoder
from kg.errors import IndexMismatch
from kg.graph import importance
from kg.linking import fold
from kg.store import Store
from kg.types import Hit

__all__ = ["Candidate", "Findings", "content_words", "find", "search"]

# How many passages each retriever brings to the fusion, at least.
POOL = 60
# Weights of the full-text fields: heading, body, names of the concepts that the passage defines.
FIELD_WEIGHTS = (2.0, 1.0, 1.0)
# The fused score is a convex sum of the parts below, each in [0, 1]; see benchmarks/README.md for the ablation.
DENSE, LEXICAL, COVERED, GRAPH, DEFINES = 0.5, 0.2, 0.2, 0.05, 0.05
# What stands beside a good passage in its section often goes on with it, most of all in notebooks with short cells.
NEIGHBOUR = 0.1
# Code alone seldom answers a question in words.
CODE_DISCOUNT = 0.85
# Shown hits that a reader would call the same are shown once.
SAME_WORDS = 0.9

_WORD = re.compile(r"[^\W_]+")
_HYPHENATED = re.compile(r"([^\W_]+)-([^\W_]+)")
_STOP_WORDS = (
    "a about actually all also am an and any are as at be been being but by can could did do does doing done for from "
    "get give gives go had has have having how i if in into is it its just know like lot made make makes many may me "
    "might more most much must my need needs no not now of off on once one or other our out over please s same say "
    "shall she should show so some such t take tell than that the their them then there these they this those through "
    "to too under until up us use used uses using very want was way we were what when where which while who whom whose "
    "why will with without would you your explain describe mean means meaning between compared explained"
)
_STOP = frozenset(_STOP_WORDS.split())


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage with the parts of its score, each in [0, 1]."""

    passage: int
    dense: float  # cosine of the question with the passage's best vector, negatives cut
    lexical: float  # BM25, divided by the best of this question
    covered: float  # share of the question's words, weighted by rarity, that the passage and its headings hold
    graph: float  # personalised PageRank of the concepts it defines, divided by the best
    defines: float  # share of the linked concepts that the passage defines

    @property
    def score(self) -> float:
        """The fused score, in [0, 1]."""
        return (
            DENSE * self.dense + LEXICAL * self.lexical + COVERED * self.covered + GRAPH * self.graph
            + DEFINES * self.defines
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Findings:
    """What search found out about a question."""

    hits: tuple[Hit, ...]
    candidates: tuple[Candidate, ...]  # of the hits, in their order
    concepts: tuple[int, ...]  # concepts the question names, in its order
    words: Mapping[str, float]  # the question's content words with their weight (rarity in these notes)


def search(question: str, store: Store, encoder: Encoder, k: int = 10) -> tuple[Hit, ...]:
    """The k passages that fit a question best, best first; fewer when the store holds fewer distinct ones."""
    return find(question, store, encoder, k).hits


def find(question: str, store: Store, encoder: Encoder, k: int = 10) -> Findings:
    """Search, with what was seen on the way.

    Raises
    ------
    IndexMismatch
        When the encoder is not the one the store was made with.
    """
    if encoder.name != store.encoder_name:
        raise IndexMismatch(f"the store was made with the encoder '{store.encoder_name}', got '{encoder.name}'")
    linked = tuple(dict.fromkeys(f.concept for f in store.lexicon.find(question, strict_case=False)))
    words = content_words(question, store)
    vector = encoder.encode([question])[0]  # (d,)
    candidates = _candidates(store, linked, words, vector, max(POOL, k))
    scores = _scores(candidates, store)
    ranked = sorted(candidates, key=lambda c: (-scores[c.passage], c.passage))
    chosen = _distinct(ranked, store, k)
    hits = tuple(Hit(store.passages[c.passage], round(scores[c.passage], 4), _labels(store, c.passage)) for c in chosen)
    return Findings(hits, tuple(chosen), linked, words)


def content_words(question: str, store: Store) -> dict[str, float]:
    """The question's words that carry meaning, with their weight: rarity in these notes, 1 for the rarest."""
    spoken = list(dict.fromkeys(w.casefold() for w in _WORD.findall(question[:2000])))
    kept = [w for w in spoken if w not in _STOP] or spoken
    n = max(1, len(store.passages))
    rarest = math.log(1 + n)
    return {w: math.log(1 + n / (1 + store.passage_frequency(w))) / rarest for w in kept}


def _scores(candidates: Sequence[Candidate], store: Store) -> dict[int, float]:
    """Fused score of each candidate, raised by the better neighbour in its section."""
    own = {
        c.passage: c.score * (CODE_DISCOUNT if store.passages[c.passage].kind in ("code", "output") else 1.0)
        for c in candidates
    }

    def beside(p: int) -> float:
        here = store.passages[p]
        near = [q for q in (p - 1, p + 1) if q in own]
        same = (own[q] for q in near if _section(store, q) == (here.note, here.heading_path))
        return max(same, default=0.0)

    return {p: score + NEIGHBOUR * beside(p) for p, score in own.items()}


def _section(store: Store, p: int) -> tuple[str, tuple[str, ...]]:
    return store.passages[p].note, store.passages[p].heading_path


def _candidates(
    store: Store, linked: Sequence[int], words: Mapping[str, float], vector: npt.NDArray[np.float32], pool: int
) -> list[Candidate]:
    dense = dict(store.nearest_passages(vector, pool))
    lexical = dict(store.lexical(" OR ".join(f'"{w}"' for w in words), pool, FIELD_WEIGHTS)) if words else {}
    ranks = importance(store.associations, dict.fromkeys(linked, 1.0))
    defining = {p for c in linked for p in store.concepts[c].passages}
    best_lexical = max(lexical.values(), default=1.0) or 1.0
    best_rank = max(ranks.values(), default=1.0)
    total = sum(words.values()) or 1.0
    out = []
    for p in sorted(set(dense) | set(lexical) | defining):
        cosine = dense[p] if p in dense else float((store.passage_vectors(p) @ vector).max())
        there = _folded_words(store, p)
        own = store.defined_in.get(p, ())
        out.append(
            Candidate(
                passage=p,
                dense=max(0.0, cosine),
                lexical=max(0.0, lexical.get(p, 0.0) / best_lexical),
                covered=sum(w for word, w in words.items() if fold(word) in there) / total,
                graph=max((ranks.get(c, 0.0) for c in own), default=0.0) / best_rank,
                defines=len(set(own) & set(linked)) / max(1, len(linked)),
            )
        )
    return out


def _folded_words(store: Store, p: int) -> frozenset[str]:
    passage = store.passages[p]
    names = (n for c in store.defined_in.get(p, ()) for n in (store.concepts[c].label, *store.concepts[c].aliases))
    text = " ".join((*passage.heading_path, *names, passage.text))
    joined = (a + b for a, b in _HYPHENATED.findall(text))  # who asks for "unet" is answered by "U-Net"
    return frozenset(fold(w) for w in (*_WORD.findall(text), *joined))


def _distinct(ranked: Sequence[Candidate], store: Store, k: int) -> list[Candidate]:
    """The first k that do not repeat an earlier one's words."""
    chosen: list[Candidate] = []
    seen: list[frozenset[str]] = []
    for candidate in ranked:
        if len(chosen) >= k:
            break
        words = frozenset(_WORD.findall(store.passages[candidate.passage].text.casefold()))
        if any(len(words & s) >= SAME_WORDS * max(1, len(words | s)) for s in seen):
            continue
        chosen.append(candidate)
        seen.append(words)
    return chosen


def _labels(store: Store, p: int) -> tuple[str, ...]:
    """Concepts a passage defines, then those it names, each once."""
    named = (m.concept for m in store.mentions_by_passage.get(p, ()))
    return tuple(store.concepts[c].label for c in dict.fromkeys((*store.defined_in.get(p, ()), *named)))
