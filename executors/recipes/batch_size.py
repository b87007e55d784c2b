"""The recipe "batch-size": the largest batch that trains in memory, the smallest as fast as any.

Every batch is trained in a process of its own (`executors.batch_size.bench`): running out of memory
spoils a process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from executors.amounts import parse_bytes, show_bytes
from executors.batch_size.advice import (
    Plan,
    batch_to_use,
    findings,
    label,
    plan_row,
    reason_words,
    same_but_size,
    several,
    snippet,
)
from executors.batch_size.bench import Bench, begin_early
from executors.batch_size.plans import Narrator, Search
from executors.batch_size.search import SMALLEST, Case, Trial
from executors.batch_size.setup import Ready, Setup, ready_from
from executors.devices import Device
from executors.errors import BadInput, BadParameter
from executors.parameters import both
from executors.recipe import Parameter, Recipe
from executors.recipes._shared import DEVICE, PHASE_SAID, SEED, SIZE_SAID, inputs
from executors.runs.journal import Journal, Outcome
from executors.task import Settings, Source
from executors.tasks import IMAGE_TASKS, TASK_NAMES, find_task

__all__ = ["RECIPE", "Params", "begin_early", "run"]

_TASKS = TASK_NAMES

RECIPE = Recipe(
    name="batch-size",
    title="Find my batch size",
    summary=(
        "Trains real steps at growing batch sizes until memory runs out; gives the largest batch "
        "that fits and the smallest that is as fast as any."
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
            help="image sizes, several for progressive resizing; empty: 32 for the sample, 224 for "
            "your images",
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
            help="all compares what the device can do; float16 is for CUDA cards only",
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
            help="samples for one optimizer step; a batch that does not fit is accumulated from "
            "smaller ones",
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
            help="memory for training alone, such as 2GB; empty: half of the free RAM, or what is "
            "free on the card",
        ),
        Parameter(
            "max_batch",
            "int",
            4096,
            unit="samples",
            minimum=SMALLEST,
            maximum=1_000_000,
            said=("max batch #", "no larger than #", "no bigger than #", "no batch above #"),
            help="no larger batch is tried",
        ),
        Parameter(
            "trial_timeout",
            "int",
            300,
            unit="s",
            minimum=5,
            maximum=86_400,
            said=("timeout", "time-out", "trial time-out"),
            help="a trial that takes longer is ended",
        ),
        DEVICE,
        SEED,
    ),
)
SHARE = 0.5  # of free RAM, when no limit is given: the rest of the machine has work to do
_STEPS = 3  # of a verification
# WGAN's generator has its second step, which finds the optimizer's state, after five of the critic
_GAN_STEPS = 7
_PHASES = {"frozen": (True,), "unfrozen": (False,), "both": (True, False)}
_NO_EFFECT = {"float16": "fastai's float16 is for CUDA cards"}


@dataclass(frozen=True, slots=True)
class Params:
    """What RECIPE's parameters become."""

    settings: Settings
    sizes: tuple[int, ...]  # px
    precision: str
    phase: str
    effective_batch: int | None
    margin: float
    memory_limit: str
    max_batch: int
    trial_timeout: int  # s
    device: str


def run(params: Params, journal: Journal) -> Outcome:
    """Find the batch sizes.

    Raises
    ------
    BadParameter, BadInput
        When the task's input does not hold up.
    OutOfMemory
        When not even a batch of two fits.
    """
    settings = params.settings
    task = find_task(settings.task)
    source = task.inspect(settings)
    _check(source, params.effective_batch)
    standard = task.default_size(settings)
    sizes: tuple[int | None, ...] = (None,) if standard is None else params.sizes or (standard,)
    journal.source(source.title, source.doubts)
    narrator = Narrator(journal)
    with _opened(params, sizes[0], journal) as bench:
        ready = ready_from(bench.hello)
        cases, remarks = _cases(params, sizes, ready.precisions, ready.device)
        narrator.expect(len(cases))
        steps = _GAN_STEPS if settings.task == "gan" else _STEPS
        search = Search(bench, ready, narrator, source.train, params.max_batch, steps)
        plans, failures = search.plans(cases)
    narrator.end()
    main = _main(plans)
    _write(journal, plans, ready.limit_bytes)
    journal.metric("largest batch", main.largest.batch, "samples")
    journal.metric("recommended batch", main.recommended.batch, "samples")
    limit, free = ready.limit_bytes, ready.available_bytes
    reason = reason_words(plans, main, limit, free, params.effective_batch, source.train)
    values = _values(plans, main, ready, params) | {
        "reason": reason,
        "arch": settings.arch or task.DEFAULT_ARCH,
        "notes": [
            *source.remarks,
            *ready.notes,
            *remarks,
            *failures,
            *_notes(ready.device, narrator.trials),
        ],
    }
    code = snippet(
        task,
        source,
        settings,
        [plan for plan in plans if same_but_size(plan.case, main.case)],
        params.effective_batch,
        pretrained=ready.pretrained,
        device=ready.device,
    )
    return Outcome(values, code, reason, settings.task, findings(plans, main))


def _check(source: Source, effective: int | None) -> None:
    if source.train < SMALLEST:
        raise BadInput(
            f"{source.title}: {source.train} training samples; a batch needs {SMALLEST} at least"
        )
    if effective is not None and effective > source.train:
        raise BadParameter(
            f"{both('effective_batch')} must be at most the "
            f"{source.train} training samples of {source.title}, got {effective}"
        )


@contextmanager
def _opened(params: Params, size: int | None, journal: Journal) -> Iterator[Bench]:
    """A bench that is ready, and told of."""
    setup = Setup(
        params.settings,
        str(journal.folder),
        size,
        params.device,
        frozen=_PHASES[params.phase][0],
        memory_limit=parse_bytes(params.memory_limit) if params.memory_limit else None,
        share=SHARE,
        margin=params.margin,
    )
    with Bench(setup.to_json(), params.trial_timeout) as bench:
        ready = ready_from(bench.hello)
        journal.device(Device(ready.device, ready.card, ready.why))
        for note in ready.notes:
            journal.log(note)
        journal.log(f"training may take {show_bytes(ready.limit_bytes)}")
        yield bench


def _cases(
    params: Params, sizes: tuple[int | None, ...], able: tuple[str, ...], device: str
) -> tuple[list[Case], list[str]]:
    """What is to be searched of what the device is able to, and what is to be said of the rest."""
    asked = params.precision
    wanted = ("float32", "float16", "bfloat16") if asked == "all" else (asked,)
    instead = "" if asked == "all" else "; trained in float32"
    remarks = []
    for precision in wanted:
        if precision not in able:
            why = _NO_EFFECT.get(precision, "this device cannot compute in it")
            remarks.append(f"{precision} has no effect on '{device}': {why}{instead}")
    precisions = tuple(precision for precision in wanted if precision in able) or ("float32",)
    cases = [
        Case(size, precision, frozen)
        for size in sizes
        for precision in precisions
        for frozen in _PHASES[params.phase]
    ]
    return cases, remarks


def _notes(device: str, trials: Sequence[Trial]) -> list[str]:
    notes = []
    strange = sorted({trial.batch for trial in trials if not trial.finite})
    if strange:
        which = ", ".join(str(batch) for batch in strange)
        notes.append(
            f"the loss was not a number (NaN or infinite) with batches of {which}: memory and "
            "speed are measured all the same, but look at the data and the loss before you train"
        )
    if device.startswith("cuda"):
        notes.append("the limit is enforced by torch's memory fraction on the card")
    elif device == "cpu":
        notes.append(
            "memory counts what training needs; "
            "the C library's heap may keep some freed memory in addition"
        )
    notes.append("rates count the training step alone; the loader is measured separately")
    return notes


def _main(plans: Sequence[Plan]) -> Plan:
    """The plan that a result is named for.

    The largest size, in the first precision, unfrozen where that was asked.
    """
    size, precision = plans[-1].case.size, plans[0].case.precision
    alike = [plan for plan in plans if (plan.case.size, plan.case.precision) == (size, precision)]
    return (alike or plans)[-1]


def _values(plans: Sequence[Plan], main: Plan, ready: Ready, params: Params) -> dict[str, Any]:
    """The result for machines; `largest` and `recommended` are those of the largest image size."""
    limit, free = ready.limit_bytes, ready.available_bytes
    batch, accumulate = batch_to_use(main, params.effective_batch)
    return {
        "largest": main.largest.batch,
        "recommended": main.recommended.batch,
        "plan": [asdict(plan_row(plan, limit, free)) for plan in plans],
        "trials": [trial.to_json() for plan in plans for trial in plan.trials],
        "precision": main.case.precision,
        "phase": main.case.phase,
        "pretrained": ready.pretrained,
        "margin": params.margin,
        "limit_bytes": limit,
        "free_bytes": free,
        "bound_by": main.bound_by,
        "accumulate": {"batch": batch, "effective_batch": accumulate} if accumulate else None,
    }


def _write(journal: Journal, plans: Sequence[Plan], limit: int) -> None:
    """The plot and the table of all trials."""
    from executors.batch_size.plot import Drawn, plot_batches

    trials = [trial for plan in plans for trial in plan.trials]
    rows = [trial.to_json() for trial in trials]
    journal.table("trials.csv", "every trial", list(rows[0]), (row.values() for row in rows))
    picture = journal.folder / "batch-size.png"
    named = several(plans)
    drawn = [
        Drawn(plan.case, label(plan.case, named), plan.largest.batch, plan.recommended.batch)
        for plan in plans
    ]
    plot_batches(picture, trials, drawn, limit)
    journal.artifact(picture, "memory and rate against batch size")
