"""What a task's own check says of files before a run is started, where that is soon known.

The run checks them again, and more thoroughly: it looks into each image, and knows no size that is
too large.
"""

from __future__ import annotations

import math
import os
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from executors.errors import BadParameter, BadTarget, RecipeError, reason
from executors.inputs.table_file import is_plain
from executors.task import Settings
from executors.tasks import IMAGE_TASKS, LEARNER, TASK_NAMES, find_task

__all__ = ["Ahead", "look_ahead"]

_BYTES = 16_000_000  # of a file, and of a folder of others than images, which are not opened
_FILES = 5_000  # of a folder
_LOOKING = threading.Lock()  # one at a time: each may take a second and some memory


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is known of files that a run is to be given.

    Parameters
    ----------
    fault : str
        What the run would fail at, in one line; "" for nothing.
    parameter : str
        Which parameter has the fault, "data" or "target".
    doubts : tuple of str
        What may have been meant otherwise, see `executors.task.Source`.
    """

    fault: str = ""
    parameter: str = "data"
    doubts: tuple[str, ...] = ()


def look_ahead(task: str, data: str, target: str) -> Ahead:
    """What the task says of these files.

    Nothing of the built-in sample, of code, of files that would have to be unpacked, and of those
    too large to be looked through while somebody waits.
    """
    if not data or task == LEARNER or task not in TASK_NAMES:
        return Ahead()
    try:
        path = Path(data).expanduser().absolute()
        seen = _seen(path, math.inf if task in IMAGE_TASKS else _BYTES)
    except (OSError, ValueError, RuntimeError) as error:  # no path at all, nobody's folder
        return Ahead(f"{data}: {reason(error)}")
    if seen is None:
        return Ahead()
    with _LOOKING:
        return _looked(task, str(path), target, seen)


@lru_cache(maxsize=32)
def _looked(task: str, data: str, target: str, seen: tuple[int, ...]) -> Ahead:
    """The same of files as they are; `seen` changes with them."""
    try:
        source = find_task(task).inspect(Settings(task, data, target), verify=False)
    except RecipeError as error:
        wrong = "target" if isinstance(error, BadTarget | BadParameter) else "data"
        return Ahead(str(error).replace(data, Path(data).name), wrong)
    return Ahead(doubts=source.doubts)


def _seen(path: Path, most: float) -> tuple[int, ...] | None:
    """(files, bytes, newest change) of what is there, none where nothing is; None where it is too
    much, leads elsewhere, or is no plain file. A folder may hold `most` bytes.
    """
    if not path.exists():
        return ()
    if path.is_file():
        told = path.stat()
        fits = is_plain(path) and told.st_size <= _BYTES
        return (1, told.st_size, told.st_mtime_ns) if fits else None
    files, size, newest = 0, 0, 0
    for place, folders, names in os.walk(path):
        inside = [Path(place), *(Path(place, name) for name in names)]
        files += len(inside)
        if files > _FILES or any(Path(place, name).is_symlink() for name in folders):
            return None
        told_of = [one.stat() for one in inside if one.exists()]
        size += sum(told.st_size for told in told_of)
        newest = max(newest, *(told.st_mtime_ns for told in told_of))
        if size > most:
            return None
    return (files, size, newest) if files else None
