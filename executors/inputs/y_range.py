"""The range that predictions are kept in, when a user gives one."""

from __future__ import annotations

import math

from executors.errors import BadParameter
from executors.parameters import both

__all__ = ["asked_range"]


def asked_range(text: str) -> tuple[float, float] | None:
    """Lowest and highest prediction from text such as "0.5,5.5"; None when nothing is asked.

    Raises
    ------
    BadParameter
        When the text is no such pair.
    """
    if not text:
        return None
    try:
        bounds = [float(bound) for bound in text.split(",")]
    except ValueError:
        bounds = []
    if len(bounds) != 2 or not all(map(math.isfinite, bounds)) or bounds[0] >= bounds[1]:
        raise BadParameter(
            f"{both('y_range')} must be the lowest and the highest prediction, such as 0.5,5.5, "
            f"got '{text}'"
        )
    return bounds[0], bounds[1]
