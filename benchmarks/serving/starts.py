"""How soon a run says its first word and its first measurement: in a child that was ready, and in a
new one.

    python -m benchmarks.serving.starts

Each recipe runs on its built-in sample on the CPU, by turns with a child ready (as the pages and
`gradus app` keep one) and without. The run is ended once it has measured something.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.record import save
from executors.runs.run import start
from executors.runs.warm import Warm

TRIES = 5
# A recipe, and the events by which it tells a first measurement.
RUNS: Mapping[str, tuple[str, ...]] = {
    "batch-size": ("trial",),
    "lr-find": ("point",),
    "init-check": ("layer",),
    "overfit-first": ("batch",),
    "mixed-precision": ("trial",),
}


def main() -> None:
    """Measure, print, save."""
    rows = []
    with tempfile.TemporaryDirectory() as work:
        for recipe in RUNS:
            row: dict[str, Any] = {"recipe": recipe}
            with Warm() as warm:
                row["ready"] = _figures([_once(recipe, Path(work), warm) for _ in range(TRIES)])
            row["new"] = _figures([_once(recipe, Path(work), None) for _ in range(TRIES)])
            rows.append(row)
            print(json.dumps(row), flush=True)
    print("saved", save("starts", {"rows": rows}))


def _once(recipe: str, runs: Path, warm: Warm | None) -> tuple[float, float]:
    """Seconds to a run's first event of its own, and to its first measurement."""
    if warm is not None:
        warm.prepare()
        warm.wait_ready()
    begun = time.monotonic()
    run = start(recipe, {"task": "tabular", "device": "cpu"}, runs, warm=warm)
    first = 0.0
    for event in run.events():
        if event["event"] == "result":
            raise RuntimeError(f"{recipe} ended before it had measured anything: {event}")
        first = first or time.monotonic() - begun
        if event["event"] in RUNS[recipe]:
            break
    taken = time.monotonic() - begun
    if warm is not None and not run.warmed:
        raise RuntimeError(f"{recipe} was given no child that was ready")
    run.cancel()
    return first, taken


def _figures(taken: list[tuple[float, float]]) -> dict[str, float]:
    first, measured = zip(*taken, strict=True)
    return {
        "first_word_s": round(statistics.median(first), 2),
        "first_measurement_s": round(statistics.median(measured), 2),
        "slowest_s": round(max(measured), 2),
    }


if __name__ == "__main__":
    main()
