"""Trainings that tests have done side by side; a run's child imports them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

__all__ = ["job"]


def job(number: int, go: str, ready: Any, journal: Any) -> tuple[int, float]:
    """Train a few batches by the seed; the first one waits for a file."""
    from executors.learning_rate.sweep import reseed, train_some

    while number == 0 and not Path(go).exists():
        journal.emit("waits")
        time.sleep(0.05)
    reseed(ready.learner, number)
    train_some(ready.learner, 1e-2, 3)
    journal.emit("did", number=number, pid=os.getpid())
    weights = (value.detach().double() for value in ready.learner.model.parameters())
    return number, sum(float(one.abs().sum()) for one in weights)
