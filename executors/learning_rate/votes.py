"""The rate to take from a race and the curve's valley, each weighed by how far it usually lies from
the best.

The trial that ended lowest is often luck, and often too high; so all trials vote. What they favour
and fastai's valley are two measurements of one rate: both are moved by their usual error and
averaged in the logarithm by their usual spreads. The less the trials learned, the wider theirs:
where fifty batches teach next to nothing at any rate, the two count about alike, and the valley,
which errs downwards, keeps the rate from being a lucky high one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from executors.learning_rate.race import Race
from executors.learning_rate.suggest import Rate, head_of, sliced_below

__all__ = ["USUAL", "Settled", "Usual", "favoured", "settled", "valley_share", "weighed"]

# chosen on an earlier development set of benchmarks/learning_rate/quality.py
_SHARP = 0.1  # a trial that falls short by this share of the best one's fall has 1/e of its vote
_LITTLE = 0.2  # of the loss: where the best falls by less, trials differ by luck
_QUARTER = 10**0.25  # below a rate that diverged


@dataclass(frozen=True, slots=True)
class Usual:
    """How the two measurements usually lie to the best rate; distances in decades."""

    trials: float  # from what trials favour to the best: down, for one too high costs more
    # and further for a slice: up, for a body just unfrozen recovers so slowly that short
    # trainings end lower at rates below the best
    sliced: float
    valley: float  # from the valley to the best
    firm: float  # variance of the trials over that of the valley where they learn much
    weak: float  # what is added to it where they learn nothing


# by `python -m benchmarks.learning_rate.fit` on 85 runs of 36 development tasks
USUAL = Usual(trials=-0.38, sliced=0.45, valley=0.63, firm=0.32, weak=0.65)


@dataclass(frozen=True, slots=True)
class Settled:
    """The rate to recommend, with what the trials favour (a pair's head) and the valley's share."""

    rate: Rate
    favoured: float
    valley_share: float


def favoured(ran: Race) -> float:
    """The rate (a pair's head) that the trials favour: the mean logarithm by nearness to the best.

    Raises
    ------
    ValueError
        When all trials diverged.
    """
    if ran.best is None:
        raise ValueError("all trials diverged")
    scale = _SHARP * max(ran.before - ran.best.loss, _LITTLE * abs(ran.before), 1e-12)
    rates = np.log([head_of(one.rate) for one in ran.trials])
    votes = np.exp([-(one.loss - ran.best.loss) / scale for one in ran.trials])
    return math.exp(float(np.average(rates, weights=votes)))


def valley_share(fall: float, usual: Usual = USUAL) -> float:
    """The valley's weight, from 0 to 1, where the best trial lowered the loss by `fall` of it."""
    spread = usual.firm + usual.weak * math.exp(-max(fall, 0.0) / _LITTLE)
    return spread / (1 + spread)


def weighed(
    trials: float, valley: float | None, fall: float, sliced: bool, usual: Usual = USUAL
) -> float:
    """One rate from what the trials favour and the valley, or from the former alone."""
    by_trials = math.log10(trials) + usual.trials + sliced * usual.sliced
    if valley is None:
        return 10**by_trials
    by_valley = math.log10(valley) + usual.valley
    return 10 ** (by_trials + valley_share(fall, usual) * (by_valley - by_trials))


def settled(ran: Race, valley: float | None) -> Settled:
    """The rate to recommend after a race, below all that diverged; `valley` is fastai's.

    Raises
    ------
    ValueError
        When all trials diverged.
    """
    middle, sliced = favoured(ran), isinstance(ran.trials[0].rate, tuple)
    broken = [head_of(one.rate) for one in ran.trials if one.ended != "done"]
    most = min(broken, default=math.inf) / _QUARTER
    rate = min(weighed(middle, valley, ran.fall, sliced), most)
    share = valley_share(ran.fall) if valley is not None else 0.0
    return Settled(sliced_below(rate) if sliced else float(f"{rate:.1e}"), middle, share)
