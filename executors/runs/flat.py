"""Nested values of a run as one level of names, and its events as series of numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["MOST", "flat", "series"]

MOST = 12  # entries of a list that is taken apart; longer ones are curves, which have files
_NOT_MEASURED = ("started", "queued", "begins", "device", "log", "progress", "artifact", "result")


def flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Every single value by its dotted name; short lists of plain values stay, others go.

    Examples
    --------
    >>> flat({"lr": 0.1, "plans": [{"size": 32}, {"size": 64}], "sizes": [1, 2]})
    {'lr': 0.1, 'plans.0.size': 32, 'plans.1.size': 64, 'sizes': [1, 2]}
    """
    singles: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping):
            singles |= flat(value, f"{name}.")
        elif not isinstance(value, list | tuple):
            singles[name] = value
        elif len(value) <= MOST:
            if any(isinstance(item, Mapping | list | tuple) for item in value):
                singles |= flat({str(i): item for i, item in enumerate(value)}, f"{name}.")
            else:
                singles[name] = list(value)
    return singles


def series(events: Iterable[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """Numbers by name, each with its seconds since the start: metrics, and "event.field"."""
    numbers: dict[str, list[tuple[float, float]]] = {}
    for event in events:
        kind, t = str(event.get("event")), _number(event.get("t")) or 0.0
        if kind in _NOT_MEASURED:
            continue
        if kind == "metric":
            fields = {str(event.get("name")): event.get("value")}
        else:
            fields = {
                f"{kind}.{key}": value for key, value in event.items() if key not in ("event", "t")
            }
        for name, value in fields.items():
            if (number := _number(value)) is not None:
                numbers.setdefault(name, []).append((t, number))
    return numbers


def _number(value: object) -> float | None:
    """A finite number; None for everything else, truth values included."""
    counts = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if counts and math.isfinite(value) else None  # type: ignore[arg-type]
