"""The rate that a recipe trains with when none is given, told to the run's journal as found."""

from __future__ import annotations

from functools import partial
from typing import Any

from executors.learning_rate.find import find_rate
from executors.learning_rate.race import Trial
from executors.learning_rate.suggest import Rate, head_of
from executors.runs.journal import Journal

__all__ = ["one_rate", "stage_rate", "tell_point", "tell_trial"]

_BATCHES = 60


def one_rate(learner: Any, journal: Journal, stage: str, seed: int, epochs: int) -> float:
    """One rate to train the learner with for so many epochs; the learner is afterwards as before.

    Raises
    ------
    RecipeError
        When the curve says nothing.
    """
    return head_of(stage_rate(learner, journal, stage, seed, epochs=epochs))


def stage_rate(
    learner: Any,
    journal: Journal,
    stage: str,
    seed: int,
    *,
    epochs: int,
    sliced: bool = False,
    frozen_lr: float | None = None,
) -> Rate:
    """The rate, or (low, high), to train a stage of so many epochs with; see `find_rate`.

    Raises
    ------
    RecipeError
        When the curve says nothing.
    """
    found = find_rate(
        learner,
        sliced=sliced,
        num_it=_BATCHES,
        orders=1,
        train_batches=max(1, epochs * len(learner.dls.train)),
        seed=seed,
        frozen_lr=frozen_lr,
        tell_point=partial(tell_point, journal, stage),
        tell_trial=partial(tell_trial, journal, stage),
    )
    journal.log(f"{stage}: {found.reason}" if stage else found.reason)
    return found.recommended


def tell_point(journal: Journal, phase: str, lr: float, loss: float, order: int) -> None:
    """One point of a sweep, as an event."""
    journal.emit("point", lr=lr, loss=loss, phase=phase, order=order)


def tell_trial(journal: Journal, phase: str, trial: Trial) -> None:
    """One short training, as an event."""
    loss = trial.loss if trial.ended == "done" else None
    journal.emit(
        "race",
        phase=phase,
        rate=trial.rate,
        batches=trial.batches,
        loss=loss,
        ended=trial.ended,
    )
