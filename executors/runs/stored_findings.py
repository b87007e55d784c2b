"""What a run found, said once by its recipe: for answers, for pages and for machines.

Stored findings are read with their types alone checked; whoever shows them bounds them further.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Finding", "figures_of", "findings_from", "one_line", "plain_name"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a run found.

    Parameters
    ----------
    words : str
        One line of plain text, without a full stop, that follows "On your data (…):".
    figures : dict
        What a person reads first, by label: numbers, text, a pair of rates, None for none found.
    values : dict
        What the words say for machines, in terms of JSON.
    phase, precision : str
        What it holds for; "" where that makes no difference.
    size : int or None
        Image size in px it holds for, where a run has several.
    about : str
        Said only where a question has this word; "" for what answers any question about the recipe.
    """

    words: str
    figures: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    phase: str = ""
    precision: str = ""
    size: int | None = None
    about: str = ""


_KINDS: dict[str, Any] = {
    "words": str,
    "figures": dict,
    "values": dict,
    "phase": str,
    "precision": str,
    "size": int | None,
    "about": str,
}


def figures_of(findings: Iterable[Finding]) -> dict[str, Any]:
    """The figures of all findings, in their order."""
    return {label: value for one in findings for label, value in one.figures.items()}


def findings_from(stored: object) -> tuple[Finding, ...]:
    """The findings of a stored list; whatever is none is left out."""
    return tuple(Finding(**item) for item in _listed(stored) if _is_finding(item))


def one_line(text: object, most: int = 60) -> str:
    """Text that others wrote as one printable line of at most so many characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)[: 10 * most]).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def plain_name(metric: str) -> str:
    """A metric's name as people read it.

    Examples
    --------
    >>> plain_name("_rmse"), plain_name("error_rate")
    ('rmse', 'error rate')
    """
    return one_line(metric.replace("_", " "))


def _listed(stored: object) -> list[Any]:
    return stored if isinstance(stored, list) else []


def _is_finding(item: object) -> bool:
    if not isinstance(item, dict) or "words" not in item or not item.keys() <= _KINDS.keys():
        return False
    typed = all(isinstance(value, _KINDS[name]) for name, value in item.items())
    return typed and all(_is_figure(value) for value in item.get("figures", {}).values())


def _is_figure(value: object) -> bool:
    if isinstance(value, list):
        return all(_is_number(one) for one in value)
    return value is None or isinstance(value, str) or _is_number(value)


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:  # JSON's integers have no end
        return False
