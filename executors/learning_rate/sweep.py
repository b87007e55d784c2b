"""Runs fastai's learning-rate finder on a learner, which is exactly as before, come what may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from fastai.callback import schedule  # noqa: F401 - gives Learner its lr_find
from fastai.callback.core import Callback, CancelFitException, CancelValidException
from fastai.torch_core import set_seed

from executors.errors import BadInput
from executors.learning_rate.state import unchanged

__all__ = ["Sweep", "reseed", "sweep", "train_some"]


@dataclass(frozen=True, slots=True)
class Sweep:
    """One sweep's curve, element for element: rates rising, smoothed loss, loss of each batch.

    `ended` says how: "done" at the highest rate, "exploded" when the loss rose to four times its
    best, "nan" when it was no number any more (that point is left out).
    """

    lrs: tuple[float, ...]
    losses: tuple[float, ...]
    raw: tuple[float, ...]
    ended: str


class _Points(Callback):
    """Hands on every point of a sweep, and stops it at a loss that is no number."""

    order = 55  # after the Recorder smooths the loss, before the finder may end the sweep

    def __init__(self, tell: Callable[[float, float], None]) -> None:
        self.tell, self.points, self.broken = tell, list[tuple[float, float, float]](), False

    def after_batch(self) -> None:
        lr, smooth, raw = (
            float(self.opt.hypers[-1]["lr"]),
            float(self.smooth_loss.detach()),
            float(self.loss.detach()),
        )
        if not np.isfinite(raw) or not np.isfinite(smooth):
            self.broken = True
            raise CancelFitException
        self.points.append((lr, smooth, raw))
        self.tell(lr, smooth)


class _Stop(Callback):
    """Ends training after a number of batches."""

    order = 95
    name = "lr_finder"  # callbacks that save models or write logs stand back from it

    def __init__(self, batches: int) -> None:
        self.batches = batches

    def after_batch(self) -> None:
        if self.training and self.train_iter >= self.batches:
            raise CancelFitException


def sweep(
    learner: Any,
    start_lr: float,
    end_lr: float,
    num_it: int,
    tell: Callable[[float, float], None],
    seed: int | None = None,
) -> Sweep:
    """fastai's `lr_find` on the learner, which is afterwards as before.

    Parameters
    ----------
    learner : fastai.learner.Learner
    start_lr, end_lr : float
        The rate grows geometrically from one to the other.
    num_it : int
        Batches to train.
    tell : callable
        Gets (rate, smoothed loss) as each batch ends.
    seed : int, optional
        For another order of the batches and other dropout than the learner would meet next.

    Raises
    ------
    BadInput
        When the training loader holds no batch.
    """
    if len(learner.dls.train) == 0:
        raise BadInput(
            f"the training set is smaller than one batch of {learner.dls.train.bs}; "
            "take a smaller batch_size"
        )
    points = _Points(tell)
    with unchanged(learner), learner.no_bar(), learner.no_logging(), learner.added_cbs([points]):
        if seed is not None:
            reseed(learner, seed)
        learner.lr_find(
            start_lr=start_lr, end_lr=end_lr, num_it=num_it, suggest_funcs=None, show_plot=False
        )
    lrs, losses, raw = zip(*points.points, strict=True) if points.points else ((), (), ())
    ended = "nan" if points.broken else "done" if len(lrs) >= num_it else "exploded"
    return Sweep(lrs, losses, raw, ended)


def reseed(learner: Any, seed: int) -> None:
    """Let all chance from here on, also the order of the batches, follow from the seed."""
    set_seed(seed)
    for loader in learner.dls.loaders:
        if hasattr(loader, "rng"):
            loader.rng.seed(seed)


def train_some(learner: Any, lr: float, batches: int) -> None:
    """Train that many batches at a steady rate, without validation."""
    epochs = batches // max(1, len(learner.dls.train)) + 1
    with learner.no_bar(), learner.no_logging():
        learner.fit(epochs, lr=lr, cbs=[_Stop(batches), _NoValidation()])


class _NoValidation(Callback):
    """Leaves validation out."""

    def before_validate(self) -> None:
        raise CancelValidException
