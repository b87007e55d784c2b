"""How long a run still takes, from its own steps; only where these tell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.pages.runs.numbers import duration

__all__ = ["left_s", "time_left"]

Event = Mapping[str, Any]
_LEAST_STEPS = 3  # that were timed before anything is said
_LEAST_PART = 0.15  # of all steps
_ROUND_S = ((20, 5), (90, 10))  # seconds below which is rounded up to so many; else minutes


def time_left(events: Sequence[Event], since_s: float = 0.0) -> str:
    """What is left in words, "" where it cannot be known.

    Parameters
    ----------
    since_s : float
        Seconds since the last event came.
    """
    seconds = left_s(events, since_s)
    if seconds is None:
        return ""
    step = next((step for below, step in _ROUND_S if seconds < below), 60)
    return f"about {duration(step * math.ceil(seconds / step)).removesuffix(' 0 s')} left"


def left_s(events: Sequence[Event], since_s: float = 0.0) -> float | None:
    """Seconds that are left, at the pace of the steps so far; None where that is not known.

    It is not before enough steps were timed, where their number is a guess or changed on the way,
    and once the steps take longer than all that should be left.
    """
    told = _progress(events)
    if not told or told[-1].get("guess") or len({event["total"] for event in told}) > 1:
        return None
    (first, began), (done, now) = (
        (float(event["done"]), float(event["t"])) for event in (told[0], told[-1])
    )
    total = float(told[-1]["total"])
    if done - first < _LEAST_STEPS or not _LEAST_PART * total <= done < total:
        return None
    waited = float(events[-1].get("t") or 0.0) - now + since_s
    left = (now - began) / (done - first) * (total - done) - waited
    return left if left > 0 else None


def _progress(events: Sequence[Event]) -> list[Event]:
    """The steps told of what goes on now, which may begin anew."""
    told = [event for event in events if event.get("event") == "progress" and event.get("total")]
    return [event for event in told if event.get("what") == told[-1].get("what")]
