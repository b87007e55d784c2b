"""What a run found, as HTML made from its result: the finding in large, its reason, and files."""

from __future__ import annotations

import base64
import html
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.pages.runs.numbers import amount, rates
from app.pages.runs.table import row_html, table_html
from executors.runs.stored_findings import Finding, figures_of, findings_from

__all__ = ["doubts_html", "figures", "files_html", "read_html", "result_html"]

Event = Mapping[str, Any]
PICTURE_BYTES, FILE_BYTES = 4_000_000, 1_000_000
_FEW = 2  # notes that stand open; more are folded
_DOUBTS = 12  # rows that are shown
_WORDS_IN_LARGE = 28  # characters; a longer finding is set smaller


def read_html(events: Iterable[Event]) -> str:
    """What of the files may have been meant otherwise, as the run said when it had read them."""
    lines = "".join(f"<li>{html.escape(doubt)}</li>" for doubt in _read(events))
    return f'<div class="g-doubt g-read"><p>Read like this:</p><ul>{lines}</ul></div>' * bool(lines)


def _read(events: Iterable[Event]) -> list[str]:
    told = (str(event.get("text") or "") for event in events if event.get("event") == "doubt")
    return [*dict.fromkeys(filter(None, told))]


def result_html(event: Event, before: Sequence[Event] = ()) -> str:
    """The finding in large with its reason; what went wrong in a line where there is none.

    `before` are the run's other events, whose doubts are not told again.
    """
    message = _line("g-reason", event["message"]) if event.get("message") else ""
    sent = "".join(_line("g-quiet", note) for note in event.get("notes") or ())
    if event.get("status") != "ok":
        message = message or "<p>The run gave no reason.</p>"
        return f'<div class="g-result g-bad">{message}{sent}</div>'
    large = "".join(_figure(*pair) for pair in figures(findings_from(event.get("said"))))
    notes = _notes(event.get("values") or {}, _read(before))
    return f'<div class="g-result"><div class="g-founds">{large}</div>{message}{notes}{sent}</div>'


def figures(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """What is worth showing in large, with its label, as the recipe says it."""
    # names of metrics without their underscores
    return [
        (label.replace("_", " "), rates(value)) for label, value in figures_of(findings).items()
    ]


def _figure(label: str, value: str) -> str:
    smaller = " g-long" if len(value) > _WORDS_IN_LARGE else ""
    return (
        f'<div class="g-found"><span class="g-label">{html.escape(label)}</span>'
        f'<span class="g-value{smaller}">{html.escape(value)}</span></div>'
    )


def _line(kind: str, text: object) -> str:
    return f'<p class="{kind}">{html.escape(str(text))}</p>'


def doubts_html(event: Event) -> str:
    """The samples whose label is doubted most as a table; where there are none, nothing."""
    listed = (event.get("values") or {}).get("doubts")
    doubts = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
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
    # the pictures of doubts are what was asked for
    open_word = " open" if (result.get("values") or {}).get("doubts") else ""
    where = f'<p class="g-quiet">All files are in <code>{html.escape(str(folder))}</code></p>'
    return (
        f'<details class="g-files"{open_word}><summary>{" and ".join(words)}</summary>'
        f"{''.join(others)}{''.join(pictures)}{where}</details>"
    )


def _notes(values: Mapping[str, Any], told: Collection[str]) -> str:
    """The notes on what was decided, without those told, folded when there are many."""
    stored = values.get("notes") or []
    notes = [stored] if isinstance(stored, str) else list(dict.fromkeys(map(str, stored)))
    notes = [note for note in notes if note not in told]
    if len(notes) <= _FEW:
        return "".join(_line("g-quiet", note) for note in notes)
    lines = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    summary = f"<summary>{len(notes)} notes on this run</summary>"
    return f'<details class="g-why g-notes">{summary}<ul>{lines}</ul></details>'


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() == ".png" and path.stat().st_size <= PICTURE_BYTES


def _picture(path: Path, title: str) -> str:
    """A picture as part of the page, so that nothing beside the page itself needs serving."""
    words, data = html.escape(title or path.name), base64.b64encode(path.read_bytes()).decode()
    image = f'<img alt="{words}" src="data:image/png;base64,{data}">'
    return f"<figure>{image}<figcaption>{words}</figcaption></figure>"


def _file(path: Path, title: str) -> str:
    """A small file of text as a download within the page; of another, where it lies."""
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
