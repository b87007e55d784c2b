"""Runs side by side, as a table: what was asked differently, what each found, and on what."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from app.pages.runs.history_view import finding, recipe_titles, task_title
from app.pages.runs.numbers import amount, number
from app.pages.runs.table import shown, table_html
from app.wording import shortened, to_the_minute
from executors.runs.compare import Row, compare
from executors.runs.history import RunRecord, history

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
    titles = recipe_titles()
    return [(_words(record, titles), record.id) for record in ended[:limit]]


def comparison_html(runs_dir: Path, ids: Sequence[str]) -> str:
    """The chosen runs side by side, in the order chosen; a line that asks for two if fewer."""
    known = {record.id: record for record in history(runs_dir)}
    records = [known[name] for name in ids if name in known][:MOST]
    if len(records) < 2:
        return '<p class="g-quiet">Choose two runs or more.</p>'
    return shown(_side_by_side, records)


def _side_by_side(records: Sequence[RunRecord]) -> str:
    rows = [row for row in compare(records).rows if _worth_showing(row)][:_ROWS]
    titles = recipe_titles()
    heads = ["", *(titles.get(record.recipe, record.recipe) for record in records)]
    return table_html("Side by side", heads, map(_row, rows), css="g-compare")


def _worth_showing(row: Row) -> bool:
    """Whether the row is a number or a word that can be read; code and lists of trials are not."""
    values = [value for value in row.values if value not in (None, "")]
    readable = all(len(str(value)) <= 4 * _LONGEST for value in values)
    return bool(values) and row.name.count(".") <= 1 and readable


def _row(row: Row) -> str:
    kind = _KINDS.get(row.kind, row.kind)
    name = html.escape(row.name.removesuffix("_bytes").replace("_", " "))
    label = name + (f' <span class="g-quiet">{kind}</span>' if kind else "")
    cells = "".join(f"<td>{html.escape(_cell(row.name, value))}</td>" for value in row.values)
    return f'<tr class="{"" if row.same else "g-differs"}"><th scope="row">{label}</th>{cells}</tr>'


def _cell(name: str, value: object) -> str:
    if name == "started":
        return to_the_minute(str(value or ""))
    text = amount(value) if name.endswith("_bytes") else number(value)
    return shortened(text, _LONGEST)


def _words(record: RunRecord, titles: dict[str, str]) -> str:
    title = titles.get(record.recipe, record.recipe)
    status = "" if record.status == "ok" else record.status.replace("_", " ")
    when = to_the_minute(record.started).partition("-")[2]  # without the year
    words = (title, task_title(record.task), finding(record), status, when)
    return " · ".join(filter(None, words))
