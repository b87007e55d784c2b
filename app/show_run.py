"""A run's events and result as a person reads them in a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.syntax import Syntax

from executors.result import RunResult

__all__ = ["show_event", "show_result"]

out = Console(highlight=False)


def show_event(event: dict[str, Any], console: Console) -> None:
    """One line for each event worth a line."""
    kind = event.get("event")
    if kind == "device":
        console.print(f"device: {event.get('device')} ({event.get('why', '')})", markup=False)
    elif kind == "log":
        console.print(str(event.get("text", event.get("message", ""))), markup=False)
    elif kind == "trial":
        verdict = "fits" if event.get("ok") else f"does not fit: {event.get('reason', '')}"
        peak = float(event.get("peak_bytes") or 0) / 2**20
        rate = float(event.get("samples_per_s") or 0)
        console.print(
            f"batch {event.get('batch'):>6}  {peak:8.0f} MiB  {rate:10.0f} samples/s  {verdict}", markup=False
        )


def show_result(result: RunResult) -> None:
    """What the run found, its files, and the code to paste."""
    out.print(f"{result.status}: {result.message}", markup=False, style="bold" if result.status == "ok" else "red")
    for path in result.artifacts:
        out.print(path, markup=False, style="cyan")
    if result.code:
        out.print()
        out.print(Syntax(result.code, "python", background_color="default"))
