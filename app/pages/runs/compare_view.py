"""Runs side by side, as a table: what was asked differently, what each found, and on what."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from app.pages.runs.history_view import finding
from app.pages.runs.numbers import amount, number
from executors.recipe import recipes
from executors.runs.compare import Row, compare
from executors.runs.history import RunRecord, history
from executors.tasks import TASK_NAMES, find_task

__all__ = ["MOST", "comparison_html", "past_choices"]

MOST = 6  # columns that can be read side by side
_ROWS = 60
_LONGEST = 60  # characters of a cell
_KINDS = {
    "run": "",
    "parameter": "asked",
    "value": "found",
    "metric": "measured",
    "environment": "on",
}


def past_choices(runs_dir: Path, limit: int = 40) -> list[tuple[str, str]]:
    """(words, id) of the latest runs that have ended, newest first."""
    ended = [record for record in history(runs_dir) if record.result is not None]
    titles = _titles()
    return [(_words(record, titles), record.id) for record in ended[:limit]]


def comparison_html(runs_dir: Path, ids: Sequence[str]) -> str:
    """The chosen runs side by side, in the order chosen; a line that asks for two if fewer."""
    known = {record.id: record for record in history(runs_dir)}
    records = [known[name] for name in ids if name in known][:MOST]
    if len(records) < 2:
        return '<p class="g-quiet">Choose two runs or more.</p>'
    rows = [row for row in compare(records).rows if _worth_showing(row)][:_ROWS]
    titles = _titles()
    head = "".join(
        f'<th scope="col">{html.escape(titles.get(r.recipe, r.recipe))}</th>' for r in records
    )
    body = "".join(_row(row) for row in rows)
    return (
        '<div class="g-scroll" tabindex="0"><table class="g-table g-compare"><caption>Side by side</caption>'
        f'<thead><tr><th scope="col"></th>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _worth_showing(row: Row) -> bool:
    """Whether the row is a number or a word that can be read; code and lists of trials are not."""
    shown = [value for value in row.values if value not in (None, "")]
    return (
        bool(shown)
        and row.name.count(".") <= 1
        and all(len(str(value)) <= 4 * _LONGEST for value in shown)
    )


def _row(row: Row) -> str:
    kind = _KINDS.get(row.kind, row.kind)
    name = html.escape(row.name.removesuffix("_bytes").replace("_", " "))
    label = name + (f' <span class="g-quiet">{kind}</span>' if kind else "")
    cells = "".join(f"<td>{html.escape(_cell(row.name, value))}</td>" for value in row.values)
    return f'<tr class="{"" if row.same else "g-differs"}"><th scope="row">{label}</th>{cells}</tr>'


def _cell(name: str, value: object) -> str:
    if name == "started":
        return str(value or "")[:16].replace("T", " ")
    text = amount(value) if name.endswith("_bytes") else number(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _titles() -> dict[str, str]:
    return {recipe.name: recipe.title for recipe in recipes()}


def _words(record: RunRecord, titles: dict[str, str]) -> str:
    when = record.started[5:16].replace("T", " ")
    task = find_task(record.task).TITLE if record.task in TASK_NAMES else record.task
    status = "" if record.status == "ok" else record.status.replace("_", " ")
    words = (titles.get(record.recipe, record.recipe), task, finding(record), status, when)
    return " · ".join(word for word in words if word)
