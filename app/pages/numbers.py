"""Numbers and amounts as people read them."""

from __future__ import annotations

import math

__all__ = ["amount", "number"]


def number(value: object) -> str:
    """A number for people: three significant digits, no needless zeros."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    if isinstance(value, int) or (abs(value) >= 1000 and math.isfinite(value)):
        return f"{value:.0f}"
    if 0 < abs(value) < 0.01:
        digits, power = f"{value:.2e}".split("e")
        return f"{float(digits):g}e{int(power)}"
    return f"{value:.3g}"


def amount(n_bytes: object) -> str:
    """Bytes for people, in the unit that fits."""
    if not isinstance(n_bytes, int | float) or isinstance(n_bytes, bool):
        return ""
    value = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"
        value /= 1000
    return ""
