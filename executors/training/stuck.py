"""Says where a training on a few samples is stuck, from figures; nothing heavy is imported here.

How they are measured is `executors.training.probes`' and `executors.training.overfit`'s. A cause is
named only where its own figures show that it keeps the loss up: a loss that cannot go lower with
these labels or behind this last layer, or the same training without it that gets there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from executors.amounts import show_number, show_rate
from executors.runs.stored_findings import one_line

__all__ = [
    "NEAR",
    "Bounds",
    "Cause",
    "Facts",
    "Inputs",
    "Labels",
    "Quiet",
    "Tail",
    "Try",
    "causes",
    "ended_how",
    "norm_cause",
    "rate_cause",
]

NEAR = 0.05  # of the way from a constant answer down to the least loss: nearly there
_MOVED = 0.05  # the same share: less is no progress
_NOTHING = 2e-3  # of what a constant answer loses: the rounding of a fit
_TIMES = 2.0  # times what a constant answer loses: the loss has risen, not just wavered
_LONGER = "allow more steps, and more seconds for them"
_FALLING = 0.9  # of the excess three quarters in: what is below was still falling
_PASSES = 10  # without progress, after which a training that could go on has settled
_QUIET = 0.9  # share of a layer's units, from which hardly anything gets through


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least that a loss comes to on some samples, and what one answer for all of them loses."""

    floor: float
    constant: float
    answer: str  # which answer that is
    apart: float | None = None  # what one answer for each batch loses, where its labels differ

    @property
    def room(self) -> float:
        """What there is to gain by telling samples apart."""
        return self.constant - self.floor

    @property
    def empty(self) -> bool:
        """Whether that is nothing."""
        least = self.room if self.apart is None else min(self.room, self.apart - self.floor)
        return least <= _NOTHING * max(abs(self.constant), 1e-6)

    def above(self, loss: float) -> float:
        """Which share of the room a loss is above the least."""
        return (loss - self.floor) / max(self.room, 1e-9)

    def settled(self, means: Sequence[float]) -> bool:
        """Whether the last passes have lowered the loss no more."""
        before, since = means[:-_PASSES], means[-_PASSES:]
        if len(before) < _PASSES:
            return False
        return min(since) - self.floor >= _FALLING * (min(before) - self.floor)

    def reached(self, loss: float) -> bool:
        """Whether a loss is nearly the least."""
        return not self.empty and self.above(loss) <= NEAR


@dataclass(frozen=True, slots=True)
class Try:
    """One training on the fixed batches at a steady rate; `means` are those of each pass."""

    lr: float
    steps: int
    first: float  # the mean loss before any step
    means: tuple[float, ...]
    ended: str  # "reached", "diverged", "flat", "falling", "stuck"
    seconds: float = 0.0
    late: bool = False  # whether the time was over, not the steps

    @property
    def last(self) -> float:
        """The mean loss of the last pass."""
        return self.means[-1] if self.means else math.nan

    @property
    def least(self) -> float:
        """The lowest mean loss of a pass."""
        return min((loss for loss in self.means if math.isfinite(loss)), default=math.inf)

    def __str__(self) -> str:
        went = f"{show_number(self.first)} to {show_number(self.last)}"
        return f"at {show_rate(self.lr)} the loss went from {went} in {self.steps} steps"


@dataclass(frozen=True, slots=True)
class Labels:
    """Samples whose inputs are the same, or nearly, and whose labels are not."""

    samples: int  # in all
    contradicting: int
    near: bool  # whether some of the inputs are only nearly the same
    floor: float  # the least loss of a network that answers same inputs the same
    nearest: float = 0.0  # the largest distance between such inputs, in medians of all


@dataclass(frozen=True, slots=True)
class Tail:
    """What follows the last layer with weights, and the least loss that it allows."""

    names: tuple[str, ...]
    floor: float
    low: float  # of the outputs there
    high: float
    target: tuple[float, float] | None  # lowest and highest; None of classes


@dataclass(frozen=True, slots=True)
class Quiet:
    """The layer whose units tell samples apart least, and a training with weights drawn anew."""

    layer: str
    kind: str
    zero: float | None  # share of its units that are zero for every sample; None without ReLU
    still: float  # share that are the same for every sample
    trained: bool = False  # whether only after the training
    anew: Try | None = None

    @property
    def share(self) -> float:
        """Of its units that tell no samples apart."""
        return max(self.zero or 0.0, self.still)

    @property
    def silent(self) -> bool:
        """Whether hardly anything gets through."""
        return self.share >= _QUIET


@dataclass(frozen=True, slots=True)
class Inputs:
    """The scale of the inputs, and a training with each feature brought to mean 0, deviation 1."""

    mean: float
    deviation: float
    smallest: float  # deviation of a feature
    largest: float
    scaled: Try | None = None

    @property
    def off(self) -> bool:
        """Whether they are far from a mean of 0 and a deviation of 1."""
        tame = abs(self.mean) <= 1 and 0.3 <= self.deviation <= 3
        return not tame or self.largest > 10 or self.smallest < 0.05


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was measured of a training that got stuck."""

    bounds: Bounds
    tries: tuple[Try, ...]
    targets: int  # different ones
    weights: int
    shapes: tuple[str, str]  # of a batch of outputs, and of targets
    labels: Labels | None = None
    tail: Tail | None = None
    quiet: Quiet | None = None
    inputs: Inputs | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that keeps the loss up, with its figures, and what to do about it."""

    word: str  # "labels", "loss", "rate", "dead units", "inputs", "batch norm", "steps", "network"
    words: str
    advice: str


def ended_how(first: float, means: Sequence[float], limits: Bounds) -> str:
    """How a training ended, from its first loss and the mean of each pass."""
    last = means[-1] if means else math.nan
    if limits.reached(last):
        return "reached"
    high = max(abs(first), abs(limits.constant))
    if not math.isfinite(last) or last > _TIMES * high:
        return "diverged"
    least = min(means)
    if first - least < _MOVED * (first - limits.floor):
        return "flat"
    early = means[: max(1, len(means) * 3 // 4)]
    if len(means) >= 4 and last - limits.floor < _FALLING * (min(early) - limits.floor):
        return "falling"
    return "stuck"


def causes(facts: Facts) -> tuple[Cause, ...]:
    """What keeps the loss up, what was shown most surely first; never empty."""
    if facts.targets == 1:
        return (_same_labels(),)
    looked = (_labels(facts), _blind(facts), _tail(facts), _inputs(facts), _quiet(facts))
    found = tuple(cause for cause in looked if cause is not None)
    return found or (_rates(facts) or _steps(facts) or _network(facts),)


def rate_cause(own: Try, other: Try) -> Cause:
    """That a training at its own rate is stuck where one at another rate is not."""
    how = {"diverged": "is too high", "flat": "is too low to change the loss"}.get(
        own.ended, "is too low" if own.lr < other.lr else "is too high to settle"
    )
    words = f"the rate {show_rate(own.lr)} {how}: {own}, and {other}"
    return Cause("rate", words, f"train at {show_rate(other.lr)}, or let lr-find look for a rate")


def norm_cause(trained: float, used: float, limits: Bounds, batch: int) -> Cause | None:
    """That the samples are learned only beside the others of their batch, if so."""
    if not limits.above(used) > max(4 * NEAR, 2 * limits.above(trained)):
        return None
    words = f"batch normalisation over batches of {batch}: the same samples lose "
    words += f"{show_number(trained)} as trained and {show_number(used)} in use, where a norm goes "
    words += "by all batches"
    advice = "take larger batches, or layers that normalise each sample alone"
    return Cause("batch norm", words, advice)


def _same_labels() -> Cause:
    words = "all of these samples have the same label, so one answer for all is right"
    advice = "check how labels are read, and that the training samples are shuffled"
    return Cause("labels", words, advice)


def _labels(facts: Facts) -> Cause | None:
    found = facts.labels
    if found is None or not found.contradicting or facts.bounds.reached(found.floor):
        return None
    alike = "the same inputs" if not found.near else "inputs that are the same or nearly so"
    words = f"{found.contradicting} of {found.samples} samples have {alike} and other labels"
    if found.near:
        words += f" (at most {show_number(found.nearest)} of the usual distance apart)"
    words += f"; a network that answers the same inputs the same loses {show_number(found.floor)} "
    words += f"at least, and this one reached {show_number(_least(facts))}"
    return Cause("labels", words, "look through these labels, or give inputs that tell them apart")


def _blind(facts: Facts) -> Cause | None:
    """That the loss itself cannot tell samples apart."""
    if not facts.bounds.empty:
        return None
    one = facts.bounds.constant if facts.bounds.apart is None else facts.bounds.apart
    words = "the loss does not tell samples of a batch apart: free outputs lose "
    words += show_number(facts.bounds.floor)
    words += f" at least and one answer for each batch {show_number(one)}; outputs are "
    words += f"{facts.shapes[0]} a batch and labels {facts.shapes[1]}"
    advice = "give the loss outputs and labels of one shape, sample by sample"
    return Cause("loss", words, advice)


def _tail(facts: Facts) -> Cause | None:
    tail = facts.tail
    if tail is None or facts.bounds.reached(tail.floor):
        return None
    what = f" ({', '.join(map(one_line, tail.names))})" if tail.names else ""
    words = f"the loss does not fit the outputs: what follows the last layer{what} keeps them from "
    words += f"{show_number(tail.low)} to {show_number(tail.high)}, where the loss is "
    words += (
        f"{show_number(tail.floor)} at least and {show_number(facts.bounds.floor)} for free ones"
    )
    if tail.target is not None:
        words += f"; targets go from {' to '.join(map(show_number, tail.target))}"
    advice = "give the loss what the last layer gives, or take a loss or a range made for these"
    return Cause("loss", words, advice)


def _inputs(facts: Facts) -> Cause | None:
    found = facts.inputs
    if found is None or found.scaled is None or found.scaled.ended != "reached":
        return None
    words = f"the inputs have a mean of {show_number(found.mean)} and a deviation of "
    words += f"{show_number(found.deviation)} (features from {show_number(found.smallest)} to "
    words += f"{show_number(found.largest)}): {facts.tries[0]}; with each feature at mean 0 and "
    words += f"deviation 1, {found.scaled}"
    return Cause("inputs", words, "normalise the inputs by the training set's mean and deviation")


def _quiet(facts: Facts) -> Cause | None:
    found = facts.quiet
    if found is None or not found.silent:
        return None
    kind = f"{one_line(found.kind)} {one_line(found.layer)}".strip()
    zero = found.zero is not None and found.zero >= _QUIET
    words = f"{found.share:.0%} of the units of {kind} are {'zero' if zero else 'the same'} for "
    words += "every sample"
    words += " once it has trained" if found.trained else " as built"
    words += "" if found.anew is None else f"; with weights drawn anew, {found.anew}"
    advice = "start with other weights and biases (init-check compares ways)"
    if found.trained:
        advice = "take a lower rate or a rectifier that leaks, so that units do not die"
    return Cause("dead units", words, advice)


def _rates(facts: Facts) -> Cause | None:
    """That every rate tried went the same bad way."""
    kinds = {one.ended for one in facts.tries}
    if len(facts.tries) < 2 or len(kinds) > 1 or not kinds <= {"flat", "diverged"}:
        return None
    rates = [one.lr for one in facts.tries]
    went = "does not change the loss" if kinds == {"flat"} else "diverges"
    words = f"every rate tried {went}, from {show_rate(min(rates))} to {show_rate(max(rates))}: "
    words += str(facts.tries[0])
    advice = "check that the loss depends on the network's weights and that they are trained"
    if kinds == {"diverged"}:
        advice = "look for broken or very large values in the inputs, the targets and the weights"
    return Cause("rate", words, advice)


def _steps(facts: Facts) -> Cause | None:
    best = min(facts.tries, key=lambda one: one.least)
    if best.ended != "falling" and not best.late:
        return None
    return Cause(
        "steps",
        f"the loss was still falling: {best}"
        if best.ended == "falling"
        else f"the time was too short: {best}",
        _LONGER,
    )


def _network(facts: Facts) -> Cause:
    best = min(facts.tries, key=lambda one: one.least)
    words = (
        f"neither labels, loss, inputs, units nor rates explain it: {best}, with {facts.weights} "
    )
    words += "weights in the network"
    return Cause("network", words, "take a wider or deeper network")


def _least(facts: Facts) -> float:
    return min(one.least for one in facts.tries)
