"""Trains a learner in stages, tells each epoch as it ends, and says which are better.

Rates, freezing and what is done with the result are the recipes', whether a model fits is
`executors.training.verdicts`'.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from fastai.callback import schedule  # noqa: F401 - gives Learner its fit_one_cycle
from fastai.callback.core import Callback, CancelFitException
from fastai.callback.tracker import EarlyStoppingCallback, SaveModelCallback

from executors.amounts import show_rate
from executors.errors import RecipeError
from executors.runs.journal import Journal

__all__ = ["Epoch", "Score", "better", "fit", "kept", "score_of"]

_POINTS = 200  # of a live curve, for a stage
_BEST = "best"


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch of training came to; a loss or metric that is no number is NaN.

    `train_loss` is the mean over the epoch's batches, as the weights were then; `valid_loss` is
    from its end.
    """

    stage: str
    number: int  # from 1, over all stages
    train_loss: float
    valid_loss: float
    metrics: Mapping[str, float]
    seconds: float
    way: str = ""  # which of several trainings that are compared


@dataclass(frozen=True, slots=True)
class Score:
    """What decides which epoch is best: the learner's first metric, else the validation loss."""

    name: str
    higher_is_better: bool

    def of(self, epoch: Epoch) -> float:
        """Its value after an epoch."""
        return epoch.valid_loss if self.name == "valid_loss" else epoch.metrics[self.name]


def score_of(learner: Any, higher_is_better: bool) -> Score:
    """The score of a learner."""
    if learner.metrics:
        return Score(str(learner.metrics[0].name), higher_is_better)
    return Score("valid_loss", False)


def better(score: Score, a: float, b: float) -> bool:
    """Whether `a` is a better score than `b`; any number is better than none."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(b) and not math.isnan(a)
    return a > b if score.higher_is_better else a < b


class _Best(SaveModelCallback):
    """Goes back to the best epoch's weights, where there was an epoch at all."""

    def after_fit(self, **kwargs: Any) -> None:
        if (self.learn.path / self.learn.model_dir / f"{self.fname}.pth").is_file():
            super().after_fit(**kwargs)


class _Patience(EarlyStoppingCallback):
    """Early stopping that counts from half of the cycle: a high rate may worsen the score."""

    def after_epoch(self) -> None:
        if self.epoch >= self.n_epoch // 2:
            super().after_epoch()


class _Teller(Callback):
    """Tells losses as they come, keeps the epochs; a loss that is no number ends training."""

    order = 65  # after the Recorder has written the epoch down

    def __init__(self, journal: Journal, stage: str, way: str, before: int, total: int) -> None:
        self.journal, self.stage, self.way = journal, stage, way
        self.before, self.total = before, total
        self.epochs: list[Epoch] = []
        self.broken = False

    def before_fit(self) -> None:
        self.every = max(1, len(self.dls.train) * self.n_epoch // _POINTS)
        self.steps = 0

    def before_epoch(self) -> None:
        self.started, self.losses = time.monotonic(), list[float]()

    def after_batch(self) -> None:
        if not self.training:
            return
        loss = float(self.loss.detach())
        if not math.isfinite(loss):
            self.broken = True
            raise CancelFitException
        self.losses.append(loss)
        self.steps += 1
        if self.steps % self.every == 0:
            self.journal.emit(
                "batch",
                stage=self.stage,
                step=self.steps,
                loss=loss,
                epoch=self.before + self.epoch + 1,
            )

    def after_epoch(self) -> None:
        if not self.learn.recorder.values:
            return
        names = self.learn.recorder.metric_names[1:-1]  # without epoch and time
        values = (float(value) for value in self.learn.recorder.values[-1])
        metrics = dict(zip(names, values, strict=False))
        number = self.before + self.epoch + 1
        seconds = time.monotonic() - self.started
        # fastai's is smoothed over so many steps that it lags behind in a short epoch
        metrics.pop("train_loss", None)
        train = float(np.mean(self.losses or [math.nan]))
        valid = metrics.pop("valid_loss", math.nan)
        self.epochs.append(Epoch(self.stage, number, train, valid, metrics, seconds, self.way))
        losses = {"train_loss": train, "valid_loss": valid}
        self.journal.emit(
            "epoch",
            stage=self.stage,
            way=self.way,
            epoch=number,
            **losses,
            metrics=metrics,
            seconds=seconds,
        )
        self.journal.progress(number, max(self.total, number), "epochs")


def fit(
    learner: Any,
    journal: Journal,
    stage: str,
    epochs: int,
    lr: float | tuple[float, float],
    *,
    score: Score | None = None,
    way: str = "",
    before: int = 0,
    total: int = 0,
    patience: int = 0,
    weight_decay: float | None = None,
    callbacks: Sequence[Any] = (),
) -> list[Epoch]:
    """Train by one cycle; the best epoch's weights stay where there is a score, else the last's.

    Parameters
    ----------
    learner : fastai.learner.Learner
    stage : str
        The stage's name in events.
    epochs : int
    lr : float or (float, float)
        Highest rate, or those of the first and the last group of layers.
    way : str
        Which of the trainings it belongs to, where a run compares several.
    before, total : int
        Epochs of earlier stages, and of all together.
    patience : int
        Epochs without a better score after which training ends; 0: never.

    Raises
    ------
    RecipeError
        When the loss is no number any more.
    """
    teller = _Teller(journal, stage, way, before, total or before + epochs)
    added = [teller, *callbacks]
    if score is not None and len(learner.dls.valid):
        comparison = np.greater if score.higher_is_better else np.less
        added.append(_Best(monitor=score.name, comp=comparison, fname=_BEST, with_opt=False))
        if patience:
            added.append(_Patience(monitor=score.name, comp=comparison, patience=patience))
    with learner.no_bar(), learner.no_logging():
        highest = slice(*lr) if isinstance(lr, tuple) else float(lr)
        learner.fit_one_cycle(epochs, highest, wd=weight_decay, cbs=added)
    models = learner.path / learner.model_dir
    (models / f"{_BEST}.pth").unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not there, or not ours alone
        models.rmdir()
    if teller.broken:
        raise RecipeError(
            f"the loss stopped being a number while training '{stage}' at a rate of "
            f"{show_rate(lr)}; take a lower rate, or look for broken values in the data"
        )
    return teller.epochs


def kept(epochs: Sequence[Epoch], score: Score) -> Epoch:
    """The epoch whose weights stayed: the best of the last stage, which starts from others'."""
    last = [epoch for epoch in epochs if epoch.stage == epochs[-1].stage]
    best = last[0]
    for epoch in last[1:]:
        if better(score, score.of(epoch), score.of(best)):
            best = epoch
    return best
