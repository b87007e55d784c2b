"""Lays runs side by side: what was asked differently, what was found, measured, and on what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from executors.runs.flat import flat, series
from executors.runs.folder import ENVIRONMENT, EVENTS, read_json
from executors.runs.history import RunRecord
from executors.runs.tail import Tail

__all__ = ["Comparison", "Row", "compare"]

RowKind = Literal["run", "parameter", "value", "metric", "environment"]


@dataclass(frozen=True, slots=True)
class Row:
    """One property of several runs; None where a run does not have it."""

    kind: RowKind
    name: str
    values: tuple[Any, ...]  # one for each run

    @property
    def same(self) -> bool:
        """Whether all runs agree."""
        return all(value == self.values[0] for value in self.values)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side; rows come by kind, each kind in the order in which the runs name them."""

    ids: tuple[str, ...]
    rows: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """As the command line prints it."""
        rows = [
            {"kind": r.kind, "name": r.name, "values": list(r.values), "same": r.same}
            for r in self.rows
        ]
        return {"runs": list(self.ids), "rows": rows}


def compare(records: Sequence[RunRecord]) -> Comparison:
    """Lay the runs side by side, in the order given.

    Of parameters and environments only what differs is given; of what was values and measured,
    everything. A metric that a run gave several times counts with its last value.
    """
    heads = ("recipe", "task", "status", "device", "started", "seconds")
    rows = [Row("run", name, tuple(getattr(record, name) for record in records)) for name in heads]
    asked = [flat(record.params) for record in records]
    values = [flat(record.result.values) if record.result else {} for record in records]
    measured = [_metrics(record) for record in records]
    on = [
        {key: v for key, v in (read_json(r.folder / ENVIRONMENT) or {}).items() if key != "device"}
        for r in records
    ]
    rows += [row for row in _rows("parameter", asked) if not row.same]
    rows += _rows("value", values) + _rows("metric", measured)
    rows += [row for row in _rows("environment", on) if not row.same]
    return Comparison(tuple(record.id for record in records), tuple(rows))


def _rows(kind: RowKind, columns: Sequence[dict[str, Any]]) -> list[Row]:
    names = dict.fromkeys(name for column in columns for name in column)
    return [Row(kind, name, tuple(column.get(name) for column in columns)) for name in names]


def _metrics(record: RunRecord) -> dict[str, float]:
    events = (event for event in Tail(record.folder / EVENTS).read() if event["event"] == "metric")
    return {name: points[-1][1] for name, points in series(events).items()}
