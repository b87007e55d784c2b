"""Trains a learner on fixed batches until its loss is next to the least that the loss allows.

What the least is, and what an answer that is the same for all samples loses, is measured on the
loss itself; why a training does not get there is `executors.training.stuck`'s.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from fastai.callback.core import Callback, CancelFitException, CancelValidException

from executors.training.batches import split_batch
from executors.training.fit import Score
from executors.training.fixed import Fixed
from executors.training.judging import judged
from executors.training.stuck import Bounds, Try, ended_how

__all__ = ["ODD", "Seen", "attempt", "bounds", "least_loss", "loss_on", "seen"]

_DESCENT = 150  # steps in which outputs themselves are fitted
_MOST_NUMBERS = 300_000  # of outputs that are fitted; more add nothing to what the least loss is
_NONE = 1e-3  # of the loss before: as good as nothing
_BEYOND = 1e3  # times the loss before: what has risen so far does not come back
# what odd losses and batches of a user's own raise when they are given less than usual
ODD = (RuntimeError, ValueError, TypeError, IndexError, AttributeError)


@dataclass(frozen=True, slots=True)
class Seen:
    """The fixed batches as the loss sees them: inputs, outputs and targets, batch by batch."""

    inputs: tuple[tuple[torch.Tensor, ...], ...]
    preds: tuple[torch.Tensor, ...]
    targets: tuple[tuple[torch.Tensor, ...], ...]


class _Keep(Callback):
    """Keeps what a pass sees."""

    order = 60  # after those that take a text's prediction from its tuple

    def __init__(self) -> None:
        self.rows: list[tuple[Any, Any, Any]] = []

    def after_pred(self) -> None:
        """One batch."""
        xb, yb = (tuple(map(_plain, part)) for part in (self.xb, self.yb))
        self.rows.append((xb, _plain(self.pred), yb))


class _Watch(Callback):
    """Keeps the mean loss of each pass over the batches; ends training when it may."""

    order = 65
    name = "lr_finder"  # callbacks that save models or write logs stand back from it

    def __init__(
        self,
        bounds: Bounds,
        first: float,
        seconds: float,
        settles: bool,
        tell: Callable[[int, float], None],
    ) -> None:
        self.settles = settles
        self.bounds, self.until, self.tell = bounds, time.monotonic() + seconds, tell
        self.first = first
        self.means, self.steps, self.late = list[float](), 0, False

    def before_epoch(self) -> None:
        self.losses: list[float] = []

    def after_batch(self) -> None:
        if not self.training:
            return
        loss = float(self.loss.detach())
        self.steps += 1
        self.losses.append(loss)
        self.tell(self.steps, loss)
        before = abs(self.first) if math.isfinite(self.first) else 0.0
        most = _BEYOND * max(before, abs(self.bounds.constant), 1e-6)
        if not math.isfinite(loss) or abs(loss) > most:
            self.means.append(loss)
            raise CancelFitException
        if time.monotonic() > self.until:
            self.late = True
            if not self.means:
                self.means.append(sum(self.losses) / len(self.losses))
            raise CancelFitException

    def after_train(self) -> None:
        self.means.append(sum(self.losses) / max(1, len(self.losses)))
        settled = self.settles and self.bounds.settled(self.means)
        if self.bounds.reached(self.means[-1]) or settled:
            raise CancelFitException

    def before_validate(self) -> None:
        raise CancelValidException


def attempt(
    learner: Any,
    limits: Bounds,
    lr: float,
    steps: int,
    tell: Callable[[int, float], None],
    seconds: float = math.inf,
    settles: bool = False,
) -> Try:
    """Train on the learner's fixed batches at a steady rate, until the loss is nearly the least.

    Parameters
    ----------
    learner : fastai.learner.Learner
        As `executors.training.fixed.unregularised` has it; what is trained stays.
    steps : int
        At most, rounded up to whole passes over the batches.
    tell : callable
        Gets (step, loss of its batch).
    seconds : float
        After which the training ends too.
    settles : bool
        Whether it ends as well once passes lower the loss no more.
    """
    first = _before(learner, limits)
    watch, started = _Watch(limits, first, seconds, settles, tell), time.monotonic()
    passes = -(-steps // max(1, len(learner.dls.train)))
    learner.fit(passes, lr=lr, wd=0.0, cbs=[watch], reset_opt=True)
    took = time.monotonic() - started
    ended, means = ended_how(first, watch.means, limits), tuple(watch.means)
    return Try(lr, watch.steps, first, means, ended, took, watch.late)


def _before(learner: Any, limits: Bounds) -> float:
    """The mean loss of a pass without a step."""
    watch = _Watch(limits, math.inf, math.inf, False, lambda *_: None)
    learner.fit(1, lr=0.0, wd=0.0, cbs=[watch], reset_opt=True)
    return watch.means[0]


def seen(learner: Any, fixed: Fixed) -> Seen:
    """What the loss is given on the fixed batches; the learner is as `unregularised` has it."""
    keep = _Keep()
    learner.validate(dl=fixed, cbs=[keep])
    inputs, preds, targets = zip(*keep.rows, strict=True)
    return Seen(inputs, preds, targets)


def loss_on(learner: Any, fixed: Fixed) -> float:
    """The loss on the fixed batches as a network in use has it, its norms settled on them.

    Norms that keep statistics from batch to batch lag behind a short training, so they count anew.
    """
    norms = [
        m for m in learner.model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)
    ]
    kept = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over batches
    learner.model.train()
    with torch.no_grad():
        for batch in fixed:
            learner.model(*split_batch(learner, batch)[0])
    for norm, momentum in zip(norms, kept, strict=True):
        norm.momentum = momentum
    return float(learner.validate(dl=fixed)[0])


def bounds(learner: Any, shown: Seen, seconds: float = math.inf) -> Bounds:
    """The least loss that any outputs have on these samples, and that of a constant answer.

    Both are upper bounds, looser where the `seconds` that all of it may take are too few.
    """
    seconds /= 3  # one part for each of the tables of outputs that are fitted
    held = judged(learner, Score("valid_loss", False))
    constant, answer = held.constant, held.answer
    if constant is None:
        constant = least_loss(
            learner, shown, [torch.zeros(len(p), dtype=torch.long) for p in shown.preds], seconds
        )
        answer = "the best answer that is the same for all"
    if constant is None:
        constant, answer = float(learner.validate()[0]), "the network before it is trained"
    floor = least_loss(learner, shown, seconds=seconds)
    return Bounds(
        0.0 if floor is None else min(floor, constant),
        constant,
        answer,
        _apart(learner, shown, seconds),
    )


def _apart(learner: Any, shown: Seen, seconds: float) -> float | None:
    """What one answer for each batch loses; None where no batch has different labels."""
    try:
        differ = any(bool((t[0] != t[0][:1]).any()) for t in shown.targets)
    except ODD:
        return None
    batches = [torch.full((len(p),), n) for n, p in enumerate(shown.preds)]
    return least_loss(learner, shown, batches, seconds) if differ else None


def least_loss(
    learner: Any,
    shown: Seen,
    groups: Sequence[torch.Tensor] | None = None,
    seconds: float = math.inf,
) -> float | None:
    """The least that the learner's loss comes to when outputs are free; None where it is odd.

    Parameters
    ----------
    groups : sequence of int arrays, one a batch
        Samples of the same group share an output; None: each has its own.
    seconds : float
        After which the least that was found counts.
    """
    like = shown.preds[0]
    rows = max(1, _MOST_NUMBERS // max(1, like[0].numel()))
    preds, targets, places, start = list[Any](), list[Any](), list[Any](), 0
    for number, (pred, target) in enumerate(zip(shown.preds, shown.targets, strict=True)):
        if pred.shape[1:] != like.shape[1:] or (rows < len(pred) and preds):
            break
        own = torch.arange(start, start + len(pred)) if groups is None else groups[number]
        start, whole = start + len(pred), groups is not None or rows >= len(pred)
        part = slice(None) if whole else slice(rows)
        preds.append(pred[part])
        targets.append(tuple(one[part] for one in target))
        places.append(own[part].to(pred.device))
        rows -= len(preds[-1])
    try:
        return _fitted(learner.loss_func, preds, targets, places, seconds)
    except ODD:
        return None


def _fitted(
    loss: Any, preds: list[Any], targets: list[Any], places: list[Any], seconds: float
) -> float:
    """The least loss of a table of outputs, a row for each place, found by descent."""
    count = 1 + max(int(place.max()) for place in places)
    own = _means(preds, places, count)
    starts = [torch.zeros_like(own)]
    spread = 1.0
    values = [target[0] for target in targets]
    if all(
        v.is_floating_point() and v.numel() == p.numel() for v, p in zip(values, preds, strict=True)
    ):
        shaped = [v.reshape(p.shape) for v, p in zip(values, preds, strict=True)]
        starts.insert(0, _means(shaped, places, count))  # mostly the best there is
        spread = max(1.0, float(torch.cat([v.flatten() for v in values]).float().std()))

    def total(table: Any) -> Any:
        losses = [loss(table[at], *t) for at, t in zip(places, targets, strict=True)]
        return sum(losses) / len(losses)

    least, seconds = math.inf, seconds / (1 + len(starts))
    for start in starts:
        least = min(least, _descended(total, start, 0.5 * spread, seconds))
        if least == 0:
            return least
    good = least < _NONE * abs(float(total(torch.zeros_like(own))))
    return least if good else min(least, _descended(total, own, 0.5 * spread, seconds))


def _means(values: list[Any], places: list[Any], count: int) -> Any:
    """The mean of the values at each place."""
    rows, at = torch.cat(values).float(), torch.cat(places)
    total = torch.zeros((count, *rows.shape[1:]), device=rows.device).index_add_(0, at, rows)
    shape = [-1] + [1] * (rows.ndim - 1)
    return total / torch.bincount(at, minlength=count).clamp_min(1).reshape(shape)


def _descended(total: Callable[[Any], Any], start: Any, rate: float, seconds: float) -> float:
    """The least value on the way down from the start, in so many seconds and a step at most."""
    table = start.clone().requires_grad_()
    descent = torch.optim.Adam([table], lr=rate)
    least, began = math.inf, time.monotonic()
    with torch.enable_grad():
        for step in range(_DESCENT):
            done = max(step / _DESCENT, (time.monotonic() - began) / seconds)
            if done >= 1:
                break
            value = total(table)
            least = min(least, float(value.detach()))
            if least == 0 or not value.requires_grad:
                break
            descent.param_groups[0]["lr"] = rate * (1 - done)
            (table.grad,) = torch.autograd.grad(value, table)
            descent.step()
    return least


def _plain(tensor: Any) -> Any:
    if not isinstance(tensor, torch.Tensor):
        return tensor
    return tensor.detach().as_subclass(torch.Tensor)
