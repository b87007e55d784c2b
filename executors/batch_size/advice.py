"""What a search for batch sizes says: its findings, sentences with reasons, and a snippet."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

from executors.amounts import show_bytes, show_number
from executors.batch_size.search import SMALLEST, Case, Trial
from executors.runs.stored_findings import Finding
from executors.task import Settings, Source, Task

__all__ = [
    "Plan",
    "PlanRow",
    "batch_to_use",
    "findings",
    "label",
    "loader_words",
    "plan_row",
    "reason_words",
    "rule_of_thumb",
    "same_but_size",
    "sentence",
    "several",
    "snippet",
]

_RULE_FREE_MB = 8200
_RULE_HALF, _RULE_WHOLE = (8, 4), (3, 1)  # with more memory free than that, and without
_RULE_PX = 480  # the rule's half-size images are 360 by 480 px
_MOST_WORKERS = 8
_FEWEST_STEPS = 10  # in an epoch
_MOST_IN_LARGE = 3  # plans of one case that are set in large side by side


@dataclass(frozen=True, slots=True)
class Plan:
    """What was found for one case."""

    case: Case
    largest: Trial
    recommended: Trial
    bound: str  # what the largest batch ran into: "memory", "data", "max_batch"
    loader_samples_per_s: float  # 0 when it is not known
    trials: tuple[Trial, ...]

    @property
    def bound_by(self) -> str:
        """What an epoch waits for: "loader" or "compute", "" when the loader was not measured."""
        if not self.loader_samples_per_s:
            return ""
        return "loader" if self.loader_samples_per_s < self.recommended.samples_per_s else "compute"


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan as results and tables show it."""

    size: int | None  # px
    precision: str
    phase: str
    largest: int
    recommended: int
    limit_bytes: int
    peak_bytes: int
    samples_per_s: float
    loader_samples_per_s: float
    bound: str
    bound_by: str
    rule_of_thumb: int | None


def plan_row(plan: Plan, limit_bytes: int, free_bytes: int) -> PlanRow:
    """The plan as a row, with what was free and what could be taken."""
    size = plan.case.size
    return PlanRow(
        size=size,
        precision=plan.case.precision,
        phase=plan.case.phase,
        largest=plan.largest.batch,
        recommended=plan.recommended.batch,
        limit_bytes=limit_bytes,
        peak_bytes=plan.largest.peak_bytes,
        samples_per_s=round(plan.recommended.samples_per_s, 2),
        loader_samples_per_s=round(plan.loader_samples_per_s, 2),
        bound=plan.bound,
        bound_by=plan.bound_by,
        rule_of_thumb=rule_of_thumb(free_bytes, size) if size else None,
    )


def findings(plans: Sequence[Plan], main: Plan) -> tuple[Finding, ...]:
    """A finding for each plan; in large are those of few sizes of one case, else `main` alone."""
    precise = {plan.case.precision for plan in plans} != {"float32"}
    listed = not several(plans) and len(plans) <= _MOST_IN_LARGE
    return tuple(
        Finding(
            _plan_words(plan, precise),
            _plan_figures(plan, listed) if listed or plan is main else {},
            {"plan": [_plan_values(plan)]},
            plan.case.phase,
            plan.case.precision,
            plan.case.size,
        )
        for plan in plans
    )


def _plan_words(plan: Plan, precise: bool) -> str:
    best, largest = plan.recommended.batch, plan.largest.batch
    words = f"batch size {best}" + (f" at {plan.case.size} px" if plan.case.size else "")
    words += f" in {plan.case.precision}" if precise else ""
    bound = plan.bound == "memory"
    if largest > best:
        return words + (
            f" (the largest that fits: {largest})" if bound else f" ({largest} fits too)"
        )
    return words + (" (the largest that fits)" if bound else "")


def _plan_figures(plan: Plan, sized: bool) -> dict[str, int]:
    at = f" at {plan.case.size} px" if sized and plan.case.size else ""
    return {
        f"Recommended batch{at}": plan.recommended.batch,
        f"Largest that fits{at}": plan.largest.batch,
    }


def _plan_values(plan: Plan) -> dict[str, int | str | None]:
    return {
        "size": plan.case.size,
        "precision": plan.case.precision,
        "recommended": plan.recommended.batch,
        "largest": plan.largest.batch,
    }


def same_but_size(one: Case, other: Case) -> bool:
    """Whether two cases differ in size alone, if at all."""
    return (one.precision, one.frozen) == (other.precision, other.frozen)


def several(plans: Sequence[Plan]) -> bool:
    """Whether plans differ in more than size."""
    return not all(same_but_size(plan.case, plans[0].case) for plan in plans)


def label(case: Case, others: bool = True) -> str:
    """The case in a few words; precision and phase only where there are others, else maybe ""."""
    words = [f"{case.size} px"] if case.size else []
    if others:
        words += [case.precision, case.phase]
    return " ".join(words)


def rule_of_thumb(free_bytes: int, size: int) -> int:
    """The batch by the rule of fast.ai's segmentation lesson.

    With over 8200 MB free 8 small or 3 large images, else 4 or 1. It was written for one U-Net on
    one set of street scenes, 360 by 480 and 720 by 960 px.
    """
    more, less = _RULE_HALF if size <= _RULE_PX else _RULE_WHOLE
    return more if free_bytes > _RULE_FREE_MB * 10**6 else less


def sentence(plan: Plan, limit: int, others: bool) -> str:
    """The finding for one case, with its reason."""
    words = label(plan.case, others)
    at = f"At {words} a" if plan.case.size else f"In {words} a" if words else "A"
    taken = f"takes {show_bytes(plan.largest.peak_bytes)} of {show_bytes(limit)}"
    why = {
        "memory": f"is the largest tried that trains within {show_bytes(limit)}{_failed(plan)}",
        "data": f"holds the whole training set and {taken}",
        "max_batch": f"is as large as max_batch allows and {taken}",
    }[plan.bound]
    rate = f"{show_number(plan.recommended.samples_per_s)} samples/s"
    if plan.recommended.batch == plan.largest.batch:
        return f"{at} batch of {plan.largest.batch} {why}; it is also the fastest, at {rate}."
    return (
        f"{at} batch of {plan.largest.batch} {why}; from {plan.recommended.batch} on ({rate}) "
        f"larger batches are at most 5 % faster, so {plan.recommended.batch} is recommended."
    )


def _failed(plan: Plan) -> str:
    """The smallest larger batch that did not train, and why; "" where none was tried."""
    failed = [t for t in plan.trials if not t.ok and t.batch > plan.largest.batch and t.reason]
    if not failed:
        return ""
    least = min(failed, key=lambda trial: trial.batch)
    return f" ({least.batch} does not: {least.reason})"


def loader_words(plan: Plan) -> str:
    """Whether epochs wait for the loader or the network, and what helps; "" when not known."""
    step, loader = plan.recommended.samples_per_s, plan.loader_samples_per_s
    given, taken = show_number(loader), show_number(step)
    if plan.bound_by == "loader":
        workers = max(1, min(math.ceil(step / loader), os.cpu_count() or 1, _MOST_WORKERS))
        return (
            f"Epochs are loader-bound: the loader gives {given} samples/s where the step could "
            f"take {taken}; num_workers={workers}, samples that are resized and cached once, or "
            "smaller files help more than a larger batch."
        )
    if plan.bound_by == "compute":
        return (
            f"Epochs are compute-bound: the loader gives {given} samples/s, the step takes "
            f"{taken}; lower precision, smaller samples or a smaller network are what makes them "
            "faster."
        )
    return ""


def reason_words(
    plans: Sequence[Plan],
    main: Plan,
    limit_bytes: int,
    free_bytes: int,
    effective: int | None,
    train: int,
) -> str:
    """The finding of each case, what an epoch of so many samples waits for, and what to mind."""
    sentences = [
        *(sentence(plan, limit_bytes, several(plans)) for plan in plans),
        loader_words(main),
        _few_steps(main, train),
        _rule_words(plans[-1].case.size, free_bytes),
        _accumulate_words(main, effective),
    ]
    return " ".join(words for words in sentences if words)


def _rule_words(size: int | None, free: int) -> str:
    if not size:
        return ""
    return (
        "The fast.ai course's rule of thumb (over 8200 MB free: 8 small or 3 large images, "
        f"else 4 or 1) gives {rule_of_thumb(free, size)} with {show_bytes(free)} free."
    )


def _accumulate_words(main: Plan, effective: int | None) -> str:
    batch, accumulate = batch_to_use(main, effective)
    if not accumulate:
        return ""
    reasons = {"memory": "do not fit at once", "max_batch": "are more than max_batch allows"}
    why = reasons.get(main.bound, "are too many")
    return f"{accumulate} {why}: accumulate the gradients of batches of {batch}."


def _few_steps(plan: Plan, train: int) -> str:
    """A warning where the fastest batch leaves hardly a step to learn in."""
    steps = train // plan.recommended.batch
    if steps >= _FEWEST_STEPS:
        return ""
    return (
        f"With {train} training samples that is {steps} step{'s' if steps > 1 else ''} an epoch: "
        f"fast, but a batch of {max(SMALLEST, train // _FEWEST_STEPS)} or less learns more from "
        "each epoch."
    )


def batch_to_use(plan: Plan, effective: int | None) -> tuple[int, int | None]:
    """The batch to load, and over how many samples to accumulate gradients (None: one batch).

    Without a wanted effective batch it is the recommended one. One that fits is taken as it is; for
    one that does not, batches of at most the recommended size that add up to it, or to a little
    more where they cannot.
    """
    if effective is None:
        return plan.recommended.batch, None
    if effective <= plan.largest.batch:
        return effective, None
    most = plan.recommended.batch
    for batch in range(most, max(SMALLEST, most // 2) - 1, -1):
        if effective % batch == 0:
            return batch, effective
    return math.ceil(effective / math.ceil(effective / most)), effective


_AUTOCAST = """
class Bfloat16(Callback):
    "bfloat16 on the CPU; to_bf16() is for cards"
    def before_batch(self):
        self.autocast = torch.autocast('cpu', dtype=torch.bfloat16)
        self.autocast.__enter__()
    def after_pred(self): self.learn.pred = to_float(self.pred)
    def after_loss(self): self.autocast.__exit__(None, None, None)

learn.add_cb(Bfloat16())
"""


def snippet(
    task: Task,
    source: Source,
    settings: Settings,
    plans: Sequence[Plan],
    effective: int | None,
    *,
    pretrained: bool,
    device: str,
) -> str:
    """A snippet that trains with the batch to use; with several sizes, one after the other."""
    first = plans[0]
    batch, accumulate = batch_to_use(first, effective)
    code = task.snippet(source, settings, first.case.size, batch, pretrained)
    code += _precision_lines(first.case.precision, device)
    code += "learn.freeze()\n" if first.case.frozen else ""
    code += _fit_line(first, pretrained, settings.task, accumulate)
    for plan in plans[1:]:
        batch, accumulate = batch_to_use(plan, effective)
        again = task.snippet(source, settings, plan.case.size, batch, pretrained)
        loaders = next((line for line in again.splitlines() if line.startswith("dls = ")), "")
        fit = _fit_line(plan, pretrained, settings.task, accumulate)
        code += f"\n{loaders}\nlearn.dls = dls\n{fit}"
    return code


def _precision_lines(precision: str, device: str) -> str:
    if precision == "float32":
        return ""
    if device == "cpu":
        return _AUTOCAST
    return {"float16": "learn.to_fp16()\n", "bfloat16": "learn.to_bf16()\n"}[precision]


def _fit_line(plan: Plan, pretrained: bool, task: str, accumulate: int | None) -> str:
    if task == "gan":
        return "learn.fit(1, 2e-4)\n"  # WGAN does not stand the momentum of one cycle
    name = "fine_tune" if pretrained and not plan.case.frozen else "fit_one_cycle"
    callback = f", cbs=GradientAccumulation(n_acc={accumulate})" if accumulate else ""
    return f"learn.{name}(1{callback})\n"
