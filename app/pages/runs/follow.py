"""A run on the Runs page while it goes on: started, watched to its end, found again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from app.pages.runs.chain import chain_html
from app.pages.runs.chart import charts_json
from app.pages.runs.code_files import code_files_html
from app.pages.runs.forms import LIMIT_MINUTES
from app.pages.runs.history_view import history_html
from app.pages.runs.result_view import files_html, read_html, result_html
from app.pages.runs.table import DAMAGED, shown, undamaged
from app.pages.runs.view import charts, log_html, state_html, tables_html
from app.visitors_runs import StillGoing, VisitorsRuns
from app.wording import code_block, on_a_page
from executors.errors import BadParameter, RecipeError
from executors.recipe import check_params, find_recipe
from executors.runs.folder import EVENTS, PID, SPEC
from executors.runs.history import RunRecord, history
from executors.runs.run import Run
from executors.runs.tail import Tail

__all__ = ["LONGEST_MINUTES", "follow", "reopen", "seconds", "watch"]

LOOK_S = 0.25  # how often a run's events are looked at
# How often the page tells the time when there are none, and so how soon it is noticed that it was
# closed; whatever is sent costs page and server a tenth of a second together, beside the run.
TICK_S = 1.0
LONGEST_MINUTES = 60 * 24 * 30
AGAIN = (
    '<p class="g-quiet g-again">Its values are in the form: change what you like, then press '
    "Start.</p>"
)
NOTHING_NEW = [gr.skip()] * 10  # for each component of the page's view of a run


async def follow(
    runs: VisitorsRuns,
    visitor: str,
    recipe: str,
    values: Mapping[str, object],
    runs_dir: Path,
    minutes: object = LIMIT_MINUTES,
    tracker: str = "",
    after: str = "",
    on: str | None = None,
) -> AsyncGenerator[list[Any], None]:
    """Start a run and show it until its end; when nobody looks any more, the run goes on.

    Yields
    ------
    list
        A value for each component of `app.pages.runs.page.View`.
    """
    try:
        title = find_recipe(recipe).title
        params = check_params(find_recipe(recipe), values)
        run = runs.start(visitor, recipe, params, runs_dir, seconds(minutes), tracker, after, on)
    except StillGoing as error:
        # The view is the other run's, which would write over any word of ours.
        gr.Warning(str(error), title="One run at a time")
        yield NOTHING_NEW
        return
    except RecipeError as error:
        yield _line(on_a_page(str(error)), runs_dir)
        return
    async with aclosing(watch(runs, visitor, run, title, runs_dir)) as views:
        async for shown in views:
            yield shown


async def watch(
    runs: VisitorsRuns, visitor: str, run: Run, title: str, runs_dir: Path
) -> AsyncGenerator[list[Any], None]:
    """Show the visitor's run from its first event to its end; leave it when the page is closed.

    Yields
    ------
    list
        A value for each component of `app.pages.runs.page.View`.
    """
    tail = Tail(run.folder / EVENTS)
    events, ended = _news(run, tail)
    told = time.monotonic()
    try:
        yield _shown(title, run.folder, events, runs_dir, renew_history=True)
        while not ended:
            await asyncio.sleep(LOOK_S)
            fresh, ended = _news(run, tail)
            now = time.monotonic()
            events += fresh
            if fresh:
                told = now
                yield _shown(title, run.folder, events, runs_dir, fresh=fresh)
            elif now - told >= TICK_S:
                told = now
                yield [_state(title, events, run.folder), *NOTHING_NEW[1:]]
    finally:
        runs.leave(visitor, run)


def _news(run: Run, tail: Tail) -> tuple[list[dict[str, Any]], bool]:
    """What came since the last look, the result last; and whether the run has ended."""
    result = run.result()  # before reading: what was written before the end is then read
    events = [_worded(event) for event in tail.read()]
    return (events, False) if result is None else ([*events, _worded(result.to_event())], True)


def _worded(value: Any) -> Any:
    """An event with all its words as a page says them, but for code."""
    if isinstance(value, str):
        return on_a_page(value)
    if isinstance(value, list):
        return [_worded(one) for one in value]
    if isinstance(value, dict):
        return {name: one if name == "code" else _worded(one) for name, one in value.items()}
    return value


async def reopen(
    runs: VisitorsRuns, visitor: str, run_id: str, runs_dir: Path
) -> AsyncGenerator[list[Any], None]:
    """Show a run of the history; one whose page was closed is taken up and watched to its end.

    Yields
    ------
    list
        A value for each component of `app.pages.runs.page.View`.
    """
    record = next((record for record in history(runs_dir) if record.id == run_id), None)
    run = runs.take_up(visitor, run_id) if record is not None else None
    if record is None:
        yield _line("this run is no longer there", runs_dir)
    elif run is None:
        yield _past(record, runs_dir)
    else:
        async with aclosing(watch(runs, visitor, run, _title(record), runs_dir)) as views:
            async for shown in views:
                yield shown


def seconds(minutes: object) -> float:
    """The time limit that was typed; an empty field is the usual one.

    Raises
    ------
    BadParameter
        When it is no length of time.
    """
    if minutes is None:
        return LIMIT_MINUTES * 60.0
    length = minutes if isinstance(minutes, int | float) and minutes is not True else 0
    if 0 < length <= LONGEST_MINUTES:
        return length * 60.0
    wanted = f"more than 0 and at most {LONGEST_MINUTES} minutes"
    raise BadParameter(f"the time limit must be {wanted}, got {minutes}")


def _shown(
    title: str,
    folder: Path,
    events: Sequence[Mapping[str, Any]],
    runs_dir: Path,
    *,
    fresh: Sequence[Mapping[str, Any]] = (),
    renew_history: bool = False,
    may_stop: bool = True,
) -> list[Any]:
    """A value for each component of the view; the history changes when the run has ended.

    `fresh` are the events that are not shown yet.
    """
    last = events[-1] if events else {}
    ended = last.get("event") == "result"
    renew_result = ended or renew_history or any(one.get("event") == "doubt" for one in fresh)
    chain = shown(chain_html, history(runs_dir), folder.name) if renew_result else ""
    found = shown(result_html, last, events) if ended else ""
    code = str(last.get("code") or "") if ended else ""
    return [
        shown(_state, title, events, folder),
        shown(read_html, events) + found + chain if renew_result else gr.skip(),
        undamaged(_curves, events, folder.name, instead=charts_json([], folder.name, DAMAGED)),
        shown(tables_html, events),
        shown(code_files_html, last, title, folder.name) if ended else "",
        code_block(code) if code else "",
        shown(files_html, events, folder) if ended else "",
        shown(log_html, events),
        history_html(runs_dir) if ended or renew_history else gr.skip(),
        gr.update(visible=may_stop and not ended),
    ]


def _curves(events: Sequence[Mapping[str, Any]], run_id: str) -> dict[str, Any]:
    return charts_json(charts(events), run_id)


def _state(title: str, events: Sequence[Mapping[str, Any]], folder: Path) -> str:
    return state_html(title, events, _elapsed_s(folder), _since_s(folder))


def _since_s(folder: Path) -> float:
    """Seconds since the run's last event was written; 0 before there is one."""
    try:
        return max(0.0, time.time() - (folder / EVENTS).stat().st_mtime)
    except OSError:
        return 0.0


def _elapsed_s(folder: Path) -> float:
    """Seconds since the run's child was started, or, while it waits in line, since it was asked.

    By the clock that the history goes by: events count from several beginnings.
    """
    for name in (PID, SPEC):
        with suppress(OSError):
            return max(0.0, time.time() - (folder / name).stat().st_mtime)
    return 0.0


def _line(message: str, runs_dir: Path) -> list[Any]:
    """One line in place of a run that could not be started."""
    error = f'<p class="g-error">{escape(message)}</p>'
    state = f'<div class="g-state g-is-failed" role="alert">{error}</div>'
    return [state, "", None, *[""] * 5, history_html(runs_dir), gr.update(visible=False)]


def _past(record: RunRecord, runs_dir: Path) -> list[Any]:
    events: list[dict[str, Any]] = []
    with suppress(OSError):
        events = Tail(record.folder / EVENTS).read()
    title = _title(record)
    if record.status not in ("queued", "running"):
        blank = {
            "event": "result",
            "status": record.status,
            "message": record.message,
            "seconds": record.seconds,
        }
        events.append(record.result.to_event() if record.result else blank)
    events = [_worded(event) for event in events]
    # What goes on is another visitor's, or another program's, who alone may stop it.
    view = _shown(title, record.folder, events, runs_dir, renew_history=True, may_stop=False)
    return [view[0] + AGAIN, *view[1:]]


def _title(record: RunRecord) -> str:
    """The recipe's title, or what is known instead of a recipe that is no longer there."""
    with suppress(RecipeError):
        return find_recipe(record.recipe).title
    return record.recipe or record.id
