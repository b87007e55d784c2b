"""How long questions take one by one, the first few not counted."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

__all__ = ["median_ms", "milliseconds", "p90_ms"]

UNMEASURED = 5  # questions asked before the clock counts


def milliseconds(ask: Callable[[str], object], questions: Sequence[str]) -> list[float]:
    """Wall-clock milliseconds of each question."""
    for question in questions[:UNMEASURED]:
        ask(question)
    taken = []
    for question in questions:
        begun = time.perf_counter()
        ask(question)
        taken.append(1000 * (time.perf_counter() - begun))
    return taken


def median_ms(taken: Sequence[float]) -> float:
    """The median, to a tenth."""
    return round(statistics.median(taken), 1)


def p90_ms(taken: Sequence[float]) -> float:
    """What nine in ten stay below, to a tenth."""
    return round(statistics.quantiles(taken, n=10)[-1], 1)
