"""Where a run came from and where it leads: the runs it goes on from, and what may be next."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from app.pages.runs.history_view import finding, recipe_titles
from app.pages.text import link
from executors.runs.history import RunRecord
from executors.runs.next_run import NextRun

__all__ = ["AFTER", "LONGEST", "chain_html", "offer_target", "split_offer"]

AFTER = "after-run"  # no parameter's name has a dash
LONGEST = 12  # runs of a chain that are shown before the one that is looked at


def offer_target(one: NextRun, run_id: str) -> str:
    """What a link to the filled form says of a next run, with the run that leads to it."""
    values = {
        name: ",".join(map(str, value)) if isinstance(value, list) else value
        for name, value in one.params.items()
    }
    return f"{one.recipe}?{urlencode({**values, AFTER: run_id})}"


def split_offer(values: dict[str, object]) -> tuple[dict[str, object], str]:
    """(values of parameters, id of the run that leads to this one or "") of such a link's."""
    return {name: value for name, value in values.items() if name != AFTER}, str(
        values.get(AFTER, "")
    )


def chain_html(records: Sequence[RunRecord], run_id: str) -> str:
    """The runs that led to this one, itself, those that went on from it, and what may be next."""
    known = {record.id: record for record in records}
    if run_id not in known:
        return ""
    titles = recipe_titles()
    line = [_named(record, titles) for record in _before(known, run_id)]
    line.append(f"<strong>{html.escape(_title(known[run_id], titles))}</strong>")
    later = [_named(r, titles) for r in reversed(records) if r.after == run_id]
    shown = "".join(f"<li>{one}</li>" for one in line)
    if later:
        shown += f"<li>{', '.join(later)}</li>"
    chain = f'<ol class="g-chain" aria-label="Runs in a row">{shown}</ol>'
    parts = [chain if len(line) > 1 or later else "", *_offers(known[run_id], titles)]
    return "".join(parts)


def _before(known: dict[str, RunRecord], run_id: str) -> list[RunRecord]:
    """The runs that led to this one, the first of all first."""
    found: list[RunRecord] = []
    seen, at = {run_id}, known[run_id].after
    while at in known and at not in seen and len(found) < LONGEST:
        seen.add(at)
        found.insert(0, known[at])
        at = known[at].after
    return found


def _offers(record: RunRecord, titles: dict[str, str]) -> list[str]:
    """A button for each next run whose recipe is there; the first stands out."""
    offers = [one for one in (record.result.next if record.result else ()) if one.recipe in titles]
    return [
        _button(one, record.id, titles[one.recipe], "g-run" if place == 0 else "g-chip")
        for place, one in enumerate(offers)
    ]


def _button(one: NextRun, run_id: str, title: str, css: str) -> str:
    button = link("run", offer_target(one, run_id), f"Next: {title}", css=css)
    told = ", ".join(f"{name} {_said(value)}" for name, value in one.params.items())
    why = f'<span class="g-quiet">{html.escape(one.why)}</span>'
    return f'<div class="g-row g-offer" title="{html.escape(told)}">{button} {why}</div>'


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _named(record: RunRecord, titles: dict[str, str]) -> str:
    found = finding(record)
    more = f' <span class="g-quiet">{html.escape(found)}</span>' if found else ""
    return link("past", record.id, _title(record, titles)) + more


def _title(record: RunRecord, titles: dict[str, str]) -> str:
    return titles.get(record.recipe, record.recipe or record.id)
