"""Scores of candidate pairs: do they belong together, and which comes first.

Two logistic regressions over the features of `ingest.relations.features`: one over both directions
together ("joined"), one over their difference ("first"), which therefore says the opposite of the
reverse pair. A second round adds what the first one's graph shows around the pair. The coefficients
are `scorer.json`, written by `benchmarks/prerequisites/train.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from scipy.sparse.linalg import cg

from ingest.relations.features import FEATURES, LAST, Pairs, sampled

__all__ = [
    "AROUND",
    "Linear",
    "Round",
    "Scored",
    "Scorer",
    "around",
    "joined_columns",
    "probabilities",
    "scorer",
]

Floats = npt.NDArray[np.float64]

# What the first round's graph shows of a pair, in the order of the columns.
AROUND: Mapping[str, str] = {
    "joined before": "log-odds of the first round that the two belong together",
    "first before": "log-odds of the first round that p comes before c",
    "level": "how much higher c stands than p in the order that fits all first-round "
    "directions best",
    "by way of another": "p comes before what comes before c",
    "same need": "p and c come before the same",
    "same grounds": "the same comes before p and c",
    "both joined": "p and c belong together with the same",
    "nearest first": "what is nearest to p comes before c",
    "first for nearest": "p comes before what is nearest to c",
    "needed by many": "p comes before many",
    "needs many": "c comes after many",
}
# Added before logarithms, so that nothing at all is not endlessly less than very little.
_FLOOR, _FLOOR_ALL = 0.003, 0.3
_SEEN = 0.02  # pairs that belong together less than this say nothing about others


@dataclass(frozen=True, slots=True)
class Linear:
    """Coefficients of one logistic regression.

    `bias` is 0 where the reverse must score the opposite.
    """

    weights: Floats
    bias: float

    def __call__(self, columns: npt.NDArray[np.floating]) -> Floats:
        """Log-odds, shape (m,)."""
        return np.asarray(columns @ self.weights + self.bias, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Round:
    """`joined` reads sums and greater ones of both directions, `first` their differences."""

    joined: Linear
    first: Linear


@dataclass(frozen=True, slots=True)
class Scored:
    """Probabilities of "a before b" and "b before a" for each candidate pair, shape (m,)."""

    ahead: Floats
    back: Floats
    # Log-odds that the two belong together, and that a comes first.
    joined: Floats = field(default_factory=lambda: np.zeros(0))
    first: Floats = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, slots=True)
class Scorer:
    """All that is learned, and what the notes' own order adds to the log-odds of a direction."""

    rounds: tuple[Round, Round]
    earlier: float
    apart: float  # how much a pair that does not belong together weighs against the direction
    slope: float  # from log-odds to calibrated log-odds
    offset: float
    keep: float
    sure: float

    def score(self, pairs: Pairs, earlier: npt.NDArray[np.integer], n: int) -> Scored:
        """Score all candidates among n concepts.

        Parameters
        ----------
        earlier : array of shape (m,)
            1 where a stands before b in an order that means something, -1 where after, 0 where
            there is none.
        """
        joined = self.rounds[0].joined(joined_columns(pairs.ahead, pairs.back))
        first = self.rounds[0].first(pairs.ahead - pairs.back) + self.earlier * earlier
        there, here = around(pairs, joined, first, n)
        joined = self.rounds[1].joined(
            joined_columns(np.hstack([pairs.ahead, there]), np.hstack([pairs.back, here]))
        )
        first = (
            self.rounds[1].first(np.hstack([pairs.ahead - pairs.back, there - here]))
            + self.earlier * earlier
        )
        ahead, back = (self.calibrated(p) for p in probabilities(joined, first, self.apart))
        return Scored(ahead, back, joined, first)

    def promising(
        self, ahead: npt.NDArray[np.floating], back: npt.NDArray[np.floating]
    ) -> npt.NDArray[np.bool_]:
        """Which pairs may belong together by the first round, whatever LAST is; shape (m,).

        The others say nothing about other pairs, and are no edges.

        Parameters
        ----------
        ahead, back : array of shape (m, len(FEATURES))
            Features of both directions, LAST left at 0; it lies between 0 and 1.
        """
        last = [*FEATURES].index(LAST)
        mean, greater = self.rounds[0].joined.weights[[last, len(FEATURES) + last]]
        # Linear where either direction is the greater: most in a corner.
        most = max(0.0, mean / 2 + greater, mean + greater)
        joined = self.rounds[0].joined(joined_columns(ahead, back))
        return np.asarray(_logistic(joined + most) >= _SEEN)

    def calibrated(self, shares: Floats) -> Floats:
        """Probabilities that mean what they say, of what `probabilities` gives."""
        inside = np.clip(shares, 1e-9, 1 - 1e-9)
        return _logistic(self.slope * np.log(inside / (1 - inside)) + self.offset)


def joined_columns(
    ahead: npt.NDArray[np.floating], back: npt.NDArray[np.floating]
) -> npt.NDArray[np.floating]:
    """Features that are the same for both directions: means, then greater ones; shape (m, 2 f)."""
    return np.hstack([(ahead + back) / 2, np.maximum(ahead, back)])


def probabilities(joined: Floats, first: Floats, apart: float) -> tuple[Floats, Floats]:
    """Probabilities of both directions from the log-odds of the two regressions.

    With `apart` 1 they are P(joined) P(direction); less lets the direction weigh more, as among
    pairs of which more belong together.
    """
    together, forward = _logistic(joined), _logistic(first)
    whole = together + apart * (1 - together)
    return together * forward / whole, together * (1 - forward) / whole


def around(pairs: Pairs, joined: Floats, first: Floats, n: int) -> tuple[Floats, Floats]:
    """What the graph of a first round shows of each pair, for both directions.

    Each of shape (m, len(AROUND)).
    """
    a, b = pairs.a, pairs.b
    together, forward = _logistic(joined), _logistic(first)
    seen = together >= _SEEN
    before = _square((a, b, together * forward), (b, a, together * (1 - forward)), seen, n)
    near = _square((a, b, together), (b, a, together), seen, n)
    levels = _levels(a[seen], b[seen], together[seen], first[seen], n)
    beside = pairs.beside
    chains = before @ before
    needs, grounds = sparse.csr_array(before @ before.T), sparse.csr_array(before.T @ before)
    both = sparse.csr_array(near @ near)
    nearest_first, first_for_nearest = (
        sparse.csr_array(beside @ before),
        sparse.csr_array(before @ beside.T),
    )
    outward = np.asarray(before.sum(axis=1)).ravel()
    inward = np.asarray(before.sum(axis=0)).ravel()

    def columns(p: npt.NDArray[np.int64], c: npt.NDArray[np.int64], z: Floats) -> Floats:
        return np.stack(
            [
                joined,
                z,
                levels[c] - levels[p],
                *(
                    np.log(sampled(m, p, c) + _FLOOR)
                    for m in (chains, needs, grounds, both, nearest_first, first_for_nearest)
                ),
                np.log(outward[p] + _FLOOR_ALL),
                np.log(inward[c] + _FLOOR_ALL),
            ],
            axis=1,
        )

    return columns(a, b, first), columns(b, a, -first)


def _square(
    one: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats],
    other: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats],
    seen: npt.NDArray[np.bool_],
    n: int,
) -> sparse.csr_array:
    rows, columns, values = (
        np.concatenate([x[seen], y[seen]]) for x, y in zip(one, other, strict=True)
    )
    return sparse.csr_array((values, (rows, columns)), shape=(n, n))


def _levels(
    a: npt.NDArray[np.int64], b: npt.NDArray[np.int64], weights: Floats, first: Floats, n: int
) -> Floats:
    """One height a concept that fits the directions' log-odds in least squares, shape (n,).

    References
    ----------
    Jiang, Lim, Yao, Ye (2011), Statistical ranking and combinatorial Hodge theory.
    """
    rows = np.arange(len(a))
    steps = sparse.csr_array(
        (
            np.concatenate([-np.ones(len(a)), np.ones(len(a))]),
            (np.tile(rows, 2), np.concatenate([a, b])),
        ),
        shape=(len(a), n),
    )
    weighted = steps.T @ sparse.diags_array(weights)
    # A little pull to 0 sets apart parts of the graph that nothing joins.
    solved, _ = cg(
        weighted @ steps + 0.01 * sparse.eye_array(n), weighted @ first, rtol=1e-8, maxiter=2000
    )
    return np.asarray(solved)


def _logistic(z: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(z, -500, 500))), dtype=np.float64)


@cache
def scorer() -> Scorer:
    """The scorer that ships, of `scorer.json`.

    Raises
    ------
    ValueError
        When the file names other features than the code.
    """
    read = json.loads(
        resources.files("ingest.relations").joinpath("scorer.json").read_text(encoding="utf-8")
    )
    names = [*FEATURES], [*FEATURES, *AROUND]
    rounds = tuple(
        Round(
            _linear(part["joined"], [*own, *(f"greater {n}" for n in own)]),
            _linear(part["first"], own),
        )
        for part, own in zip(read["rounds"], names, strict=True)
    )
    return Scorer((rounds[0], rounds[1]), **{k: float(read[k]) for k in _NUMBERS})


_NUMBERS = ("earlier", "apart", "slope", "offset", "keep", "sure")


def _linear(read: Mapping[str, float], names: list[str]) -> Linear:
    if [n for n in read if n != "bias"] != names:
        raise ValueError(f"scorer.json holds {[*read]}, expected bias and {names}; train it again")
    return Linear(np.array([read[n] for n in names]), read.get("bias", 0.0))
