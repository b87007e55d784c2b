"""What the Runs page shows of one run, as HTML made from its events: state, chart, trials, result, pictures, log."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.ui_plot import Line, Mark, chart

__all__ = ["amount", "charts", "files_html", "log_html", "number", "result_html", "state_html", "trials_html"]

Event = Mapping[str, Any]
LOG_LINES = 400
PICTURE_BYTES, FILE_BYTES = 4_000_000, 1_000_000
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
        for label, shown in _recommended(values)
    )
    return f'<div class="g-result"><div class="g-founds">{found}</div>{message}{_notes(values)}</div>'


def charts(events: Sequence[Event]) -> str:
    """The chart that fits the events: loss against learning rate, or memory and speed against batch size."""
    points = [event for event in events if event.get("event") == "point"]
    if points:
        return _curves(points, _last(events, "result"))
    trials = [event for event in events if event.get("event") == "trial" and event.get("ok")]
    return _trial_charts(trials) if trials else ""


def trials_html(events: Sequence[Event]) -> str:
    """Every trial of a run as a table, in the order they were made."""
    trials = [event for event in events if event.get("event") == "trial"]
    if not trials:
        return ""
    sized = any(trial.get("size") for trial in trials)
    heads = ["Batch", *(["Size, px"] if sized else []), "Peak memory", "Samples per second", "Outcome"]
    rows = []
    for trial in trials:
        ok = bool(trial.get("ok"))
        size = [str(trial.get("size") or "")] if sized else []
        speed = number(trial.get("samples_per_s")) if ok else ""
        outcome = "fits" if ok else str(trial.get("reason") or "does not fit")
        cells = [str(trial.get("batch", "")), *size, amount(trial.get("peak_bytes")), speed, outcome]
        row = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        rows.append(f'<tr class="{"" if ok else "g-bad"}">{row}</tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        '<div class="g-scroll" tabindex="0"><table class="g-table"><caption>Trials</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def files_html(event: Event, folder: Path) -> str:
    """The run's pictures, inline, and its other files as downloads; only files within the run's own folder."""
    parts = []
    for name in event.get("artifacts") or ():
        path = Path(str(name))
        if path.resolve().parent != folder.resolve() or not path.is_file():
            continue
        size, kind = path.stat().st_size, path.suffix.lower()
        words = html.escape(path.name)
        if kind == ".png" and size <= PICTURE_BYTES:
            data = base64.b64encode(path.read_bytes()).decode()
            parts.append(
                f'<figure><img alt="{words}" src="data:image/png;base64,{data}">'
                f"<figcaption>{words}</figcaption></figure>"
            )
        elif kind in (".csv", ".json", ".txt") and size <= FILE_BYTES:
            data = base64.b64encode(path.read_bytes()).decode()
            parts.append(f'<a class="g-file" download="{words}" href="data:text/plain;base64,{data}">{words}</a>')
    return f'<div class="g-files">{"".join(parts)}</div>' if parts else ""


def log_html(events: Sequence[Event]) -> str:
    """What the run said, the newest line last."""
    said = [_said(event) for event in events]
    lines = [html.escape(line) for line in said if line][-LOG_LINES:]
    return f'<pre class="g-log">{chr(10).join(lines)}</pre>' if lines else ""


def number(value: object) -> str:
    """A number for people: three significant digits, no needless zeros."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    if isinstance(value, int) or (abs(value) >= 1000 and value == value):
        return f"{value:,.0f}"
    return f"{value:.2e}".replace("e-0", "e-").replace("e+0", "e+") if 0 < abs(value) < 0.01 else f"{value:.3g}"


def amount(n_bytes: object) -> str:
    """Bytes for people, in the unit that fits."""
    if not isinstance(n_bytes, int | float) or isinstance(n_bytes, bool):
        return ""
    value = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"
        value /= 1000
    return ""


def _last(events: Sequence[Event], kind: str) -> Event | None:
    return next((event for event in reversed(events) if event.get("event") == kind), None)


def _bar(progress: Event | None) -> str:
    if not progress or not progress.get("total"):
        return '<progress class="g-bar" aria-label="Progress"></progress>'
    done, total = float(progress.get("done") or 0), float(progress["total"])
    what = html.escape(str(progress.get("what", "")))
    return (
        f'<progress class="g-bar" aria-label="Progress" value="{min(done, total):g}" max="{total:g}"></progress>'
        f'<p class="g-quiet">{what} {done:g} of {total:g}</p>'
    )


def _recommended(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The values worth showing in large: every `recommended`, wherever it stands, labelled by what it belongs to."""
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        if name == "recommended":
            found.append(("Recommended", _shown(value)))
        elif isinstance(value, Mapping):
            found += [
                (f"{name}" if label == "Recommended" else f"{name}, {label}", shown)
                for label, shown in _recommended(value)
            ]
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for item in value:
                head = next((f"{key} {item[key]}" for key in ("size", "phase") if item.get(key)), "")
                found += [(head or label, shown) for label, shown in _recommended(item)]
    return found


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        inside = [f"{number(v)}" for v in value.values()]
        return (
            f"slice({', '.join(inside)})" if set(value) <= {"start", "stop", "low", "high"} else json.dumps(dict(value))
        )
    if isinstance(value, list | tuple):
        return (
            f"slice({', '.join(number(v) for v in value)})" if len(value) == 2 else ", ".join(number(v) for v in value)
        )
    return number(value)


def _notes(values: Mapping[str, Any]) -> str:
    notes = values.get("notes") or values.get("note") or []
    notes = [notes] if isinstance(notes, str) else notes
    return "".join(f'<p class="g-quiet">{html.escape(str(note))}</p>' for note in notes)


def _curves(points: Sequence[Event], result: Event | None) -> str:
    phases = list(dict.fromkeys(str(point.get("phase", "")) for point in points))
    lines = [
        Line(
            phase or "loss",
            tuple((float(p["lr"]), float(p["loss"])) for p in points if str(p.get("phase", "")) == phase),
        )
        for phase in phases
    ]
    begun = max((line.points[0][1] for line in lines if line.points), default=1.0)
    low = min(y for line in lines for _, y in line.points if y == y)
    marks = _suggested((result or {}).get("values") or {}) if len(phases) == 1 else []
    # the curve explodes at its end; what matters stands below one and a half times the drop
    most = begun + 0.5 * (begun - low) if begun > low else None
    return chart(lines, x_label="learning rate", y_label="loss", log_x=True, marks=marks, y_most=most)


def _suggested(values: Mapping[str, Any]) -> list[Mark]:
    """Marks for the finder's suggestions, wherever they stand in the values."""
    found = values.get("suggestions")
    if isinstance(found, Mapping):
        flat = {name: rate for name, rate in found.items() if isinstance(rate, int | float)}
        return [Mark(name, float(rate)) for name, rate in flat.items() if rate > 0]
    for value in values.values():
        marks = _suggested(value) if isinstance(value, Mapping) else []
        if marks:
            return marks
    return []


def _trial_charts(trials: Sequence[Event]) -> str:
    sizes = sorted({trial.get("size") or 0 for trial in trials})
    memory, speed = [], []
    for size in sizes:
        own = sorted((t for t in trials if (t.get("size") or 0) == size), key=lambda trial: int(trial["batch"]))
        name = f"{size} px" if size else "trials"
        memory.append(
            Line(name, tuple((float(t["batch"]), float(t.get("peak_bytes") or "nan") / 1e6) for t in own), True)
        )
        speed.append(Line(name, tuple((float(t["batch"]), float(t.get("samples_per_s") or "nan")) for t in own), True))
    drawn = [
        chart(memory, x_label="batch size", y_label="peak memory, MB", log_x=True, x_base=2),
        chart(speed, x_label="batch size", y_label="samples per second", log_x=True, x_base=2),
    ]
    return f'<div class="g-charts">{"".join(drawn)}</div>'


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
    if kind == "metric":
        return f"{seconds}{event.get('name', 'metric')} {number(event.get('value'))}"
    if kind == "result":
        return f"{' ' * len(seconds)}{event.get('status')}: {event.get('message', '')}"
    return ""
