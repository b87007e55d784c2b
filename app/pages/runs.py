"""The Runs page: a form for each recipe, the run as it goes, its result, the runs before it and side by side."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from app.pages.compare_view import MOST, comparison_html, past_choices
from app.pages.going import Going, StillGoing
from app.pages.history_view import history_html
from app.pages.result_view import files_html, result_html
from app.pages.run_forms import LIMIT_MINUTES, Form, in_order, lay_out, named, preset
from app.pages.run_view import charts, log_html, state_html, tables_html
from app.pages.text import code_block
from executors.errors import BadParameter, RecipeError
from executors.history import RunRecord, history
from executors.recipe import check_params, find_recipe, recipes
from executors.tail import Tail

__all__ = ["TO_THE_RUN", "RunsPage", "follow", "preset", "read_offer", "runs_page"]

TO_THE_RUN = """() => {
  const view = document.getElementById('run-view'), top = view.getBoundingClientRect().top;
  if (top < 0 || top > innerHeight / 2) view.scrollIntoView({block: 'start'});
}"""
LOOK_S = 0.25  # how often a run's events are looked at
TICK_S = 1.0  # how often the page tells the time when there are none
LONGEST_MINUTES = 60 * 24 * 30
READY = '<div class="g-state g-empty"><p>Start a recipe, or open an earlier run below.</p></div>'


@dataclass(frozen=True, slots=True)
class View:
    """The components that show one run, in the order in which `_shown` fills them."""

    state: gr.HTML
    result: gr.HTML
    chart: gr.HTML
    trials: gr.HTML
    code: gr.Markdown
    files: gr.HTML
    log: gr.HTML
    past: gr.HTML
    stop: gr.Button

    def outputs(self) -> list[Any]:
        """All of them."""
        return [self.state, self.result, self.chart, self.trials, self.code, self.files, self.log, self.past, self.stop]


@dataclass(frozen=True, slots=True)
class RunsPage:
    """The page's components that links elsewhere act on, and the functions behind them."""

    choice: gr.Radio
    forms: tuple[Form, ...]
    view: View
    run_preset: Any
    open_past: Any

    def preset_outputs(self) -> list[Any]:
        """What `preset` fills: the choice, each form's visibility and line on its task, and every field."""
        groups, expects = [form.group for form in self.forms], [form.expects for form in self.forms if form.expects]
        return [self.choice, *groups, *expects, *(field for form in self.forms for field in form.fields)]


def runs_page(runs_dir: Path, going: Going) -> RunsPage:
    """Lay the page out inside the current tab."""
    known = in_order(recipes())
    with gr.Row(equal_height=False, elem_id="runs-row"):
        with gr.Column(scale=2, min_width=290, elem_id="run-form"):
            choice = gr.Radio(
                [(recipe.title, recipe.name) for recipe in known],
                value=known[0].name if known else None,
                label="Recipe",
                elem_id="recipe",
            )
            forms = tuple(lay_out(recipe, shown=number == 0) for number, recipe in enumerate(known))
        with gr.Column(scale=5, min_width=300, elem_id="run-view"):
            view = _view(runs_dir)

    async def run(
        recipe: str, values: Mapping[str, object], request: gr.Request, minutes: object = LIMIT_MINUTES
    ) -> AsyncIterator[list[Any]]:
        async for shown in follow(going, str(request.session_hash), recipe, values, runs_dir, minutes):
            yield shown

    for form in forms:
        form.button.click(None, None, None, js=TO_THE_RUN, api_visibility="private")
        form.button.click(
            _starter(form, run),
            [form.limit, *form.fields],
            view.outputs(),
            show_progress="hidden",
            concurrency_limit=4,
            api_visibility="private",
        )
    choice.change(_chosen(forms), choice, [form.group for form in forms], queue=False, api_visibility="private")

    def stop(request: gr.Request) -> None:
        going.stop(str(request.session_hash))

    view.stop.click(stop, None, None, queue=False, show_progress="hidden", api_visibility="private")

    async def run_preset(event: gr.EventData, request: gr.Request) -> AsyncIterator[list[Any]]:
        name, values = read_offer(getattr(event, "recipe", None))
        async for shown in run(name, values, request):
            yield shown

    def open_past(event: gr.EventData) -> list[Any]:
        wanted = str(getattr(event, "id", ""))
        record = next((record for record in history(runs_dir) if record.id == wanted), None)
        return _failed_to_open(runs_dir) if record is None else _past(record, runs_dir)

    return RunsPage(choice, forms, view, run_preset, open_past)


async def follow(
    going: Going,
    visitor: str,
    recipe: str,
    values: Mapping[str, object],
    runs_dir: Path,
    minutes: object = LIMIT_MINUTES,
) -> AsyncIterator[list[Any]]:
    """Start a run and show it until its end; when nobody looks any more, the run is ended too.

    Yields
    ------
    list
        A value for each component of `View.outputs`.
    """
    try:
        found = find_recipe(recipe)
        run = going.start(visitor, recipe, check_params(found, values), runs_dir, _seconds(minutes))
    except StillGoing as error:  # the view is the other run's, which would write over any word of ours
        gr.Warning(str(error), title="One run at a time")
        yield [gr.skip()] * 9
        return
    except RecipeError as error:
        yield _line(str(error), runs_dir)
        return
    events = run.new_events()
    heard = told = time.monotonic()
    try:
        yield _with_past(_shown(found.title, run.folder, events, runs_dir), runs_dir)
        while not events or events[-1].get("event") != "result":
            await asyncio.sleep(LOOK_S)
            fresh, now = run.new_events(), time.monotonic()
            events += fresh
            if fresh:
                heard = told = now
                yield _shown(found.title, run.folder, events, runs_dir)
            elif now - told >= TICK_S:
                told = now
                yield [state_html(found.title, events, now - heard), *[gr.skip()] * 8]
            else:
                yield [gr.skip()] * 9  # so that a page that was closed is noticed
    finally:
        if run.result() is None:  # the page was closed; ending takes up to two seconds, which must not hold the loop
            threading.Thread(target=run.cancel, daemon=True).start()


def read_offer(target: object) -> tuple[str, dict[str, object]]:
    """A recipe's name and preset values from a Run link's `lr-find?phase=frozen`; checked before they are used."""
    name, _, query = str(target or "")[:2000].partition("?")
    return name, dict(parse_qsl(query))


def _view(runs_dir: Path) -> View:
    with gr.Row(elem_id="run-head"):
        state = gr.HTML(READY, elem_id="run-state")
        stop = gr.Button("Stop", variant="stop", visible=False, elem_id="stop", scale=0, min_width=90)
    result = gr.HTML("", elem_id="run-result")
    figure = gr.HTML("", elem_id="run-chart")
    code = gr.Markdown("", elem_id="run-code")
    trials = gr.HTML("", elem_id="run-trials")
    with gr.Accordion("Log", open=False, elem_id="run-log-box"):
        log = gr.HTML("", max_height=260, autoscroll=True, elem_id="run-log")
    files = gr.HTML("", elem_id="run-files")
    past = gr.HTML(history_html(runs_dir), elem_id="run-history")
    _comparison(runs_dir)
    return View(state, result, figure, trials, code, files, log, past, stop)


def _comparison(runs_dir: Path) -> None:
    """Choose runs, see them side by side; the list is read anew whenever it is opened."""
    with gr.Accordion("Compare runs", open=False, elem_id="run-compare") as box:
        chosen = gr.Dropdown(
            past_choices(runs_dir),
            value=[],
            multiselect=True,
            max_choices=MOST,
            label="Runs",
            info=f"two to {MOST} that have ended",
            elem_id="compare-runs",
        )
        table = gr.HTML("", elem_id="comparison")
    quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    box.expand(lambda: gr.update(choices=past_choices(runs_dir)), None, chosen, **quiet)
    chosen.change(lambda ids: comparison_html(runs_dir, ids or []), chosen, table, **quiet)


def _starter(form: Form, run: Any) -> Any:
    async def started(request: gr.Request, minutes: object, *values: object) -> AsyncIterator[list[Any]]:
        async for shown in run(form.recipe.name, named(form, values), request, minutes):
            yield shown

    return started


def _seconds(minutes: object) -> float:
    """The time limit that was typed; an empty field is the usual one.

    Raises
    ------
    BadParameter
        When it is no length of time.
    """
    if minutes is None:
        return LIMIT_MINUTES * 60.0
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes <= LONGEST_MINUTES:
        raise BadParameter(f"the time limit must be more than 0 and at most {LONGEST_MINUTES} minutes, got {minutes}")
    return minutes * 60.0


def _chosen(forms: Sequence[Form]) -> Any:
    def chosen(name: str) -> Any:
        updates = [gr.update(visible=form.recipe.name == name) for form in forms]
        return updates if len(updates) != 1 else updates[0]

    return chosen


def _shown(title: str, folder: Path, events: Sequence[Mapping[str, Any]], runs_dir: Path) -> list[Any]:
    """A value for each component of the view."""
    last = events[-1] if events else {}
    ended = last.get("event") == "result"
    return [
        state_html(title, events),
        result_html(last) if ended else "",
        charts(events),
        tables_html(events),
        f"**Code with these values**\n\n{code_block(str(last['code']))}" if ended and last.get("code") else "",
        files_html(events, folder) if ended else "",
        log_html(events),
        history_html(runs_dir) if ended else gr.skip(),
        gr.update(visible=not ended),
    ]


def _with_past(shown: list[Any], runs_dir: Path) -> list[Any]:
    """The same with the history, which names a run also while it goes on."""
    return [*shown[:-2], history_html(runs_dir), shown[-1]]


def _line(message: str, runs_dir: Path) -> list[Any]:
    """One line in place of a run that could not be started."""
    said = f'<div class="g-state g-is-failed" role="alert"><p class="g-error">{escape(message)}</p></div>'
    return [said, "", "", "", "", "", "", history_html(runs_dir), gr.update(visible=False)]


def _past(record: RunRecord, runs_dir: Path) -> list[Any]:
    events: list[dict[str, Any]] = []
    with suppress(OSError):
        events = Tail(record.folder / "events.jsonl").read()
    title = record.recipe or record.id
    with suppress(RecipeError):
        title = find_recipe(record.recipe).title
    if record.status in ("queued", "running"):  # another visitor's, or another program's
        return [*_shown(title, record.folder, events, runs_dir)[:-2], history_html(runs_dir), gr.update(visible=False)]
    blank = {"event": "result", "status": record.status, "message": record.message, "seconds": record.seconds}
    events.append(record.result.to_event() if record.result else blank)
    return _shown(title, record.folder, events, runs_dir)


def _failed_to_open(runs_dir: Path) -> list[Any]:
    return _line("this run is no longer there", runs_dir)
