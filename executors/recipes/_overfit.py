"""What overfit-first trains and measures: tries on a few batches, then networks on all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from fastai.torch_core import set_seed

from executors.learning_rate.state import unchanged
from executors.prepare import Prepared, build
from executors.runs.journal import Journal
from executors.tasks import LEARNER
from executors.training import probes
from executors.training.activations import kaiming
from executors.training.fit import Score, score_of
from executors.training.fixed import Fixed, gathered, unregularised
from executors.training.held_out import HeldOut
from executors.training.judging import judged
from executors.training.overfit import Seen, attempt, bounds, loss_on, seen
from executors.training.stuck import Bounds, Cause, Facts, Try, causes, norm_cause, rate_cause

__all__ = ["Few", "Held", "Network", "few_batches", "whole_set"]

_RATES = (1e-3, 1e-2, 1e-1, 1e-4)  # the usual one first, then up, then down
_SHORT = 4  # of the steps: how long a rate is tried before one of them has all
_MOST_BYTES = 256 * 2**20  # of training samples that are held fixed
_POINTS = 100  # of a live curve
_ENDLESS = 10**9  # steps, where time is the limit


@dataclass(frozen=True, slots=True)
class Few:
    """What came of the few batches: the tries in their order, and what keeps the loss up if so."""

    samples: int
    limits: Bounds
    tries: tuple[Try, ...]
    causes: tuple[Cause, ...]
    remarks: tuple[Cause, ...] = ()  # what does not keep the loss up, and is worth knowing
    used: float | None = None  # the loss of the trained network in use

    @property
    def reached(self) -> bool:
        """Whether the loss came next to its least."""
        return not self.causes

    @property
    def best(self) -> Try | None:
        """The try that got there, else the one that came lowest."""
        return min(self.tries, key=lambda one: (one.ended != "reached", one.least), default=None)


@dataclass(frozen=True, slots=True)
class Network:
    """One network tried on the training set."""

    arch: str
    weights: int
    samples: int
    loss: float
    steps: int
    seconds: float
    overfits: bool


@dataclass(frozen=True, slots=True)
class Held:
    """The network that overfits, on what it was not trained on."""

    score: str
    value: float
    train_loss: float
    valid_loss: float
    held: HeldOut


def few_batches(
    ready: Prepared,
    journal: Journal,
    own: float | None,
    batches: int,
    steps: int,
    seconds: float,
) -> Few:
    """Try a few batches, each time for so long at most; where the loss stays up, find out why."""
    learner = ready.learner
    with unchanged(learner):
        fixed = gathered(learner, batches)
        with unregularised(learner, fixed):
            shown = seen(learner, fixed)
            limits = bounds(learner, shown, seconds)
    return _Search(ready, journal, fixed, shown, limits, (steps, seconds)).few(own)


class _Search:
    """The tries on the few batches, one after the other, each from the same weights."""

    def __init__(
        self,
        ready: Prepared,
        journal: Journal,
        fixed: Fixed,
        shown: Seen,
        limits: Bounds,
        most: tuple[int, float],
    ) -> None:
        self.learner, self.seed, self.journal = ready.learner, ready.settings.seed, journal
        self.fixed, self.shown, self.limits = fixed, shown, limits
        self.steps, self.seconds = most
        self.batch_size = ready.batch_size
        self.tries: list[Try] = []
        self.inputs = probes.scale(fixed, self.learner)
        self.used: float | None = None

    def few(self, own: float | None) -> Few:
        """All tries, and what they say."""
        targets = probes.target_count(self.shown)
        if targets == 1 or self.limits.empty:
            return self._end(causes(self._facts(targets)))
        first = self._kept(_RATES[0] if own is None else own)
        if first.ended == "reached" or (own is None and first.late):
            best = first
        elif self._scaled(first.lr):
            return self._end(causes(self._facts(targets)))
        else:
            best = self._raced(first)
        if best.ended != "reached":
            return self._end(causes(self._looked_at(targets, best)))
        return self._end(() if own is None or best is first else (rate_cause(first, best),))

    def _raced(self, first: Try) -> Try:
        """A short try at each rate until one gets there, else all steps at what came lowest."""
        tried: list[Try] = []
        for lr in _RATES:
            if not 0.5 < lr / first.lr < 2:
                tried.append(self._kept(lr, _SHORT))
                if tried[-1].ended == "reached":
                    return tried[-1]
        best = min(tried, key=lambda one: one.least)
        if best.ended == "diverged" or first.least <= best.least:
            return min(first, best, key=lambda one: one.least)
        longer = self._kept(best.lr)
        self.tries.remove(best)
        return longer

    def _kept(self, lr: float, part: int = 1) -> Try:
        with self._from_start(self.fixed):
            found = self._attempt(lr, "as it is", part)
            self.tries.append(found)
            if found.ended == "reached":
                self.used = loss_on(self.learner, self.fixed)
        return found

    def _attempt(self, lr: float, way: str, part: int = 1) -> Try:
        steps, seconds = max(8, self.steps // part), self.seconds / part
        tell = _teller(self.journal, f"{way}, rate {lr:g}", max(1, steps // _POINTS))
        found = attempt(self.learner, self.limits, lr, steps, tell, seconds)
        self.journal.log(f"{way}: {found}")
        tried = len(self.tries) + 1
        self.journal.progress(tried, tried + 1, "trainings on few batches", guess=True)
        return found

    @contextmanager
    def _from_start(self, fixed: Fixed) -> Iterator[None]:
        """The learner on fixed batches, as before afterwards."""
        with unchanged(self.learner), unregularised(self.learner, fixed):
            set_seed(self.seed)
            yield

    def _scaled(self, lr: float) -> bool:
        """Whether the same training with scaled inputs gets there, where theirs are far off."""
        if self.inputs is None or not self.inputs.off:
            return False
        fixed = probes.scaled(self.fixed, self.learner)
        with self._from_start(fixed):
            found = self._attempt(lr, "inputs scaled")
        self.inputs = replace(self.inputs, scaled=found)
        return found.ended == "reached"

    def _looked_at(self, targets: int, best: Try) -> Facts:
        """What may keep the loss up, measured."""
        labels = probes.label_facts(self.learner, self.shown, self.seconds)
        with self._from_start(self.fixed):
            tail = probes.tail_facts(self.learner, self.fixed, self.shown)
            quiet = probes.quietest(self.learner, self.fixed)
        if quiet is not None and quiet.silent:
            with self._from_start(self.fixed):
                kaiming(self.learner.model)
                quiet = replace(quiet, anew=self._attempt(_RATES[0], "weights drawn anew"))
        else:
            with self._from_start(self.fixed):
                self._attempt(best.lr, "once more", _SHORT)
                after = probes.quietest(self.learner, self.fixed)
                quiet = None if after is None else replace(after, trained=True)
        any(self._scaled(lr) for lr in (best.lr, *_RATES))
        return self._facts(targets, labels=labels, tail=tail, quiet=quiet)

    def _facts(self, targets: int, **found: Any) -> Facts:
        weights = sum(p.numel() for p in self.learner.model.parameters())
        pred, target = self.shown.preds[0], self.shown.targets[0][0]
        shapes = (_shape(pred), _shape(target))
        tries = tuple(self.tries)
        return Facts(self.limits, tries, targets, weights, shapes, inputs=self.inputs, **found)

    def _end(self, found: tuple[Cause, ...]) -> Few:
        tries, remarks = tuple(self.tries), list[Cause]()
        if self.used is not None:
            last = next(one for one in tries if one.ended == "reached").last
            norm = norm_cause(last, self.used, self.limits, self.batch_size)
            remarks += [] if norm is None else [norm]
        return Few(self.fixed.samples, self.limits, tries, found, tuple(remarks), self.used)


def whole_set(
    ready: Prepared, journal: Journal, few: Few, seconds: float
) -> tuple[list[Network], Held | None]:
    """Networks on the training set, smallest first, until one overfits it or the time is over.

    The one that does is judged on the held-out samples.
    """
    ladder = [""] if ready.settings.arch else list(ready.task.LADDER) or [""]
    until, tried = time.monotonic() + seconds, list[Network]()
    for arch in ladder:
        left = until - time.monotonic()
        if left <= 0:
            break
        learner, name = _learner(ready, arch, journal)
        network, held = _on_all(ready, learner, name, journal, few, left)
        tried.append(network)
        journal.emit("row", table="networks on the training set", **_row(network))
        if held is not None:
            return tried, held
    return tried, None


def _learner(ready: Prepared, arch: str, journal: Journal) -> tuple[Any, str]:
    """A learner with this network, and the network's name."""
    name = arch or ready.trained.arch
    if ready.settings.task == LEARNER or arch == ready.trained.arch or not arch:
        return ready.learner, name
    settings = replace(ready.settings, arch=arch)
    size = (ready.size, ready.batch_size, ready.device)
    return build(ready.task, ready.source, settings, *size, journal).learner, name


def _on_all(
    ready: Prepared, learner: Any, name: str, journal: Journal, few: Few, seconds: float
) -> tuple[Network, Held | None]:
    """One network on all training samples that can be held."""
    assert few.best is not None
    weights = sum(p.numel() for p in learner.model.parameters())
    valid, score = learner.dls.valid, score_of(learner, ready.built.higher_is_better)
    with unchanged(learner):
        fixed = gathered(learner, _ENDLESS, _MOST_BYTES)
        with unregularised(learner, fixed, valid):
            set_seed(ready.settings.seed)
            tell = _teller(journal, f"{name} on all", max(1, len(fixed) // 4))
            done = attempt(learner, few.limits, few.best.lr, _ENDLESS, tell, seconds, settles=True)
            overfits = done.ended == "reached"
            held = _held(learner, fixed, score, done.last) if overfits else None
    row = Network(name, weights, fixed.samples, done.last, done.steps, done.seconds, overfits)
    journal.log(f"{name} on {row.samples} samples: {done}")
    return row, held


def _held(learner: Any, fixed: Fixed, score: Score, train_loss: float) -> Held:
    """The trained network on the learner's held-out samples."""
    loss_on(learner, fixed)  # settles its norms
    valid_loss, *metrics = (float(value) for value in learner.validate())
    value = metrics[0] if metrics else valid_loss
    return Held(score.name, value, train_loss, valid_loss, judged(learner, score))


def _teller(journal: Journal, way: str, every: int) -> Callable[[int, float], None]:
    def tell(step: int, loss: float) -> None:
        if step == 1 or step % every == 0:
            journal.emit("batch", stage=way, way=way, step=step, loss=loss, epoch=1)

    return tell


def _row(network: Network) -> dict[str, object]:
    return {
        "network": network.arch,
        "weights": network.weights,
        "samples": network.samples,
        "training loss": network.loss,
        "steps": network.steps,
        "seconds": round(network.seconds, 1),
        "overfits": "yes" if network.overfits else "not in this time",
    }


def _shape(tensor: Any) -> str:
    return " × ".join(map(str, tensor.shape))
