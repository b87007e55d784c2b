"""The Runs page: a form for each recipe, the run as it goes, its result, the runs before it and side by side."""

from __future__ import annotations

import asyncio
import html
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from app.pages.compare_view import MOST, comparison_html, past_choices
from app.pages.run_forms import Form, lay_out, named, preset
from app.pages.run_view import charts, files_html, log_html, result_html, state_html, tables_html
from app.pages.text import code_block, link
from executors.errors import RecipeError
from executors.history import RunRecord, history
from executors.recipe import check_params, find_recipe, recipes
from executors.run import Run, start
from executors.tail import Tail
from executors.warm import Warm

__all__ = ["Going", "RunsPage", "history_html", "preset", "runs_page"]

LOOK_S = 0.25  # how often a run's events are looked at
HISTORY_LIMIT = 30
READY = '<div class="g-state g-empty"><p>Start a recipe, or open an earlier run below.</p></div>'


class Going:
    """The runs that this server has going, one for each visitor; ended with the server.

    Parameters
    ----------
    warm : Warm or None
        Children made ready before they are asked for.
    own_code : bool
        Whether a visitor may name a Python file of this machine to be run.
    """

    def __init__(self, warm: Warm | None = None, *, own_code: bool = True) -> None:
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()
        self._warm, self._own_code = warm, own_code

    def start(self, visitor: str, recipe: str, params: Mapping[str, object], runs_dir: Path) -> Run:
        """Start a run for a visitor; it waits in line while the device is taken.

        Raises
        ------
        RecipeError
            When one is going on already, it cannot be started, or it is code that a visitor may not run.
        """
        if params.get("learner") and not self._own_code:
            raise RecipeError(
                "these pages are served to other machines, so no file of this one is run for a visitor; whoever "
                "started them can allow it with --allow-learner-files"
            )
        with self._lock:
            before = self._runs.get(visitor)
            if before is not None and before.result() is None:
                raise RecipeError(f"{before.id} is still going on; stop it first")
            run = self._runs[visitor] = start(recipe, params, runs_dir, queue=True, warm=self._warm)
            return run

    def stop(self, visitor: str) -> None:
        """End the visitor's run, if there is one; returns when it has ended."""
        run = self._runs.get(visitor)
        if run is not None:
            run.cancel()

    def stop_all(self) -> None:
        """End every run."""
        for visitor in list(self._runs):
            self.stop(visitor)
        if self._warm is not None:
            self._warm.close()


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
    known = recipes()
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

    async def run(recipe: str, values: Mapping[str, object], request: gr.Request) -> AsyncIterator[list[Any]]:
        async for shown in follow(going, str(request.session_hash), recipe, values, runs_dir):
            yield shown

    for form in forms:
        form.button.click(
            _starter(form, run),
            list(form.fields),
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
    going: Going, visitor: str, recipe: str, values: Mapping[str, object], runs_dir: Path
) -> AsyncIterator[list[Any]]:
    """Start a run and show it until its end; when nobody looks any more, the run is ended too.

    Yields
    ------
    list
        A value for each component of `View.outputs`.
    """
    try:
        found = find_recipe(recipe)
        run = going.start(visitor, recipe, check_params(found, values), runs_dir)
    except RecipeError as error:
        yield _line(str(error), runs_dir)
        return
    events = run.new_events()
    try:
        yield _shown(found.title, run.folder, events, runs_dir)
        while not events or events[-1].get("event") != "result":
            await asyncio.sleep(LOOK_S)
            fresh = run.new_events()
            events += fresh
            yield _shown(found.title, run.folder, events, runs_dir) if fresh else [gr.skip()] * 9
    finally:
        if run.result() is None:  # the page was closed; ending takes up to two seconds, which must not hold the loop
            threading.Thread(target=run.cancel, daemon=True).start()


def read_offer(target: object) -> tuple[str, dict[str, object]]:
    """A recipe's name and preset values from a Run link's `lr-find?phase=frozen`; checked before they are used."""
    name, _, query = str(target or "")[:2000].partition("?")
    return name, dict(parse_qsl(query))


def history_html(runs_dir: Path) -> str:
    """The runs so far, newest first, each a link that opens it."""
    records = history(runs_dir)
    if not records:
        return '<p class="g-quiet">No runs yet.</p>'
    rows = []
    for record in records[:HISTORY_LIMIT]:
        status = html.escape(record.status)
        when = record.started[:16].replace("T", " ")
        preset_words = ", ".join(f"{v}" for k, v in record.params.items() if k in ("phase", "arch") and v)
        cells = [
            f'<span class="g-badge g-is-{status}">{status.replace("_", " ")}</span>',
            link("past", record.id, record.recipe or record.id),
            html.escape(" · ".join(word for word in (record.task, preset_words) if word)),
            html.escape(record.device),
            f"{record.seconds:.0f} s",
            html.escape(when),
        ]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    heads = "".join(
        f'<th scope="col">{word}</th>' for word in ("Status", "Recipe", "On", "Device", "Took", "Started, UTC")
    )
    return (
        '<div class="g-scroll" tabindex="0"><table class="g-table g-history"><caption>Earlier runs</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


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
    async def started(request: gr.Request, *values: object) -> AsyncIterator[list[Any]]:
        async for shown in run(form.recipe.name, named(form, values), request):
            yield shown

    return started


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
        history_html(runs_dir) if ended or not events else gr.skip(),
        gr.update(visible=not ended),
    ]


def _line(message: str, runs_dir: Path) -> list[Any]:
    """One line in place of a run that could not be started."""
    said = f'<div class="g-state g-is-failed" role="alert"><p class="g-error">{html.escape(message)}</p></div>'
    return [said, "", "", "", "", "", "", history_html(runs_dir), gr.update(visible=False)]


def _past(record: RunRecord, runs_dir: Path) -> list[Any]:
    events: list[dict[str, Any]] = []
    with suppress(OSError):
        events = Tail(record.folder / "events.jsonl").read()
    blank = {"event": "result", "status": record.status, "message": record.message, "seconds": record.seconds}
    events.append(record.result.to_event() if record.result else blank)
    title = record.recipe or record.id
    with suppress(RecipeError):
        title = find_recipe(record.recipe).title
    return _shown(title, record.folder, events, runs_dir)


def _failed_to_open(runs_dir: Path) -> list[Any]:
    return _line("this run is no longer there", runs_dir)
