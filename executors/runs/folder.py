"""The files of one run's folder: their names, and how they are written and read."""

from __future__ import annotations

import json
import math
import os
import re
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
    "parse_json",
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

MAX_DEPTH, MAX_DIGITS = 50, 100  # of a value that is read
_HALF = re.compile("[\ud800-\udfff]")  # of a character, which JSON can name and UTF-8 not hold

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
        return parse_json(path.read_bytes())
    except OSError:
        return None


def parse_json(content: bytes) -> dict[str, Any] | None:
    """The object in a content that may be damaged; None when it holds none.

    What is in it can be shown and written again: text that UTF-8 holds, finite numbers, a sane
    depth; for what is none, None.
    """
    try:
        value = _sound(json.loads(content.decode("utf-8"), parse_int=_whole), MAX_DEPTH)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _sound(value: object, depth: int) -> object:
    if isinstance(value, dict) and depth:
        return {_HALF.sub("\ufffd", key): _sound(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list) and depth:
        return [_sound(item, depth - 1) for item in value]
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, dict | list) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def _whole(digits: str) -> float:
    """An integer; one beyond all measure as a float, which is then infinite."""
    return int(digits) if len(digits) <= MAX_DIGITS else math.inf


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
