"""A running program by number and birth, so that a number given anew is not taken for it."""

from __future__ import annotations

import psutil

__all__ = ["identity", "lives"]

_SAME_BIRTH_S = 2.0  # clocks are set while programs run, and the birth is derived from one


def identity(pid: int) -> dict[str, float]:
    """What tells this program from a later one of the same number."""
    try:
        return {"pid": pid, "created": psutil.Process(pid).create_time()}
    except psutil.Error:
        return {"pid": pid, "created": 0.0}


def lives(stored: object) -> bool:
    """Whether the very program of that number and birth still lives."""
    if not isinstance(stored, dict) or not isinstance(stored.get("pid"), int):
        return False
    try:
        process = psutil.Process(stored["pid"])
        same = abs(process.create_time() - float(stored.get("created", 0))) < _SAME_BIRTH_S
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, ValueError, TypeError, OverflowError):
        return False
