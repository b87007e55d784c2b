"""What the Runs page shows of a run as it goes, as HTML: state, charts, tables, log."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.pages.runs.chart import NARROW_PX, WIDE_PX, Line, Mark, chart
from app.pages.runs.numbers import duration, number, rates
from app.pages.runs.result_view import doubts_html
from app.pages.runs.training_view import training_charts, training_tables
from app.pages.runs.trials_view import plan_html, trial_charts, trials_html

__all__ = ["STATUS_WORDS", "charts", "log_html", "race_html", "state_html", "tables_html"]

Event = Mapping[str, Any]
LOG_LINES = 400
GOES_ON = '<p class="g-quiet">It goes on when you close the page; the list of earlier runs then leads back to it.</p>'
STATUS_WORDS = {
    "ok": "Done",
    "failed": "Failed",
    "timeout": "Ended at its time limit",
    "out_of_memory": "Out of memory",
    "cancelled": "Stopped",
    "queued": "Waiting",
}


def state_html(title: str, events: Sequence[Event], since_s: float = 0.0) -> str:
    """The head of a run: what runs, where and why, how far it is, and its status at the end.

    `since_s` are the seconds that went by after the last event.
    """
    result = _last(events, "result")
    device, progress = _last(events, "device"), _last(events, "progress")
    status = str(result.get("status")) if result else "running"
    last_s = since_s + max((float(e.get("t") or 0) for e in events), default=0.0)
    facts = [duration(float((result or {}).get("seconds") or 0.0) if result else last_s)]
    name = (result or {}).get("device") or (device or {}).get("device")
    if name:
        facts.insert(0, f"on {name}")
    why = (
        f'<p class="g-quiet">{html.escape(str((device or {}).get("why", "")))}</p>'
        if device
        else ""
    )
    word = STATUS_WORDS.get(status, status.capitalize()) if result else "Running"
    bar = "" if result else _bar(progress) + GOES_ON
    waits = None if result else _waits(events)
    if waits is not None:
        word, status, why, bar = "Waiting", "queued", f'<p class="g-quiet">{waits}</p>', GOES_ON
    return (
        f'<div class="g-state g-is-{html.escape(status)}" role="status">'
        f'<p><span class="g-badge">{html.escape(word)}</span> '
        f"<strong>{html.escape(title)}</strong> "
        f'<span class="g-quiet">{html.escape(", ".join(facts))}</span></p>{why}{bar}</div>'
    )


def charts(events: Sequence[Event]) -> str:
    """The charts that fit the events: of epochs, of learning rates, or of batch sizes."""
    trained = training_charts(events)
    if trained:
        return trained
    points = [event for event in events if event.get("event") == "point"]
    if points:
        begun = (_last(events, "started") or {}).get("params") or {}
        drawn = _curves(
            points, _last(events, "result"), (begun.get("start_lr"), begun.get("end_lr"))
        )
        return drawn + race_html(events)
    trials = [event for event in events if event.get("event") == "trial" and event.get("ok")]
    return trial_charts(trials) if trials else ""


def tables_html(events: Sequence[Event]) -> str:
    """What a run tried and compared, as tables."""
    result = _last(events, "result") or {}
    return doubts_html(result) + plan_html(result) + training_tables(events) + trials_html(events)


def race_html(events: Sequence[Event]) -> str:
    """The short trainings of the learning-rate finder as a table, in the order they were made."""
    trials = [event for event in events if event.get("event") == "race"]
    if not trials:
        return ""
    least = min((t["loss"] for t in trials if isinstance(t.get("loss"), int | float)), default=None)
    rows = []
    for trial in trials:
        loss = trial.get("loss")
        outcome = {"nan": "no number any more", "exploded": "diverges"}.get(
            str(trial.get("ended")), number(loss)
        )
        cells = [
            str(trial.get("phase", "")),
            rates(trial.get("rate")),
            str(trial.get("batches", "")),
            outcome,
        ]
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


def _curves(points: Sequence[Event], result: Event | None, swept: tuple[object, object]) -> str:
    """One chart for each phase of the finder, with its suggestions marked once there are any."""
    low, high = swept
    wide = (
        (float(low), float(high))
        if isinstance(low, int | float) and isinstance(high, int | float)
        else None
    )
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
        curves.setdefault(point.get("order") or 0, []).append(
            (float(point["lr"]), float(point["loss"]))
        )
    return [tuple(curve) for curve in curves.values()]


def _band(
    orders: Sequence[Sequence[tuple[float, float]]],
) -> tuple[tuple[float, float, float], ...]:
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
    """The finder's suggestions, and in strong what is recommended: a rate or a slice's ends."""
    recommended = phase.get("recommended")
    if isinstance(recommended, list | tuple):
        marks = [
            Mark(word, float(lr), True)
            for word, lr in zip(("from", "to"), recommended, strict=False)
        ]
    else:
        marks = [Mark("recommended", float(recommended), True)] if recommended else []
    named = phase.get("suggestions") or {}
    return marks + [
        Mark(name, float(lr))
        for name, lr in named.items()
        if isinstance(lr, int | float) and lr > 0
    ]


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
        return f"{seconds}{event.get('phase', '')}, learning rate {rates(event.get('rate'))}: {outcome}"
    if kind == "metric":
        return f"{seconds}{event.get('name', 'metric')} {number(event.get('value'))}"
    if kind == "result":
        return f"{' ' * len(seconds)}{event.get('status')}: {event.get('message', '')}"
    return ""
