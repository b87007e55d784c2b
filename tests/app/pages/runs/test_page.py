"""A run of the page is followed to its end, goes on unwatched, and ends when stopped."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import psutil
import pytest
from awaited import awaited

from app.pages.runs.follow import follow, reopen, watch
from app.pages.runs.forms import is_for, named, preset, show_task
from app.pages.runs.history_view import history_html
from app.pages.runs.page import read_offer, runs_page
from app.visitors_runs import VisitorsRuns
from executors.parameters import bounds
from executors.recipe import Parameter, check_params
from executors.runs.folder import SPEC, write_json
from executors.runs.history import history
from executors.runs.run import RunResult
from executors.runs.track import installed_trackers

STATE, RESULT, LOG, PAST, STOP = 0, 1, 7, 8, 9
PARAMS = {"task": "tabular", "phase": "frozen"}


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.02)


def processes_of(folder: Path) -> list[psutil.Process]:
    """Processes that name a run's folder on their command line."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if process.info["status"] != psutil.STATUS_ZOMBIE and any(
            str(folder) in word for word in process.info["cmdline"] or ()
        ):
            found.append(process)
    return found


def test_a_bad_parameter_is_one_clear_line(tmp_path: Path) -> None:
    """A value that cannot be is named, with what is wanted, and nothing is started."""

    async def scenario() -> list[list[Any]]:
        return [
            shown
            async for shown in follow(
                VisitorsRuns(), "me", "lr-find", {"batch_size": "0"}, tmp_path
            )
        ]

    (shown,) = awaited(scenario())
    assert "parameter &#x27;batch_size&#x27; must be a whole number" in shown[STATE]
    assert "got &#x27;0&#x27;" in shown[STATE]
    assert list(tmp_path.iterdir()) == []


class Restarted:
    """A run whose events count from two beginnings: when it was asked for, and when it began."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.id, self.looks = folder, folder.name, 0
        (folder / "pid.json").write_text("{}", encoding="utf-8")
        minute_ago = time.time() - 60
        os.utime(folder / "pid.json", (minute_ago, minute_ago))

    def result(self) -> RunResult | None:
        self.looks += 1
        with (self.folder / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"event": "log", "text": "x", "t": 90 / self.looks}) + "\n")
        return RunResult("ok", "lr-find", "", "", seconds=61.0) if self.looks > 4 else None


def test_the_time_never_goes_back(tmp_path: Path) -> None:
    """It is told from when the run began, whatever its events count from."""

    async def scenario() -> list[str]:
        run: Any = Restarted(tmp_path)
        return [shown[STATE] async for shown in watch(VisitorsRuns(), "me", run, "x", tmp_path)]

    told = [
        re.search(r"(\d+) s<", state) for state in awaited(scenario()) if isinstance(state, str)
    ]
    seconds = [int(found[1]) for found in told if found]
    assert len(seconds) >= 4 and seconds == sorted(seconds)
    assert seconds[0] >= 60 and seconds[-1] <= 62


def test_an_unknown_recipe_is_one_clear_line(tmp_path: Path) -> None:
    """A name from a forged link starts nothing."""

    async def scenario() -> list[list[Any]]:
        return [shown async for shown in follow(VisitorsRuns(), "me", "../lr-find", {}, tmp_path)]

    (shown,) = awaited(scenario())
    assert "there is no recipe" in shown[STATE]


def test_stop_ends_the_run_and_says_so(tmp_path: Path) -> None:
    """After Stop the page and the history show the run as stopped, and its process is gone."""

    async def scenario() -> list[Any]:
        runs, shown = VisitorsRuns(), []
        async for shown in follow(runs, "me", "lr-find", PARAMS, tmp_path):
            if shown[STOP].get("visible"):
                (folder,) = tmp_path.glob("*-lr-find-*")
                await until(lambda folder=folder: bool(processes_of(folder)))  # type: ignore[misc]
                await asyncio.to_thread(runs.stop, "me")
                assert not processes_of(folder)
        return shown

    last = awaited(scenario())
    assert "Stopped" in last[STATE]
    assert "g-is-cancelled" in last[PAST]
    assert last[STOP]["visible"] is False


def test_a_run_outlives_its_page_and_is_taken_up_from_the_history(tmp_path: Path) -> None:
    """The page says that the run goes on; whoever opens it sees it whole, and can stop it."""

    async def scenario() -> tuple[list[Any], list[Any], list[Any]]:
        runs = VisitorsRuns()
        try:
            stream = follow(runs, "me", "lr-find", PARAMS, tmp_path)
            first = await anext(stream)
            (folder,) = tmp_path.glob("*-lr-find-*")
            await until(lambda: bool(processes_of(folder)))
            # It is still mine.
            elsewhere = [shown async for shown in reopen(runs, "you", folder.name, tmp_path)]
            await stream.aclose()
            assert processes_of(folder)
            taken = reopen(runs, "you", folder.name, tmp_path)
            again = await anext(taken)
            await asyncio.to_thread(runs.stop, "you")
            assert not processes_of(folder)
            *_, last = [shown async for shown in taken]
            assert len(elsewhere) == 1 and elsewhere[0][STOP]["visible"] is False
            return first, again, last
        finally:
            await asyncio.to_thread(runs.stop_all)

    first, again, last = awaited(scenario())
    assert "continues when you close the page" in first[STATE]
    assert "Running" in again[STATE] and again[STOP]["visible"] is True
    assert "Stopped" in last[STATE] and "goes on" not in last[STATE]
    assert [record.status for record in history(tmp_path)] == ["cancelled"]


def test_runs_whose_page_was_closed_end_with_the_server(tmp_path: Path) -> None:
    """Nothing is left behind when the pages are no longer served."""

    async def scenario() -> None:
        runs = VisitorsRuns()
        stream = follow(runs, "me", "lr-find", PARAMS, tmp_path)
        await anext(stream)
        (folder,) = tmp_path.glob("*-lr-find-*")
        await until(lambda: bool(processes_of(folder)))
        await stream.aclose()
        await asyncio.to_thread(runs.stop_all)
        assert not processes_of(folder)

    awaited(scenario())
    assert [record.status for record in history(tmp_path)] == ["cancelled"]


def test_one_visitor_has_one_run_at_a_time(tmp_path: Path) -> None:
    """A second start is refused while the first goes on; another visitor is free to start."""

    async def scenario() -> tuple[list[Any], list[Any]]:
        runs = VisitorsRuns()
        first, second = (follow(runs, "me", "lr-find", PARAMS, tmp_path) for _ in range(2))
        other = follow(runs, "you", "lr-find", PARAMS, tmp_path)
        try:
            await anext(first)
            return await anext(second), await anext(other)
        finally:
            await asyncio.to_thread(runs.stop_all)

    with pytest.warns(UserWarning, match="your run of lr-find is still going on; stop it first"):
        refused, started = awaited(scenario())
    assert refused == [gr.skip()] * len(refused)  # what is shown stays the first run's
    assert "Waiting" in started[STATE] and "one other run ahead" in started[STATE]


def test_no_file_is_run_for_a_stranger(tmp_path: Path) -> None:
    """Pages served to other machines refuse a learner file, and nothing is started."""

    async def scenario() -> list[list[Any]]:
        runs = VisitorsRuns(own_code=False)
        values = {"task": "learner", "learner": "/etc/passwd:root"}
        return [shown async for shown in follow(runs, "me", "lr-find", values, tmp_path)]

    (shown,) = awaited(scenario())
    assert (
        "they run no Python file of this one" in shown[STATE]
        and "--allow-learner-files" in shown[STATE]
    )
    assert list(tmp_path.iterdir()) == []


def test_where_there_is_a_cluster_one_chooses_where_to_run(tmp_path: Path) -> None:
    """The server's cluster or its machine, and nothing is to be chosen where there is none."""
    cluster = "ray://box:10001"
    with gr.Blocks():
        page = runs_page(tmp_path, VisitorsRuns(on=cluster))
        alone = runs_page(tmp_path, VisitorsRuns())
    for form in page.forms:
        assert form.on.visible and form.on.value == cluster
        assert [value for _, value in form.on.choices] == [cluster, "here"]
    assert all(cluster in plan for plan in page.plans())
    assert not any(form.on.visible for form in alone.forms)


def test_a_run_is_sent_to_the_chosen_tracker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed tracker can be chosen; what came of sending stands in the result."""
    with gr.Blocks():
        offered = runs_page(tmp_path / "runs", VisitorsRuns()).forms[0].tracker
    assert [value for _, value in offered.choices] == ["", *installed_trackers()]
    assert offered.visible is bool(installed_trackers()) and offered.value == ""

    (tmp_path / "trackio.py").write_text(
        "def init(*a, **k):\n    raise RuntimeError('no room there')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with gr.Blocks():
        offered = runs_page(tmp_path / "runs", VisitorsRuns()).forms[0].tracker
    assert ("trackio", "trackio") in offered.choices and offered.visible

    async def scenario() -> list[list[Any]]:
        gone = {"task": "tabular", "data": str(tmp_path / "gone.csv"), "target": "price"}
        return [
            shown
            async for shown in follow(
                VisitorsRuns(), "me", "lr-find", gone, tmp_path / "runs", 5, offered.choices[-1][1]
            )
        ]

    last = awaited(scenario())[-1]
    assert "gone.csv" in last[RESULT]
    assert "not sent to trackio: RuntimeError: no room there" in last[RESULT]


def test_a_run_offer_keeps_its_preset() -> None:
    """The link's text gives the recipe and its values; nonsense names no recipe."""
    assert read_offer("lr-find?phase=frozen&batch_size=32") == (
        "lr-find",
        {"phase": "frozen", "batch_size": "32"},
    )
    assert read_offer(None) == ("", {})
    assert len(read_offer("x" * 9999)[0]) <= 2000


@pytest.fixture
def page(tmp_path: Path) -> Any:
    with gr.Blocks():
        return runs_page(tmp_path, VisitorsRuns())


def test_each_recipe_has_a_field_for_each_parameter(page: Any) -> None:
    """Every parameter can be set, with its default filled in; unit, help and bounds beside it."""
    for form in page.forms:
        assert len(form.fields) == len(form.recipe.parameters)
        for parameter, field in zip(form.recipe.parameters, form.fields, strict=True):
            assert (
                parameter.name.replace("_", " ").capitalize() in field.label
                or parameter.name in field.label.lower()
            )
            measured = parameter.type not in ("str", "path") or parameter.unit == "bytes"
            assert not measured or parameter.unit in field.label.lower()
            told = (field.info or "").removesuffix(bounds(parameter)).removesuffix("; ")
            assert told in parameter.help and (field.info or "").endswith(bounds(parameter))
            assert bool(field.info) == bool(parameter.help or bounds(parameter))
            bounded = parameter.minimum is not None or parameter.maximum is not None
            assert bounded == bool(bounds(parameter))
            if parameter.type == "choice":
                assert field.value == parameter.default


def test_the_words_of_the_forms_are_short(page: Any) -> None:
    """Of labels, help, summaries and what a task expects; no value of a program stands in them."""
    for form in page.forms:
        assert len(form.recipe.summary) <= 240, form.recipe.name
        for task in form.recipe.tasks:
            expects, *fields = show_task(form)(task)
            assert len(expects) <= 240, task
            told = [field.get("info") or "" for field in fields]
            assert max(map(len, told)) <= 120, (form.recipe.name, task)
            assert not re.search(r"\b(None|True|False|nan)\b|[{}]", " ".join([expects, *told]))
        assert all(len(field.label) <= 50 for field in form.fields)


def test_a_preset_fills_the_form_of_its_recipe_only(page: Any) -> None:
    """The recipe's form is shown with the preset and the defaults; the other form stays."""
    updates = preset(page.forms, "lr-find", {"phase": "frozen", "task": "no such task"})
    assert updates[0] == "lr-find"
    assert [u["visible"] for u in updates[1 : 1 + len(page.forms)]] == [
        f.recipe.name == "lr-find" for f in page.forms
    ]
    # after the choice, the groups, and the lines on tasks; the runs before stand at the end
    fields, before = (
        updates[1 + 2 * len(page.forms) : -len(page.forms)],
        updates[-len(page.forms) :],
    )
    assert [one for one in before if isinstance(one, str)] == [""]
    own = dict(
        zip(
            [(form.recipe.name, p.name) for form in page.forms for p in form.recipe.parameters],
            fields,
            strict=True,
        )
    )
    assert own["lr-find", "phase"]["value"] == "frozen"
    assert own["lr-find", "task"]["value"] == "image-classification"
    assert "value" not in own["batch-size", "task"]


def other_value(parameter: Parameter) -> object:
    """A value that the parameter takes and that is not its default."""
    if parameter.type in ("int", "float"):
        low = 0 if parameter.minimum is None else parameter.minimum
        high = low + 3 if parameter.maximum is None else parameter.maximum
        return next(value for value in (high, low) if value != parameter.default)
    if parameter.type == "choice":
        return next(value for value in parameter.choices[::-1] if value != parameter.default)
    if parameter.type == "str":
        return "2GB" if parameter.unit == "bytes" else "a name"
    return {"bool": not parameter.default, "sizes": (48, 96), "path": "/some/folder"}[
        parameter.type
    ]


def test_an_earlier_run_fills_the_form_with_all_its_values(page: Any, tmp_path: Path) -> None:
    """Start would run the very same, of every recipe on every task."""
    for form in page.forms:
        for task in form.recipe.tasks or ("",):
            values = {
                p.name: other_value(p)
                for p in form.recipe.parameters
                if p.name not in ("task", "learner") and is_for(p, task)
            } | ({"task": task} if task else {})
            asked = check_params(form.recipe, values)
            folder = tmp_path / f"20260101T000000Z-{form.recipe.name}-{task}"
            folder.mkdir()
            write_json(folder / SPEC, {"recipe": form.recipe.name, "task": task, "params": asked})
            updates = page.fill_past(folder.name)
            assert updates[0] == form.recipe.name
            fields = [field for one in page.forms for field in one.fields]
            of = dict(zip(map(id, fields), updates[-len(fields) - len(page.forms) :], strict=False))
            filled = [of[id(field)]["value"] for field in form.fields]
            assert check_params(form.recipe, named(form, filled)) == asked, (form.recipe.name, task)


def test_a_form_shows_what_its_task_takes(page: Any) -> None:
    """Choosing a task shows its own fields and what files it expects; a preset does the same."""
    form = next(form for form in page.forms if form.recipe.name == "lr-find")
    names = [parameter.name for parameter in form.recipe.parameters]
    expects, *updates = show_task(form)("tabular")
    visible = {name for name, update in zip(names, updates, strict=True) if update["visible"]}
    assert "CSV" in expects and {"task", "data", "target", "log_target", "batch_size"} <= visible
    assert not {"size", "learner", "encoder", "pretrained"} & visible
    shown = dict(zip(names, [field.visible for field in form.fields], strict=True))
    assert shown["size"] and not shown["target"]
    place = [form.recipe.name for form in page.forms].index("lr-find")
    assert (
        "user"
        in preset(page.forms, "lr-find", {"task": "collaborative-filtering"})[
            1 + len(page.forms) + place
        ]
    )


def test_values_of_other_tasks_are_left_out(page: Any) -> None:
    """What was typed before the task was changed does not get in the way."""
    form = next(form for form in page.forms if form.recipe.name == "lr-find")
    values = [
        {"task": "gan", "target": "price", "data": "faces"}.get(p.name, p.default)
        for p in form.recipe.parameters
    ]
    found = named(form, values)
    assert found["data"] == "faces" and "target" not in found


def test_history_shows_damaged_runs_as_text(tmp_path: Path) -> None:
    """A folder that is no run, or has a hostile name, is a failed row and no markup."""
    (tmp_path / "<b>x").mkdir()
    shown = history_html(tmp_path)
    assert "&lt;b&gt;x" in shown
    assert re.search(r"g-is-failed", shown)
    assert "No runs yet" in history_html(tmp_path / "none")


def ended(folder: Path, status: str, message: str, **params: object) -> None:
    """A run that ended without a finding."""
    folder.mkdir(parents=True)
    spec = {"recipe": "lr-find", "task": "tabular", "params": params, "started": "2026-01-01"}
    (folder / "spec.json").write_text(json.dumps(spec))
    result = RunResult(status, "lr-find", "tabular", "", message=message)  # type: ignore[arg-type]
    (folder / "result.json").write_text(json.dumps(result.to_event()))


@pytest.mark.parametrize("status", ["failed", "timeout", "out_of_memory", "cancelled"])
def test_the_history_says_what_ended_a_run(tmp_path: Path, status: str) -> None:
    """In one line with what to do next, of the file by its name, in the fields' words."""
    data = "/home/somebody/of/a/long/name/sales.csv"
    message = f"{data}: which column is to be learned? Name it in Target (--target);\nthere are <a>"
    ended(tmp_path / "one", status, message, data=data)
    words = "sales.csv: which column is to be learned? Name it in Target; there are &lt;a&gt;"
    assert f"<td>{words}</td>" in history_html(tmp_path)


def test_an_opened_run_speaks_of_no_option(tmp_path: Path) -> None:
    """What it says everywhere is worded for the page, but for its code."""
    ended(tmp_path / "one", "failed", "name it in Target (--target)")
    line = {"event": "log", "t": 0, "text": "not here; Download (--download) fetches it"}
    (tmp_path / "one" / "events.jsonl").write_text(json.dumps(line) + "\n")

    async def opened() -> list[Any]:
        return [view async for view in reopen(VisitorsRuns(), "me", "one", tmp_path)]

    (view,) = asyncio.run(opened())
    shown = " ".join(str(part) for part in view)
    assert "name it in Target<" in shown and "Download fetches it" in shown
    assert "(--" not in shown
