"""What the Runs page shows of a run as it goes, as HTML: state, charts, tables, log."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.pages.runs.chart import Chart, Guide, Line
from app.pages.runs.numbers import duration, number, rates
from app.pages.runs.result_view import doubts_html
from app.pages.runs.table import row_html, table_html
from app.pages.runs.time_left import time_left
from app.pages.runs.training_view import training_charts, training_tables
from app.pages.runs.trials_view import plan_html, trial_charts, trials_html

__all__ = ["charts", "log_html", "race_html", "state_html", "status_word", "tables_html"]

Event = Mapping[str, Any]
LOG_LINES = 400
GOES_ON = (
    '<p class="g-quiet">It continues when you close the page; you find it again in the list of '
    "earlier runs.</p>"
)
_NO_LOSS = {"nan": "no longer a number", "exploded": "diverges"}
_STATUS_WORDS = {
    "ok": "Done",
    "failed": "Failed",
    "timeout": "Ended at its time limit",
    "out_of_memory": "Out of memory",
    "cancelled": "Stopped",
    "queued": "Waiting",
}


def state_html(
    title: str, events: Sequence[Event], elapsed_s: float = 0.0, since_s: float = 0.0
) -> str:
    """The head of a run: what runs, where and why, how far it is, and its status at the end.

    `elapsed_s` is for how long it has gone on, while there is no result that says so, `since_s`
    since its last event.
    """
    result, device = _last(events, "result"), _last(events, "device")
    name = result.get("device") or device.get("device")
    took = duration(float(result.get("seconds") or 0.0) if result else elapsed_s)
    status, line, bar = "running", str(device.get("why", "")), ""
    if result:
        status = str(result.get("status"))
    elif waits := _waits(events):
        status, line, bar = "queued", waits, GOES_ON
    else:
        bar = _bar(_last(events, "progress"), time_left(events, since_s)) + GOES_ON
    facts = html.escape(f"on {name}, {took}" if name else took)
    why = f'<p class="g-quiet">{html.escape(line)}</p>' if line else ""
    return (
        f'<div class="g-state g-is-{html.escape(status)}" role="status">'
        f'<p><span class="g-badge">{html.escape(status_word(status))}</span> '
        f"<strong>{html.escape(title)}</strong> "
        f'<span class="g-quiet">{facts}</span></p>{why}{bar}</div>'
    )


def status_word(status: str) -> str:
    """A run's status as the page names it."""
    return _STATUS_WORDS.get(status, status.capitalize())


def charts(events: Sequence[Event]) -> list[Chart]:
    """The charts that fit the events: of epochs, of learning rates, or of batch sizes."""
    trained = training_charts(events)
    if trained:
        return trained
    points = [event for event in events if event.get("event") == "point"]
    if points:
        params = _last(events, "started").get("params") or {}
        swept = (params.get("start_lr"), params.get("end_lr"))
        return _curves(points, _last(events, "result"), swept)
    trials = [event for event in events if event.get("event") == "trial" and event.get("ok")]
    return trial_charts(trials) if trials else []


def tables_html(events: Sequence[Event]) -> str:
    """What a run tried and compared, as tables."""
    result = _last(events, "result")
    found = doubts_html(result) + plan_html(result)
    return found + training_tables(events) + race_html(events) + trials_html(events)


def race_html(events: Sequence[Event]) -> str:
    """The short trainings of the learning-rate finder as a table, in the order they were made."""
    trials = [event for event in events if event.get("event") == "race"]
    if not trials:
        return ""
    least = min((t["loss"] for t in trials if isinstance(t.get("loss"), int | float)), default=None)
    rows = []
    for trial in trials:
        loss = trial.get("loss")
        outcome = _NO_LOSS.get(str(trial.get("ended")), number(loss))
        rate = rates(trial.get("rate"))
        cells = (trial.get("phase", ""), rate, trial.get("batches", ""), outcome)
        best = loss is not None and loss == least
        rows.append(row_html(cells, css="g-bad" if loss is None else "", strong=best))
    heads = ("Phase", "Learning rate", "Batches", "Validation loss")
    return table_html("Short trainings", heads, rows)


def log_html(events: Sequence[Event]) -> str:
    """What the run said, the newest line last."""
    lines = list(filter(None, map(_log_line, events)))[-LOG_LINES:]
    return f'<pre class="g-log">{html.escape(chr(10).join(lines))}</pre>' if lines else ""


def _last(events: Sequence[Event], kind: str) -> Event:
    """The last event of a kind, empty when there is none."""
    return next((event for event in reversed(events) if event.get("event") == kind), {})


def _waits(events: Sequence[Event]) -> str:
    """What a run that stands in line waits for; "" once it has begun."""
    line = [event for event in events if event.get("event") in ("queued", "begins", "started")]
    if not line or line[-1].get("event") != "queued":
        return ""
    ahead = int(line[-1].get("ahead", 1))
    if not ahead:  # on a cluster, whose other work is not ours to count
        return "The cluster is full. This run starts by itself; Stop cancels it."
    others = "one other run" if ahead == 1 else f"{ahead} other runs"
    return f"The device is busy: {others} ahead. This one starts by itself; Stop cancels it."


def _bar(progress: Event, left: str) -> str:
    if not progress.get("total"):
        return '<progress class="g-bar" aria-label="Progress"></progress>'
    done, total = float(progress.get("done") or 0), float(progress["total"])
    what = html.escape(str(progress.get("what", "")))
    reached = f'value="{min(done, total):g}" max="{total:g}"'
    return (
        f'<progress class="g-bar" aria-label="Progress" {reached}></progress>'
        f'<p class="g-quiet">{what} {done:g} of {total:g}{left and f" · {left}"}</p>'
    )


def _curves(points: Sequence[Event], result: Event, swept: tuple[object, object]) -> list[Chart]:
    """One chart for each phase of the finder, with its suggestions marked once there are any."""
    low, high = swept
    x_range = None
    if not result and isinstance(low, int | float) and isinstance(high, int | float):
        x_range = (float(low), float(high))
    suggested = (result.get("values") or {}).get("phases") or {}
    drawn = []
    for phase in dict.fromkeys(str(point.get("phase", "")) for point in points):
        sweeps = _sweeps([p for p in points if str(p.get("phase", "")) == phase])
        drawn.append(
            Chart(
                (Line(phase or "loss", sweeps[0]),),
                "learning rate",
                "loss",
                base=10,
                guides=_guides(suggested.get(phase) or {}),
                x_range=x_range,
                y_most=_before_it_explodes(sweeps[0]),
                title=phase,
                band=_band(sweeps),
            )
        )
    return drawn


def _sweeps(points: Sequence[Event]) -> list[tuple[tuple[float, float], ...]]:
    """The curve of each sweep over one phase, the first one first."""
    curves: dict[object, list[tuple[float, float]]] = {}
    for point in points:
        curve = curves.setdefault(point.get("order") or 0, [])
        curve.append((float(point["lr"]), float(point["loss"])))
    return [tuple(curve) for curve in curves.values()]


def _band(
    sweeps: Sequence[Sequence[tuple[float, float]]],
) -> tuple[tuple[float, float, float], ...]:
    """(rate, lowest, highest loss) over all sweeps, as far as a later one has come."""
    reached = max((len(curve) for curve in sweeps[1:]), default=0)
    columns = [[curve[at] for curve in sweeps if at < len(curve)] for at in range(reached)]
    return tuple((each[0][0], min(y for _, y in each), max(y for _, y in each)) for each in columns)


def _before_it_explodes(points: Sequence[tuple[float, float]]) -> float | None:
    """Where to cut the y axis: the curve shoots up at its end, and what matters stands below."""
    losses = [y for _, y in points if math.isfinite(y)]
    if not losses:
        return None
    begun, low = losses[0], min(losses)
    return begun + max(0.3 * begun, 0.5 * (begun - low))


def _guides(phase: Mapping[str, Any]) -> tuple[Guide, ...]:
    """The finder's suggestions, and in strong what is recommended: a rate or a slice's ends."""
    recommended = phase.get("recommended")
    if isinstance(recommended, list | tuple):
        ends = zip(("from", "to"), recommended, strict=False)
        guides = [Guide(word, float(lr), True) for word, lr in ends]
    else:
        guides = [Guide("recommended", float(recommended), True)] if recommended else []
    suggestions = (phase.get("suggestions") or {}).items()
    found = [(name, lr) for name, lr in suggestions if isinstance(lr, int | float) and lr > 0]
    return (*guides, *(Guide(name, float(lr)) for name, lr in found))


def _log_line(event: Event) -> str:
    """An event as a line of the log; "" for one that the log leaves out."""
    kind = event.get("event")
    seconds = f"{float(event.get('t') or 0):7.1f} s  "
    if kind in ("log", "doubt"):
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
        rate = f"learning rate {rates(event.get('rate'))}"
        return f"{seconds}{event.get('phase', '')}, {rate}: {outcome}"
    if kind == "metric":
        return f"{seconds}{event.get('name', 'metric')} {number(event.get('value'))}"
    if kind == "result":
        return f"{' ' * len(seconds)}{event.get('status')}: {event.get('message', '')}"
    return ""
