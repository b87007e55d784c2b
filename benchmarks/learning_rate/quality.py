"""How much of the best learning rate's gain the recommended rate keeps: `python -m
benchmarks.learning_rate.quality`.

A task is trained by one-cycle at each of eleven rates, from 1e-5 to 1 in half decades; the loss
drop is how far the validation loss falls from before training to its end; *kept* is a rate's drop
over that of the best rate of the grid, at most 1. The recommended rate, fastai's four suggestions
(from the first sweep) and 1e-3 are trained with as well. All trainings of a task and seed start
from the same weights and meet the same batches; trials and sweeps meet others.

`--set held-out` (the default) has the tasks that no rule was chosen on, `--set development` those
that it was.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import math
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.learning_rate.tasks import DEVELOPMENT, HELD_OUT, Task
from benchmarks.record import save
from executors.errors import RecipeError
from executors.learning_rate.find import Found, find_rate
from executors.learning_rate.race import trial, validated
from executors.learning_rate.state import unchanged
from executors.learning_rate.suggest import Rate

GRID = tuple(10 ** (-5 + step / 2) for step in range(11))
RULES = ("recommended", "without a race", "minimum", "steep", "valley", "slide", "1e-3")
TRAINING_SEED = 1000  # no trial or sweep has this one
SWEEP, ORDERS = 100, 3
ALL = 10_000  # batches to validate on


def main() -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", choices=("held-out", "development"), default="held-out")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--only", default="", help="tasks whose name has this in it; nothing is saved then"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    tasks = [
        task
        for task in (HELD_OUT if options.set == "held-out" else DEVELOPMENT)
        if options.only in task.name
    ]
    started, rows = time.monotonic(), list[dict[str, Any]]()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seeds):
            for task in tasks:
                rows.append(measure(task, seed, Path(folder)))
                print(line(rows[-1]), flush=True)
    table = [summary(rule, rows) for rule in RULES]
    show(table, options.set, rows)
    if not options.only:
        name = "learning_rate" if options.set == "held-out" else "learning_rate_development"
        took = {
            "minutes": round((time.monotonic() - started) / 60, 1),
            "load_after": os.getloadavg(),
        }
        print(f"\nsaved {save(name, {'set': options.set, **took, 'table': table, 'runs': rows})}")
    return 0


def measure(task: Task, seed: int, folder: Path) -> dict[str, Any]:
    """One task from one seed: what each rule says and keeps."""
    learner = task.make(seed, folder)
    batches = task.epochs * len(learner.dls.train)
    with unchanged(learner), learner.no_bar(), learner.no_logging():
        before, _ = validated(learner, TRAINING_SEED, ALL)
    begun = time.monotonic()
    found, trouble = found_rate(learner, task.sliced, batches, seed)
    seconds = time.monotonic() - begun
    grid = [trained(learner, lr, batches) for lr in GRID]
    best = min(grid)
    rates: dict[str, Rate | None] = {"1e-3": 1e-3}
    if found is not None:
        rates |= {"recommended": found.recommended, "without a race": found.advice.recommended}
        rates |= found.advice.suggestions
    kept = {}
    for rule in RULES:
        rate = rates.get(rule)
        loss = trained(learner, rate, batches) if rate is not None else math.inf
        kept[rule] = round(max(0.0, min(1.0, (before - loss) / (before - best))), 4)
    ran = found.race if found else None
    return {
        "task": task.name,
        "kind": task.kind,
        "seed": seed,
        "batches": batches,
        "loss_before": before,
        "best_lr": GRID[grid.index(best)],
        "grid_kept": [
            round((before - loss) / (before - best), 3) if math.isfinite(loss) else None
            for loss in grid
        ],
        "rates": rates,
        "kept": kept,
        "trouble": trouble,
        "sweep_batches": len(found.sweeps[0].lrs) if found else None,
        "race_batches": ran.cost if ran else None,
        "race": [
            [one.rate, one.batches, one.loss if math.isfinite(one.loss) else None]
            for one in ran.trials
        ]
        if ran
        else None,
        "find_seconds": round(seconds, 2),
        "race_seconds": round(ran.seconds, 2) if ran else None,
    }


def found_rate(learner: Any, sliced: bool, batches: int, seed: int) -> tuple[Found | None, str]:
    """What the recipe finds, or why it finds nothing."""
    try:
        return find_rate(
            learner,
            sliced=sliced,
            num_it=SWEEP,
            orders=ORDERS,
            seed=seed,
            train_batches=batches,
            race_rates=True,
        ), ""
    except RecipeError as error:
        return None, str(error)


def trained(learner: Any, rate: Rate, batches: int) -> float:
    """The validation loss after one cycle at the rate."""
    return trial(learner, rate, batches, TRAINING_SEED, ALL).loss


def summary(rule: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a rule keeps over all tasks and seeds."""
    kept = [row["kept"][rule] for row in rows]
    return {
        "rule": rule,
        "median": round(median(kept), 3),
        "worst": round(min(kept), 3),
        "mean": round(sum(kept) / len(kept), 3),
        "below_90": sum(one < 0.9 for one in kept),
        "runs": len(kept),
    }


def line(row: dict[str, Any]) -> str:
    """One task and seed in a line."""
    kept = "  ".join(f"{rule} {value:.3f}" for rule, value in row["kept"].items())
    shown = row["rates"].get("recommended")
    return f"{row['task'][:36]:36} {row['seed']}  best {row['best_lr']:.0e}  took {shown}  {kept}"


def show(table: Sequence[dict[str, Any]], which: str, rows: Sequence[dict[str, Any]]) -> None:
    """The table, and what finding took."""
    print(
        f"\n{which}: {len({row['task'] for row in rows})} tasks, {len(rows)} runs; share of the "
        "best rate's drop kept"
    )
    print(f"{'rule':16} {'median':>7} {'worst':>7} {'mean':>7}  below .9")
    for one in table:
        print(
            f"{one['rule']:16} {one['median']:7.3f} {one['worst']:7.3f} {one['mean']:7.3f}  "
            f"{one['below_90']} of {one['runs']}"
        )
    raced = [row for row in rows if row["race_batches"]]
    most = max((row["race_batches"] / row["sweep_batches"] for row in raced), default=0)
    print(f"race: at most {most:.2f} times the batches of one sweep")


if __name__ == "__main__":
    raise SystemExit(main())
