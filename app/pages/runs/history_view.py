"""The runs so far as a table: what became of each, what it found, on what, and when."""

from __future__ import annotations

import html
from pathlib import Path

from app.pages.runs.numbers import duration
from app.pages.runs.result_view import figures
from app.pages.runs.table import table_html
from app.pages.runs.view import status_word
from app.pages.text import link
from app.wording import on_a_page, shortened, to_the_minute
from executors.recipe import recipes
from executors.runs.history import RunRecord, history
from executors.tasks import TASK_NAMES, find_task

__all__ = ["finding", "history_html", "recipe_titles", "task_title"]

HISTORY_LIMIT = 30
_LONGEST = 44  # characters of a finding
_WHY = 160  # characters of what ended a run, with what to do about it
_BESIDE_THE_TASK = ("phase", "arch")  # parameters
_HEADS = ("Status", "Recipe", "Found", "On", "Device", "Took", "Started, UTC")


def history_html(runs_dir: Path, limit: int = HISTORY_LIMIT) -> str:
    """The runs so far, newest first, each a link that opens it."""
    records = history(runs_dir)
    if not records:
        return '<p class="g-quiet">No runs yet.</p>'
    titles = recipe_titles()
    rows = [_row(record, titles) for record in records[:limit]]
    table = table_html("Earlier runs", _HEADS, rows, css="g-history")
    if len(records) <= limit:
        return table
    return f'{table}<p class="g-quiet">The latest {limit} of {len(records)} runs.</p>'


def recipe_titles() -> dict[str, str]:
    """The titles of the recipes that are there, by name."""
    return {recipe.name: recipe.title for recipe in recipes()}


def task_title(task: str) -> str:
    """A task's title; of an unknown one its name."""
    return find_task(task).TITLE if task in TASK_NAMES else task


def _row(record: RunRecord, titles: dict[str, str]) -> str:
    status = html.escape(record.status)
    word = html.escape(status_word(record.status))
    cells = [
        f'<span class="g-badge g-is-{status}">{word}</span>',
        link("past", record.id, titles.get(record.recipe, record.recipe or record.id)),
        html.escape(finding(record, _WHY)),
        html.escape(_on(record)),
        html.escape(record.device),
        duration(record.seconds) if record.seconds and record.status != "running" else "",
        html.escape(to_the_minute(record.started)),
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def finding(record: RunRecord, most: int = _LONGEST) -> str:
    """The first thing that was found, in a few words; where nothing was, why, in `most` letters."""
    if record.result is None or record.status != "ok":
        data = str(record.params.get("data") or "")  # whose name stands beside it
        why = record.message.replace(data, Path(data).name) if data else record.message
        return shortened(" ".join(on_a_page(why).split()), most)
    first = next(iter(figures(record.result.said)), None)
    return "" if first is None else shortened(f"{first[0]}: {first[1]}", _LONGEST)


def _on(record: RunRecord) -> str:
    """The task, whose files, and what else tells one run from another."""
    files = Path(str(record.params.get("data") or "")).name
    others = [str(record.params.get(name) or "") for name in _BESIDE_THE_TASK]
    return " · ".join(filter(None, (task_title(record.task), files, *others)))
