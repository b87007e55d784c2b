"""Next runs as recipes offer them: the same data and network, with what the run before found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from executors.prepare import Asked
from executors.recipe import Recipe, check_params, find_recipe
from executors.runs.next_run import NextRun

__all__ = ["follow_up", "has_classes", "possible"]

_SHARED = ("size", "batch_size", "device")  # they mean the same in every recipe, as settings do


def follow_up(
    before: Recipe, params: Asked, recipe: str, why: str, **changes: object
) -> NextRun | None:
    """The run of a recipe on what another was asked to train; None where it does not do the task.

    Of the same recipe all that was asked is kept; of another what means the same there. `changes`
    are values beside those.
    """
    known, settings = find_recipe(recipe), params.settings
    if settings.task not in known.tasks:
        return None
    defaults = {parameter.name: parameter.default for parameter in before.parameters}
    own = {name: value for name, value in _flat(params).items() if value != defaults.get(name)}
    own["task"] = settings.task
    if recipe != before.name:
        own = {n: v for n, v in own.items() if n in (*asdict(settings), *_SHARED)}
    if isinstance(params.size, int):
        own.setdefault("sizes", [max(32, params.size // 2), params.size])
    given: dict[str, Any] = own | changes
    taken = {
        p.name: given[p.name]
        for p in known.parameters
        if p.name in given
        and (p.name == "task" or given[p.name] != p.default)
        and (not p.tasks or settings.task in p.tasks)
    }
    check_params(known, taken)
    return NextRun(recipe, why, {name: _plain(value) for name, value in taken.items()})


def has_classes(learner: Any) -> bool:
    """Whether it learns classes, whose labels can be doubted."""
    return getattr(learner.dls, "vocab", None) is not None


def possible(offers: Iterable[NextRun | None], classes: bool = True) -> tuple[NextRun, ...]:
    """Those that can be run, one of each recipe; without classes no label can be doubted."""
    first: dict[str, NextRun] = {}
    for one in offers:
        if one is not None and (classes or one.recipe != "clean-data"):
            first.setdefault(one.recipe, one)
    return tuple(first.values())


def _flat(params: Any) -> dict[str, Any]:
    """What was asked, by the names of parameters."""
    fields = {name: getattr(params, name) for name in params.__dataclass_fields__}
    return asdict(fields.pop("settings")) | fields


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
