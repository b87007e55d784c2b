"""Finds the best of the learning rates near one by short real trials.

Each starts from the same weights, on the same batches, and is a whole one-cycle in little, judged
by its validation loss. Few longer trials are worth more than many short ones: over 36 runs of the
development tasks of benchmarks/learning_rate/quality.py (trainings of 84 to 300 batches) the best
rate of trials of 12, 30 and 60 batches lies half a decade or more from that of the whole training
in 42, 31 and 8 % of the runs, those of 12 and 30 mostly below it, those of 60 on either side alike.
So the budget goes into a search that needs about five trials. The one that ended lowest is often
luck, so that all of them vote, and the curve's valley with them, see
`executors.learning_rate.votes`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from fastai.callback.core import Callback, CancelFitException, CancelValidException
from fastai.callback.schedule import combined_cos
from fastai.torch_core import find_bs

from executors.learning_rate.in_turn import InTurn, Job, TellPoint, one_by_one
from executors.learning_rate.state import unchanged
from executors.learning_rate.suggest import Rate, sliced_below
from executors.learning_rate.sweep import reseed

__all__ = ["BUDGET", "FEWEST_BATCHES", "Race", "Trial", "race", "trial", "validated"]

BUDGET = 3  # times the sweep's batches
TRIALS = 5
FEWEST_BATCHES = 30  # of a trial that can be trusted
STEP = 10**0.5  # between neighbouring rates
_FIRST = (-1.0, 0.0, 1.0)  # steps from the rate to search around
_VALID_SHARE = 8  # a trial validates on an eighth as many batches as it trains
_EXPLODED = 4.0  # times the first loss, as fastai's finder has it


@dataclass(frozen=True, slots=True)
class Trial:
    """One short one-cycle: the validation loss after `batches`, inf when it diverged; its cost."""

    rate: Rate  # what the head gets last in a pair
    batches: int
    loss: float
    cost: int  # batches trained and validated on
    ended: str  # "done", "exploded", "nan"


@dataclass(frozen=True, slots=True)
class Race:
    """Trials in the order they were made; `before` is the validation loss before any training."""

    trials: tuple[Trial, ...]
    before: float
    cost: int  # batches trained and validated on, those for `before` included
    seconds: float

    @property
    def best(self) -> Trial | None:
        """The trial that ended lowest; None when all diverged."""
        done = [one for one in self.trials if math.isfinite(one.loss)]
        return min(done, key=lambda one: one.loss, default=None)

    @property
    def fall(self) -> float:
        """By which share of itself the best trial lowered the validation loss."""
        best = self.best
        if best is None:
            return -math.inf
        return (self.before - best.loss) / max(abs(self.before), 1e-12)


def race(
    learner: Any,
    around: float,
    *,
    sliced: bool,
    budget: int,
    total: int,
    seed: int,
    tell: Callable[[Trial], None] = lambda trial: None,
    in_turn: InTurn | None = None,
) -> Race:
    """Search for the rate whose trial ends lowest; the learner is afterwards as before.

    Three rates half a decade apart come first; then the search goes on past the end that is best,
    or halves the gaps beside a best one in the middle, until the next rate is one already tried.

    Parameters
    ----------
    around : float
        Where to begin.
    sliced : bool
        Whether a rate is for the head, and the layers near the input get a third.
    budget : int
        Batches that may be trained and validated on, in all.
    total : int
        Batches of the training that the rate is for; a trial is never longer.
    seed : int
        For the order of the batches, dropout and the samples to validate on, the same in every
        trial.
    tell : callable
        Gets each trial as it ends.
    in_turn : callable, optional
        Does the first three, which do not depend on each other.
    """
    started, tried = time.monotonic(), dict[float, Trial]()  # by steps from `around`
    length, most = _plan(budget, total, len(learner.dls.valid))
    with unchanged(learner), learner.no_bar(), learner.no_logging():
        before, cost = validated(learner, seed, most)
    left = budget - cost

    def head_at(step: float) -> float:
        return _rounded(around * STEP**step)

    def at(step: float) -> Job:
        head = head_at(step)
        return partial(_trial, sliced_below(head) if sliced else head, length, seed, most)

    def note(step: float, ended: Trial) -> int:
        tried[step] = ended
        tell(ended)
        return ended.cost

    do = in_turn or partial(one_by_one, learner, _unheard)
    first = _FIRST if left >= len(_FIRST) * (length + most) else ()
    for step, ended in zip(first, do([at(step) for step in first]), strict=True):
        left -= note(step, ended)
    while left >= length + most:
        step = _next({step: one.loss for step, one in tried.items()})
        if head_at(step) in map(head_at, tried):
            break  # it would end as before, to the bit
        left -= note(step, at(step)(learner, _unheard))
    return Race(tuple(tried.values()), before, budget - left, time.monotonic() - started)


def _plan(budget: int, total: int, valid: int) -> tuple[int, int]:
    """Batches of a trial to train on, and to validate on at most."""
    most = min(valid, max(1, budget // TRIALS // (_VALID_SHARE + 1)))
    return max(1, min(total, (budget - most) // TRIALS - most)), most


def _next(tried: dict[float, float]) -> float:
    """Where to try next, in steps: the first ones, past the best end, else in the better gap."""
    for step in _FIRST:
        if step not in tried:
            return step
    if all(math.isinf(loss) for loss in tried.values()):
        return min(tried) - 2
    order = sorted(tried)
    best = min(order, key=lambda step: tried[step])
    at = order.index(best)
    if at == 0:
        return best - 1
    if at == len(order) - 1:
        return best + 1
    below, above = order[at - 1], order[at + 1]
    return (best + (below if tried[below] < tried[above] else above)) / 2


def _trial(
    rate: Rate, batches: int, seed: int, most_valid: int, learner: Any, tell: TellPoint
) -> Trial:
    return trial(learner, rate, batches, seed, most_valid)


def _unheard(lr: float, loss: float, order: int) -> None:
    """A trial tells no points."""


def trial(learner: Any, rate: Rate, batches: int, seed: int, most_valid: int) -> Trial:
    """Train one cycle of `batches` at `rate`, validate on at most `most_valid` batches.

    The learner is afterwards as before. The seed settles the order of the batches, dropout and
    which samples are validated on.
    """
    cycle = _OneCycle(rate, batches)
    with unchanged(learner), learner.no_bar(), learner.no_logging():
        reseed(learner, seed)
        learner.fit(batches // len(learner.dls.train) + 1, cbs=[cycle])
        if cycle.ended != "done":
            return Trial(rate, batches, math.inf, cycle.done, cycle.ended)
        loss, counted = validated(learner, seed, most_valid)
    ended = "done" if math.isfinite(loss) else "nan"
    return Trial(
        rate, batches, loss if math.isfinite(loss) else math.inf, cycle.done + counted, ended
    )


def validated(learner: Any, seed: int, most: int) -> tuple[float, int]:
    """The loss on at most `most` batches of the validation set, and how many they were."""
    loader = learner.dls.valid
    if len(loader) > most:  # sorted by class, the first ones would stand for few classes
        loader = loader.new(shuffle=True)
    reseed(learner, seed)
    if hasattr(loader, "rng"):
        loader.rng.seed(seed)
    few = _Few(most)
    learner.validate(dl=loader, cbs=[few])
    return few.total / max(1, few.samples), few.done


class _OneCycle(Callback):
    """fastai's one-cycle over a number of batches; ends at a loss that leads nowhere."""

    order = 60
    name = "lr_finder"  # callbacks that save models or write logs stand back from it

    def __init__(self, rate: Rate, batches: int) -> None:
        self.rate, self.batches, self.done, self.ended = rate, batches, 0, "done"
        self.first = math.nan

    def before_fit(self) -> None:
        self.opt.set_hyper("lr", slice(*self.rate) if isinstance(self.rate, tuple) else self.rate)
        top = np.array([group["lr"] for group in self.opt.hypers])
        self.rates = combined_cos(0.25, top / 25, top, top / 1e5)  # as fit_one_cycle
        self.momenta = combined_cos(0.25, *self.learn.moms)

    def before_batch(self) -> None:
        if self.training:
            self.opt.set_hyper("lr", self.rates(self.done / self.batches))
            self.opt.set_hyper("mom", self.momenta(self.done / self.batches))

    def after_batch(self) -> None:
        if not self.training:
            return
        self.done += 1
        loss, smooth = float(self.loss.detach()), float(self.smooth_loss.detach())
        self.first = loss if self.done == 1 else self.first
        if not math.isfinite(loss):
            self.ended = "nan"
        elif smooth > _EXPLODED * self.first > 0:
            self.ended = "exploded"
        if self.ended != "done" or self.done >= self.batches:
            raise CancelFitException

    def before_validate(self) -> None:
        raise CancelValidException


class _Few(Callback):
    """Sums up the loss of some batches and ends validation; ended so, fastai forgets the loss."""

    order = 95
    name = "lr_finder"

    def __init__(self, batches: int) -> None:
        self.batches, self.done, self.samples, self.total = batches, 0, 0, 0.0

    def after_batch(self) -> None:
        self.done += 1
        samples = find_bs(self.yb)
        self.samples += samples
        self.total += float(self.loss) * samples
        if self.done >= self.batches:
            raise CancelValidException


def _rounded(rate: float) -> float:
    """Two significant digits; trials tell no more."""
    return float(f"{rate:.1e}")
