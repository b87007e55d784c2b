"""The files of one run's folder: their names, and how they are written and read."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

__all__ = [
    "ENVIRONMENT",
    "EVENTS",
    "FOLDER_LOST",
    "LOG",
    "PID",
    "RESULT",
    "SPEC",
    "plain",
    "read_json",
    "write_json",
]

SPEC = "spec.json"
ENVIRONMENT = "environment.json"
EVENTS = "events.jsonl"
LOG = "log.txt"
PID = "pid.json"
RESULT = "result.json"

FOLDER_LOST = 74  # exit code of a child that cannot write its folder (EX_IOERR)


def write_json(path: Path, value: object) -> None:
    """Write `value` so that a reader sees the whole file or none.

    Raises
    ------
    OSError
        When the disk is full or the folder cannot be written.
    """
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("w", encoding="utf-8") as file:
        json.dump(plain(value), file, ensure_ascii=False, allow_nan=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in the file; None when the file is missing, unreadable, or holds no object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def plain(value: object) -> Any:
    """`value` in terms of JSON; numbers that are not finite become None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, str | bool | int) or value is None:
        return value
    if hasattr(value, "item") and not isinstance(value, float):
        return plain(value.item())
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return str(value)
