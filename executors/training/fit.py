"""Trains a learner in stages, tells each epoch as it ends, and says from them whether it fits.

Rates, freezing and what is done with the result are the recipes'.
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
from executors.training.held_out import FEWEST_HELD_OUT, HeldOut

__all__ = ["Epoch", "Score", "Verdict", "better", "fit", "kept", "score_of", "verdict"]

_POINTS = 200  # of a live curve, for a stage
_BEST = "best"
_SAME = 0.02  # of a score or loss: less is the luck of the batches, where no interval is known


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the model fits, and what to do next."""

    word: str  # "fits", "overfitting", "underfitting", "still improving",
    # "no better than a constant answer" or "cannot be said"
    reason: str
    advice: str


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
            f"the loss became no number while training '{stage}' at a rate of {show_rate(lr)}; "
            "take a lower rate, or look for broken values in the data"
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


def verdict(epochs: Sequence[Epoch], score: Score, held: HeldOut) -> Verdict:
    """Whether the model fits, read from its epochs, against a constant answer and against chance.

    A model that is no better than an answer that looks at no sample does not fit, whatever its
    losses. Overfitting is told by a score that improves and then gets worse, for two epochs at
    least and by more than chance; a training loss below the validation loss alone says nothing. A
    training loss above it, at the end, says that the network could learn more.
    """
    stays = kept(epochs, score)
    unsaid = _unsaid(stays, score, held)
    if unsaid is not None:
        return unsaid
    values = [score.of(epoch) for epoch in epochs]
    best = _best_at(values, score)
    apart, chance = _chance(held, values[best])
    rises = best == len(values) - 1 > 0 and abs(values[-1] - values[-2]) > apart
    if not held.beaten(score.of(stays)):
        return _worth_nothing(score.of(stays), held, rises)
    at = f"{score.name} was best in epoch {epochs[best].number} ({values[best]:.4g})"
    after = len(values) - 1 - best
    if after >= 2 and abs(values[best] - values[-1]) > apart:
        return Verdict(
            "overfitting",
            f"{at} and is {values[-1]:.4g} after {after} epochs more, worse by more than {chance}",
            "get more data, augment it, or add weight decay, dropout or mixup (the recipe "
            f"regularise compares them); the saved model is that of epoch {stays.number}",
        )
    perfect = held.share and score.higher_is_better and 1 - values[best] <= apart
    if not perfect and _is_above(epochs[-1]):
        return _underfits(epochs[-1])
    if rises:
        reason = f"{at}, the last, and was still getting better"
        return Verdict("still improving", reason, "train for more epochs")
    if len(values) == 1:
        reason = f"{score.name} is {values[0]:.4g} after the only epoch, which shows no trend"
        return Verdict("fits", reason, "train for more epochs to see one")
    return Verdict("fits", f"{at} and ends worse by no more than {chance}", "nothing is urgent")


def _unsaid(stays: Epoch, score: Score, held: HeldOut) -> Verdict | None:
    """Why nothing can be said, if so."""
    reason, advice = "", ""
    if not math.isfinite(score.of(stays)):
        reason = f"{score.name} is no number after epoch {stays.number}, whose weights are saved"
        advice = "look for missing or endless values in the held-out samples"
    elif held.few:
        reason = f"{held.samples} held-out samples are too few to tell a fit from chance"
        advice = f"hold out {FEWEST_HELD_OUT} samples or more"
    return Verdict("cannot be said", reason, advice) if reason else None


def _worth_nothing(reached: float, held: HeldOut, rises: bool) -> Verdict:
    """That looking at the samples has gained nothing yet."""
    assert held.constant is not None
    worse = (reached < held.constant) == held.higher_is_better
    lies = "worse" if worse else "not better by more than chance"
    lies = "the same" if reached == held.constant else lies
    longer = (
        "train longer or at another rate, and check that the target can be learned from the data"
    )
    return Verdict(
        "no better than a constant answer",
        f"{held.answer} scores {held.constant:.4g} on the same {held.samples} held-out samples, "
        f"and the model {reached:.4g}, which is {lies}",
        "train for more epochs, for it was still getting better" if rises else longer,
    )


def _underfits(last: Epoch) -> Verdict:
    losses = f"({last.train_loss:.4g}) ends above the validation loss ({last.valid_loss:.4g})"
    return Verdict(
        "underfitting",
        f"the training loss {losses}",
        "train longer or at a higher rate, and take regularisation away",
    )


def _best_at(values: Sequence[float], score: Score) -> int:
    """Where the best value stands, the first of several."""
    best = 0
    for place, value in enumerate(values):
        if better(score, value, values[best]):
            best = place
    return best


def _chance(held: HeldOut, value: float) -> tuple[float, str]:
    """What two scores may differ by for no reason, and its name."""
    half = held.chance(value)
    if half is None:
        return _SAME * abs(value), f"a fiftieth ({_SAME * abs(value):.2g})"
    return half, f"chance ({half:.2g})"


def _is_above(epoch: Epoch) -> bool:
    """Whether an epoch's training loss is clearly above its validation loss."""
    return epoch.train_loss - epoch.valid_loss > _SAME * abs(epoch.valid_loss)
