"""Numbers and amounts as people read them."""

from __future__ import annotations

import math

from executors.amounts import show_number

__all__ = ["amount", "duration", "number", "rates"]


def number(value: object) -> str:
    """A number for people: three significant digits, whole from a thousand on."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:.0f}"
    return show_number(value)


def amount(n_bytes: object) -> str:
    """Bytes for people, in the unit that fits."""
    if not isinstance(n_bytes, int | float) or isinstance(n_bytes, bool):
        return ""
    value = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 1000 or unit == "GB":
            return f"{value:.3g} {unit}" if abs(value) < 1000 else f"{value:,.0f} {unit}"
        value /= 1000
    return ""


def rates(value: object) -> str:
    """A value in large: a number, a pair of rates as fastai takes it, or "none found"."""
    if isinstance(value, list | tuple):
        return f"slice({', '.join(number(v) for v in value)})"
    return number(value) if value is not None else "none found"


def duration(seconds: float) -> str:
    """A length of time in the units that fit."""
    if seconds < 100:
        return f"{seconds:.1f} s" if 0 < seconds < 1 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
