"""Sweeps a learner in several orders of its batches, reads the curves, races rates around them.

The straight line of "lr-find" without its events and files, for recipes and benchmarks that need a
rate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from executors.amounts import show_rate
from executors.errors import RecipeError
from executors.learning_rate.in_turn import InTurn, TellPoint, one_by_one
from executors.learning_rate.race import BUDGET, FEWEST_BATCHES, Race, Trial, race
from executors.learning_rate.suggest import Advice, Rate, advise, head_of
from executors.learning_rate.sweep import Sweep, sweep
from executors.learning_rate.votes import Settled, settled

__all__ = ["Found", "find_rate"]

_NOTHING_GAINED = 0.005  # of the validation loss; less is the luck of the batches
_LITTLE_LEARNED = (
    0.12  # development runs that begin on a plateau fall by .10 at most, others by .17
)


@dataclass(frozen=True, slots=True)
class Found:
    """A rate with all that led to it; `race` is None where none was run.

    `seen` is what is to be said beside the rate.
    """

    recommended: Rate
    reason: str
    advice: Advice
    sweeps: tuple[Sweep, ...]
    race: Race | None
    seen: tuple[str, ...]


def find_rate(
    learner: Any,
    *,
    sliced: bool,
    num_it: int = 100,
    start_lr: float = 1e-7,
    end_lr: float = 10.0,
    orders: int = 3,
    race_rates: bool = True,
    train_batches: int,
    seed: int,
    frozen_lr: float | None = None,
    tell_point: TellPoint = lambda lr, loss, order: None,
    tell_trial: Callable[[Trial], None] = lambda trial: None,
    keep: Callable[[tuple[Sweep, ...]], None] = lambda sweeps: None,
    in_turn: InTurn | None = None,
) -> Found:
    """The rate to train this learner with; the learner is afterwards as before.

    Parameters
    ----------
    sliced : bool
        Whether layers get different rates: an unfrozen network with pretrained weights.
    num_it, start_lr, end_lr
        Of each sweep.
    orders : int
        Sweeps, each in another order of the batches; the first in the one that the learner would
        meet next.
    race_rates : bool
        Whether to try rates by short trainings.
    train_batches : int
        Batches of the training that the rate is for.
    seed : int
        Of the trials.
    frozen_lr : float, optional
        The rate found before unfreezing.
    tell_point, tell_trial, keep : callable
        Get each point (rate, smoothed loss, number of the sweep), each trial, and all sweeps before
        they are read.
    in_turn : callable, optional
        Does sweeps and first trials, which do not depend on each other, and tells the points; this
        process one after another where there is none.

    Raises
    ------
    RecipeError
        When the curve says nothing, or every trial diverges.
    """
    do = in_turn or partial(one_by_one, learner, tell_point)
    sweeps: tuple[Sweep, ...] = ()
    for one in do([partial(_sweep, start_lr, end_lr, num_it, seed, n) for n in range(orders)]):
        sweeps = (*sweeps, one)
        keep(sweeps)  # those there are, should a later one fail
    advice = _read(sweeps, sliced, num_it, frozen_lr)
    seen = tuple(_seen(advice, sweeps))
    found = Found(advice.recommended, advice.reason, advice, sweeps, None, seen)
    if not race_rates:
        return found
    if not len(learner.dls.valid):
        return _remarked(
            found,
            "there is no validation set to judge short trainings by; "
            "the rate is read from the curve",
        )
    ran = race(
        learner,
        advice.around,
        sliced=sliced,
        budget=BUDGET * len(sweeps[0].lrs),
        total=train_batches,
        seed=seed,
        tell=tell_trial,
        in_turn=do,
    )
    return _judged(replace(found, race=ran), ran)


def _sweep(
    start_lr: float,
    end_lr: float,
    num_it: int,
    seed: int,
    order: int,
    learner: Any,
    tell: TellPoint,
) -> Sweep:
    """The sweep of this number, in an order of its own."""
    chance = None if order == 0 else (seed + order) % 2**32
    return sweep(learner, start_lr, end_lr, num_it, partial(_told, tell, order), chance)


def _read(sweeps: tuple[Sweep, ...], sliced: bool, num_it: int, frozen_lr: float | None) -> Advice:
    """What the first sweep says, with those of the others that went far enough."""
    first, *later = sweeps
    return advise(
        first.lrs,
        first.losses,
        first.raw,
        sliced=sliced,
        num_it=num_it,
        frozen_lr=frozen_lr,
        ended=first.ended,
        others=[one.raw for one in later if len(one.raw) >= len(first.raw) // 2],
    )


def _told(tell: TellPoint, order: int, lr: float, loss: float) -> None:
    tell(lr, loss, order)


def _remarked(found: Found, *remarks: str) -> Found:
    return replace(found, seen=(*found.seen, *remarks))


def _judged(found: Found, ran: Race) -> Found:
    """What was found, after the race."""
    best = ran.best
    if not ran.trials:
        few = f"its {ran.cost} batches leave none for one"
        return _remarked(found, f"the sweep is too short for short trainings: {few}; raise num_it")
    if best is None:
        raise RecipeError(_all_diverged(ran))
    if ran.fall < _NOTHING_GAINED:
        return _remarked(
            found,
            "nothing to gain: no short training lowers the validation loss "
            f"({ran.before:.4g} before, {best.loss:.4g} after the best), as with a network that is "
            "trained already; stop here, or unfreeze, or get more data",
        )
    took = settled(ran, found.advice.suggestions["valley"])
    reason = _reason(found.advice, ran, best, took)
    remarks = [*_weak(ran, best, took), *_beside(ran, best)]
    return replace(_remarked(found, *remarks), recommended=took.rate, reason=reason)


def _reason(advice: Advice, ran: Race, best: Trial, took: Settled) -> str:
    """How a rate lies to what the short trainings favour, and what else there was."""
    head = head_of(took.rate)
    times = max(head / took.favoured, took.favoured / head)
    how = f"{times:.1f} times {'above' if head > took.favoured else 'below'}"
    share = f", and the valley counts for {took.valley_share:.0%}" if took.valley_share else ""
    suggested = ", ".join(
        f"{name} {show_rate(lr)}" for name, lr in advice.suggestions.items() if lr
    )
    return (
        f"{show_rate(took.rate)}, {how} what {len(ran.trials)} short trainings of {best.batches} "
        f"batches favour together (the best, at {show_rate(best.rate)}: "
        f"validation loss {ran.before:.3g} to {best.loss:.3g}){share}; {suggested}"
    )


def _weak(ran: Race, best: Trial, took: Settled) -> list[str]:
    """That the short trainings learned too little to tell rates apart, where they did."""
    if ran.fall >= _LITTLE_LEARNED:
        return []
    say = f"; the valley counts for {took.valley_share:.0%}" if took.valley_share else ""
    return [
        "the evidence is weak: the best short training lowers the validation loss by only "
        f"{ran.fall:.1%} ({ran.before:.4g} to {best.loss:.4g}){say}, and the rate is a careful "
        "one; raise num_it for longer trainings, or try three times the rate as well"
    ]


def _all_diverged(ran: Race) -> str:
    rates = sorted(head_of(one.rate) for one in ran.trials)
    return (
        f"every short training diverged, at rates from {show_rate(rates[0])} to "
        f"{show_rate(rates[-1])}; look for broken values in the data and for inputs or targets "
        "that are not normalised, and lower end_lr"
    )


def _beside(ran: Race, best: Trial) -> list[str]:
    """What a race shows beside a rate."""
    remarks = []
    if best.batches < FEWEST_BATCHES:
        few = f"trials of {best.batches} batches can mislead"
        remarks.append(f"{few}; raise num_it for longer ones")
    diverged = sorted(head_of(one.rate) for one in ran.trials if one.ended != "done")
    highest = max(head_of(one.rate) for one in ran.trials if one.ended == "done")
    if diverged and highest < diverged[0]:
        remarks.append(f"short trainings diverge from {show_rate(diverged[0])} on")
    elif diverged:
        rates = ", ".join(show_rate(rate) for rate in diverged)
        remarks.append(f"short trainings diverge at {rates}, and not at {show_rate(highest)}")
    return remarks


def _seen(advice: Advice, sweeps: tuple[Sweep, ...]) -> list[str]:
    """What the curves show beside a rate."""
    remarks = []
    broken = [one for one in sweeps if one.ended == "nan"]
    if broken:
        at = min((one.lrs[-1] for one in broken if one.lrs), default=0.0)
        remarks.append(
            f"the loss stops being a number at {show_rate(at)}: where it has exploded that is an "
            "overflow, not a fault of the data; before that look for missing values"
        )
    if advice.flat:
        remarks.append(
            "the curve does not fall: the network is trained already, or stands on a plateau that "
            "a sweep is too short to leave"
        )
    return remarks
