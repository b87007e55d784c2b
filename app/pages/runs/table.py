"""Tables of the Runs page, as HTML that scrolls sideways within the page."""

from __future__ import annotations

import html
import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from executors.runs.stored_findings import one_line

__all__ = ["DAMAGED", "row_html", "shown", "table_html", "undamaged"]

T = TypeVar("T")
DAMAGED = "This cannot be shown: the run's files are damaged."

_LOG = logging.getLogger(__name__)


def shown(view: Callable[..., str], *given: object) -> str:
    """What a view makes of a run as HTML, or a line that says what is wrong, see `undamaged`."""
    return undamaged(view, *given, instead=f'<p class="g-quiet">{DAMAGED}</p>')


def undamaged(view: Callable[..., T], *given: object, instead: T) -> T:
    """What a view makes of a run, or `instead` where the run's files are so damaged that it fails.

    Anything may stand in a file that something has damaged: it costs the view alone.
    """
    try:
        return view(*given)
    except Exception as error:  # noqa: BLE001 - the rest of the page stays
        _LOG.warning("a run's files are damaged: %s", one_line(error))
        return instead


def table_html(caption: str, heads: Iterable[str], rows: Iterable[str], *, css: str = "") -> str:
    """A table; `heads` are plain text, `rows` HTML."""
    head = "".join(f'<th scope="col">{html.escape(word)}</th>' for word in heads)
    classes = f"g-table {css}".strip()
    return (
        f'<div class="g-scroll" tabindex="0"><table class="{classes}">'
        f"<caption>{html.escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def row_html(cells: Iterable[object], *, css: str = "", strong: bool = False) -> str:
    """A row of plain text."""
    opening, closing = ("<td><strong>", "</strong></td>") if strong else ("<td>", "</td>")
    inside = "".join(f"{opening}{html.escape(str(cell))}{closing}" for cell in cells)
    return f'<tr class="{css}">{inside}</tr>' if css else f"<tr>{inside}</tr>"
