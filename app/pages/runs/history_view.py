"""The runs so far as a table: what became of each, what it found, on what, and when."""

from __future__ import annotations

import html
from pathlib import Path

from app.pages.runs.numbers import duration
from app.pages.runs.result_view import figures
from app.pages.runs.view import STATUS_WORDS
from app.pages.text import link
from executors.recipe import recipes
from executors.runs.history import RunRecord, history
from executors.tasks import TASK_NAMES, find_task

__all__ = ["finding", "history_html"]

HISTORY_LIMIT = 30
_LONGEST = 44  # characters of a finding
_SAID = ("phase", "arch")  # parameters that are told beside the task
_HEADS = ("Status", "Recipe", "Found", "On", "Device", "Took", "Started, UTC")


def history_html(runs_dir: Path, limit: int = HISTORY_LIMIT) -> str:
    """The runs so far, newest first, each a link that opens it."""
    records = history(runs_dir)
    if not records:
        return '<p class="g-quiet">No runs yet.</p>'
    titles = {recipe.name: recipe.title for recipe in recipes()}
    heads = "".join(f'<th scope="col">{word}</th>' for word in _HEADS)
    more = (
        f'<p class="g-quiet">The latest {limit} of {len(records)} runs.</p>'
        if len(records) > limit
        else ""
    )
    return (
        '<div class="g-scroll" tabindex="0"><table class="g-table g-history"><caption>Earlier runs</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(_row(record, titles) for record in records[:limit])}</tbody>"
        f"</table></div>{more}"
    )


def _row(record: RunRecord, titles: dict[str, str]) -> str:
    status = html.escape(record.status)
    word = html.escape(STATUS_WORDS.get(record.status, record.status.capitalize()))
    cells = [
        f'<span class="g-badge g-is-{status}">{word}</span>',
        link("past", record.id, titles.get(record.recipe, record.recipe or record.id)),
        html.escape(finding(record)),
        html.escape(_on(record)),
        html.escape(record.device),
        duration(record.seconds) if record.seconds and record.status != "running" else "",
        html.escape(record.started[:16].replace("T", " ")),
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def finding(record: RunRecord) -> str:
    """The first thing that was found, in a few words."""
    if record.result is None or record.status != "ok":
        return ""
    first = next(iter(figures(record.result.said)), None)
    text = "" if first is None else f"{first[0]}: {first[1]}"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _on(record: RunRecord) -> str:
    """The task, whose files, and what else tells one run from another."""
    task = find_task(record.task).TITLE if record.task in TASK_NAMES else record.task
    files = Path(str(record.params.get("data") or "")).name
    return " · ".join(
        word
        for word in (task, files, *(str(record.params.get(name) or "") for name in _SAID))
        if word
    )
