"""A run's events and result, and runs side by side, as a person reads them in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.syntax import Syntax

from app.commands.options import tell
from app.commands.show import out, show_table
from app.wording import shortened
from executors.runs.compare import Comparison
from executors.runs.next_run import command
from executors.runs.result import RunResult

__all__ = ["show_comparison", "show_event", "show_next", "show_result"]


def show_event(event: dict[str, Any]) -> None:
    """One line on stderr for each event worth a line."""
    kind = event.get("event")
    if kind == "queued":
        tell(f"waiting: {event.get('ahead')} ahead")
    elif kind == "begins" and event.get("node"):
        tell(f"node: {event['node']}")
    elif kind == "device":
        tell(f"device: {event.get('device')} ({event.get('why', '')})")
    elif kind == "doubt":
        tell(str(event.get("text", "")), style="yellow")
    elif kind == "log":
        tell(str(event.get("text", event.get("message", ""))))
    elif kind == "trial":
        verdict = "fits" if event.get("ok") else f"does not fit: {event.get('reason', '')}"
        peak = float(event.get("peak_bytes") or 0) / 2**20
        rate = float(event.get("samples_per_s") or 0)
        batch = f"batch {event.get('batch'):>6}"
        tell(f"{batch}  {peak:8.0f} MiB  {rate:10.0f} samples/s  {verdict}")


def show_result(result: RunResult) -> None:
    """What the run found, its files, and the code to paste."""
    style = "bold" if result.status == "ok" else "red"
    out.print(f"{result.status}: {result.message}", markup=False, style=style)
    for path in result.artifacts:
        out.print(path, markup=False, style="cyan", soft_wrap=True)
    for note in result.notes:
        out.print(note, markup=False, style="dim", soft_wrap=True)
    if result.code:
        out.print()
        # As text: a block of code would be cut at the width of the terminal.
        code = Syntax(result.code, "python", background_color="default").highlight(result.code)
        out.print(code, soft_wrap=True)


def show_next(result: RunResult, options: Mapping[str, object]) -> None:
    """What to go on with, as lines to type; `options` are of the command itself."""
    after = Path(result.folder).name
    for one in result.next:
        out.print(f"\nnext: {one.why}", markup=False, style="bold", soft_wrap=True)
        out.print(command(one, {"after": after, **options}), markup=False, soft_wrap=True)


def show_comparison(comparison: Comparison) -> None:
    """A row for each property, a column for each run under the end of its id."""
    rows = ((row.kind, row.name, *map(_cell, row.values)) for row in comparison.rows)
    show_table(("", "", *(run[-6:] for run in comparison.ids)), rows)


def _cell(value: object) -> str:
    """A value in a few letters; a dash where a run has none."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.5g}"
    text = ", ".join(map(_cell, value)) if isinstance(value, list | tuple) else str(value)
    return shortened(text, 40)
