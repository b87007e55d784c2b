"""The kinds of models that recipes train: each checks the input and builds a fastai learner."""

from __future__ import annotations

import importlib
from typing import cast

from executors.task import Task

__all__ = ["CLASSIFYING", "IMAGE_TASKS", "LEARNER", "TASK_NAMES", "TEXT_TASKS", "find_task"]

LEARNER = "learner"  # a file of the user's own
TEXT_TASKS = ("language-model", "text-classification")
IMAGE_TASKS = (
    "image-classification",
    "multi-label",
    "segmentation",
    "image-regression",
    "restoration",
    "gan",
)
TASK_NAMES = (*IMAGE_TASKS, *TEXT_TASKS, "tabular", "collaborative-filtering", LEARNER)
CLASSIFYING = ("image-classification", "text-classification", "tabular")  # one class a sample


def find_task(name: str) -> Task:
    """The module of the task; it is light, fastai is imported where a learner is built."""
    return cast(Task, importlib.import_module(f"executors.tasks.{name.replace('-', '_')}"))
