"""The rate that a recipe trains with when none is given, told to the run's journal as it is
found.
"""

from __future__ import annotations

from typing import Any

from executors.learning_rate.find import find_rate
from executors.learning_rate.race import Trial
from executors.learning_rate.suggest import Rate
from executors.runs.journal import Journal

__all__ = ["one_rate", "stage_rate"]

_BATCHES = 60


def one_rate(learner: Any, journal: Journal, stage: str, seed: int, epochs: int) -> float:
    """One rate to train the learner with for so many epochs; the learner is afterwards as before.

    Raises
    ------
    RecipeError
        When the curve says nothing.
    """
    found = stage_rate(learner, journal, stage, seed, epochs=epochs)
    return found[1] if isinstance(found, tuple) else found


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

    def tell_point(lr: float, loss: float, order: int) -> None:
        journal.emit("point", lr=lr, loss=loss, phase=stage, order=order)

    def tell_trial(trial: Trial) -> None:
        loss = trial.loss if trial.ended == "done" else None
        journal.emit(
            "race",
            phase=stage,
            rate=trial.rate,
            batches=trial.batches,
            loss=loss,
            ended=trial.ended,
        )

    found = find_rate(
        learner,
        sliced=sliced,
        num_it=_BATCHES,
        orders=1,
        train_batches=max(1, epochs * len(learner.dls.train)),
        seed=seed,
        frozen_lr=frozen_lr,
        tell_point=tell_point,
        tell_trial=tell_trial,
    )
    journal.log(f"{stage}: {found.reason}" if stage else found.reason)
    return found.recommended
