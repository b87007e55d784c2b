"""The kinds of models that recipes train: each a module that checks the user's input and builds a fastai learner."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["TASK_NAMES", "find_task"]

TASK_NAMES = ("image-classification", "tabular")


def find_task(name: str) -> Any:
    """The module of the task, which has the names of `executors.tasks.source.Task`."""
    return importlib.import_module(f"executors.tasks.{name.replace('-', '_')}")
