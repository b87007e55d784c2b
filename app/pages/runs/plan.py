"""What a form's Start would do, in a sentence: recipe, task, files, device, how long it took."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape
from pathlib import Path

from app.pages.runs.history_view import task_title
from app.pages.runs.numbers import duration
from app.paths import lies_in
from executors.devices import place_name, places
from executors.inputs.table_file import column_names
from executors.recipe import Recipe
from executors.runs.history import RunRecord

__all__ = ["LIKE", "plan_html"]

LIKE = ("task", "data", "learner", "device")  # the parameters that the sentence tells
_MOST = 20  # columns that are named


def plan_html(
    recipe: Recipe,
    values: Mapping[str, object],
    records: Sequence[RunRecord],
    on: str = "",
    readable: Collection[Path] = (),
) -> str:
    """Say what the form, filled like this, would run, here or on the cluster `on`.

    `records` are the runs so far, newest first. A table within the folders `readable` is told with
    its columns, where one of them is to be named.

    How long it takes is told by the last run that ended well with the same recipe, task, files and
    device; before there is one, nothing is promised.
    """
    task, data, learner, asked = (str(values.get(name) or "").strip() for name in LIKE)
    place = places(asked or "auto")[0]
    device, card = place_name(place) if asked in ("", "auto") else (asked, "")
    if on:
        device, card = "", f"what the cluster {on} has free"
    last = next((r for r in records if _is_like(r, recipe, task, data or learner, device)), None)
    files = f"<code>{escape(data or learner)}</code>" if data or learner else "the built-in sample"
    doing = f"<b>{escape(recipe.title)}</b>"
    if recipe.tasks and task:
        doing += f", {escape(task_title(task))}, on {files}"
    hardware = {"cpu": "the CPU", "mps": "Apple's GPU"}.get(device, card or device)
    took = (
        f"The last run like this took {duration(last.seconds)}."
        if last
        else "No run like this has ended yet, so how long it takes is not known."
    )
    names_one = any(one.name == "target" and task in one.tasks for one in recipe.parameters)
    has = _columns(data, readable) if names_one and data else ""
    return f'<p class="g-plan">Start runs {doing}, with {escape(hardware)}. {took}{has}</p>'


def _columns(data: str, readable: Collection[Path]) -> str:
    """The columns of a table that may be read, to name the target by; "" of anything else."""
    try:
        path = Path(data).expanduser()
        names = column_names(path) if lies_in(path, readable) else ()
    except (ValueError, RuntimeError):  # no path at all, nobody's folder
        return ""
    if not names:
        return ""
    shown = ", ".join(f"<code>{escape(name)}</code>" for name in names[:_MOST])
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f" The table has the columns {shown}{more}."


def _is_like(run: RunRecord, recipe: Recipe, task: str, files: str, device: str) -> bool:
    used = str(run.params.get("data") or run.params.get("learner") or "")
    here = (files, str(Path(files).expanduser().absolute())) if files else ("",)
    return (
        run.status == "ok"
        and run.recipe == recipe.name
        and (not task or run.task == task)
        and used in here
        and run.device.startswith(device)
    )
