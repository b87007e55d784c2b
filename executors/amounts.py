"""Amounts of memory, numbers and learning rates as people write and read them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

__all__ = ["parse_bytes", "show_bytes", "show_number", "show_rate"]

_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def parse_bytes(text: str) -> int:
    """Bytes of an amount such as "2GB", "512 MiB", "1.5g" or "800000000".

    Raises
    ------
    ValueError
        When the text is no positive amount.

    Examples
    --------
    >>> parse_bytes("1.5GB"), parse_bytes("512 MiB")
    (1500000000, 536870912)
    """
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([kmgt]?)(i?)b?\s*", text.lower())
    if not match:
        raise ValueError(f"'{text}' is not an amount of memory; write it as 500MB or 2GB")
    number, prefix, binary = match.groups()
    amount = int(float(number) * (_BINARY if binary else _FACTORS)[prefix])
    if amount <= 0:
        raise ValueError(f"'{text}' is not an amount of memory above 0")
    return amount


def show_bytes(amount: float) -> str:
    """An amount in the largest unit of 1000 that keeps it at 1 or more.

    Examples
    --------
    >>> show_bytes(1_540_000_000), show_bytes(900)
    ('1.54 GB', '900 B')
    """
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(amount) >= factor:
            return f"{float(f'{amount / factor:.3g}'):g} {unit}"
    return f"{amount:.0f} B"


def show_number(value: float) -> str:
    """A number in three significant digits, written out from a thousandth to ten million.

    Examples
    --------
    >>> show_number(2071.4), show_number(0.0512), show_number(3.2e-7), show_number(float("nan"))
    ('2070', '0.0512', '3.2e-07', 'no number')
    """
    return _shown(value, 3) if math.isfinite(value) else "no number"


def show_rate(rate: float | Sequence[float]) -> str:
    """A learning rate in two significant digits; a pair as fastai takes it.

    Examples
    --------
    >>> show_rate(0.13), show_rate(0.00131), show_rate(1.3e-4), show_rate(10)
    ('0.13', '0.0013', '1.3e-04', '10')
    >>> show_rate((2e-05, 0.0013))
    'slice(2e-05, 0.0013)'
    """
    if isinstance(rate, Sequence):
        return f"slice({', '.join(show_rate(one) for one in rate)})"
    return _shown(rate, 2)


def _shown(value: float, digits: int) -> str:
    rounded = float(f"{value:.{digits}g}")
    if rounded == 0 or 1e-3 <= abs(rounded) < 1e7 or not math.isfinite(rounded):
        return f"{rounded:.10g}"
    mantissa, power = f"{rounded:.{digits - 1}e}".split("e")
    return f"{float(mantissa):g}e{power}"
