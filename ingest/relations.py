"""Relations between concepts, each with its evidence: stated and scored prerequisites, broader, related."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.candidates import NoteParts
from ingest.labels import heading_names, merge_key
from ingest.report import Failure
from ingest.settled import NOTHING_DECIDED, Decided, Settled, settle
from ingest.signals import Signals, quote_line, read_signals
from ingest.stated import stated_prerequisites
from kg.graph import acyclic
from kg.types import Concept, Evidence, Mention, Passage, Relation
from kg.vectors import build_index

__all__ = ["Related", "relate"]

# A pair is looked at when one names the other, when a note states it, or when each is among the other's nearest.
NEIGHBOURS = 20
# Share a candidate's score must reach to be kept as an edge; chosen for precision, see benchmarks/README.md.
KEEP = 0.65
# What a note states outright ("Needs: …", front matter) is above anything inferred.
STATED_SCORE = 0.98
# What an overrides file adds is above that, and what it removes is below everything.
DECIDED_SCORE = 1.0
RELATED_COSINE = 0.5
RELATED_MOST = 5
# An outermost heading over so many concepts names a theme.
UMBRELLA = 4

# Log-odds of "p comes before c" for one unit of each signal, all signals in [0, 1] or [-1, 1]. Rounded from a logistic
# regression on metacademy's pairs (but "earlier", which those notes do not show); see benchmarks/README.md.
WEIGHTS: Mapping[str, float] = {
    "bias": -3.4,
    "named": 2.8,  # c's passages name p
    "named_first": 1.5,  # already in c's first sentence
    "cued": 1.2,  # after a word such as "needs" or "uses"
    "named_back": -3.5,  # p's passages name c
    "in_label": 1.5,  # p's name is part of c's name
    "similarity": 4.4,  # cosine of their passages
    "generality": 1.0,  # more concepts name p than name c
    "earlier": 0.7,  # p stands before c where order means something
}


@dataclass(frozen=True, slots=True)
class Related:
    """All relations, the inferred prerequisites that were dropped to break cycles, and sayings that contradict."""

    relations: tuple[Relation, ...]
    dropped: tuple[Relation, ...]
    warnings: tuple[Failure, ...] = ()


def relate(
    concepts: Sequence[Concept],
    mentions: Sequence[Mention],
    notes: Sequence[NoteParts],
    vectors: npt.NDArray[np.float32],
    decided: Decided = NOTHING_DECIDED,
) -> Related:
    """Relations of every kind.

    Parameters
    ----------
    vectors : array of shape (passages, d)
        One unit vector for each passage, row = passage id.
    decided : Decided
        Prerequisites that people add and remove.
    """
    centres = _centres(concepts, vectors)
    signals = read_signals(concepts, mentions, notes)
    settled = settle(stated_prerequisites(concepts, mentions, notes), decided, concepts)
    near = _neighbours(centres)
    broader = _broader(concepts, notes)
    prerequisites, dropped = _prerequisites(concepts, signals, settled, near, centres, broader)
    taken = {frozenset((r.source, r.target)) for r in prerequisites if r.kept}
    taken |= {frozenset((r.source, r.target)) for r in broader}
    passages = {p.id: p for note in notes for p in note.passages}
    related = _related(near, centres, taken, concepts, passages)
    return Related((*prerequisites, *broader, *related), dropped, settled.warnings)


def _centres(concepts: Sequence[Concept], vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The mean direction of each concept's passages, shape (concepts, d); zeros for a concept without any."""
    centres = np.zeros((len(concepts), vectors.shape[1]), dtype=np.float32)
    for concept in concepts:
        if concept.passages:
            centre = vectors[list(concept.passages)].mean(axis=0)
            centres[concept.id] = centre / max(float(np.linalg.norm(centre)), 1e-9)
    return centres


def _neighbours(centres: npt.NDArray[np.float32]) -> list[tuple[int, ...]]:
    """Each concept's nearest others by cosine, best first."""
    if not len(centres):
        return []
    index = build_index(centres)
    k = min(NEIGHBOURS + 1, len(centres))
    scores, rows = index.search(centres, k)
    return [
        tuple(int(j) for j, s in zip(row, score, strict=True) if j != i and s > 0)
        for i, (row, score) in enumerate(zip(rows, scores, strict=True))
    ]


def _prerequisites(
    concepts: Sequence[Concept],
    signals: Signals,
    settled: Settled,
    near: Sequence[tuple[int, ...]],
    centres: npt.NDArray[np.float32],
    broader: Sequence[Relation],
) -> tuple[list[Relation], tuple[Relation, ...]]:
    """Scored candidates in both directions, the kept ones acyclic, and what was dropped for that."""
    pairs = {(p, c) for (c, p) in signals.naming} | {(c, p) for (c, p) in signals.naming}
    pairs |= {pair for i, others in enumerate(near) for j in others for pair in ((i, j), (j, i))}
    scores = {
        (p, c): _score(signals.of(p, c, float(centres[p] @ centres[c])))
        for p, c in sorted(pairs)
        if concepts[p].passages and concepts[c].passages and p != c
    }
    for pair in settled.kept:
        scores[pair] = DECIDED_SCORE if pair in settled.decided else STATED_SCORE
        scores[pair[::-1]] = min(scores.get(pair[::-1], 0.0), 1 - STATED_SCORE)
    for pair in settled.said:
        scores.setdefault(pair, 0.0)
    for pair in settled.removed:
        scores[pair] = 1 - DECIDED_SCORE
    umbrellas = _umbrellas(broader)
    nested = {frozenset((r.source, r.target)) for r in broader}
    wanted = [
        (p, c, s + ((p, c) in settled.kept))  # above anything inferred, so that no cycle takes it
        for (p, c), s in scores.items()
        # A pair is kept in one direction only: the stronger, the earlier in the notes when equal. Where the notes state
        # what a concept needs, nothing is inferred on top; what stands inside a concept's section is part of it.
        if s >= KEEP
        and (s, -p) > (scores.get((c, p), 0.0), -c)
        and (
            (p, c) in settled.kept
            or ((c, p) in signals.naming and c not in settled.told and not {p, c} & umbrellas and {p, c} not in nested)
        )
    ]
    kept, dropped = acyclic(wanted)
    kept_pairs = {(p, c) for p, c, _ in kept}
    relations = [
        Relation(
            "prerequisite",
            p,
            c,
            round(s, 4),
            (p, c) in kept_pairs,
            (*settled.said.get((p, c), ()), *signals.evidence(p, c)),
            "stated" if (p, c) in settled.kept else "",
        )
        for (p, c), s in sorted(scores.items())
    ]
    lost = {(p, c) for p, c, _ in dropped}
    return relations, tuple(r for r in relations if (r.source, r.target) in lost)


def _score(signals: Mapping[str, float]) -> float:
    """Probability-like score of one ordered pair, in [0, 1]."""
    z = WEIGHTS["bias"] + sum(WEIGHTS[name] * value for name, value in signals.items())
    return float(1 / (1 + np.exp(-z)))


def _broader(concepts: Sequence[Concept], notes: Sequence[NoteParts]) -> list[Relation]:
    """From structure: the concept of an outer heading is broader than those of inner ones and of terms below it."""
    named = {merge_key(n): c.id for c in reversed(concepts) for n in (*c.aliases, c.label)}
    out: dict[tuple[int, int], Relation] = {}

    def add(outer: int | None, inner: int, place: Evidence) -> None:
        if outer is not None and outer != inner and (outer, inner) not in out and (inner, outer) not in out:
            out[outer, inner] = Relation("broader", outer, inner, 1.0, True, (place,))

    terms: defaultdict[int, list[int]] = defaultdict(list)
    for concept in concepts:
        for passage_id in concept.passages:
            terms[passage_id].append(concept.id)
    for note in notes:
        for heading in note.parsed.headings:
            inner = _heading_concept(heading.path, named)
            if inner is not None:
                words = note.parsed.text_of(heading.cell)[heading.start : heading.end]
                place = Evidence(note.name, heading.cell, heading.line, words.splitlines()[0].strip(), "heading")
                add(_enclosing_concept(heading.path[:-1], named), inner, place)
        for passage in note.passages:
            enclosing = _enclosing_concept(passage.heading_path, named)
            for term in terms[passage.id]:
                add(enclosing, term, _place(passage, "heading"))
    return [out[pair] for pair in sorted(out)]


def _umbrellas(broader: Sequence[Relation]) -> frozenset[int]:
    """Titles over many concepts ("Optimisers"): themes, not steps to learn, unless a note says otherwise."""
    inner = {r.target for r in broader}
    children = Counter(r.source for r in broader)
    return frozenset(c for c, n in children.items() if n >= UMBRELLA and c not in inner)


def _heading_concept(path: tuple[str, ...], named: Mapping[str, int]) -> int | None:
    names = heading_names(path[-1]) if path else None
    return named.get(merge_key(names.label)) if names else None


def _enclosing_concept(path: tuple[str, ...], named: Mapping[str, int]) -> int | None:
    found = (_heading_concept(path[:n], named) for n in range(len(path), 0, -1))
    return next((c for c in found if c is not None), None)


def _related(
    near: Sequence[tuple[int, ...]],
    centres: npt.NDArray[np.float32],
    taken: set[frozenset[int]],
    concepts: Sequence[Concept],
    passages: Mapping[int, Passage],
) -> list[Relation]:
    """Concepts whose passages point the same way and that no surer relation joins already."""
    out: dict[tuple[int, int], Relation] = {}
    for i, others in enumerate(near):
        given = 0
        for j in others:
            cosine = float(centres[i] @ centres[j])
            if cosine < RELATED_COSINE or given >= RELATED_MOST:
                break
            # Terms explained in one and the same passage are near only because they share it.
            if frozenset((i, j)) in taken or set(concepts[i].passages) & set(concepts[j].passages):
                continue
            given += 1
            pair = (min(i, j), max(i, j))
            if pair not in out:
                places = tuple(_place(passages[concepts[c].passages[0]], "similarity") for c in pair)
                out[pair] = Relation("related", *pair, round(cosine, 4), True, places)
    return [out[pair] for pair in sorted(out)]


def _place(passage: Passage, signal: str) -> Evidence:
    line, quote = quote_line(passage, 0)
    return Evidence(passage.note, passage.cell, line, quote, signal)
