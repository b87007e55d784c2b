"""How near the search comes to the largest batch, in how many trials and seconds, against its
peers.

`python -m benchmarks.batch_size.quality --peers FOLDER`, where the folder was filled by `pip
install --target FOLDER --no-deps lightning lightning-utilities torchmetrics`; without it
Lightning's rows are left out. Nine networks with three budgets each under a simulated memory
(`benchmarks.batch_size.simulated_memory`), whose true largest batch is known; every batch of ours
is tried by the recipe's own search in the recipe's own child processes. Then three tasks on this
machine's real memory, bounded by the system. Prints tables, saves JSON under benchmarks/results/.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.batch_size.child import LIMIT
from benchmarks.batch_size.models import MODELS, TRAIN
from benchmarks.record import save
from executors.batch_size.bench import Bench
from executors.batch_size.search import Case, Trial, largest_batch

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("gradus", "Lightning binsearch", "Lightning power", "accelerate", "naive line")
REAL: tuple[tuple[str, dict[str, Any], int | None, int, int], ...] = (
    ("image-classification", {"arch": "resnet18", "pretrained": False}, 32, 260_000_000, 1437),
    ("tabular", {"arch": "2000,1000"}, None, 60_000_000, 456),
    ("image-classification", {"arch": "squeezenet1_1", "pretrained": False}, 64, 150_000_000, 1437),
)


def main() -> int:
    """Measure, print, save; 0 when nothing that was found is too large."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--peers", type=Path, help="folder with Lightning; without it, only accelerate and the line"
    )
    parser.add_argument("--models", nargs="*", default=list(MODELS), help="only these")
    parser.add_argument(
        "--no-real", action="store_true", help="leave out the machine's real memory"
    )
    parser.add_argument("--no-save", action="store_true", help="only print")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    rows = [row for name in options.models for row in simulated(name, options.peers)]
    summary = summarised(rows)
    show(rows, summary)
    real = [] if options.no_real else [bounded(*one) for one in REAL]
    show_real(real)
    if not options.no_save:
        print("saved", save("batch_size", {"summary": summary, "simulated": rows, "real": real}))
    return 0 if all(row["gradus"]["share"] <= 1 for row in rows) else 1


def simulated(name: str, peers: Path | None) -> list[dict[str, Any]]:
    """For each budget of one model, what every method found."""
    told = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.batch_size.peers",
            name,
            *(["lightning"] if peers else []),
        ],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([*([str(peers.resolve())] if peers else []), str(ROOT)]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        print(f"{name}: left out, for the peers failed\n{told.stderr[-3000:]}", file=sys.stderr)
        return []
    rows = json.loads(told.stdout.splitlines()[-1])
    for row in rows:
        row["gradus"] = ours(name, row["budget"], row["truth"])
        for method in METHODS:
            if method in row:
                row[method]["share"] = round(row[method]["found"] / row[method]["truth"], 3)
        print(f"... {name}, {row['budget'] / 1e6:g} MB: {row['gradus']}", flush=True)
    return [{"model": name, "kind": MODELS[name].kind, **row} for row in rows]


def ours(name: str, budget: int, truth: int) -> dict[str, Any]:
    """The recipe's search in its own processes; seconds from the first process being ready."""
    os.environ[LIMIT] = str(budget)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        with Bench(
            first({"task": name}, folder, None, None), module="benchmarks.batch_size.child"
        ) as bench:
            ready = time.monotonic()
            found, trials = searched(bench, Case(), TRAIN, 16)
            seconds = time.monotonic() - ready
    return {
        "found": found,
        "truth": truth,
        "trials": len(trials),
        "failures": sum(not trial.ok for trial in trials),
        "seconds": round(seconds, 2),
        "start_s": round(ready - begun, 2),
        "tried": [(trial.batch, trial.purpose, trial.ok) for trial in trials],
    }


def searched(bench: Bench, case: Case, cap: int, part: int) -> tuple[int, list[Trial]]:
    """The largest batch and every trial on the way, as the recipe has it."""
    trials: list[Trial] = []

    def attempt(batch: int, fresh: bool) -> Trial:
        how: dict[str, Any] = (
            {"steps": 3, "fresh": True, "purpose": "verify"} if fresh else {"steps": 2}
        )
        trials.append(bench.attempt(case, batch, **how))
        return trials[-1]

    found = largest_batch(attempt, bench.hello["limit_bytes"], cap, part)
    return (found.batch if found else 0), trials


def first(
    settings: dict[str, Any], folder: str, size: int | None, limit: int | None
) -> dict[str, Any]:
    """What a bench is opened with."""
    how = {"device": "cpu", "size": size, "precision": "float32", "frozen": False}
    return {
        "settings": settings,
        "folder": folder,
        **how,
        "memory_limit": limit,
        "share": 1.0,
        "margin": 0.0,
    }


def bounded(
    task: str, settings: dict[str, Any], size: int | None, limit: int, cap: int, device: str = "cpu"
) -> dict[str, Any]:
    """One task on real memory; the truth is bisected around what was found, in fresh processes, to
    two percent.
    """
    case = Case(size)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        asked = {**first({"task": task, **settings}, folder, size, limit), "device": device}
        bench = stack.enter_context(Bench(asked))
        start = time.monotonic()
        found, trials = searched(bench, case, cap, 8 if device == "cpu" else 16)
        seconds = time.monotonic() - start
        low, high = found, min(cap + 1, int(found * 1.25) + 1)
        while high - low > max(1, low // 50):
            middle = (low + high) // 2
            fits = bench.attempt(case, middle, steps=3, fresh=True, purpose="verify").ok
            low, high = (middle, high) if fits else (low, middle)
        name = bench.hello["device"]
    print(f"... {task}, {settings['arch']}: {found} of {low}", flush=True)
    return {
        "task": f"{task}, {settings['arch']}" + (f", {size} px" if size else ""),
        "device": name,
        "limit_bytes": limit,
        "found": found,
        "truth": low,
        "share": round(found / low, 3),
        "trials": len(trials),
        "failures": sum(not trial.ok for trial in trials),
        "seconds": round(seconds, 2),
    }


def summarised(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Each method over all cases."""
    summary = {}
    for method in METHODS:
        own = [row[method] for row in rows if method in row]
        if own:
            shares = [one["share"] for one in own]
            summary[method] = {
                "cases": len(own),
                "median": statistics.median(shares),
                "worst": min(shares),
                "too_large": sum(share > 1 for share in shares),
                "median_trials": statistics.median(one["trials"] for one in own),
                "most_failures": max(one["failures"] for one in own),
                "seconds": round(statistics.median(one["seconds"] for one in own), 2),
                "seconds_with_start": round(
                    statistics.median(one["seconds"] + one["start_s"] for one in own), 2
                ),
            }
    return summary


def show(rows: list[dict[str, Any]], summary: dict[str, dict[str, float]]) -> None:
    """The tables that a person reads."""
    print(
        f"\n{'found / largest':18} {'MB':>5} {'largest':>7}  "
        + "".join(f"{name:>20}" for name in summary)
    )
    for row in rows:
        shown = "".join(f"{row[name]['share']:>20.3f}" for name in summary)
        print(f"{row['model']:18} {row['budget'] / 1e6:5.0f} {row['truth']:7}  {shown}")
    heads = ("median", "worst", "too large", "trials", "most failures", "seconds", "with start")
    print(f"\n{'':20}" + "".join(f"{head:>15}" for head in heads))
    for name, one in summary.items():
        figures = [
            one["median"],
            one["worst"],
            one["too_large"],
            one["median_trials"],
            one["most_failures"],
        ]
        figures += [one["seconds"], one["seconds_with_start"]]
        print(f"{name:20}" + "".join(f"{figure:>15g}" for figure in figures))


def show_real(rows: list[dict[str, Any]]) -> None:
    """The second table: memory that the system bounds."""
    if rows:
        print(
            f"\n{'real memory':44} {'MB':>5} {'found':>6} {'largest':>8} {'share':>6} "
            f"{'trials':>7} {'seconds':>8}"
        )
    for row in rows:
        print(
            f"{row['task']:44} {row['limit_bytes'] / 1e6:5.0f} {row['found']:6} {row['truth']:8} "
            f"{row['share']:6.3f} "
            f"{row['trials']:7} {row['seconds']:8.1f}"
        )


if __name__ == "__main__":
    sys.exit(main())
