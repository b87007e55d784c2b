"""This machine above the runs, as HTML: each device with its memory, who has it and who waits."""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping
from pathlib import Path

from app.pages.runs.history_view import recipe_titles
from app.pages.runs.numbers import amount
from app.pages.text import link
from executors.runs.folder import SPEC, read_json
from executors.runs.machine import Place

__all__ = ["is_busy", "machine_html"]

_NAMES = {"cpu": "CPU", "mps": "Apple GPU"}


def is_busy(places: Collection[Place]) -> bool:
    """Whether a run has one of the devices, or waits for it."""
    return any(place.run or place.waiting for place in places)


def machine_html(runs_dir: Path, places: Collection[Place]) -> str:
    """A line for each device that runs of the folder take, with a bar of its memory."""
    titles = recipe_titles()
    return "".join(_place(place, runs_dir, titles) for place in places)


def _place(place: Place, runs_dir: Path, titles: Mapping[str, str]) -> str:
    run = f"taken by {_run(place.run, runs_dir, titles)}" if place.run else "no run"
    line = [_run(name, runs_dir, titles) for name in place.waiting]
    waits = f"; then {', '.join(line)}" if line else ""
    name = place.hardware or _NAMES.get(place.name, place.name)
    also = f' <span class="g-quiet">{html.escape(place.name)}</span>' if place.hardware else ""
    parts = _parts(place)
    said = ", ".join(f"{amount(part)} {word}" for word, part in parts)
    kind = "memory" if place.hardware else "memory of the machine"
    return (
        f'<div class="g-place"><p><b>{html.escape(name)}</b>{also} '
        f'<span class="g-place-run">{run}{waits}</span>'
        f'<span class="g-place-memory">{said} of {amount(place.total_bytes)} {kind}</span></p>'
        f"{_bar(place, parts)}</div>"
    )


def _parts(place: Place) -> list[tuple[str, int]]:
    """What the memory is taken by: others, the run where that is known, nobody."""
    used = max(0, place.total_bytes - place.free_bytes)
    taken = min(used, place.run_bytes or 0)
    by_run = [("by this run", taken)] if taken else []
    return [("used", used - taken), *by_run, ("free", place.free_bytes)]


def _bar(place: Place, parts: Collection[tuple[str, int]]) -> str:
    drawn = "".join(
        f'<i class="g-part-{word.split()[-1]}" style="width: {share:.1f}%"></i>'
        for word, share in ((word, 100 * n / max(1, place.total_bytes)) for word, n in parts)
        if word != "free"
    )
    return f'<div class="g-memory" aria-hidden="true">{drawn}</div>'


def _run(run_id: str, runs_dir: Path, titles: Mapping[str, str]) -> str:
    """A link that opens the run, named by its recipe."""
    recipe = str((read_json(runs_dir / run_id / SPEC) or {}).get("recipe") or "")
    return link("past", run_id, titles.get(recipe, recipe or run_id))
