"""What the Runs page shows of one run, as HTML made from its events: state, chart, trials, result, pictures, log."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.pages.numbers import amount, number
from app.pages.plot import WIDE_PX, Line, Mark, chart
from app.pages.training_view import training_charts, training_tables

__all__ = [
    "charts",
    "files_html",
    "log_html",
    "race_html",
    "result_html",
    "state_html",
    "tables_html",
    "trials_html",
]

Event = Mapping[str, Any]
LOG_LINES = 400
NARROW_PX = 440  # a chart's width beside another
PICTURE_BYTES, FILE_BYTES = 4_000_000, 1_000_000
PURPOSES = {"search": "find the limit", "verify": "verify it fits", "rate": "time it"}
STATUS_WORDS = {
    "ok": "Done",
    "failed": "Failed",
    "timeout": "Ended at its time limit",
    "out_of_memory": "Out of memory",
    "cancelled": "Stopped",
}


def state_html(title: str, events: Sequence[Event]) -> str:
    """The head of a run: what runs, on which device and why, and how far it is; its status once it has ended."""
    result = _last(events, "result")
    device, progress = _last(events, "device"), _last(events, "progress")
    status = str(result.get("status")) if result else "running"
    seconds = float((result or {}).get("seconds") or max((float(e.get("t") or 0) for e in events), default=0.0))
    facts = [f"{seconds:.0f} s"]
    name = (result or {}).get("device") or (device or {}).get("device")
    if name:
        facts.insert(0, f"on {name}")
    why = f'<p class="g-quiet">{html.escape(str((device or {}).get("why", "")))}</p>' if device else ""
    word = STATUS_WORDS.get(status, status) if result else "Running"
    bar = "" if result else _bar(progress)
    waits = None if result else _waits(events)
    if waits is not None:
        word, status, why, bar = "Waiting", "queued", f'<p class="g-quiet">{waits}</p>', ""
    return (
        f'<div class="g-state g-is-{html.escape(status)}" role="status">'
        f'<p><span class="g-badge">{html.escape(word)}</span> '
        f"<strong>{html.escape(title)}</strong> "
        f'<span class="g-quiet">{html.escape(", ".join(facts))}</span></p>{why}{bar}</div>'
    )


def result_html(event: Event) -> str:
    """The finding in large with its reason; what went wrong in a line where there is none."""
    message = f'<p class="g-reason">{html.escape(str(event.get("message", "")))}</p>' if event.get("message") else ""
    if event.get("status") != "ok":
        return f'<div class="g-result g-bad">{message or "<p>The run gave no reason.</p>"}</div>'
    values = event.get("values") or {}
    found = "".join(
        f'<div class="g-found"><span class="g-label">{html.escape(label)}</span>'
        f'<span class="g-value">{html.escape(shown)}</span></div>'
        for label, shown in _found(values)
    )
    return f'<div class="g-result"><div class="g-founds">{found}</div>{message}{_notes(values)}</div>'


def charts(events: Sequence[Event]) -> str:
    """The charts that fit the events: epochs, loss against learning rate, memory and speed against batch size."""
    trained = training_charts(events)
    if trained:
        return trained
    points = [event for event in events if event.get("event") == "point"]
    if points:
        begun = (_last(events, "started") or {}).get("params") or {}
        drawn = _curves(points, _last(events, "result"), (begun.get("start_lr"), begun.get("end_lr")))
        return drawn + race_html(events)
    trials = [event for event in events if event.get("event") == "trial" and event.get("ok")]
    return _trial_charts(trials) if trials else ""


def tables_html(events: Sequence[Event]) -> str:
    """What a run tried and compared, as tables."""
    return training_tables(events) + trials_html(events)


def trials_html(events: Sequence[Event]) -> str:
    """Every trial of a run as a table, in the order they were made."""
    trials = [event for event in events if event.get("event") == "trial"]
    if not trials:
        return ""
    sized = any(trial.get("size") for trial in trials)
    heads = ["Batch", *(["Size, px"] if sized else []), "Tried to", "Peak memory", "Samples per second", "Outcome"]
    rows = []
    for trial in trials:
        ok = bool(trial.get("ok"))
        size = [str(trial.get("size") or "")] if sized else []
        speed = number(trial.get("samples_per_s")) if ok else ""
        outcome = "fits" if ok else str(trial.get("reason") or "does not fit")
        purpose = PURPOSES.get(str(trial.get("purpose", "")), "")
        cells = [str(trial.get("batch", "")), *size, purpose, amount(trial.get("peak_bytes")), speed, outcome]
        row = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        rows.append(f'<tr class="{"" if ok else "g-bad"}">{row}</tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        '<div class="g-scroll" tabindex="0"><table class="g-table"><caption>Trials</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def race_html(events: Sequence[Event]) -> str:
    """The short trainings of the learning-rate finder as a table, in the order they were made."""
    trials = [event for event in events if event.get("event") == "race"]
    if not trials:
        return ""
    least = min((t["loss"] for t in trials if isinstance(t.get("loss"), int | float)), default=None)
    rows = []
    for trial in trials:
        loss = trial.get("loss")
        outcome = {"nan": "no number any more", "exploded": "diverges"}.get(str(trial.get("ended")), number(loss))
        cells = [str(trial.get("phase", "")), _shown(trial.get("rate")), str(trial.get("batches", "")), outcome]
        row = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        if loss is not None and loss == least:
            row = row.replace("<td>", "<td><strong>").replace("</td>", "</strong></td>")
        rows.append(f'<tr class="{"" if loss is not None else "g-bad"}">{row}</tr>')
    heads = ("Phase", "Learning rate", "Batches", "Validation loss")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        '<div class="g-scroll" tabindex="0"><table class="g-table"><caption>Short trainings</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def files_html(events: Sequence[Event], folder: Path) -> str:
    """The run's pictures, inline, and its other files as downloads; only files within the run's own folder."""
    titles = {str(e.get("path")): str(e.get("title", "")) for e in events if e.get("event") == "artifact"}
    result = _last(events, "result") or {}
    parts = []
    for name in result.get("artifacts") or ():
        path = Path(str(name))
        if path.resolve().parent == folder.resolve() and path.is_file():
            parts.append(_file(path, titles.get(str(name), "")))
    shown = [part for part in parts if part]
    if not shown:
        return ""
    count = f"{len(shown)} file" if len(shown) == 1 else f"{len(shown)} files"
    return f'<details class="g-files"><summary>Pictures and tables, {count}</summary>{"".join(shown)}</details>'


def _file(path: Path, title: str) -> str:
    """One file as part of the page, so that nothing beside the page itself needs serving."""
    size, kind, name = path.stat().st_size, path.suffix.lower(), html.escape(path.name)
    words = html.escape(title or path.name)
    if kind == ".png" and size <= PICTURE_BYTES:
        data = base64.b64encode(path.read_bytes()).decode()
        return (
            f'<figure><img alt="{words}" src="data:image/png;base64,{data}"><figcaption>{words}</figcaption></figure>'
        )
    if kind in (".csv", ".json", ".txt") and size <= FILE_BYTES:
        data = base64.b64encode(path.read_bytes()).decode()
        link = f'<a class="g-file" download="{name}" href="data:text/plain;base64,{data}">{name}</a>'
        return f'<p>{link} <span class="g-quiet">{words}</span></p>'
    return ""


def log_html(events: Sequence[Event]) -> str:
    """What the run said, the newest line last."""
    said = [_said(event) for event in events]
    lines = [html.escape(line) for line in said if line][-LOG_LINES:]
    return f'<pre class="g-log">{chr(10).join(lines)}</pre>' if lines else ""


def _last(events: Sequence[Event], kind: str) -> Event | None:
    return next((event for event in reversed(events) if event.get("event") == kind), None)


def _waits(events: Sequence[Event]) -> str | None:
    """What a run that stands in line waits for; None once it has begun."""
    line = [event for event in events if event.get("event") in ("queued", "begins", "started")]
    if not line or line[-1].get("event") != "queued":
        return None
    ahead = int(line[-1].get("ahead") or 1)
    others = "one other run" if ahead == 1 else f"{ahead} other runs"
    return f"The device is taken: {others} ahead. It starts by itself; Stop leaves the line."


def _bar(progress: Event | None) -> str:
    if not progress or not progress.get("total"):
        return '<progress class="g-bar" aria-label="Progress"></progress>'
    done, total = float(progress.get("done") or 0), float(progress["total"])
    what = html.escape(str(progress.get("what", "")))
    return (
        f'<progress class="g-bar" aria-label="Progress" value="{min(done, total):g}" max="{total:g}"></progress>'
        f'<p class="g-quiet">{what} {done:g} of {total:g}</p>'
    )


def _found(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is worth showing in large, with its label: what the recipe says is, a plan's batches, or rates."""
    said = values.get("findings")
    if isinstance(said, Mapping):
        return [(str(label), _shown(value)) for label, value in said.items()]
    plan = values.get("plan")
    if isinstance(plan, list) and plan:
        found = []
        for item in plan:
            at = f" at {item['size']} px" if item.get("size") else ""
            found.append((f"Recommended batch{at}", _shown(item.get("recommended"))))
            found.append((f"Largest that fits{at}", _shown(item.get("largest"))))
        return found
    phases = values.get("phases")
    if isinstance(phases, Mapping) and phases:
        return [(f"Learning rate, {name}", _shown(item.get("recommended"))) for name, item in phases.items()]
    return [("Recommended", _shown(values["recommended"]))] if "recommended" in values else []


def _shown(value: object) -> str:
    """A value in large; a pair of rates as fastai takes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return f"slice({', '.join(number(v) for v in value)})"
    return number(value) if value is not None else "none found"


def _notes(values: Mapping[str, Any]) -> str:
    notes = values.get("notes") or values.get("note") or []
    notes = [notes] if isinstance(notes, str) else notes
    return "".join(f'<p class="g-quiet">{html.escape(str(note))}</p>' for note in notes)


def _curves(points: Sequence[Event], result: Event | None, swept: tuple[object, object]) -> str:
    """One chart for each phase of the finder, with its suggestions marked once there are any."""
    low, high = swept
    wide = (float(low), float(high)) if isinstance(low, int | float) and isinstance(high, int | float) else None
    found = ((result or {}).get("values") or {}).get("phases") or {}
    phases = list(dict.fromkeys(str(point.get("phase", "")) for point in points))
    drawn = []
    for phase in phases:
        orders = _orders([p for p in points if str(p.get("phase", "")) == phase])
        own = orders[0]
        drawn.append(
            chart(
                [Line(phase or "loss", own)],
                band=_band(orders),
                x_label="learning rate",
                y_label="loss",
                log_x=True,
                x_range=None if result else wide,
                marks=_marks(found.get(phase) or {}),
                y_most=_before_it_explodes(own),
                title=phase,
                width=WIDE_PX if len(phases) == 1 else NARROW_PX,
            )
        )
    return f'<div class="g-charts">{"".join(drawn)}</div>'


def _orders(points: Sequence[Event]) -> list[tuple[tuple[float, float], ...]]:
    """The curve of each sweep over one phase, the first one first."""
    curves: dict[object, list[tuple[float, float]]] = {}
    for point in points:
        curves.setdefault(point.get("order") or 0, []).append((float(point["lr"]), float(point["loss"])))
    return [tuple(curve) for curve in curves.values()]


def _band(orders: Sequence[Sequence[tuple[float, float]]]) -> tuple[tuple[float, float, float], ...]:
    """(rate, lowest, highest loss) over all sweeps, as far as a later one has come."""
    reached = max((len(curve) for curve in orders[1:]), default=0)
    columns = [[curve[at] for curve in orders if at < len(curve)] for at in range(reached)]
    return tuple((each[0][0], min(y for _, y in each), max(y for _, y in each)) for each in columns)


def _before_it_explodes(points: Sequence[tuple[float, float]]) -> float | None:
    """Where to cut the y axis: the curve shoots up at its end, and what matters stands below."""
    losses = [y for _, y in points if math.isfinite(y)]
    if not losses:
        return None
    begun, low = losses[0], min(losses)
    return begun + max(0.3 * begun, 0.5 * (begun - low))


def _marks(phase: Mapping[str, Any]) -> list[Mark]:
    """The finder's suggestions, and in strong what is recommended: a rate, or the two ends of a slice."""
    recommended = phase.get("recommended")
    if isinstance(recommended, list | tuple):
        marks = [Mark(word, float(lr), True) for word, lr in zip(("from", "to"), recommended, strict=False)]
    else:
        marks = [Mark("recommended", float(recommended), True)] if recommended else []
    named = phase.get("suggestions") or {}
    return marks + [Mark(name, float(lr)) for name, lr in named.items() if isinstance(lr, int | float) and lr > 0]


def _trial_charts(trials: Sequence[Event]) -> str:
    """Memory and speed against batch size; where a batch was tried again, the most memory and the timed speed count."""
    timed = [trial for trial in trials if trial.get("purpose") == "rate"] or list(trials)
    drawn = []
    for label, name, unit, chosen in (
        ("peak memory, MB", "peak_bytes", 1e6, trials),
        ("samples per second", "samples_per_s", 1.0, timed),
    ):
        lines = [
            Line(f"{size} px" if size else "trials", _best(chosen, size, name, unit), True) for size in _sizes(trials)
        ]
        drawn.append(chart(lines, x_label="batch size", y_label=label, log_x=True, x_base=2, width=NARROW_PX))
    return f'<div class="g-charts">{"".join(drawn)}</div>'


def _sizes(trials: Sequence[Event]) -> list[Any]:
    return sorted({trial.get("size") or 0 for trial in trials})


def _best(trials: Sequence[Event], size: object, name: str, unit: float) -> tuple[tuple[float, float], ...]:
    most: dict[float, float] = {}
    for trial in trials:
        value = trial.get(name)
        if (trial.get("size") or 0) == size and isinstance(value, int | float) and value > 0:
            batch = float(trial["batch"])
            most[batch] = max(most.get(batch, 0.0), value / unit)
    return tuple(sorted(most.items()))


def _said(event: Event) -> str:
    kind = event.get("event")
    seconds = f"{float(event.get('t') or 0):7.1f} s  "
    if kind == "log":
        return seconds + str(event.get("text") or event.get("message") or "")
    if kind == "device":
        return f"{seconds}device {event.get('device', '')}: {event.get('why', '')}"
    if kind == "trial":
        size = f" at {event['size']} px" if event.get("size") else ""
        outcome = "fits" if event.get("ok") else event.get("reason") or "does not fit"
        return f"{seconds}batch {event.get('batch')}{size}: {outcome}"
    if kind == "race":
        loss = event.get("loss")
        outcome = f"validation loss {number(loss)}" if loss is not None else "diverges"
        return f"{seconds}{event.get('phase', '')}, learning rate {_shown(event.get('rate'))}: {outcome}"
    if kind == "metric":
        return f"{seconds}{event.get('name', 'metric')} {number(event.get('value'))}"
    if kind == "result":
        return f"{' ' * len(seconds)}{event.get('status')}: {event.get('message', '')}"
    return ""
