"""The recipe "batch-size": the largest batch that trains in the memory at hand, and the smallest as
fast as any.

Every batch is trained in a process of its own (`executors.batch_size.bench`): running out of memory
spoils a process.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from executors.amounts import parse_bytes, show_bytes
from executors.batch_size.advice import (
    Plan,
    batch_to_use,
    label,
    loader_words,
    plan_row,
    sentence,
    snippet,
)
from executors.batch_size.bench import Bench
from executors.batch_size.search import SMALLEST, Case, Trial, best_rate, ladder, largest_batch
from executors.devices import Device
from executors.errors import BadInput, BadParameter, OutOfMemory, RecipeError
from executors.recipe import Parameter, Recipe
from executors.recipes._shared import DEVICE, PHASE_SAID, SEED, SIZE_SAID, inputs
from executors.runs.journal import Journal, Outcome
from executors.task import Settings, Source, settings_from
from executors.tasks import IMAGE_TASKS, TASK_NAMES, find_task

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
        "mini-batch size",
        "minibatch size",
        "maximum batch size",
        "bs",
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
            said=SIZE_SAID,
            help="image sizes, several for progressive resizing; empty: 32 for the sample, 224 for your images",
            tasks=IMAGE_TASKS,
        ),
        Parameter(
            "precision",
            "choice",
            "float32",
            choices=("float32", "float16", "bfloat16", "all"),
            values_said={
                "float32": ("float32", "fp32", "full precision", "single precision"),
                "float16": (
                    "float16",
                    "fp16",
                    "to_fp16",
                    "half precision",
                    "in half",
                    "mixed precision",
                    "16 bit",
                    "amp",
                ),
                "bfloat16": ("bfloat16", "bf16", "to_bf16"),
                "all": ("all precisions",),
            },
            help="all compares those that the device can do; float16 is for CUDA cards only",
        ),
        Parameter(
            "phase",
            "choice",
            "unfrozen",
            choices=("frozen", "unfrozen", "both"),
            values_said=PHASE_SAID,
            help="frozen trains the head only, as before unfreezing, which takes less memory",
        ),
        Parameter(
            "effective_batch",
            "int",
            None,
            unit="samples",
            minimum=SMALLEST,
            maximum=1_000_000,
            said=(
                "effective batch",
                "effective batch size",
                "accumulate to #",
                "accumulated to #",
                "accumulating to #",
            ),
            help="samples an optimizer step is to see; one that does not fit is accumulated from smaller batches",
            tasks=tuple(name for name in _TASKS if name != "gan"),
        ),
        Parameter(
            "margin",
            "float",
            0.1,
            minimum=0,
            maximum=0.9,
            said=("keep # free", "keep # memory free", "leave # free", "leave # memory free"),
            help="share of the memory that is left free",
        ),
        Parameter(
            "memory_limit",
            "str",
            "",
            unit="bytes",
            help="memory for training alone, such as 2GB; empty: half of the free RAM, or what is free on the card",
        ),
        Parameter(
            "max_batch",
            "int",
            4096,
            unit="samples",
            minimum=SMALLEST,
            maximum=1_000_000,
            said=("max batch #", "no larger than #", "no bigger than #", "no batch above #"),
            help="try no larger",
        ),
        Parameter(
            "trial_timeout",
            "int",
            300,
            unit="s",
            minimum=5,
            maximum=86_400,
            said=("timeout", "time-out", "trial time-out"),
            help="a trial that takes longer has hung",
        ),
        DEVICE,
        SEED,
    ),
)
SHARE = 0.5  # of free RAM, when no limit is given: the rest of the machine has work to do
_PROBE_STEPS = 2  # the second step holds the optimizer's state as well
_STEPS, _SECONDS = 3, 0.8  # of a verification or a measurement of speed, at least
_GAN_STEPS = 7  # WGAN's generator has its second step, which finds the optimizer's state there, after five of the critic  # noqa: E501
_CPU_PART, _CARD_PART = (
    8,
    16,
)  # of a batch: a heap's use varies by more from run to run than a card's
_FEWEST_STEPS = 10  # in an epoch
_PHASES = {"frozen": (True,), "unfrozen": (False,), "both": (True, False)}


class _Narrator:
    """Tells every trial as it ends; the total is an estimate that grows with what there was to
    do.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal, self._total, self.trials = journal, 0, list[Trial]()

    def expect(self, cases: int) -> None:
        """So many cases are to be searched."""
        self._total = cases * 11

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
    _check(source, params["effective_batch"])
    standard = task.default_size(settings)
    sizes: tuple[int | None, ...] = (None,) if standard is None else params["sizes"] or (standard,)
    journal.log(source.title)
    narrator = _Narrator(journal)
    with _opened(params, settings, sizes[0], journal) as bench:
        cases, said = _cases(params, sizes, bench.hello)
        narrator.expect(len(cases))
        steps = _GAN_STEPS if settings.task == "gan" else _STEPS
        plans = _plans(bench, narrator, cases, source, params["max_batch"], steps, said)
        hello = bench.hello
    narrator.end()
    notes = [*source.notes, *hello["notes"], *said, *_notes(hello, narrator.trials)]
    values = _values(plans, settings, hello, notes, params, source.train)
    _write(journal, plans, hello["limit_bytes"])
    journal.metric("largest batch", values["largest"], "samples")
    journal.metric("recommended batch", values["recommended"], "samples")
    used = [plan for plan in plans if _same_but_size(plan.case, _main(plans).case)]
    code = snippet(task, source, settings, used, hello, params["effective_batch"])
    return Outcome(values, code, values["reason"], settings.task)


def _check(source: Source, effective: int | None) -> None:
    if source.train < SMALLEST:
        raise BadInput(
            f"{source.title}: {source.train} training samples; a batch needs {SMALLEST} at least"
        )
    if effective is not None and effective > source.train:
        raise BadParameter(
            f"batch-size: parameter 'effective_batch' must be at most the {source.train} training samples of "
            f"{source.title}, got {effective}"
        )


@contextmanager
def _opened(
    params: dict[str, Any], settings: Settings, size: int | None, journal: Journal
) -> Iterator[Bench]:
    """A bench that is ready, and said so."""
    first = {
        "settings": settings.to_json(),
        "folder": str(journal.folder),
        "size": size,
        "device": params["device"],
        "precision": "float32",
        "frozen": _PHASES[params["phase"]][0],
        "memory_limit": parse_bytes(params["memory_limit"]) if params["memory_limit"] else None,
        "share": SHARE,
        "margin": params["margin"],
    }
    with Bench(first, params["trial_timeout"]) as bench:
        journal.device(Device(bench.hello["device"], bench.hello["card"], bench.hello["why"]))
        for note in bench.hello["notes"]:
            journal.log(note)
        journal.log(f"training may take {show_bytes(bench.hello['limit_bytes'])}")
        yield bench


def _cases(
    params: dict[str, Any], sizes: tuple[int | None, ...], hello: dict[str, Any]
) -> tuple[list[Case], list[str]]:
    """What is to be searched, and what is to be said of what cannot be."""
    asked, there, device = params["precision"], hello["precisions"], hello["device"]
    notes = []
    wanted = ("float32", "float16", "bfloat16") if asked == "all" else (asked,)
    for precision in wanted:
        if precision not in there:
            why = (
                "fastai's float16 is for CUDA cards"
                if precision == "float16"
                else "this device cannot compute in it"
            )
            instead = "" if asked == "all" else "; trained in float32"
            notes.append(f"{precision} has no effect on '{device}': {why}{instead}")
    precisions = tuple(precision for precision in wanted if precision in there) or ("float32",)
    phases = _PHASES[params["phase"]]
    return [
        Case(size, precision, frozen)
        for size in sizes
        for precision in precisions
        for frozen in phases
    ], notes


def _plans(
    bench: Bench,
    narrator: _Narrator,
    cases: list[Case],
    source: Source,
    max_batch: int,
    steps: int,
    said: list[str],
) -> list[Plan]:
    """A plan for each case that can be trained; what cannot is said, and raised when nothing
    can.
    """
    plans: list[Plan] = []
    for case in cases:
        try:
            plans.append(_find(bench, narrator, case, source, max_batch, steps))
        except OutOfMemory as error:
            if case == cases[-1] and not plans:
                raise
            said.append(str(error))
        except RecipeError as error:
            if not plans or case.precision == "float32":
                raise
            said.append(f"{label(case)} cannot be trained: {error}")
    return plans


def _find(
    bench: Bench, narrator: _Narrator, case: Case, source: Source, max_batch: int, steps: int
) -> Plan:
    """The largest and the recommended batch for one case."""
    start, cap = len(narrator.trials), min(max_batch, source.train)
    bench.renew()

    def attempt(batch: int, fresh: bool) -> Trial:
        if fresh:
            trial = bench.attempt(
                case, batch, steps=steps, seconds=_SECONDS, fresh=True, purpose="verify"
            )
        else:
            trial = bench.attempt(case, batch, steps=_PROBE_STEPS, purpose="search")
        return narrator.tell(trial)

    limit = bench.hello["limit_bytes"]
    largest = largest_batch(
        attempt, limit, cap, _CPU_PART if bench.hello["device"] == "cpu" else _CARD_PART
    )
    if largest is None:
        at = f" at {case.size} px" if case.size else ""
        reason = next((trial.reason for trial in reversed(narrator.trials) if trial.reason), "")
        raise OutOfMemory(
            f"not even a batch of {SMALLEST} trains{at} in {show_bytes(limit)} ({reason}); "
            "give more memory, a smaller image or a smaller network"
        )
    rates = [
        narrator.tell(bench.attempt(case, batch, steps=_STEPS, seconds=_SECONDS, purpose="rate"))
        for batch in ladder(largest.batch)
    ]
    bound = "memory" if largest.batch < cap else "max_batch" if max_batch < source.train else "data"
    best = best_rate(rates if any(rate.ok for rate in rates) else [largest])
    return Plan(
        case, largest, best, bound, largest.loader_samples_per_s, tuple(narrator.trials[start:])
    )


def _notes(hello: dict[str, Any], trials: list[Trial]) -> list[str]:
    notes = []
    strange = sorted({trial.batch for trial in trials if not trial.finite})
    if strange:
        which = ", ".join(str(batch) for batch in strange)
        notes.append(
            f"the loss was not a number (NaN or infinite) with batches of {which}: memory and speed are measured all "
            "the same, but look at the data and the loss before you train"
        )
    if hello["device"].startswith("cuda"):
        notes.append("the limit is enforced by torch's memory fraction on the card")
    elif hello["device"] == "cpu":
        notes.append(
            "memory counts what training needs; the C library's heap may keep some freed memory beside it"
        )
    notes.append("rates count the training step alone; what the loader gives is measured apart")
    return notes


def _main(plans: list[Plan]) -> Plan:
    """The plan that a result is named for: the largest size, in the first precision, unfrozen where
    that was asked.
    """
    size, precision = plans[-1].case.size, plans[0].case.precision
    own = [plan for plan in plans if (plan.case.size, plan.case.precision) == (size, precision)]
    return (own or plans)[-1]


def _same_but_size(one: Case, other: Case) -> bool:
    return (one.precision, one.frozen) == (other.precision, other.frozen)


def _values(
    plans: list[Plan],
    settings: Settings,
    hello: dict[str, Any],
    notes: list[str],
    params: dict[str, Any],
    train: int,
) -> dict[str, Any]:
    """The result for machines; `largest` and `recommended` are those of the largest image size."""
    main, limit, free = _main(plans), hello["limit_bytes"], hello["available_bytes"]
    several = len({(plan.case.precision, plan.case.frozen) for plan in plans}) > 1
    said = [
        *(sentence(plan, limit, several) for plan in plans),
        loader_words(main),
        _few_steps(main, train),
    ]
    rows = [plan_row(plan, limit, free) for plan in plans]
    if rows[-1]["rule_of_thumb"]:
        said.append(
            f"The fast.ai course's rule of thumb (over 8200 MB free: 8 small or 3 large images, else 4 or 1) gives "
            f"{rows[-1]['rule_of_thumb']} with {show_bytes(free)} free."
        )
    batch, accumulate = batch_to_use(main, params["effective_batch"])
    if accumulate:
        why = {"memory": "do not fit at once", "max_batch": "are more than max_batch allows"}.get(
            main.bound, "are too many"
        )
        said.append(f"{accumulate} {why}: accumulate the gradients of batches of {batch}.")
    return {
        "largest": main.largest.batch,
        "recommended": main.recommended.batch,
        "plan": rows,
        "trials": [trial.to_json() for plan in plans for trial in plan.trials],
        "reason": " ".join(words for words in said if words),
        "arch": settings.arch or find_task(settings.task).DEFAULT_ARCH,
        "precision": main.case.precision,
        "phase": "frozen" if main.case.frozen else "unfrozen",
        "pretrained": hello["pretrained"],
        "margin": params["margin"],
        "limit_bytes": limit,
        "free_bytes": free,
        "bound_by": main.bound_by,
        "accumulate": {"batch": batch, "effective_batch": accumulate} if accumulate else None,
        "notes": notes,
    }


def _few_steps(plan: Plan, train: int) -> str:
    """A warning where the fastest batch leaves hardly a step to learn in."""
    steps = train // plan.recommended.batch
    if steps >= _FEWEST_STEPS:
        return ""
    return (
        f"With {train} training samples that is {steps} step{'s' if steps > 1 else ''} an epoch: fast, but a batch of "
        f"{max(SMALLEST, train // _FEWEST_STEPS)} or less learns more from each epoch."
    )


def _write(journal: Journal, plans: list[Plan], limit: int) -> None:
    """The plot and the table of all trials."""
    from executors.batch_size.plot import plot_batches

    table = journal.folder / "trials.csv"
    trials = [trial for plan in plans for trial in plan.trials]
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(trials[0].to_json()))
        writer.writeheader()
        writer.writerows(trial.to_json() for trial in trials)
    journal.artifact(table, "every trial")
    picture = journal.folder / "batch-size.png"
    several = len({(plan.case.precision, plan.case.frozen) for plan in plans}) > 1
    marks = [
        (plan.case, label(plan.case, several), plan.largest.batch, plan.recommended.batch)
        for plan in plans
    ]
    plot_batches(picture, trials, marks, limit)
    journal.artifact(picture, "memory and rate against batch size")
