"""How likely a teacher accepts "p before c": the probability that an edge is shown with.

The scorer of `ingest.relations.scorer` knows how people draw edges between whole notes; concepts
are also sections and terms, and much that it finds between those nobody would call a prerequisite.
Boosted trees over its scores and features, fitted to edges that teachers judged one by one, and
their mean with the score itself: teachers accept as many, and people's own edges keep their order.
Coefficients are `acceptance.json`, written by `benchmarks/prerequisites/train_acceptance.py`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from ingest.relations.features import FEATURES, Pairs
from ingest.relations.scorer import Scored
from ingest.relations.signals import Signals
from ingest.trees import Trees
from kg.rows import LEAST

__all__ = ["KEEP", "MODEL", "SEEN", "SURE", "accepted", "mean_of", "seen"]

MODEL = "acceptance.json"
SLAB = 50_000  # pairs at a time, to bound the memory
TREES = 0.7  # the weight of the trees' log-odds beside the score's
KEEP, SURE = 0.75, 0.85  # from which chance an edge is kept, and is sure
# What is seen of "p before c", in the order of the columns.
SEEN = (
    "score", "score of the reverse", "joined", "first", "earlier", "same note", "words of p",
    "words of c", *(f"p {name}" for name in FEATURES), *(f"c {name}" for name in FEATURES),
)  # fmt: skip


def accepted(
    pairs: Pairs, scored: Scored, earlier: npt.NDArray[np.integer], signals: Signals
) -> Scored:
    """The scores as probabilities that a teacher accepts the edge.

    Parameters
    ----------
    earlier : array of shape (m,)
        1 where a stands before b in an order that means something, -1 where after, 0 where there is
        none.
    """
    out = []
    for forward, chance in ((True, scored.ahead), (False, scored.back)):
        chosen = np.flatnonzero(chance >= LEAST)
        # What is not looked at stays below the rest.
        judged = np.minimum(chance, LEAST)
        for slab in np.split(chosen, range(SLAB, len(chosen), SLAB)):
            rows = seen(pairs, scored, earlier, signals, slab, forward)
            judged[slab] = mean_of(_trees().chances(rows), rows)
        out.append(judged)
    return replace(scored, ahead=out[0], back=out[1])


def mean_of(
    chances: npt.NDArray[np.float64], rows: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The trees' chances with the score that their rows hold, as the mean of both log-odds."""
    odds = TREES * _odds(chances) + (1 - TREES) * rows[:, SEEN.index("score")]
    return np.asarray(1 / (1 + np.exp(-odds)))


def seen(
    pairs: Pairs,
    scored: Scored,
    earlier: npt.NDArray[np.integer],
    signals: Signals,
    chosen: npt.NDArray[np.int64],
    forward: bool,
) -> npt.NDArray[np.float64]:
    """What is seen of the chosen pairs, "a before b" or else "b before a": shape (n, SEEN)."""
    p, c = (pairs.a, pairs.b) if forward else (pairs.b, pairs.a)
    of_p, of_c = (pairs.ahead, pairs.back) if forward else (pairs.back, pairs.ahead)
    score, reverse = (scored.ahead, scored.back) if forward else (scored.back, scored.ahead)
    sign = 1 if forward else -1
    p, c = p[chosen], c[chosen]
    notes = [home.note if home is not None else "" for home in signals.homes]
    words = np.array([len(k) for k in signals.keys], dtype=np.float64)
    return np.column_stack(
        [
            _odds(score[chosen]),
            _odds(reverse[chosen]),
            scored.joined[chosen],
            sign * scored.first[chosen],
            sign * earlier[chosen],
            [notes[i] == notes[j] for i, j in zip(p, c, strict=True)],
            words[p],
            words[c],
            of_p[chosen],
            of_c[chosen],
        ]
    )


def _odds(chances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    inside = np.clip(chances, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(inside / (1 - inside)))


@cache
def _trees() -> Trees:
    stored = resources.files("ingest.relations").joinpath(MODEL).read_text(encoding="utf-8")
    return Trees.of(json.loads(stored)["trees"], SEEN)
