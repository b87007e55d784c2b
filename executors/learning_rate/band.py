"""Several sweeps of one learner, in other orders of its batches, as one band over the rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from executors.learning_rate.sweep import Sweep

__all__ = ["Band", "band"]


@dataclass(frozen=True, slots=True)
class Band:
    """The smoothed losses of all sweeps at each rate: the lowest, the middle one, the highest."""

    lrs: tuple[float, ...]
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]
    sweeps: int


def band(sweeps: Sequence[Sweep]) -> Band:
    """The band of sweeps over the same rates, as far as all of them came."""
    shared = min((len(one.lrs) for one in sweeps), default=0)
    losses = [sorted(one.losses[at] for one in sweeps) for at in range(shared)]
    lrs = sweeps[0].lrs[:shared] if sweeps else ()
    return Band(
        lrs,
        tuple(each[0] for each in losses),
        tuple(median(each) for each in losses),
        tuple(each[-1] for each in losses),
        len(sweeps),
    )
