"""The recipe "mixed-precision": speed, memory and score of float32 against 16 bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from executors.amounts import show_bytes, show_number
from executors.batch_size.bench import Bench, begin_early
from executors.batch_size.search import Case, Trial
from executors.batch_size.setup import Setup
from executors.errors import OutOfMemory, RecipeError
from executors.prepare import Prepared, prepare
from executors.recipe import Recipe
from executors.recipes._shared import (
    BATCH_SIZE,
    DEVICE,
    SEED,
    SIZE,
    epochs_parameter,
    inputs,
    rate_of,
    rate_parameter,
)
from executors.runs.journal import Journal, Outcome
from executors.runs.stored_findings import Finding, plain_name
from executors.task import Settings
from executors.tasks import TASK_NAMES
from executors.training.held_out import HeldOut, beside, constant_figure, constant_words

if TYPE_CHECKING:
    from executors.training.fit import Score

__all__ = ["RECIPE", "Params", "Row", "begin_early", "findings", "run"]

_TASKS = tuple(name for name in TASK_NAMES if name != "gan")  # no score to compare

RECIPE = Recipe(
    name="mixed-precision",
    title="Try mixed precision",
    summary=(
        "Trains the same network from the same start in float32 and in 16 bits, as far as the "
        "device can: samples a second, memory and score of each."
    ),
    tasks=_TASKS,
    concepts=(
        "mixed precision",
        "half precision",
        "fp16",
        "bf16",
        "float16",
        "bfloat16",
        "to_fp16",
        "automatic mixed precision",
        "AMP",
    ),
    parameters=(
        *inputs(_TASKS),
        SIZE,
        BATCH_SIZE,
        epochs_parameter(1, "of each training"),
        rate_parameter("empty: found by a sweep in float32"),
        DEVICE,
        SEED,
    ),
)
_STEPS, _SECONDS = 3, 0.8  # of a measurement, at least
_SNIPPETS = {"float32": "", "float16": "learn.to_fp16()\n", "bfloat16": "learn.to_bf16()\n"}


@dataclass(frozen=True, slots=True)
class Params:
    """What RECIPE's parameters become."""

    settings: Settings
    size: int | None  # px
    batch_size: int | None
    epochs: int
    lr: float | None
    device: str


@dataclass(frozen=True, slots=True)
class Row:
    """One precision; `score` is None where training broke off for a loss that was no number."""

    precision: str
    samples_per_s: float
    peak_bytes: int  # of a step, above what the network itself holds
    score: float | None
    valid_loss: float | None


def run(params: Params, journal: Journal) -> Outcome:
    """Train in each precision.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the user's files do not hold up.
    OutOfMemory
        When a step in float32 does not fit.
    RecipeError
        When no rate can be found.
    """
    from executors.batch_size.trial_parts import precisions
    from executors.training.fit import score_of

    ready = prepare(params, journal)
    score = score_of(ready.learner, ready.built.higher_is_better)
    able = precisions(ready.device)
    measured = _measured(ready, able, journal)
    ready.learner.unfreeze()
    lr = rate_of(ready, params.lr, params.epochs, journal)
    rows, held = _trained(ready, measured, params.epochs, lr, score, journal)
    head = ["precision", "samples_per_s", "peak_bytes", score.name, "valid_loss"]
    journal.table("precision.csv", "each precision", head, (asdict(row).values() for row in rows))
    best = _best(rows, score, held)
    values: dict[str, Any] = {
        "rows": [asdict(row) for row in rows],
        "best": best,
        "score": score.name,
        "held_out": asdict(held),
        "lr": lr,
        **asdict(ready.trained),
        "notes": [*ready.notes, *_notes(ready.device, able)],
    }
    code = ready.snippet() + _SNIPPETS[best if ready.device.startswith("cuda") else "float32"]
    code += f"learn.unfreeze()\nlearn.fit_one_cycle({params.epochs}, {lr!r})\n"
    message = _message(rows, best, score.name, held, len(able) > 1)
    said = findings(rows, best, score.name, len(able) > 1, held.constant)
    return Outcome(values, code, message, ready.settings.task, said)


def findings(
    rows: Sequence[Row],
    best: str,
    score: str,
    able: bool = False,
    constant: float | None = None,
) -> tuple[Finding, ...]:
    """Speed, memory and score of each precision against float32's, in one finding.

    `able` says whether the device has 16 bits at all.
    """
    plain, *others = rows
    parts = [_row_words(row, plain, plain_name(score)) for row in others]
    figures: dict[str, Any] = {"Take": best}
    figures |= constant_figure(constant)
    figures |= {f"{row.precision}, samples/s": round(row.samples_per_s, 1) for row in rows}
    compared = [
        {
            "precision": row.precision,
            "samples_per_s": row.samples_per_s,
            "peak_bytes": row.peak_bytes,
            "score": row.score,
        }
        for row in rows
    ]
    has = "in 16 bits nothing trained here" if able else "this device has float32 only"
    if constant is not None and parts:
        parts.append(constant_words(constant).removeprefix(", "))
    words = "; ".join(parts) or f"{has}, and no 16 bits to compare with"
    return (Finding(words, figures, {"best": best, "rows": compared}),)


def _row_words(row: Row, plain: Row, score: str) -> str:
    speed = row.samples_per_s / plain.samples_per_s
    memory = row.peak_bytes / max(1, plain.peak_bytes)
    words = f"{row.precision} is {speed:.2g} times as fast as float32 with {memory:.2g} times the "
    words += "memory"
    if row.score is None:
        return words + ", and its loss was no longer a number"
    if plain.score is None:
        return words
    return words + f" ({score} {show_number(row.score)}, float32 {show_number(plain.score)})"


def _notes(device: str, able: tuple[str, ...]) -> list[str]:
    notes = []
    if "float16" not in able:
        notes.append(f"float16 is for CUDA cards; '{device}' can train in {' and '.join(able)}")
    if device == "cpu" and "bfloat16" in able:
        notes.append(
            "fastai's to_bf16 works on CUDA cards; on the CPU torch.autocast does the same"
        )
    return notes


def _measured(ready: Prepared, able: tuple[str, ...], journal: Journal) -> dict[str, Trial]:
    """Speed and memory of a step in each precision, each in a process of its own."""
    setup = Setup(ready.settings, str(journal.folder), ready.size, ready.device, able[0])
    measured: dict[str, Trial] = {}
    with Bench(setup.to_json()) as bench:
        for precision in able:
            case, batch = Case(ready.size, precision), ready.batch_size
            bench.renew()
            held = bench.attempt(case, batch, steps=_STEPS)
            timed = bench.attempt(case, batch, steps=_STEPS, seconds=_SECONDS, purpose="rate")
            journal.emit("trial", **timed.to_json())
            if held.ok and timed.ok:
                measured[precision] = replace(timed, peak_bytes=held.peak_bytes)
            elif precision == "float32":
                reason = held.reason or timed.reason
                raise OutOfMemory(f"a batch of {batch} does not train in float32: {reason}")
            else:
                journal.log(f"{precision}: {held.reason or timed.reason}")
    return measured


def _trained(
    ready: Prepared,
    measured: dict[str, Trial],
    epochs: int,
    lr: float,
    score: Score,
    journal: Journal,
) -> tuple[list[Row], HeldOut]:
    """Train in each precision from the same weights; the learner is afterwards as before.

    What float32 has learned is judged beside constant answers.
    """
    from executors.batch_size.trial_parts import mixed_precision
    from executors.learning_rate.state import unchanged
    from executors.training.fit import fit
    from executors.training.judging import judged

    rows: list[Row] = []
    held: HeldOut | None = None
    for precision, trial in measured.items():
        callback = mixed_precision(precision, ready.device)
        row = Row(precision, trial.samples_per_s, trial.peak_bytes, None, None)
        with unchanged(ready.learner):
            try:
                last = fit(
                    ready.learner,
                    journal,
                    precision,
                    epochs,
                    lr,
                    way=precision,
                    before=len(rows) * epochs,
                    total=len(measured) * epochs,
                    callbacks=[callback] if callback else [],
                )[-1]
                row = replace(row, score=score.of(last), valid_loss=last.valid_loss)
            except RecipeError as error:
                journal.log(f"{precision}: {error}")
            held = held or judged(ready.learner, score)
        rows.append(row)
        journal.emit("row", table="precision", **asdict(row))
    assert held is not None
    return rows, held


def _best(rows: Sequence[Row], score: Score, held: HeldOut) -> str:
    """The fastest precision whose score is not worse than float32's by more than chance."""
    plain = rows[0]
    fit = [row for row in rows if row.score is not None and not _worse(row, plain, score, held)]
    return max(fit or [plain], key=lambda row: row.samples_per_s).precision


def _worse(row: Row, plain: Row, score: Score, held: HeldOut) -> bool:
    """Whether a score is worse than float32's, by more than chance where that is known."""
    if row.score is None or plain.score is None:
        return row.score is None
    lost = plain.score - row.score if score.higher_is_better else row.score - plain.score
    return lost > (held.chance(plain.score) or 0.0)


def _message(rows: Sequence[Row], best: str, score: str, held: HeldOut, able: bool) -> str:
    """What was measured; `able` says whether the device has 16 bits at all."""
    plain, *others = rows
    reached = f"{score} {_score_words(None)}"
    if plain.score is not None:
        reached = f"on {held.samples} held-out samples {beside(score, plain.score, held)}"
    parts = [
        f"float32 trains {show_number(plain.samples_per_s)} samples/s in "
        f"{show_bytes(plain.peak_bytes)}, {reached}"
    ]
    for row in others:
        speed = row.samples_per_s / plain.samples_per_s
        memory = row.peak_bytes / max(1, plain.peak_bytes)
        parts.append(
            f"{row.precision} {speed:.2f} times as fast with {memory:.2f} times the memory, "
            f"{score} {_score_words(row.score)}"
        )
    if not others:
        why = (
            "in 16 bits nothing trained here"
            if able
            else "this device has no 16 bits to compare with"
        )
        return f"{parts[0]}; {why}."
    return "; ".join(parts) + f". Take {best}{_why(best, plain, held)}."


def _why(best: str, plain: Row, held: HeldOut) -> str:
    """Why a precision of 16 bits is taken; "" of float32."""
    if best == plain.precision:
        return ""
    if plain.score is None:
        return ", whose loss stayed a number"
    if held.chance(plain.score) is None:
        return ", whose score is not worse than float32's"
    return ", whose score is not worse than float32's by more than chance"


def _score_words(value: float | None) -> str:
    return "none, because the loss was no longer a number" if value is None else f"{value:.4g}"
