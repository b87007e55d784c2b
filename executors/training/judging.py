"""Judges a learner on its held-out samples beside answers that look at no sample.

The learner's own metric judges them, whatever it is: for one pass over the held-out samples each
prediction is replaced by the constant answer.

References
----------
Efron 1979, "Bootstrap Methods: Another Look at the Jackknife": an interval from the samples drawn
again with replacement.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from fastai.callback.core import Callback
from fastai.metrics import AccumMetric, AvgMetric

from executors.training.fit import Score, better
from executors.training.held_out import HeldOut

__all__ = ["judged"]

_MOST_KEPT = 2_000_000  # numbers of predictions; of more no interval is drawn
_DRAWS = 200
_LOOKED_AT = 512  # samples, for whether each counts as a whole or not at all
_RARE = 1e-3  # samples that a class without any is counted with, for its logarithm
# what odd metrics, losses and batches of a user's own raise when they are given less than usual
_ODD = (RuntimeError, ValueError, TypeError, IndexError, AttributeError)


class _Gather(Callback):
    """Keeps targets and predictions, and counts or adds up the targets."""

    order = 60  # after those that take a text's prediction from its tuple

    def __init__(self, axis: int, ignored: int) -> None:
        self.axis, self.ignored = axis, ignored
        self.preds: list[torch.Tensor] = []
        self.targets: list[torch.Tensor] = []
        self.samples, self.numbers = 0, 0
        self.counts: torch.Tensor | None = None  # (classes,)
        self.sum: torch.Tensor | None = None  # the shape of one target
        self.within = self.like_input = True
        self.rank = 2  # dimensions of a batch of predictions

    def after_pred(self) -> None:
        """One batch."""
        (target,) = self.yb
        pred, target = _plain(self.pred), _plain(target)
        self.samples, self.rank = self.samples + len(target), pred.ndim
        self.numbers += pred.numel() + target.numel()
        self.like_input &= getattr(self.xb[0], "shape", None) == pred.shape
        if self.numbers <= _MOST_KEPT:
            self.preds.append(pred)
            self.targets.append(target)
        if target.is_floating_point():
            self.within &= bool(((target >= 0) & (target <= 1)).all())
            total = target.double().sum(dim=0)
            self.sum = total if self.sum is None else self.sum + total
            return
        kinds = pred.shape[self.axis]
        known = target[(target >= 0) & (target < kinds) & (target != self.ignored)]
        counted = torch.bincount(known.flatten(), minlength=kinds)
        self.counts = counted if self.counts is None else self.counts + counted

    @property
    def whole(self) -> bool:
        """Whether all were kept."""
        return self.numbers <= _MOST_KEPT

    def answers(self) -> dict[str, torch.Tensor | None]:
        """The constant answers by what they are; None stands for the input."""
        if self.counts is not None:
            shape = [1] * self.rank
            shape[self.axis] = -1
            chances = self.counts.double().clamp_min(_RARE).log()
            return {"always answering the most frequent class": chances.reshape(shape)}
        assert self.sum is not None
        mean = self.sum / self.samples
        found: dict[str, torch.Tensor | None] = {}
        if self.within:  # of yes and no, what a network says is their log odds
            found["always answering the most frequent labels"] = torch.logit(mean, eps=_RARE)
        found["always answering the mean"] = mean
        if self.whole:
            found["always answering the median"] = (
                torch.cat(self.targets).double().median(dim=0).values
            )
        return found | ({"leaving the input as it is": None} if self.like_input else {})


class _Answer(Callback):
    """Replaces each prediction by the same answer; by the input where it is None."""

    order = 60

    def __init__(self, answer: torch.Tensor | None) -> None:
        self.answer = answer

    def after_pred(self) -> None:
        """One batch."""
        if self.answer is None:
            self.learn.pred = torch.zeros_like(self.pred) + self.xb[0]
            return
        answer = self.answer.to(self.pred.device, self.pred.dtype)
        if answer.ndim != self.pred.ndim or len(answer) > 1:  # points may be in pairs or in a row
            answer = answer.reshape(self.pred.shape[1:])
        self.learn.pred = torch.zeros_like(self.pred) + answer


def judged(learner: Any, score: Score) -> HeldOut:
    """What the learner's score on its held-out samples is to be read against.

    Constant answers come from the held-out targets themselves, the best there are; of several the
    one that scores best counts. The learner is afterwards as before.
    """
    loss = learner.loss_func
    inner = getattr(loss, "func", loss)
    gather = _Gather(getattr(loss, "axis", 1), getattr(inner, "ignore_index", -100))
    try:
        _scored(learner, score, gather)
        answers = gather.answers()
        scores = {name: _scored(learner, score, _Answer(given)) for name, given in answers.items()}
    except _ODD:
        return HeldOut(_count(learner), score.higher_is_better)
    best = next(iter(scores))
    for name in scores:
        if better(score, scores[name], scores[best]):
            best = name
    constant = scores[best] if math.isfinite(scores[best]) else None
    share = _is_share(learner, score, gather)
    low, high = (None, None) if share else _interval(learner, score, gather)
    return HeldOut(gather.samples, score.higher_is_better, share, constant, best, low, high)


def _count(learner: Any) -> int:
    loader = learner.dls.valid
    return int(getattr(loader, "n", None) or len(loader.dataset))


def _plain(tensor: Any) -> torch.Tensor:
    return tensor.detach().cpu().as_subclass(torch.Tensor)


def _scored(learner: Any, score: Score, callback: Any) -> float:
    """The score with this callback at work."""
    with learner.no_bar(), learner.no_logging():
        record = learner.validate(cbs=[callback])
    return float(record[0 if score.name == "valid_loss" else 1])


def _judge_of(learner: Any, score: Score) -> Callable[[Any, Any], Any] | None:
    """What gives the score of some predictions and targets; None where it takes whole epochs."""
    if score.name == "valid_loss":
        return learner.loss_func
    metric = learner.metrics[0]
    if isinstance(metric, AvgMetric):
        return metric.func
    plain = isinstance(metric, AccumMetric) and not (metric.dim_argmax or metric.thresh)
    return metric if plain and metric.activation in (None, "no") else None


def _is_share(learner: Any, score: Score, gather: _Gather) -> bool:
    """Whether every sample counts as a whole or not at all, and the score is their mean."""
    if score.name == "valid_loss" or not isinstance(learner.metrics[0], AvgMetric):
        return False
    try:
        singles = _singles(learner.metrics[0].func, gather)
    except _ODD:
        return False
    return bool(singles) and set(singles) <= {0.0, 1.0}


def _singles(judge: Callable[[Any, Any], Any], gather: _Gather) -> list[float]:
    """The scores of the samples one by one, of those that are looked at."""
    return [
        float(judge(preds[i : i + 1], targets[i : i + 1]))
        for preds, targets in zip(gather.preds, gather.targets, strict=True)
        for i in range(min(len(preds), _LOOKED_AT))
    ]


def _interval(
    learner: Any, score: Score, gather: _Gather
) -> tuple[float, float] | tuple[None, None]:
    """The middle 95 % of the scores of the samples drawn again and again."""
    judge = _judge_of(learner, score)
    if judge is None or not gather.whole or gather.samples < 2:
        return None, None
    draw = np.random.default_rng(0)
    try:
        preds, targets = (torch.cat(_alike(part)) for part in (gather.preds, gather.targets))
        drawn = [draw.integers(len(preds), size=len(preds)) for _ in range(_DRAWS)]
        scores = _means_of_singles(judge, preds, targets, drawn)
        if scores is None:
            scores = [float(judge(preds[rows], targets[rows])) for rows in drawn]
    except _ODD:
        return None, None
    low, high = (float(bound) for bound in np.percentile(scores, (2.5, 97.5)))
    return (low, high) if math.isfinite(low) and math.isfinite(high) else (None, None)


def _means_of_singles(
    judge: Callable[[Any, Any], Any],
    preds: torch.Tensor,
    targets: torch.Tensor,
    drawn: Sequence[npt.NDArray[np.int64]],
) -> list[float] | None:
    """The scores of samples drawn, where a score is the mean of its samples'; else None.

    So a loss that takes long, as one that compares features, sees each sample once.
    """
    if len(preds) > _LOOKED_AT:
        return None
    whole = float(judge(preds, targets))
    try:
        each = zip(preds.split(1), targets.split(1), strict=True)
        singles = np.array([float(judge(pred, target)) for pred, target in each])
    except _ODD:
        return None
    is_mean = np.isclose(singles.mean(), whole, rtol=1e-4, atol=1e-8)
    return [float(singles[rows].mean()) for rows in drawn] if is_mean else None


def _alike(batches: list[torch.Tensor]) -> list[torch.Tensor]:
    """The batches whose samples are as large as the first's; a last one of texts is shorter."""
    return [batch for batch in batches if batch.shape[1:] == batches[0].shape[1:]]
