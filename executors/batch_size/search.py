"""Finds the largest batch that fits, and the smallest as fast as any, from few trials.

Memory against batch size is piecewise linear, the optimizer's step dominating small batches, so the
secant runs on the peak of forward and backward; a step never goes past four times what has been
seen to fit, and nothing is believed before it has been trained in a fresh process. Pure: the trials
are somebody else's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["SMALLEST", "Attempt", "Case", "Trial", "best_rate", "ladder", "largest_batch"]

SMALLEST = 2  # batch normalisation has no variance of one sample
AS_FAST = 0.95  # of the best rate: within the noise of a few steps
_FIRST = 4
_FURTHEST = 4  # times the largest batch that fitted
_AIM = 0.985  # of the batch where the line meets the limit: a failure costs a new process
_SMALL = 16  # below, that share is more than one sample, and a sample more than the search may miss
_STRAIGHT = 0.05  # by which two slopes may differ on a straight line
_CAUTIOUS = 0.75  # of the batch where a bent line meets the limit
_NEAR = 1.15  # times the largest that fitted: so far any line is trusted
_RUNGS = 5


@dataclass(frozen=True, slots=True)
class Case:
    """What is trained: image size in px (None: samples have no size), precision, frozen or not."""

    size: int | None = None
    precision: str = "float32"
    frozen: bool = False

    @property
    def phase(self) -> str:
        """What recipes call it: "frozen" or "unfrozen"."""
        return "frozen" if self.frozen else "unfrozen"


@dataclass(frozen=True, slots=True)
class Trial:
    """One batch size tried in real training steps.

    `peak_bytes` is the most of the whole trial, `train_bytes` of forward and backward alone; both
    count from what the process held before training. A trial that took too much without an error
    has them as well. `samples_per_s` is 0 when it failed.
    """

    batch: int
    size: int | None  # px
    ok: bool
    peak_bytes: int = 0
    train_bytes: int = 0
    samples_per_s: float = 0.0
    reason: str = ""
    purpose: str = "search"  # "search", "verify", "rate"
    precision: str = "float32"
    frozen: bool = False
    loader_samples_per_s: float = 0.0  # of the task's own loaders; 0 when they were not asked
    finite: bool = True  # whether every loss was a number

    @property
    def case(self) -> Case:
        """What was trained."""
        return Case(self.size, self.precision, self.frozen)

    def to_json(self) -> dict[str, Any]:
        """The trial as events, results and tables show it."""
        return asdict(self)


Attempt = Callable[[int, bool], Trial]  # (batch, in a fresh process with validation)


class _Seen:
    """What the trials so far say: points of the line, what fitted, what failed."""

    def __init__(self, attempt: Attempt, limit_bytes: int, cap: int, part: int) -> None:
        self._attempt, self.limit_bytes, self.cap, self._part = attempt, limit_bytes, cap, part
        self.points: dict[int, int] = {}  # batch -> bytes of forward and backward
        self.fits, self.fails = 0, cap + 1
        self.passed: Trial | None = None  # the largest that passed in a fresh process

    def attempt(self, batch: int, fresh: bool) -> Trial:
        """Try the batch and learn from it."""
        trial = self._attempt(batch, fresh)
        if trial.train_bytes > 0:
            self.points[batch] = trial.train_bytes
        if trial.ok:
            self.fits = max(self.fits, batch)
            if fresh and (self.passed is None or batch > self.passed.batch):
                self.passed = trial
        else:
            self.fails = min(self.fails, batch)
            if self.fits >= batch:  # what fitted there did so in a process with less to do
                self.fits = max((known for known in self.points if known < batch), default=0)
        return trial

    def slope(self) -> float | None:
        """Bytes per sample where the line is nearest to the limit; None when it does not rise."""
        rising = [slope for slope in self._slopes() if slope > 0]
        return rising[-1] if rising else None

    def straight(self) -> bool:
        """Whether the last two slopes agree."""
        slopes = self._slopes()[-2:]
        return len(slopes) == 2 and slopes[0] > 0 and abs(slopes[1] / slopes[0] - 1) <= _STRAIGHT

    def aim(self) -> int | None:
        """The batch a little below where the line meets the limit; None without a line."""
        slope = self.slope()
        if slope is None:
            return None
        last = max(self._below())
        meets = last + (self.limit_bytes - self.points[last]) / slope
        return int(meets) if meets < _SMALL else _tidy(int(_AIM * meets))

    def settled(self) -> bool:
        """Whether what may still be won is not worth a trial."""
        fine = max(_step(self.fits), self.fits // self._part)
        return self.fits >= self.cap or self.fails - self.fits <= fine

    def _below(self) -> list[int]:
        """Batches measured, in order, up to the first that took more than the limit."""
        known = sorted(self.points)
        over = next(
            (n for n, batch in enumerate(known) if self.points[batch] > self.limit_bytes),
            len(known),
        )
        return known[: over + 1]

    def _slopes(self) -> list[float]:
        known = self._below()
        return [(self.points[b] - self.points[a]) / (b - a) for a, b in itertools.pairwise(known)]


def largest_batch(attempt: Attempt, limit_bytes: int, cap: int, part: int = 16) -> Trial | None:
    """The trial, in a fresh process, of the largest batch that fits; None when none does.

    Parameters
    ----------
    attempt : callable
        Tries a batch; its second argument asks for a fresh process, three steps and a validation
        batch.
    limit_bytes : int
        What the trial may take; trials past it are expected to fail.
    cap : int
        No larger batch is of use.
    part : int
        Once a batch has failed, the search ends within one part in so many of it; noise makes more
        of no use.
    """
    if cap < SMALLEST:
        return None
    seen = _Seen(attempt, limit_bytes, cap, part)
    for batch in sorted({min(_FIRST, cap), SMALLEST}, reverse=True):
        if seen.attempt(batch, False).ok:
            break
    else:
        return None
    if seen.fits > SMALLEST and _FURTHEST * seen.points.get(seen.fits, 0) > limit_bytes:
        # the first step up may be too far: the line is had from below
        seen.attempt(SMALLEST, False)
    while (ahead := _ahead(seen)) is not None:
        seen.attempt(ahead, False)
    return _verified(seen)


def _ahead(seen: _Seen) -> int | None:
    """The batch to try next in the process at hand; None when a fresh process is to have the word.

    After a failure that is so in any case: there is no other process left.
    """
    if seen.settled() or seen.fails <= seen.cap:
        return None
    room, aim = min(seen.cap, _FURTHEST * seen.fits), seen.aim()
    if aim is None:
        return room
    if seen.straight():
        return None if min(aim, seen.cap) <= room else room
    ahead = _tidy(min(room, int(_CAUTIOUS * aim)))
    return ahead if ahead > _NEAR * seen.fits else None


def _verified(seen: _Seen) -> Trial | None:
    """The largest that passes in fresh processes: up while there is room, down after failures."""
    down, batch = 0, _between(seen)
    while True:
        trial = seen.attempt(batch, True)
        if seen.passed is None:
            if batch <= SMALLEST:
                return None
            slope = seen.slope()
            over = trial.peak_bytes - _AIM * seen.limit_bytes
            needed = int(over / slope) if slope and over > 0 else 0
            down = max(_step(batch), needed or batch // 16, 2 * down)
            batch = max(SMALLEST, seen.fits, _tidy(batch - min(down, batch // 2)))
            continue
        batch = seen.fits if seen.settled() else _between(seen)
        if batch <= seen.passed.batch:
            return seen.passed


def _between(seen: _Seen) -> int:
    """The batch to try in a fresh process: the largest that fitted, or more if worth it."""
    low, aim = seen.fits, seen.aim()
    if seen.fails > seen.cap:
        high = min(seen.cap, _FURTHEST * low)
        return low if aim is None or min(aim, high) - low < low // 32 + 1 else min(aim, high)
    if aim is not None and aim <= low + (_step(low) if low >= _SMALL else 0):
        return low
    quarter = max(1, (seen.fails - low) // 4)
    if aim is None:
        return (low + seen.fails) // 2
    share = 1 if aim < _SMALL or seen.straight() else _CAUTIOUS
    return min(low + max(1, int(share * (aim - low))), seen.fails - quarter)


def ladder(largest: int) -> tuple[int, ...]:
    """About five batch sizes to compare: `largest` and the powers of two below it, falling."""
    below = 2 ** ((largest - 1).bit_length() - 1) if largest > SMALLEST else 0
    rungs = [below // 2**step for step in range(_RUNGS - 1)]
    return (largest, *(rung for rung in rungs if rung >= SMALLEST))


def best_rate(trials: Sequence[Trial]) -> Trial:
    """The smallest batch that trains at least 0.95 times as many samples per second as the fastest.

    Raises
    ------
    ValueError
        When no trial fitted.
    """
    fitting = [trial for trial in trials if trial.ok]
    if not fitting:
        raise ValueError("no trial fitted")
    fastest = max(trial.samples_per_s for trial in fitting)
    as_fast = [trial for trial in fitting if trial.samples_per_s >= AS_FAST * fastest]
    return min(as_fast, key=lambda trial: trial.batch)


def _step(batch: int) -> int:
    """How finely batches of this size are told apart: one part in 64 to 128, 1 below 128."""
    return 2 ** ((batch // 64).bit_length() - 1) if batch >= 64 else 1


def _tidy(batch: int) -> int:
    """The batch rounded down to the step of its size."""
    step = _step(batch)
    return batch // step * step
