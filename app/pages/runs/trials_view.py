"""What a search for a batch size came to, as HTML made from its events: charts, plan, trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.pages.runs.chart import Chart, Line
from app.pages.runs.numbers import amount, number
from app.pages.runs.table import row_html, table_html

__all__ = ["plan_html", "trial_charts", "trials_html"]

Event = Mapping[str, Any]
PURPOSES = {"search": "find the limit", "verify": "verify it fits", "rate": "time it"}


def trials_html(events: Sequence[Event]) -> str:
    """Every trial of a run as a table, in the order they were made."""
    trials = [event for event in events if event.get("event") == "trial"]
    if not trials:
        return ""
    heads = [
        "Batch",
        *_case_heads(trials),
        "Tried to",
        "Peak memory",
        "Samples per second",
        "Outcome",
    ]
    rows = []
    for trial in trials:
        ok = bool(trial.get("ok"))
        speed = number(trial.get("samples_per_s")) if ok and trial.get("samples_per_s") else ""
        outcome = "fits" if ok else str(trial.get("reason") or "does not fit")
        purpose = PURPOSES.get(str(trial.get("purpose", "")), "")
        cells = [
            str(trial.get("batch", "")),
            *_case_cells(trial, trials),
            purpose,
            amount(trial.get("peak_bytes")),
        ]
        rows.append(row_html([*cells, speed, outcome], css="" if ok else "g-bad"))
    return table_html("Trials", heads, rows)


def plan_html(result: Event) -> str:
    """The batches of each size, precision and phase as a table, where there are several."""
    plan = (result.get("values") or {}).get("plan")
    if not isinstance(plan, list) or len(plan) < 2:
        return ""
    by_rule = any(item.get("rule_of_thumb") for item in plan)
    heads = [
        *_case_heads(plan),
        "Recommended",
        "Largest",
        "Peak memory",
        "Samples per second",
        "Bound by",
    ]
    rows = []
    for item in plan:
        bound = {"memory": "memory", "data": "the training set", "max_batch": "the largest to try"}
        cells = [
            *_case_cells(item, plan),
            number(item.get("recommended")),
            number(item.get("largest")),
            amount(item.get("peak_bytes")),
            number(item.get("samples_per_s")),
            bound.get(str(item.get("bound")), str(item.get("bound") or "")),
            *([number(item.get("rule_of_thumb"))] if by_rule else []),
        ]
        rows.append(row_html(cells))
    return table_html("Plan", [*heads, *(["Rule of thumb"] if by_rule else [])], rows)


def trial_charts(trials: Sequence[Event]) -> list[Chart]:
    """Memory and speed against batch size, a line for each size, precision and phase.

    Where a batch was tried again, the most memory and the timed speed count.
    """
    timed = [trial for trial in trials if trial.get("purpose") == "rate"] or list(trials)
    cases = list(dict.fromkeys(_case(trial, trials) for trial in trials))
    drawn = []
    for label, name, unit, chosen in (
        ("peak memory, MB", "peak_bytes", 1e6, trials),
        ("samples per second", "samples_per_s", 1.0, timed),
    ):
        lines = tuple(
            Line(case or "trials", _best(chosen, trials, case, name, unit), True) for case in cases
        )
        drawn.append(Chart(lines, "batch size", label, base=2))
    return drawn


def _case_heads(rows: Sequence[Event]) -> list[str]:
    """The columns that tell one case from another."""
    heads = {"size": "Size, px", "precision": "Precision", "phase": "Phase"}
    return [heads[name] for name in _case_names(rows)]


def _case_names(rows: Sequence[Event]) -> list[str]:
    names = ["size"] if any(row.get("size") for row in rows) else []
    return names + [
        name for name in ("precision", "phase") if len({_of(row, name) for row in rows}) > 1
    ]


def _case_cells(row: Event, rows: Sequence[Event]) -> list[str]:
    return [_of(row, name) for name in _case_names(rows)]


def _case(row: Event, rows: Sequence[Event]) -> str:
    """A case in a few words, such as "64 px float16"."""
    units = {"size": " px"}
    return " ".join(_of(row, name) + units.get(name, "") for name in _case_names(rows))


def _of(row: Event, name: str) -> str:
    if name == "phase" and "frozen" in row:
        return "frozen" if row["frozen"] else "unfrozen"
    return str(row.get(name) or "")


def _best(
    chosen: Sequence[Event], trials: Sequence[Event], case: str, name: str, unit: float
) -> tuple[tuple[float, float], ...]:
    most: dict[float, float] = {}
    for trial in chosen:
        value = trial.get(name)
        if _case(trial, trials) == case and isinstance(value, int | float) and value > 0:
            batch = float(trial["batch"])
            most[batch] = max(most.get(batch, 0.0), value / unit)
    return tuple(sorted(most.items()))
