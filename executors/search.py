"""Finds the largest batch that fits, and the smallest that is as fast as any, from as few trials as it can.

Memory against batch size is piecewise linear, the optimizer's step dominating small batches, so the secant runs on the
peak of forward and backward; a step never goes past four times what has been seen to fit, and nothing is believed
before it has been trained in a fresh process. Pure: the trials are somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["SMALLEST", "Attempt", "Trial", "best_rate", "ladder", "largest_batch"]

SMALLEST = 2  # batch normalisation has no variance of one sample
AS_FAST = 0.95  # of the best rate: within the noise of a few steps
_PROBES = (4, 16, 64)
_FURTHEST = 4  # times the largest batch that fitted
_AIM = 0.97  # of the limit: a failure costs a new process, the last percents are bisected
_RUNGS = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """One batch size tried in real training steps.

    `peak_bytes` is the most of the whole trial, `train_bytes` of forward and backward alone; both count from what the
    process held before training. `samples_per_s` is 0 when it failed.
    """

    batch: int
    size: int | None  # px
    ok: bool
    peak_bytes: int = 0
    train_bytes: int = 0
    samples_per_s: float = 0.0
    reason: str = ""
    purpose: str = "search"  # "search", "verify", "rate"

    def to_json(self) -> dict[str, Any]:
        """The trial as events, results and tables show it."""
        return asdict(self)


Attempt = Callable[[int, bool], Trial]  # (batch, in a fresh process with validation)


def largest_batch(attempt: Attempt, limit_bytes: int, cap: int, part: int = 16) -> Trial | None:
    """The trial, in a fresh process, of the largest batch up to `cap` that fits; None when `SMALLEST` does not.

    Parameters
    ----------
    attempt : callable
        Tries a batch; its second argument asks for a fresh process, three steps and a validation batch.
    limit_bytes : int
        What the trial may take; trials past it are expected to fail.
    cap : int
        No larger batch is of use.
    part : int
        Once a batch has failed, the search ends within one part in so many of it; noise makes more of no use.
    """
    fits: dict[int, Trial] = {}
    fails = cap + 1  # smallest batch known not to fit
    batch: int | None = min(_PROBES[0], cap)
    while batch is not None:
        trial = attempt(batch, False)
        if trial.ok:
            fits[batch] = trial
        else:
            fails = min(fails, batch)
            fits = {known: fit for known, fit in fits.items() if known < fails}
        batch = _next(fits, fails, cap, limit_bytes, part)
    return _verified(attempt, fits, limit_bytes) if fits else None


def _verified(attempt: Attempt, fits: dict[int, Trial], limit_bytes: int) -> Trial | None:
    """The largest batch that passes in fresh processes, to one part in eight of the next that does not."""
    batch, down, slope = max(fits), 0, _slope(fits)
    passed: Trial | None = None
    fails = batch + 1
    while passed is None or fails - passed.batch > max(_step(passed.batch), passed.batch // 8):
        trial = attempt(batch, True)
        if trial.ok:
            passed = trial
        elif batch <= SMALLEST:
            return None
        else:
            fails = batch
            over = trial.peak_bytes - _AIM * limit_bytes
            needed = int(over / slope) if slope and over > 0 else batch // 8
            down = max(_step(batch), min(needed, batch // 2), 2 * down)
        batch = max(SMALLEST, _tidy(batch - down)) if passed is None else (passed.batch + fails) // 2
    return passed


def ladder(largest: int) -> tuple[int, ...]:
    """About five batch sizes to compare, largest first: `largest` and the powers of two below it."""
    below = 2 ** ((largest - 1).bit_length() - 1) if largest > SMALLEST else 0
    return (largest, *(below // 2**step for step in range(_RUNGS - 1) if below // 2**step >= SMALLEST))


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
    return min((t for t in fitting if t.samples_per_s >= AS_FAST * fastest), key=lambda trial: trial.batch)


def _next(fits: dict[int, Trial], fails: int, cap: int, limit_bytes: int, part: int) -> int | None:
    """The batch to try next, None when the largest that fits is settled."""
    if not fits:
        return SMALLEST if fails > SMALLEST and cap >= SMALLEST else None
    largest = max(fits)
    if fails <= cap and fails - largest <= max(_step(largest), largest // part):
        return None
    if largest >= cap:
        return None
    for probe in _PROBES:
        if largest < probe < fails and probe <= _FURTHEST * largest:
            return probe
    guess = _secant(fits, limit_bytes)
    if fails > cap:  # nothing has failed yet
        ahead = min(cap, _FURTHEST * largest if guess is None else min(guess, _FURTHEST * largest))
        if ahead == cap:
            return cap
        tidy = _tidy(ahead)
        return tidy if tidy > largest + _step(largest) else None
    quarter = max(1, (fails - largest) // 4)
    trusted = guess is not None and largest + quarter <= guess <= fails - quarter
    batch = guess if guess is not None and trusted else (largest + fails) // 2
    tidy = _tidy(batch)
    return tidy if largest < tidy < fails else batch


def _secant(fits: dict[int, Trial], limit_bytes: int) -> int | None:
    """Where the line through the two largest batches meets the limit; None when it does not rise."""
    slope, high = _slope(fits), fits[max(fits)]
    return high.batch + int((_AIM * limit_bytes - high.train_bytes) / slope) if slope else None


def _slope(fits: dict[int, Trial]) -> float | None:
    """Bytes per sample between the two largest batches; None when they do not rise."""
    if len(fits) < 2:
        return None
    low, high = (fits[batch] for batch in sorted(fits)[-2:])
    slope = (high.train_bytes - low.train_bytes) / (high.batch - low.batch)
    return slope if slope > 0 else None


def _step(batch: int) -> int:
    """How finely batches of this size are told apart: about one part in thirty-two, 1 below 32."""
    if batch < 32:
        return 1
    return max(2 ** ((batch // 32).bit_length() - 1), 1)


def _tidy(batch: int) -> int:
    """The batch rounded down to the step of its size."""
    step = _step(batch)
    return batch // step * step
