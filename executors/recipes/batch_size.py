"""The recipe "batch-size": the largest batch that trains in the memory at hand, and the smallest as fast as any.

Every batch is trained in a process of its own (`executors.bench`), because running out of memory spoils a process.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..amounts import parse_bytes, show_bytes
from ..bench import Bench
from ..devices import Device
from ..errors import BadInput, OutOfMemory
from ..journal import Journal, Outcome
from ..recipe import Parameter, Recipe
from ..search import SMALLEST, Trial, best_rate, ladder, largest_batch
from ..tasks import IMAGE_TASKS, TASK_NAMES, find_task
from ..tasks.source import Settings, Source, settings_from
from ._shared import DEVICE, SEED, inputs

__all__ = ["RECIPE", "run"]

_TASKS = TASK_NAMES

RECIPE = Recipe(
    name="batch-size",
    title="Find my batch size",
    summary=(
        "Trains real steps at growing batch sizes until memory runs out; gives the largest batch that fits "
        "and the smallest that is as fast as any."
    ),
    tasks=_TASKS,
    concepts=(
        "batch size",
        "mini-batch",
        "free memory",
        "GPU memory",
        "out of memory",
        "progressive resizing",
        "mixed precision",
    ),
    parameters=(
        *inputs(_TASKS),
        Parameter(
            "sizes",
            "sizes",
            (),
            unit="px",
            minimum=32,
            maximum=2048,
            help="image sizes, several for progressive resizing; empty: 32 for the sample, 224 for your images",
            tasks=IMAGE_TASKS,
        ),
        Parameter(
            "precision",
            "choice",
            "float32",
            choices=("float32", "float16", "bfloat16"),
            help="16 bits take effect on a CUDA card only",
        ),
        Parameter("margin", "float", 0.1, minimum=0, maximum=0.9, help="share of the memory that is left free"),
        Parameter(
            "memory_limit",
            "str",
            "",
            unit="bytes",
            help="memory for training alone, such as 2GB; empty: half of the free RAM, or what is free on the card",
        ),
        Parameter("max_batch", "int", 4096, unit="samples", minimum=SMALLEST, maximum=1_000_000, help="try no larger"),
        Parameter("frozen", "bool", False, help="train the head only, as before unfreezing"),
        DEVICE,
        SEED,
    ),
)
SHARE = 0.5  # of free RAM, when no limit is given: the rest of the machine has work to do
_PROBE_STEPS = 2  # the second step holds the optimizer's state as well
_STEPS, _SECONDS = 3, 0.8  # of a verification or a measurement of speed, at least
_CPU_PART, _CARD_PART = 8, 16  # of a batch: a heap's use varies by more from run to run than a card's
_FEWEST_STEPS = 10  # in an epoch


@dataclass(frozen=True, slots=True)
class _Plan:
    """What was found for one image size (None: samples have no size)."""

    size: int | None
    largest: Trial
    recommended: Trial
    bound: str  # what the largest batch ran into: "memory", "data", "max_batch"
    trials: tuple[Trial, ...]


class _Narrator:
    """Tells every trial as it ends; the total is an estimate that grows with what there was to do."""

    def __init__(self, journal: Journal, sizes: int) -> None:
        self._journal, self._total, self.trials = journal, sizes * 12, list[Trial]()

    def tell(self, trial: Trial) -> Trial:
        self.trials.append(trial)
        self._journal.emit("trial", **trial.to_json())
        self._total = max(self._total, len(self.trials) + 2)
        self._journal.progress(len(self.trials), self._total, "batches tried")
        return trial

    def end(self) -> None:
        self._journal.progress(len(self.trials), len(self.trials), "batches tried")


def run(params: dict[str, Any], journal: Journal) -> Outcome:
    """Find the batch sizes.

    Raises
    ------
    BadParameter, BadInput
        When the task's input does not hold up.
    OutOfMemory
        When not even a batch of two fits.
    """
    settings = settings_from(params)
    task = find_task(settings.task)
    source = task.inspect(settings)
    if source.train < SMALLEST:
        raise BadInput(f"{source.title}: {source.train} training samples; a batch needs {SMALLEST} at least")
    standard = task.default_size(settings)
    sizes: tuple[int | None, ...] = (None,) if standard is None else params["sizes"] or (standard,)
    journal.log(source.title)
    narrator = _Narrator(journal, len(sizes))
    with _opened(params, settings, sizes, journal) as bench:
        plans = [_find(bench, narrator, size, source, params["max_batch"]) for size in sizes]
        hello, notes = bench.hello, _notes(source, bench.hello, params)
    narrator.end()
    values = _values(plans, settings, hello, notes, params, source.train)
    _write(journal, plans, hello["limit_bytes"])
    last = plans[-1]
    journal.metric("largest batch", last.largest.batch, "samples")
    journal.metric("recommended batch", last.recommended.batch, "samples")
    code = _code(task, source, settings, plans, hello)
    return Outcome(values, code, values["reason"], settings.task)


@contextmanager
def _opened(
    params: dict[str, Any], settings: Settings, sizes: tuple[int | None, ...], journal: Journal
) -> Iterator[Bench]:
    """A bench that is ready, and said so."""
    first = {
        "settings": settings.to_json(),
        "folder": str(journal.folder),
        "sizes": list(sizes),
        "device": params["device"],
        "precision": params["precision"],
        "frozen": params["frozen"],
        "memory_limit": parse_bytes(params["memory_limit"]) if params["memory_limit"] else None,
        "share": SHARE,
        "margin": params["margin"],
    }
    with Bench(first) as bench:
        journal.device(Device(bench.hello["device"], bench.hello["card"], bench.hello["why"]))
        for note in bench.hello["notes"]:
            journal.log(note)
        journal.log(f"training may take {show_bytes(bench.hello['limit_bytes'])}")
        yield bench


def _find(bench: Bench, narrator: _Narrator, size: int | None, source: Source, max_batch: int) -> _Plan:
    """The largest and the recommended batch for one size."""
    start, cap = len(narrator.trials), min(max_batch, source.train)
    bench.renew()

    def attempt(batch: int, fresh: bool) -> Trial:
        if fresh:
            trial = bench.attempt(size, batch, steps=_STEPS, seconds=_SECONDS, fresh=True, purpose="verify")
        else:
            trial = bench.attempt(size, batch, steps=_PROBE_STEPS, purpose="search")
        return narrator.tell(trial)

    limit = bench.hello["limit_bytes"]
    largest = largest_batch(attempt, limit, cap, _CPU_PART if bench.hello["device"] == "cpu" else _CARD_PART)
    if largest is None:
        at = f" at {size} px" if size else ""
        reason = next((trial.reason for trial in reversed(narrator.trials) if trial.reason), "")
        raise OutOfMemory(
            f"not even a batch of {SMALLEST} trains{at} in {show_bytes(limit)} ({reason}); "
            "give more memory, a smaller image or a smaller network"
        )
    rates = [
        narrator.tell(bench.attempt(size, batch, steps=_STEPS, seconds=_SECONDS, purpose="rate"))
        for batch in ladder(largest.batch)
    ]
    bound = "memory" if largest.batch < cap else "max_batch" if max_batch < source.train else "data"
    return _Plan(
        size,
        largest,
        best_rate(rates if any(rate.ok for rate in rates) else [largest]),
        bound,
        tuple(narrator.trials[start:]),
    )


def _notes(source: Source, hello: dict[str, Any], params: dict[str, Any]) -> list[str]:
    notes = [*source.notes, *hello["notes"]]
    if params["precision"] != hello["precision"]:
        notes.append(
            f"trained in {hello['precision']}: fastai's mixed precision works on CUDA cards only, "
            f"{params['precision']} has no effect on '{hello['device']}'"
        )
    if hello["device"].startswith("cuda"):
        notes.append("the limit is enforced by torch's memory fraction on the card")
    elif hello["device"] == "cpu":
        notes.append("memory counts what training needs; the C library's heap may keep some freed memory beside it")
    notes.append("rates count the training step alone, without reading and resizing the samples")
    return notes


def _values(
    plans: list[_Plan], settings: Settings, hello: dict[str, Any], notes: list[str], params: dict[str, Any], train: int
) -> dict[str, Any]:
    """The result for machines; `largest` and `recommended` are those of the largest image size."""
    last = plans[-1]
    return {
        "largest": last.largest.batch,
        "recommended": last.recommended.batch,
        "plan": [
            {
                "size": plan.size,
                "largest": plan.largest.batch,
                "recommended": plan.recommended.batch,
                "limit_bytes": hello["limit_bytes"],
                "peak_bytes": plan.largest.peak_bytes,
                "samples_per_s": round(plan.recommended.samples_per_s, 2),
                "bound": plan.bound,
            }
            for plan in plans
        ],
        "trials": [trial.to_json() for plan in plans for trial in plan.trials],
        "reason": " ".join(_sentence(plan, hello["limit_bytes"]) for plan in plans) + _few_steps(last, train),
        "arch": settings.arch or find_task(settings.task).DEFAULT_ARCH,
        "precision": hello["precision"],
        "frozen": params["frozen"],
        "pretrained": hello["pretrained"],
        "margin": params["margin"],
        "limit_bytes": hello["limit_bytes"],
        "notes": notes,
    }


def _sentence(plan: _Plan, limit: int) -> str:
    """The finding for one size, with its reason."""
    at = f"At {plan.size} px a" if plan.size else "A"
    why = {
        "memory": f"is the largest that trains within {show_bytes(limit)}",
        "data": f"holds the whole training set and takes {show_bytes(plan.largest.peak_bytes)} of {show_bytes(limit)}",
        "max_batch": f"is as large as max_batch allows and takes {show_bytes(plan.largest.peak_bytes)} of "
        f"{show_bytes(limit)}",
    }[plan.bound]
    rate = f"{plan.recommended.samples_per_s:.3g} samples/s"
    if plan.recommended.batch == plan.largest.batch:
        return f"{at} batch of {plan.largest.batch} {why}; it is also the fastest, at {rate}."
    return (
        f"{at} batch of {plan.largest.batch} {why}; from {plan.recommended.batch} on "
        f"({rate}) larger batches are at most 5 % faster, so {plan.recommended.batch} is recommended."
    )


def _few_steps(plan: _Plan, train: int) -> str:
    """A warning where the fastest batch leaves hardly a step to learn in."""
    steps = train // plan.recommended.batch
    if steps >= _FEWEST_STEPS:
        return ""
    return (
        f" With {train} training samples that is {steps} step{'s' if steps > 1 else ''} an epoch: fast, but a batch of "
        f"{max(SMALLEST, train // _FEWEST_STEPS)} or less learns more from each epoch."
    )


def _write(journal: Journal, plans: list[_Plan], limit: int) -> None:
    """The plot and the table of all trials."""
    from ..plots import plot_batches

    table = journal.folder / "trials.csv"
    _write_table(table, [trial for plan in plans for trial in plan.trials])
    journal.artifact(table, "every trial")
    picture = journal.folder / "batch-size.png"
    marks = [(plan.size, plan.largest.batch, plan.recommended.batch) for plan in plans]
    plot_batches(picture, [trial for plan in plans for trial in plan.trials], marks, limit)
    journal.artifact(picture, "memory and rate against batch size")


def _write_table(path: Path, trials: list[Trial]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(trials[0].to_json()))
        writer.writeheader()
        writer.writerows(trial.to_json() for trial in trials)


def _code(task: Any, source: Source, settings: Settings, plans: list[_Plan], hello: dict[str, Any]) -> str:
    """A fastai snippet that trains with the recommended batch; with several sizes, one after the other."""
    first = plans[0]
    code: str = task.snippet(source, settings, first.size, first.recommended.batch, hello["pretrained"])
    half = {"float16": "fp16", "bfloat16": "bf16"}.get(hello["precision"])
    if half:
        code += f"learn.to_{half}()\n"
    fit = "fine_tune(1)" if hello["pretrained"] else "fit_one_cycle(1)"
    code += f"learn.{fit}\n"
    for plan in plans[1:]:
        again = task.snippet(source, settings, plan.size, plan.recommended.batch, hello["pretrained"])
        loaders = next(line for line in again.splitlines() if line.startswith("dls = "))
        code += f"\n{loaders}\nlearn.dls = dls\nlearn.{fit}\n"
    return code
