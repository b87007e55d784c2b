"""The recipe "mixed-precision": speed, memory and score of float32 against 16 bits, on the user's
own files.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from executors.amounts import show_bytes, show_number
from executors.batch_size.bench import Bench
from executors.batch_size.search import Case
from executors.errors import OutOfMemory
from executors.prepare import Prepared, prepare
from executors.recipe import Parameter, Recipe
from executors.recipes._shared import (
    BATCH_SIZE,
    DEVICE,
    EPOCHS_SAID,
    LR_SAID,
    SEED,
    SIZE,
    inputs,
)
from executors.runs.journal import Journal, Outcome
from executors.tasks import TASK_NAMES

if TYPE_CHECKING:
    from executors.batch_size.search import Trial
    from executors.training.fit import Score

__all__ = ["RECIPE", "run"]

_TASKS = tuple(name for name in TASK_NAMES if name != "gan")  # no score to compare

RECIPE = Recipe(
    name="mixed-precision",
    title="Try mixed precision",
    summary=(
        "Trains the same network from the same start in float32 and in 16 bits, as far as the device can: samples a "
        "second, memory and score of each."
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
        Parameter(
            "epochs",
            "int",
            1,
            unit="epochs",
            minimum=1,
            maximum=1000,
            said=EPOCHS_SAID,
            help="of each training",
        ),
        Parameter(
            "lr",
            "float",
            None,
            minimum=1e-9,
            maximum=10,
            said=LR_SAID,
            help="empty: found by a sweep in float32",
        ),
        DEVICE,
        SEED,
    ),
)
_STEPS, _SECONDS = 3, 0.8  # of a measurement, at least
_SNIPPETS = {"float32": "", "float16": "learn.to_fp16()\n", "bfloat16": "learn.to_bf16()\n"}


@dataclass(frozen=True, slots=True)
class _Row:
    """One precision; `score` is None where training broke off because the loss was no number any
    more.
    """

    precision: str
    samples_per_s: float
    peak_bytes: int  # of a step, above what the network itself holds
    score: float | None
    valid_loss: float | None


def run(params: dict[str, Any], journal: Journal) -> Outcome:
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
    from executors.learning_rate.stage import one_rate
    from executors.training.fit import score_of

    ready = prepare(params, journal)
    score = score_of(ready.learner, ready.built.higher_is_better)
    known = precisions(ready.device)
    measured = _measured(ready, known, journal)
    ready.learner.unfreeze()
    lr = float(
        params["lr"] or one_rate(ready.learner, journal, "", ready.settings.seed, params["epochs"])
    )
    rows = []
    for number, (precision, trial) in enumerate(measured.items()):
        rows.append(
            _trained(
                ready, precision, trial, params["epochs"], lr, score, journal, number, len(measured)
            )
        )
        journal.emit("row", table="precision", **asdict(rows[-1]))
    notes = list(ready.notes)
    if "float16" not in known:
        notes.append(
            f"float16 is for CUDA cards; '{ready.device}' can train in {' and '.join(known)}"
        )
    if ready.device == "cpu" and "bfloat16" in known:
        notes.append(
            "fastai's to_bf16 works on CUDA cards; on the CPU torch.autocast does the same"
        )
    head = ["precision", "samples_per_s", "peak_bytes", score.name, "valid_loss"]
    journal.table("precision.csv", "each precision", head, (asdict(row).values() for row in rows))
    best = _best(rows, score, ready.source.valid)
    values = {
        "findings": {"Take": best}
        | {f"{r.precision}, samples/s": round(r.samples_per_s, 1) for r in rows},
        "rows": [asdict(row) for row in rows],
        "best": best,
        "score": score.name,
        "lr": lr,
        **ready.asked(),
        "notes": notes,
    }
    code = ready.snippet() + _SNIPPETS[best if ready.device.startswith("cuda") else "float32"]
    code += f"learn.unfreeze()\nlearn.fit_one_cycle({params['epochs']}, {lr!r})\n"
    return Outcome(values, code, _said(rows, best, score), ready.settings.task)


def _measured(ready: Prepared, known: tuple[str, ...], journal: Journal) -> dict[str, Trial]:
    """Speed and memory of a step in each precision, each in a process of its own."""
    first = {
        "settings": ready.settings.to_json(),
        "folder": str(journal.folder),
        "size": ready.size,
        "device": ready.device,
        "precision": known[0],
        "frozen": False,
        "memory_limit": None,
        "share": 1.0,
        "margin": 0.0,
    }
    found: dict[str, Trial] = {}
    with Bench(first) as bench:
        for precision in known:
            case = Case(ready.size, precision)
            bench.renew()
            held = bench.attempt(case, ready.batch_size, steps=_STEPS)
            timed = bench.attempt(
                case, ready.batch_size, steps=_STEPS, seconds=_SECONDS, purpose="rate"
            )
            journal.emit("trial", **timed.to_json())
            if held.ok and timed.ok:
                found[precision] = timed
                found[precision] = type(timed)(**{**asdict(timed), "peak_bytes": held.peak_bytes})
            elif precision == "float32":
                raise OutOfMemory(
                    f"a batch of {ready.batch_size} does not train in float32: {held.reason or timed.reason}"
                )
            else:
                journal.log(f"{precision}: {held.reason or timed.reason}")
    return found


def _trained(
    ready: Prepared,
    precision: str,
    trial: Trial,
    epochs: int,
    lr: float,
    score: Score,
    journal: Journal,
    number: int,
    total: int,
) -> _Row:
    """Train in one precision from the same weights; the learner is afterwards as before."""
    from executors.batch_size.trial_parts import mixed_precision
    from executors.errors import RecipeError
    from executors.learning_rate.sweep import unchanged
    from executors.training.fit import fit

    callback = mixed_precision(precision, ready.device)
    with unchanged(ready.learner):
        try:
            last = fit(
                ready.learner,
                journal,
                precision,
                epochs,
                lr,
                way=precision,
                before=number * epochs,
                total=total * epochs,
                callbacks=[callback] if callback else [],
            )[-1]
        except RecipeError as error:
            journal.log(f"{precision}: {error}")
            return _Row(precision, trial.samples_per_s, trial.peak_bytes, None, None)
    return _Row(precision, trial.samples_per_s, trial.peak_bytes, score.of(last), last.valid_loss)


def _best(rows: list[_Row], score: Score, samples: int) -> str:
    """The fastest precision whose score is not worse than float32's by more than chance."""
    plain = rows[0]
    fit = [row for row in rows if row.score is not None and not _worse(row, plain, score, samples)]
    return max(fit or [plain], key=lambda row: row.samples_per_s).precision


def _worse(row: _Row, plain: _Row, score: Score, samples: int) -> bool:
    from executors.training.fit import noise

    if row.score is None or plain.score is None:
        return row.score is None
    lost = plain.score - row.score if score.higher_is_better else row.score - plain.score
    return lost > noise(plain.score, [plain.score, row.score], samples)


def _said(rows: list[_Row], best: str, score: Score) -> str:
    plain = rows[0]
    parts = [
        f"float32 trains {show_number(plain.samples_per_s)} samples/s in {show_bytes(plain.peak_bytes)}, "
        f"{score.name} {_number(plain.score)}"
    ]
    for row in rows[1:]:
        parts.append(
            f"{row.precision} {row.samples_per_s / plain.samples_per_s:.2f} times as fast with "
            f"{row.peak_bytes / max(1, plain.peak_bytes):.2f} times the memory, {score.name} {_number(row.score)}"
        )
    if len(rows) == 1:
        return parts[0] + "; this device has no 16 bits to compare with."
    chance = (
        ""
        if best == plain.precision
        else ", whose score is not worse than float32's by more than chance"
    )
    return "; ".join(parts) + f". Take {best}{chance}."


def _number(value: float | None) -> str:
    return "none, for the loss was no number any more" if value is None else f"{value:.4g}"
