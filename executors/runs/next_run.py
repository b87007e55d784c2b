"""What may be run after a run: a recipe with values, offered by the run before, never started."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["NextRun", "command", "next_runs_from"]


@dataclass(frozen=True, slots=True)
class NextRun:
    """One run to go on with; `params` has what differs from the recipe's defaults."""

    recipe: str
    why: str  # in one line
    params: dict[str, Any] = field(default_factory=dict)  # in terms of JSON


def next_runs_from(stored: object) -> tuple[NextRun, ...]:
    """The next runs of a stored list; whatever is none is left out."""
    listed = stored if isinstance(stored, list) else []
    return tuple(NextRun(**item) for item in listed if _is_next(item))


def _is_next(item: object) -> bool:
    if not isinstance(item, dict) or item.keys() != {"recipe", "why", "params"}:
        return False
    params = item["params"]
    told = isinstance(item["recipe"], str) and isinstance(item["why"], str)
    return told and isinstance(params, dict) and all(map(_is_plain, params.values()))


def _is_plain(value: object) -> bool:
    values = value if isinstance(value, list) else [value]
    return all(isinstance(one, str | int | float | bool) for one in values)


def command(one: NextRun, more: Mapping[str, object]) -> str:
    """The line to type for it, with more options beside its own.

    Examples
    --------
    >>> command(NextRun("regularise", "it overfits", {"task": "tabular", "epochs": 5}), {})
    'gradus run regularise --task tabular --epochs 5'
    >>> command(NextRun("progressive-resizing", "", {"sizes": [32, 64]}), {"after": "a b"})
    "gradus run progressive-resizing --sizes 32,64 --after 'a b'"
    """
    words = ["gradus", "run", one.recipe]
    for name, value in {**one.params, **more}.items():
        words += [f"--{name.replace('_', '-')}", _typed(value)]
    return shlex.join(words)


def _typed(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
