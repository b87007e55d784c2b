"""Prerequisite edges: sure enough candidates, in one direction, without cycles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ingest.decisions.settle import NOTHING_DECIDED, Settled, settle
from ingest.relations.acceptance import KEEP, SURE, accepted
from ingest.relations.features import Pairs, read_pairs
from ingest.relations.gists import Gists
from ingest.relations.pairs import Nearest, among
from ingest.relations.scorer import Scored, scorer
from ingest.relations.signals import Signals
from kg.graph import acyclic, shortcuts
from kg.rows import LEAST, NOTHING_UNLIKELY, Unlikely
from kg.types import Concept, Evidence, Relation, Tier

__all__ = ["NOTHING_STANDING", "Chosen", "Least", "Standing", "choose", "orders", "prerequisites"]

# What a note states outright ("Needs: …", front matter) is above anything inferred.
STATED_SCORE = 0.98
# What an overrides file adds is above that, and what it removes is below everything.
DECIDED_SCORE = 1.0
INFERRED_MOST = 0.97

Pair = tuple[int, int]  # what comes first, what needs it


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of concepts beside the scores, and keeps inferred edges off."""

    settled: Settled
    umbrellas: Set[int]  # themes, not steps to learn
    nested: Collection[frozenset[int]]  # a section and what stands inside it
    # Concepts of which the notes say nothing, but link, show or run something.
    mute: Set[int] = frozenset()
    together: Collection[frozenset[int]] = ()  # concepts that one passage explains
    # The note that each concept is explained in.
    homes: Mapping[int, int] = field(default_factory=dict)


NOTHING_STANDING = Standing(settle({}, NOTHING_DECIDED, ()), frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Least:
    """From which score on an edge is kept, and is sure."""

    keep: float
    sure: float


@dataclass(frozen=True, slots=True)
class Chosen:
    """Scored candidates in both directions by pair, and inferred edges lost to cycles."""

    relations: tuple[Relation, ...]
    dropped: tuple[Relation, ...]
    unlikely: Unlikely = NOTHING_UNLIKELY


def prerequisites(
    concepts: Sequence[Concept],
    signals: Signals,
    gists: Gists,
    standing: Standing,
    wording: Callable[[int, int], tuple[Evidence, ...]],
    near: Nearest | None = None,
) -> Chosen:
    """Score and choose.

    Parameters
    ----------
    wording : function
        From (p, c) to the place in c's passages that comes nearest to naming p, for edges that no
        mention supports.
    near : Nearest
        From `nearest_concepts`, where it is known already.
    """
    learned = scorer()
    pairs = read_pairs(signals, gists, {*standing.settled.lines}, near, learned.promising)
    earlier = orders(signals, pairs)
    scored = accepted(pairs, learned.score(pairs, earlier, len(concepts)), earlier, signals)
    return choose(pairs, scored, Least(KEEP, SURE), signals, standing, wording)


def orders(signals: Signals, pairs: Pairs) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Which of each pair stands first: 1 for a, -1 for b, 0 for neither; shape (m,)."""
    return np.array(
        [signals.earlier(int(a), int(b)) for a, b in zip(pairs.a, pairs.b, strict=True)],
        dtype=np.int64,
    )


def choose(
    pairs: Pairs,
    scored: Scored,
    least: Least,
    signals: Signals,
    standing: Standing,
    wording: Callable[[int, int], tuple[Evidence, ...]] = lambda p, c: (),
) -> Chosen:
    """Keep what scores enough: one direction a pair, nothing against what people say, no cycle.

    Where edges lead from note to note and back, the weaker way goes, unless people state it: notes
    have an order too.
    """
    looked_at = _looked_at(pairs, scored, standing.settled)
    scores = _scores(pairs, scored, looked_at, standing.settled)
    stated = standing.settled.kept
    wanted = [
        (p, c, s)
        for (p, c), s in scores.items()
        if (p, c) in stated
        or (
            s >= least.keep and _may_be_kept(p, c, scores, standing, named=(c, p) in signals.naming)
        )
    ]
    ordered, against = _by_notes(wanted, stated, standing.homes)
    kept, dropped = acyclic(ordered, stated)
    implied = shortcuts((p, c) for p, c, _ in kept)
    kept_pairs = {(p, c) for p, c, _ in kept}

    def relation(p: int, c: int, s: float) -> Relation:
        there = (p, c) in kept_pairs
        evidence = (*standing.settled.lines.get((p, c), ()), *signals.evidence(p, c))
        if there and not any(e.signal != "position" for e in evidence):
            evidence = (*wording(p, c), *evidence)
        if c in standing.settled.listing and not there:
            s = min(s, 1 - STATED_SCORE)  # its notes say what it needs
        tier = _tier(s, least.sure, (p, c) in stated) if there else ""
        return Relation("prerequisite", p, c, round(s, 4), there, evidence, tier, (p, c) in implied)

    lost = {(p, c) for p, c, _ in (*dropped, *against)}
    relations = tuple(relation(p, c, s) for (p, c), s in sorted(scores.items()))
    return Chosen(
        relations,
        tuple(r for r in relations if (r.source, r.target) in lost),
        _unlikely(pairs, scored, ~looked_at),
    )


def _by_notes(
    wanted: Sequence[tuple[int, int, float]], stated: Collection[Pair], homes: Mapping[int, int]
) -> tuple[list[tuple[int, int, float]], list[tuple[int, int, float]]]:
    """What leads from note to note without a cycle, and what leads back; stated pairs all stay."""
    between: defaultdict[Pair, float] = defaultdict(float)
    for p, c, s in wanted:
        between[homes.get(p, -1), homes.get(c, -1)] += s
    told = {(homes.get(p, -1), homes.get(c, -1)) for p, c in stated}
    edges = [(a, b, s) for (a, b), s in between.items() if a != b and -1 not in (a, b)]
    back = {(a, b) for a, b, _ in acyclic(edges, told)[1]}
    against = [
        (p, c, s)
        for p, c, s in wanted
        if (homes.get(p, -1), homes.get(c, -1)) in back and (p, c) not in stated
    ]
    lost = {(p, c) for p, c, _ in against}
    return [edge for edge in wanted if edge[:2] not in lost], against


def _looked_at(pairs: Pairs, scored: Scored, settled: Settled) -> npt.NDArray[np.bool_]:
    """Pairs that score something in either direction, or of which people say something."""
    told = among(pairs.a, pairs.b, {*settled.kept, *settled.lines, *settled.removed})
    return np.asarray((np.maximum(scored.ahead, scored.back) >= LEAST) | told)


def _unlikely(pairs: Pairs, scored: Scored, rows: npt.NDArray[np.bool_]) -> Unlikely:
    """Those pairs in both directions, in order."""
    a, b = pairs.a[rows], pairs.b[rows]
    both = np.hstack([[a, b], [b, a]])
    order = np.lexsort(both[::-1])
    scores = np.append(scored.ahead[rows], scored.back[rows])
    return Unlikely(both[:, order], scores[order])


def _scores(
    pairs: Pairs, scored: Scored, rows: npt.NDArray[np.bool_], settled: Settled
) -> dict[Pair, float]:
    """The scores of some pairs in both directions.

    What people say stands above and below what is inferred.
    """
    a, b = pairs.a[rows].tolist(), pairs.b[rows].tolist()
    ahead = np.minimum(scored.ahead[rows], INFERRED_MOST).tolist()
    back = np.minimum(scored.back[rows], INFERRED_MOST).tolist()
    scores = dict(zip(zip(a, b, strict=True), ahead, strict=True)) | dict(
        zip(zip(b, a, strict=True), back, strict=True)
    )
    for pair in settled.kept:
        scores[pair] = DECIDED_SCORE if pair in settled.decided else STATED_SCORE
        scores[pair[::-1]] = min(scores.get(pair[::-1], 0.0), 1 - STATED_SCORE)
    for pair in settled.lines:
        scores.setdefault(pair, 0.0)
    for pair in settled.removed:
        scores[pair] = 1 - DECIDED_SCORE
    return scores


def _may_be_kept(
    p: int, c: int, scores: Mapping[Pair, float], standing: Standing, *, named: bool
) -> bool:
    """Whether an inferred edge may stand: the stronger direction, if nobody objects.

    Where the notes list what a concept needs, nothing is inferred on top; what stands inside a
    concept's section is part of it. Terms that one passage explains read alike only because they
    share it, and of what the notes say nothing there is nothing to read: there it takes a mention.
    """
    pair = frozenset((p, c))
    decided = (p, c) in standing.settled.removed or c in standing.settled.listing
    nested = bool(pair & standing.umbrellas) or pair in standing.nested
    readable = named or not (pair & standing.mute or pair in standing.together)
    stronger = (scores[p, c], -p) > (scores.get((c, p), 0.0), -c)
    return stronger and readable and not (decided or nested)


def _tier(score: float, sure: float, stated: bool) -> Tier:
    if stated:
        return "stated"
    return "sure" if score >= sure else "likely"
