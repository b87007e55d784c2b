"""What a run tells of training, as HTML made from its events: losses, scores, layers, tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.pages.runs.chart import Chart, Line
from app.pages.runs.numbers import amount, number
from app.pages.runs.table import row_html, table_html

__all__ = ["training_charts", "training_tables"]

Event = Mapping[str, Any]
_WORDS = {
    "samples_per_s": "samples per second",
    "valid_loss": "validation loss",
    "train_loss": "training loss",
    "peak_bytes": "peak memory of a step",
}
_HIDDEN = {"event", "t", "table"}


def training_charts(events: Sequence[Event]) -> list[Chart]:
    """Losses and scores of the epochs, batch losses until the first has ended; or layers."""
    epochs = [event for event in events if event.get("event") == "epoch"]
    if epochs:
        return _epoch_charts(epochs, _repeats(events))
    batches = [event for event in events if event.get("event") == "batch"]
    if batches:
        lines = tuple(
            Line(way or "loss of a batch", _points(_of(batches, way)))
            for way in dict.fromkeys(map(_way, batches))
        )
        return [Chart(lines, "batch", "loss", title="training")]
    layers = [event for event in events if event.get("event") == "layer"]
    return _layer_charts(layers) if layers else []


def _points(batches: Sequence[Event]) -> tuple[tuple[float, float], ...]:
    return tuple((float(e["step"]), _value(e.get("loss"))) for e in batches)


def training_tables(events: Sequence[Event]) -> str:
    """The rows that a run compares as tables, one for each name, and the epochs."""
    names = dict.fromkeys(str(e.get("table", "")) for e in events if e.get("event") == "row")
    tables = [
        _table(name, [e for e in events if e.get("event") == "row" and e.get("table") == name])
        for name in names
    ]
    epochs = [event for event in events if event.get("event") == "epoch"]
    if epochs:
        rows = [
            {
                "stage": e.get("stage"),
                "epoch": number,
                "train_loss": e.get("train_loss"),
                "valid_loss": e.get("valid_loss"),
                **(e.get("metrics") or {}),
                "seconds": e.get("seconds"),
            }
            for e, number in zip(epochs, _numbers(epochs, _repeats(events)), strict=True)
        ]
        tables.append(_table("epochs", rows))
    return "".join(tables)


def _epoch_charts(epochs: Sequence[Event], repeats: int) -> list[Chart]:
    """A line for each training compared, over its repeats; else training beside validation."""
    ways = list(dict.fromkeys(_way(epoch) for epoch in epochs))
    compared = len(ways) > 1
    if compared:
        losses = [Line(way, _mean(_of(epochs, way), "valid_loss", repeats), True) for way in ways]
    else:
        losses = [
            Line("training", _line(epochs, "train_loss"), True),
            Line("validation", _line(epochs, "valid_loss"), True),
        ]
    score = next(iter(epochs[0].get("metrics") or {}), "")
    drawn = [Chart(tuple(losses), "epoch", "validation loss" if compared else "loss")]
    if score:
        scores = (
            [Line(way, _mean(_of(epochs, way), score, repeats), True) for way in ways]
            if compared
            else [Line(score, _line(epochs, score), True)]
        )
        drawn.append(Chart(tuple(scores), "epoch", score))
    return drawn


def _repeats(events: Sequence[Event]) -> int:
    """How often each way is trained."""
    asked = next((e.get("params") or {} for e in events if e.get("event") == "started"), {})
    repeats = asked.get("repeats")
    return repeats if isinstance(repeats, int) and repeats > 0 else 1


def _way(event: Event) -> str:
    return str(event.get("way") or "")


def _of(events: Sequence[Event], way: str) -> list[Event]:
    return [event for event in events if _way(event) == way]


def _numbers(epochs: Sequence[Event], repeats: int) -> list[object]:
    """The number of each epoch within its training; a run counts over all."""
    ways = [_way(epoch) for epoch in epochs]
    if len({*ways}) == 1:
        return [epoch.get("epoch") for epoch in epochs]
    lengths = {way: _length(_of(epochs, way), repeats) for way in {*ways}}
    seen, numbers = dict.fromkeys(lengths, 0), list[object]()
    for way in ways:
        numbers.append(seen[way] % lengths[way] + 1)
        seen[way] += 1
    return numbers


def _length(epochs: Sequence[Event], repeats: int) -> int:
    """Epochs of one training; all there are while its repeats go on."""
    return len(epochs) // repeats if len(epochs) % repeats == 0 else len(epochs)


def _line(epochs: Sequence[Event], name: str) -> tuple[tuple[float, float], ...]:
    return tuple(
        (float(epoch.get("epoch") or place), _read(epoch, name))
        for place, epoch in enumerate(epochs, start=1)
    )


def _mean(epochs: Sequence[Event], name: str, repeats: int) -> tuple[tuple[float, float], ...]:
    """The mean over trainings of the same way, told in turn; its epochs count from 1."""
    length = _length(epochs, repeats)
    columns = [[_read(epoch, name) for epoch in epochs[place::length]] for place in range(length)]
    return tuple(
        (float(place), sum(column) / len(column)) for place, column in enumerate(columns, start=1)
    )


def _read(epoch: Event, name: str) -> float:
    return _value(epoch.get(name) if name in epoch else (epoch.get("metrics") or {}).get(name))


def _layer_charts(layers: Sequence[Event]) -> list[Chart]:
    """Deviation and mean of the activations, layer by layer, a line for each way to start."""
    ways = list(dict.fromkeys(_way(layer) for layer in layers))
    return [
        Chart(
            tuple(Line(way, _by_layer(_of(layers, way), name)) for way in ways),
            "layer",
            f"{name} of the activations",
        )
        for name in ("deviation", "mean")
    ]


def _by_layer(layers: Sequence[Event], name: str) -> tuple[tuple[float, float], ...]:
    return tuple((float(i), _value(layer.get(name))) for i, layer in enumerate(layers, start=1))


def _value(value: object) -> float:
    """A number, NaN where there is none: it leaves a gap."""
    return float(value) if isinstance(value, int | float) else float("nan")


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    heads = [key for key in dict.fromkeys(key for row in rows for key in row) if key not in _HIDDEN]
    body = [row_html(_cell(key, row.get(key)) for key in heads) for row in rows]
    return table_html(name.capitalize(), map(_head, heads), body)


def _head(key: str) -> str:
    words = _WORDS.get(key, key.removesuffix("_bytes").replace("_", " "))
    return words[:1].upper() + words[1:]


def _cell(key: str, value: object) -> str:
    return amount(value) if key.endswith("_bytes") else number(value)
