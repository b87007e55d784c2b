"""What the trials of a race favour together, and the rate to take from that.

The trial that ended lowest is often luck, and often too high. The figures here were chosen on the
development tasks of benchmarks/learning_rate/quality.py.
"""

from __future__ import annotations

import math

import numpy as np

from executors.learning_rate.race import Race
from executors.learning_rate.suggest import Rate, head_of, sliced_below

__all__ = ["favoured", "settled"]

_SHARP = 0.1  # a trial that falls short by this share of the best one's fall has 1/e of its vote
_LITTLE = 0.2  # of the loss: where the best falls by less, trials differ by luck
# a quarter of a decade: down, as a rate too high costs more than one as much too low; up for a body
# just unfrozen, which recovers so slowly that short trainings end lower at rates below the best
_QUARTER = 10**0.25


def favoured(ran: Race, curve: float | None = None) -> float:
    """The rate (a pair's head) that the trials favour: the mean logarithm by nearness to the best.

    Parameters
    ----------
    ran : Race
        At least one trial has a loss.
    curve : float, optional
        A rate read from the curve, which votes as the trials near it do.

    Raises
    ------
    ValueError
        When all trials diverged.
    """
    if ran.best is None:
        raise ValueError("all trials diverged")
    scale = _SHARP * max(ran.before - ran.best.loss, _LITTLE * abs(ran.before), 1e-12)
    order = sorted(ran.trials, key=lambda one: head_of(one.rate))
    rates = np.log([head_of(one.rate) for one in order])
    votes = np.exp([-(one.loss - ran.best.loss) / scale for one in order])
    if curve is not None:
        at = math.log(curve)
        rates, votes = np.append(rates, at), np.append(votes, np.interp(at, rates, votes))
    return math.exp(float(np.average(rates, weights=votes)))


def settled(curve: Rate, ran: Race) -> tuple[Rate, str]:
    """The rate to recommend, and how it lies to what the trials favour."""
    broken = [head_of(one.rate) for one in ran.trials if one.ended != "done"]
    most = min(broken, default=math.inf) / _QUARTER
    if isinstance(curve, tuple):  # tried itself, so that it has no other vote
        middle = favoured(ran)
        head = min(middle * _QUARTER, most)
        return sliced_below(head), _beside(head, middle)
    middle = favoured(ran, curve)
    rate = min(middle / _QUARTER, most)
    return float(f"{rate:.1e}"), _beside(rate, middle)


def _beside(rate: float, middle: float) -> str:
    """How a rate lies to another, "1.8 times below"; a diverged trial may have moved it."""
    times = max(rate / middle, middle / rate)
    return f"{times:.1f} times {'above' if rate > middle else 'below'}"
