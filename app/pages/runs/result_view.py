"""What a run found, as HTML made from its result: the finding in large with its reason, notes,
pictures and files.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.pages.runs.numbers import amount, rates
from app.pages.runs.table import row_html, table_html

__all__ = ["doubts_html", "files_html", "found", "result_html"]

Event = Mapping[str, Any]
PICTURE_BYTES, FILE_BYTES = 4_000_000, 1_000_000
_FEW = 2  # notes that stand open; more are folded
_DOUBTS = 12  # rows that are shown
_WORDS_IN_LARGE = 28  # characters; a longer finding is set smaller


def result_html(event: Event) -> str:
    """The finding in large with its reason; what went wrong in a line where there is none."""
    message = (
        f'<p class="g-reason">{html.escape(str(event.get("message", "")))}</p>'
        if event.get("message")
        else ""
    )
    sent = "".join(
        f'<p class="g-quiet">{html.escape(str(note))}</p>' for note in event.get("notes") or ()
    )
    if event.get("status") != "ok":
        return (
            f'<div class="g-result g-bad">{message or "<p>The run gave no reason.</p>"}{sent}</div>'
        )
    values = event.get("values") or {}
    shown = "".join(
        f'<div class="g-found"><span class="g-label">{html.escape(label)}</span>'
        f'<span class="g-value{" g-long" if len(value) > _WORDS_IN_LARGE else ""}">{html.escape(value)}</span></div>'
        for label, value in found(values)
    )
    return f'<div class="g-result"><div class="g-founds">{shown}</div>{message}{_notes(values)}{sent}</div>'


def found(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is worth showing in large, with its label: what the recipe says is, a plan's batches, or
    rates.
    """
    said = values.get("findings")
    if isinstance(said, Mapping):
        return [(_label(str(label)), rates(value)) for label, value in said.items()]
    plan = values.get("plan")
    if isinstance(plan, list) and plan and _one_case(plan):
        batches = []
        for item in plan:
            at = f" at {item['size']} px" if item.get("size") else ""
            batches.append((f"Recommended batch{at}", rates(item.get("recommended"))))
            batches.append((f"Largest that fits{at}", rates(item.get("largest"))))
        return batches
    phases = values.get("phases")
    if isinstance(phases, Mapping) and phases:
        return [
            (f"Learning rate, {name}", rates(item.get("recommended")))
            for name, item in phases.items()
        ]
    named = (("recommended", "Recommended batch"), ("largest", "Largest that fits"))
    return [(label, rates(values[name])) for name, label in named if name in values]


def doubts_html(event: Event) -> str:
    """The samples whose label is doubted most as a table; where there are none, nothing."""
    doubts = (event.get("values") or {}).get("doubts")
    doubts = (
        [doubt for doubt in doubts if isinstance(doubt, Mapping)]
        if isinstance(doubts, list)
        else []
    )
    if not doubts:
        return ""
    columns = {
        "file": "Sample",
        "label": "Label",
        "predicted": "Predicted",
        "proposal": "Proposal",
        "why": "Why",
    }
    rows = [row_html(doubt.get(name, "") for name in columns) for doubt in doubts[:_DOUBTS]]
    table = table_html("To look at", columns.values(), rows)
    if len(doubts) <= _DOUBTS:
        return table
    more = f"The first {_DOUBTS} of {len(doubts)}; all are in the list of decisions."
    return f'{table}<p class="g-quiet">{more}</p>'


def files_html(events: Sequence[Event], folder: Path) -> str:
    """The run's pictures, inline, its small files as downloads, of large ones where they lie.

    Only files within the run's own folder.
    """
    titles = {
        str(e.get("path")): str(e.get("title", "")) for e in events if e.get("event") == "artifact"
    }
    result = next((event for event in reversed(events) if event.get("event") == "result"), {})
    inside = []
    for name in result.get("artifacts") or ():
        path = Path(str(name))
        if path.resolve().parent == folder.resolve() and path.is_file():
            inside.append((path, titles.get(str(name), "")))
    if not inside:
        return ""
    pictures = [_picture(path, title) for path, title in inside if _is_picture(path)]
    others = [_file(path, title) for path, title in inside if not _is_picture(path)]
    words = [
        f"{len(kind)} {word}{'s' if len(kind) > 1 else ''}"
        for kind, word in ((pictures, "picture"), (others, "file"))
        if kind
    ]
    open_word = (
        " open" if (result.get("values") or {}).get("doubts") else ""
    )  # their pictures are what was asked for
    return (
        f'<details class="g-files"{open_word}><summary>{" and ".join(words)}</summary>'
        f"{''.join(others)}{''.join(pictures)}"
        f'<p class="g-quiet">All of it lies in <code>{html.escape(str(folder))}</code></p></details>'
    )


def _label(words: str) -> str:
    """A finding's label for people: names of metrics without their underscores."""
    return words.replace("_", " ")


def _one_case(plan: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a plan's rows differ in size alone, and are few; else its table tells them better."""
    return (
        len({(item.get("precision"), item.get("phase")) for item in plan}) == 1 and len(plan) <= 3
    )


def _notes(values: Mapping[str, Any]) -> str:
    """The notes on what was decided, folded when there are many."""
    notes = values.get("notes") or values.get("note") or []
    notes = [notes] if isinstance(notes, str) else list(dict.fromkeys(map(str, notes)))
    if len(notes) <= _FEW:
        return "".join(f'<p class="g-quiet">{html.escape(note)}</p>' for note in notes)
    lines = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return f'<details class="g-why g-notes"><summary>{len(notes)} notes on this run</summary><ul>{lines}</ul></details>'


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() == ".png" and path.stat().st_size <= PICTURE_BYTES


def _picture(path: Path, title: str) -> str:
    """A picture as part of the page, so that nothing beside the page itself needs serving."""
    words, data = html.escape(title or path.name), base64.b64encode(path.read_bytes()).decode()
    return f'<figure><img alt="{words}" src="data:image/png;base64,{data}"><figcaption>{words}</figcaption></figure>'


def _file(path: Path, title: str) -> str:
    """A small file of text as a download within the page; of another, where it lies on this
    machine.
    """
    size, name = path.stat().st_size, html.escape(path.name)
    words = html.escape(", ".join(word for word in (title, amount(size)) if word))
    if path.suffix.lower() in (".csv", ".json", ".txt") and size <= FILE_BYTES:
        data = base64.b64encode(path.read_bytes()).decode()
        shown = (
            f'<a class="g-file" download="{name}" href="data:text/plain;base64,{data}">{name}</a>'
        )
    else:
        shown = f"<code>{html.escape(str(path))}</code>"
    return f'<p class="g-path-line">{shown} <span class="g-quiet">{words}</span></p>'
