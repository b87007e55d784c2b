"""The Runs page laid out: a form for each recipe, the run, its result, runs before it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from app.pages.assets import read_asset
from app.pages.component import component
from app.pages.quiet import AT_ONCE, QUIET
from app.pages.runs.at_hand import at_hand_html
from app.pages.runs.chain import split_offer
from app.pages.runs.chooser import chooser
from app.pages.runs.compare_view import MOST, comparison_html, past_choices
from app.pages.runs.faults import ahead_html, faults_html, marked
from app.pages.runs.follow import follow, reopen
from app.pages.runs.forms import BESIDE, LIMIT_MINUTES, Form, in_order, lay_out, named, preset
from app.pages.runs.history_view import history_html
from app.pages.runs.machine_view import is_busy, machine_html
from app.pages.runs.plan import LIKE, plan_html
from app.visitors_runs import VisitorsRuns
from executors.ahead import Ahead, look_ahead
from executors.cluster_address import HERE
from executors.errors import one_line
from executors.recipe import recipes
from executors.runs.history import history
from executors.runs.machine import machine

__all__ = ["TO_THE_FORM", "TO_THE_RUN", "RunsPage", "preset", "read_offer", "runs_page"]

# A link that offers a run leads to the filled form, to its Start: nothing runs before that.
TO_THE_FORM = """() => {
  const start = [...document.querySelectorAll('[id^="start-"]')].find((b) => b.offsetParent);
  start?.scrollIntoView({block: 'center'});
  start?.focus({preventScroll: true});
}"""

TO_THE_RUN = """() => {
  const told = [...document.querySelectorAll('#run-form .g-faults [role=alert]')];
  const faults = told.find((line) => line.offsetParent);
  if (faults) return faults.scrollIntoView({block: 'nearest'});
  const view = document.getElementById('run-view'), top = view.getBoundingClientRect().top;
  if (top < 0 || top > innerHeight / 2) view.scrollIntoView({block: 'start'});
}"""
OUTSIDE = "This is outside the folders that runs may read; Choose shows what is in them."
_LOG = logging.getLogger(__name__)
READY = '<div class="g-state g-empty"><p>Start a recipe, or open an earlier run below.</p></div>'


@dataclass(frozen=True, slots=True)
class View:
    """The components that show one run, in the order in which `_shown` fills them."""

    state: gr.HTML
    result: gr.HTML
    chart: gr.HTML
    trials: gr.HTML
    code_files: gr.HTML
    code: gr.Markdown
    files: gr.HTML
    log: gr.HTML
    past: gr.HTML
    stop: gr.Button

    def outputs(self) -> list[Any]:
        """All of them."""
        return [
            self.state,
            self.result,
            self.chart,
            self.trials,
            self.code_files,
            self.code,
            self.files,
            self.log,
            self.past,
            self.stop,
        ]


@dataclass(frozen=True, slots=True)
class RunsPage:
    """The page's components that links elsewhere act on, and the functions behind them."""

    choice: gr.Radio
    forms: tuple[Form, ...]
    view: View
    desk: _Desk

    def plans(self) -> list[str]:
        """What Start of each form would do as the page begins."""
        records = history(self.desk.runs_dir)
        return [
            plan_html(
                form.recipe,
                {p.name: p.default for p in form.recipe.parameters},
                records,
                self.desk.runs.on,
            )
            for form in self.forms
        ]

    def fill(self, recipe: str, values: Mapping[str, object]) -> list[Any]:
        """`preset` of the page's forms, with the run that leads there where a link names one."""
        own, after = split_offer(dict(values))
        return preset(self.forms, recipe, own, after)

    def fill_past(self, run_id: str) -> list[Any]:
        """The same with the recipe and the values of an earlier run."""
        record = next((r for r in history(self.desk.runs_dir) if r.id == run_id), None)
        return self.fill(record.recipe, record.params) if record else self.fill("", {})

    def preset_outputs(self) -> list[Any]:
        """What `preset` fills: choice, forms' visibility, lines on tasks, fields, runs before."""
        groups = [form.group for form in self.forms]
        expects = [form.expects for form in self.forms if form.expects]
        fields = [field for form in self.forms for field in form.fields]
        return [self.choice, *groups, *expects, *fields, *(form.after for form in self.forms)]


def runs_page(runs_dir: Path, runs: VisitorsRuns) -> RunsPage:
    """Lay the page out inside the current tab."""
    known = in_order(recipes())
    _machine(runs_dir)
    with gr.Row(equal_height=False, elem_id="runs-row"):
        with gr.Column(scale=2, min_width=290, elem_id="run-form"):
            choice = gr.Radio(
                [(recipe.title, recipe.name) for recipe in known],
                value=known[0].name if known else None,
                label="Recipe",
                elem_id="recipe",
            )
            forms = tuple(
                lay_out(recipe, shown=number == 0, on=runs.on)
                for number, recipe in enumerate(known)
            )
        with gr.Column(scale=5, min_width=300, elem_id="run-view"):
            view = _view(runs_dir)
    chooser(runs.readable)
    desk = _Desk(runs_dir, runs)
    for form in forms:
        _connect(form, desk, view)
    groups = [form.group for form in forms]
    choice.change(_chosen(forms), choice, groups, queue=False, api_visibility="private")
    view.stop.click(desk.stop, None, None, **AT_ONCE)
    return RunsPage(choice, forms, view, desk)


def _machine(runs_dir: Path) -> None:
    """The devices, which the page asks for by itself."""

    def machine_now(_: object = None) -> dict[str, object]:
        places = machine(runs_dir)
        return {"html": machine_html(runs_dir, places), "busy": is_busy(places)}

    component("machine", [machine_now])


def _connect(form: Form, desk: _Desk, view: View) -> None:
    """Let the form say what Start would do and what is wrong with it, and start."""

    def check(minutes: object, _: object, __: object, on: str, *values: object) -> list[Any]:
        return marked(form, minutes, values, desk.ahead(named(form, values), on))

    def tell(minutes: object, _: object, __: object, on: str, *values: object) -> list[Any]:
        return faults_html(form, minutes, values, desk.ahead(named(form, values), on))

    def plan(on: str, *values: object) -> list[str]:
        address, given = "" if on == HERE else on, named(form, values)
        records = history(desk.runs_dir)
        told = plan_html(form.recipe, given, records, address, desk.runs.readable())
        return [told, *ahead_html(form, desk.ahead(given, on))]

    fields = [form.on, *form.fields]
    if desk.runs.on:
        form.more.expand(lambda: at_hand_html(desk.runs.on), None, form.at_hand, **AT_ONCE)
    pairs = zip(form.recipe.parameters, form.fields, strict=True)
    told = [field.change for parameter, field in pairs if parameter.name in (*LIKE, *BESIDE)]
    told.append(form.on.change)
    said = [form.plan, *form.beside]
    gr.on(told, plan, fields, said, trigger_mode="always_last", **AT_ONCE)
    faults = form.button.click(tell, form.inputs(), [form.more, form.faults], **AT_ONCE)
    faults.then(None, None, None, js=TO_THE_RUN, api_visibility="private")
    started = form.button.click(
        _starter(form, desk),
        form.inputs(),
        view.outputs(),
        validator=check,
        concurrency_limit=4,
        **QUIET,
    )
    started.then(plan, fields, said, **AT_ONCE)


@dataclass(frozen=True, slots=True, eq=False)
class _Desk:
    """Starts, stops and opens the runs of all visitors."""

    runs_dir: Path
    runs: VisitorsRuns

    async def run(
        self,
        recipe: str,
        values: Mapping[str, object],
        request: gr.Request,
        minutes: object = LIMIT_MINUTES,
        tracker: str = "",
        after: str = "",
        on: str | None = None,
    ) -> AsyncIterator[list[Any]]:
        visitor = str(request.session_hash)
        async for shown in follow(
            self.runs, visitor, recipe, values, self.runs_dir, minutes, tracker, after, on
        ):
            yield shown

    async def open_past(self, event: gr.EventData, request: gr.Request) -> AsyncIterator[list[Any]]:
        visitor, run_id = str(request.session_hash), str(getattr(event, "id", ""))
        async for shown in reopen(self.runs, visitor, run_id, self.runs_dir):
            yield shown

    def ahead(self, params: Mapping[str, object], on: str = HERE) -> Ahead:
        """What the files tell that a form names; nothing of those that only a cluster has."""
        data, target = (str(params.get(name) or "").strip() for name in BESIDE)
        if not data:
            return Ahead()
        try:
            path = Path(data).expanduser()
            if not self.runs.may_read(path):
                return Ahead(OUTSIDE)
            if self.runs.on and on != HERE and not path.exists():
                return Ahead()
            return look_ahead(str(params.get("task") or ""), data, target)
        except Exception as error:  # noqa: BLE001 - the page's edge: the run will say what is wrong
            _LOG.warning("%s could not be looked at: %s", data, one_line(error))
            return Ahead()

    def stop(self, request: gr.Request) -> None:
        self.runs.stop(str(request.session_hash))


def read_offer(target: object) -> tuple[str, dict[str, object]]:
    """A recipe's name and unchecked values from a Run link's `lr-find?phase=frozen`."""
    name, _, query = str(target or "")[:2000].partition("?")
    return name, dict(parse_qsl(query))


def _view(runs_dir: Path) -> View:
    with gr.Row(elem_id="run-head"):
        state = gr.HTML(READY, elem_id="run-state")
        stop = gr.Button(
            "Stop", variant="stop", visible=False, elem_id="stop", scale=0, min_width=90
        )
    result = gr.HTML("", elem_id="run-result")
    figure = component("curves", script=read_asset("curves.js") + read_asset("curves_tools.js"))
    code_files = gr.HTML("", elem_id="run-code-files")
    code = gr.Markdown("", elem_id="run-code")
    trials = gr.HTML("", elem_id="run-trials")
    with gr.Accordion("Log", open=False, elem_id="run-log-box"):
        log = gr.HTML("", max_height=260, autoscroll=True, elem_id="run-log")
    files = gr.HTML("", elem_id="run-files")
    past = gr.HTML(history_html(runs_dir), elem_id="run-history")
    _comparison(runs_dir)
    return View(state, result, figure, trials, code_files, code, files, log, past, stop)


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
    box.expand(lambda: gr.update(choices=past_choices(runs_dir)), None, chosen, **AT_ONCE)
    chosen.change(lambda ids: comparison_html(runs_dir, ids or []), chosen, table, **AT_ONCE)


def _starter(form: Form, desk: _Desk) -> Any:
    async def started(
        request: gr.Request, minutes: object, tracker: str, after: str, on: str, *values: object
    ) -> AsyncIterator[list[Any]]:
        name, params = form.recipe.name, named(form, values)
        # What is chosen among is this server's: nobody else's address is taken from a browser.
        chosen = HERE if on == HERE else None
        async for shown in desk.run(name, params, request, minutes, tracker, after, chosen):
            yield shown

    return started


def _chosen(forms: Sequence[Form]) -> Any:
    def chosen(name: str) -> Any:
        updates = [gr.update(visible=form.recipe.name == name) for form in forms]
        return updates if len(updates) != 1 else updates[0]

    return chosen
