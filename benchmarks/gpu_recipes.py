"""The recipes on this machine's card, in one visit: `python -m benchmarks.gpu_recipes`.

Also: how near the batch that is found comes to the largest that real memory takes, whether the card
is left as it was found, whether the search lives through a real out-of-memory, and what 16 bits are
worth. Prints a table and saves JSON under benchmarks/results/. Without a CUDA card the same steps
run on the CPU at smaller sizes, and the result is marked so: that shows that the script works, not
how fast a card is.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.batch_size.quality import REAL, bounded
from executors.batch_size.bench import Bench
from executors.batch_size.search import Case
from executors.devices import cards
from executors.runs.child import environment
from executors.runs.run import start

ROOT = Path(__file__).resolve().parents[1]
CPU_LIMIT_BYTES = 400_000_000
# task, settings, size in px, bytes that training may take, largest batch tried
ON_CARD: tuple[tuple[str, dict[str, Any], int | None, int, int], ...] = (
    ("image-classification", {"arch": "resnet50", "pretrained": False}, 224, 8_000_000_000, 1437),
    ("image-classification", {"arch": "resnet18", "pretrained": False}, 128, 3_000_000_000, 1437),
    (
        "image-classification",
        {"arch": "convnext_tiny", "pretrained": False},
        224,
        8_000_000_000,
        1437,
    ),
)


def main() -> int:
    """Measure, print, save; 0 when every step ended as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=ROOT / "benchmarks" / "results", help="folder of the JSON file"
    )
    parser.add_argument("--cpu", action="store_true", help="use the CPU although there is a card")
    options = parser.parse_args()
    on_card = bool(cards()) and not options.cpu
    with tempfile.TemporaryDirectory(prefix="gradus-bench-") as folder:
        before, load_before = memory(), os.getloadavg()
        steps = measure(on_card, Path(folder))
        after = memory()
    devices = {step["device"] for step in steps if step["device"]}
    report = {
        "device": next(iter(devices)) if len(devices) == 1 else "mixed" if devices else "none",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "hardware": {
            **environment(),
            "machine": platform.machine(),
            "cards": [card.name for card in cards()],
        },
        "versions": {name: version(name) for name in ("torch", "torchvision", "fastai", "numpy")},
        "load_before": load_before,  # of the last 1, 5, 15 minutes, which rates suffer from
        "free_bytes_before": before,
        "free_bytes_after": after,
        "steps": steps,
    }
    show(report)
    options.out.mkdir(parents=True, exist_ok=True)
    name = "gpu_recipes.json" if on_card else "gpu_recipes_cpu.json"
    (options.out / name).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"\nsaved {options.out / name}")
    return 0 if all(step["as_expected"] for step in steps) else 1


def measure(on_card: bool, runs: Path) -> list[dict[str, Any]]:
    """Every step's report, in order."""
    device = "cuda" if on_card else "cpu"
    images: dict[str, object] = {"task": "image-classification", "device": device}
    table: dict[str, object] = {"task": "tabular", "device": device}
    sizes, cap = ("64,128,224", 1437) if on_card else ("32", 64)
    steps = [
        step(
            "batch-size, images", "batch-size", {**images, "sizes": sizes, "max_batch": cap}, runs
        ),
        step("batch-size, table", "batch-size", {**table, "max_batch": 456}, runs),
        step("lr-find, images", "lr-find", {**images, "num_it": 100 if on_card else 40}, runs),
        step("lr-find, table", "lr-find", table, runs),
    ]
    steps.append(survival(on_card, runs))
    steps += [nearness(on_card, *one) for one in (ON_CARD if on_card else REAL[:1])]
    asked = {
        **images,
        "sizes": 128 if on_card else 32,
        "precision": "all",
        "max_batch": 512 if on_card else 16,
    }
    steps.append(step("float32, float16, bfloat16", "batch-size", asked, runs))
    return steps


def nearness(
    on_card: bool, task: str, settings: dict[str, Any], size: int | None, limit: int, cap: int
) -> dict[str, Any]:
    """The batch that is found, against the largest that passes in fresh processes on real
    memory.
    """
    print(f"... found of largest, {task}", flush=True)
    before, started = memory(), time.monotonic()
    device = "cuda" if on_card else "cpu"
    told = bounded(task, settings, size, limit, cap, device)
    return {
        "name": f"found of largest, {size} px" if size else "found of largest",
        "recipe": "",
        "params": {"task": task, **settings, "size": size, "limit_bytes": limit},
        "status": "ok",
        "as_expected": told["share"] <= 1 and told["share"] >= 0.9,
        "device": told["device"],
        "seconds": round(time.monotonic() - started, 3),
        "message": f"{told['found']} of {told['truth']} ({told['share']:.3f}), {told['trials']} "
        "trials, "
        f"{told['failures']} failures in {told['seconds']:g} s",
        "values": told,
        "free_bytes_before": before,
        "free_bytes_after": memory(),
    }


def survival(on_card: bool, runs: Path) -> dict[str, Any]:
    """Drive one trial into a real out-of-memory: it has to fail, and the next one has to train as
    if nothing was.
    """
    print("... survives out of memory", flush=True)
    size, batch = (224, 16_384) if on_card else (64, 4_096)
    first = {
        "settings": {
            "task": "image-classification",
            "arch": "resnet50" if on_card else "squeezenet1_1",
        },
        "folder": str(runs),
        "size": size,
        "device": "cuda" if on_card else "cpu",
        "precision": "float32",
        "frozen": False,
        "memory_limit": None if on_card else CPU_LIMIT_BYTES,  # on a card: all that is free
        "share": 0.5,
        "margin": 0.0,
    }
    before, started = memory(), time.monotonic()
    with Bench(first) as bench:
        small = bench.attempt(Case(size), 8, steps=3)
        huge = bench.attempt(Case(size), batch, steps=1)
        between = memory()
        again = bench.attempt(Case(size), 8, steps=3)
        device, limit = bench.hello["device"], bench.hello["limit_bytes"]
    lived = small.ok and not huge.ok and again.ok
    return {
        "name": "survives out of memory",
        "recipe": "",
        "params": {"size": size, "batch": batch},
        "status": "ok" if lived else "failed",
        "as_expected": lived and "out of memory" in huge.reason,
        "device": device,
        "seconds": round(time.monotonic() - started, 3),
        "message": f"batch {batch} at {size} px: {huge.reason[:120]}; then batch 8 "
        f"{'trains' if again.ok else 'fails'}",
        "values": {
            "limit_bytes": limit,
            "trials": [trial.to_json() for trial in (small, huge, again)],
        },
        "free_bytes_before": before,
        "free_bytes_between": between,
        "free_bytes_after": memory(),
    }


def step(name: str, recipe: str, params: Mapping[str, object], runs: Path) -> dict[str, Any]:
    """Run one recipe and report it, with the card's free memory on both sides."""
    print(f"... {name}", flush=True)
    before = memory()
    result = start(recipe, params, runs, timeout_s=900).wait()
    return {
        "name": name,
        "recipe": recipe,
        "params": dict(params),
        "status": result.status,
        "as_expected": result.status == "ok",
        "device": result.device,
        "seconds": result.seconds,
        "message": result.message,
        "values": result.values,
        "free_bytes_before": before,
        "free_bytes_after": memory(),
    }


def memory() -> list[int]:
    """Free bytes of each card, other programs' use counted; read without opening the card."""
    return [card.free_bytes for card in cards()]


def commit() -> str:
    """The commit this was measured on, marked when the tree is not clean."""
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--", "executors"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return head.stdout.strip() + ("+changes" if changed.stdout.strip() else "")


def version(name: str) -> str:
    """The installed version, "" where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def show(report: Mapping[str, Any]) -> None:
    """The table that a person reads."""
    card = ", ".join(report["hardware"]["cards"]) or report["hardware"]["cpu"]
    print(
        f"\n{report['device']} ({card}), torch {report['versions']['torch']}, commit "
        f"{report['commit'][:10]}\n"
    )
    print(f"{'step':28} {'status':14} {'seconds':>8}  found")
    for one in report["steps"]:
        print(f"{one['name']:28} {one['status']:14} {one['seconds']:8.1f}  {found(one)}")
    kept = [
        round((a - b) / 1e6)
        for a, b in zip(report["free_bytes_before"], report["free_bytes_after"], strict=True)
    ]
    if kept:
        print(f"\ncard memory not given back (MB): {kept}")


def found(one: Mapping[str, Any]) -> str:
    """One step's finding in a line."""
    if one["status"] != "ok" or not one["recipe"]:
        return str(one["message"])
    if one["recipe"] == "lr-find":
        return ", ".join(
            f"{phase} {values['recommended']}" for phase, values in one["values"]["phases"].items()
        )
    plans = []
    for plan in one["values"]["plan"]:
        size = f"{plan['size']} px: " if plan["size"] else ""
        rate = f"{plan['samples_per_s']:g}/s"
        size += "" if plan["precision"] == "float32" else f"{plan['precision']} "
        plans.append(
            f"{size}largest {plan['largest']}, recommended {plan['recommended']} at {rate}"
        )
    return "; ".join(plans)


if __name__ == "__main__":
    sys.exit(main())
