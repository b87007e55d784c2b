"""How trainings that do not depend on each other are done: one after another by this process, where
nobody else does them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

__all__ = ["InTurn", "Job", "TellPoint", "one_by_one"]

TellPoint = Callable[[float, float, int], None]  # rate, smoothed loss, number of the sweep
Job = Callable[[Any, TellPoint], Any]  # of a learner, which is afterwards as before
InTurn = Callable[[Sequence[Job]], Iterator[Any]]  # results in the jobs' order


def one_by_one(learner: Any, tell: TellPoint, jobs: Sequence[Job]) -> Iterator[Any]:
    """What the jobs come to on this learner."""
    return (job(learner, tell) for job in jobs)
