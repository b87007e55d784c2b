"""The recipe "regularise": weight decay, dropout, mixup and label smoothing, side by side."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from executors.amounts import show_number
from executors.apart import trained_apart
from executors.prepare import Prepared, prepare
from executors.recipe import Parameter, Recipe
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

__all__ = ["RECIPE", "Params", "Row", "findings", "run"]

# these two have no score that overfits
_TASKS = tuple(name for name in TASK_NAMES if name not in ("gan", "restoration"))

RECIPE = Recipe(
    name="regularise",
    title="Reduce overfitting",
    summary=(
        "Trains the same network from the same start without and with weight decay, dropout, mixup "
        "and label smoothing; a small table says what each is worth on your data, and what is "
        "chance."
    ),
    tasks=_TASKS,
    concepts=(
        "regularisation",
        "regularization",
        "weight decay",
        "dropout",
        "mixup",
        "label smoothing",
    ),
    parameters=(
        *inputs(_TASKS),
        SIZE,
        BATCH_SIZE,
        epochs_parameter(3, "of each training"),
        Parameter(
            "repeats",
            "int",
            2,
            minimum=1,
            maximum=20,
            said=(
                "repetition",
                "repeat # times",
                "repeated # times",
                "# runs of each",
                "# times each",
            ),
            help="trainings of each, with different batch orders",
        ),
        Parameter(
            "weight_decay",
            "float",
            0.1,
            minimum=0,
            maximum=10,
            said=("wd",),
            help="0 leaves it out, as in the fields below",
        ),
        Parameter(
            "dropout",
            "float",
            0.5,
            minimum=0,
            maximum=0.95,
            help="share of the last layer's inputs dropped",
        ),
        Parameter(
            "mixup",
            "float",
            0.4,
            minimum=0,
            maximum=10,
            said=("mix-up", "mixup alpha", "alpha"),
            help="images only: how strongly two are blended",
        ),
        Parameter("label_smoothing", "float", 0.1, minimum=0, maximum=0.9, help="classes only"),
        rate_parameter("empty: found by a sweep"),
        DEVICE,
        SEED,
    ),
)


@dataclass(frozen=True, slots=True)
class Params:
    """What RECIPE's parameters become."""

    settings: Settings
    size: int | None  # px
    batch_size: int | None
    epochs: int
    repeats: int
    weight_decay: float
    dropout: float
    mixup: float
    label_smoothing: float
    lr: float | None
    device: str


@dataclass(frozen=True, slots=True)
class Row:
    """One way's trainings: means over repeats, judged without what regularises.

    `spread` is the standard deviation of the score over repeats.
    """

    name: str
    score: float
    spread: float
    valid_loss: float
    train_loss: float


def run(params: Params, journal: Journal) -> Outcome:
    """Train each way.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the user's files do not hold up.
    RecipeError
        When no rate can be found, or the loss stops being a number.
    """
    from executors.training.fit import score_of
    from executors.training.regularisers import ways

    ready = prepare(params, journal)
    learner, score = ready.learner, score_of(ready.learner, ready.built.higher_is_better)
    learner.unfreeze()
    lr = rate_of(ready, params.lr, params.epochs, journal)
    wanted = ways(learner, *_strengths(params))
    numbers = range(len(wanted) * params.repeats)
    jobs = [partial(_trained, params, lr, score, len(wanted), number) for number in numbers]
    trained = trained_apart(ready, jobs, journal)
    rows: list[Row] = []
    held: HeldOut | None = None
    for way in wanted:
        ended = [next(trained) for _ in range(params.repeats)]
        rows, held = [*rows, _row(way.name, ended)], held or ended[0].held
        journal.emit("row", table="regularise", **asdict(rows[-1]))
    assert held is not None
    best, chance = _best(rows, score), _chance(rows, held)
    head = ["way", score.name, "spread", "valid_loss", "train_loss"]
    journal.table("regularise.csv", "each way", head, (asdict(row).values() for row in rows))
    values: dict[str, Any] = {
        "score": score.name,
        "rows": [asdict(row) for row in rows],
        "best": best.name,
        "chance": chance,
        "held_out": asdict(held),
        "lr": lr,
        **asdict(ready.trained),
        "notes": list(ready.notes),
    }
    way = next(way for way in wanted if way.name == best.name)
    code = ready.snippet() + way.line
    code += f"learn.unfreeze()\nlearn.fit_one_cycle({params.epochs}, {lr!r}{way.fit_words})\n"
    message = _message(rows, best, chance, score.name, held)
    said = findings(rows, best, chance, score.name, score.higher_is_better, held.constant)
    return Outcome(values, code, message, ready.settings.task, said)


def findings(
    rows: Sequence[Row],
    best: Row,
    chance: float | None,
    score: str,
    higher_is_better: bool,
    constant: float | None = None,
) -> tuple[Finding, ...]:
    """The best way, and for who asks about a way what that one is worth; the first row is plain.

    `chance` is what scores differ by for no reason; None where that is not known.
    """
    plain, *others = rows
    clear = chance is not None and abs(best.score - plain.score) > chance
    figures = {
        "Best" if clear else "Best, by no more than chance": best.name,
        score.capitalize(): best.score,
        "Without": plain.score,
        **constant_figure(constant),
    }
    named = plain_name(score)

    def values(row: Row) -> dict[str, Any]:
        compared = {"value": row.score, "without": plain.score, "chance": chance}
        return {"way": row.name, "score": named, **compared}

    def words(row: Row) -> str:
        gain = row.score - plain.score if higher_is_better else plain.score - row.score
        worth = "helps" if gain > 0 else "hurts"
        if chance is None or abs(gain) <= chance:
            worth = "makes no clear difference"
        reached = f"{named} {show_number(row.score)}, without {show_number(plain.score)}"
        return f"{row.name} {worth}: {reached}{constant_words(constant)}"

    without = f"{named} {show_number(plain.score)}{constant_words(constant)}"
    nothing = f"nothing tried is better than no regularisation ({without})"
    first = Finding(nothing if best is plain else words(best), figures, values(best))
    kinds = [row.name.rpartition(" ")[0] for row in others]  # without its strength
    return (
        first,
        *(
            Finding(words(row), values=values(row), about=kind)
            for row, kind in zip(others, kinds, strict=True)
        ),
    )


@dataclass(frozen=True, slots=True)
class _Ended:
    """What one training came to; the first of all is judged beside constant answers."""

    score: float
    valid_loss: float
    train_loss: float
    held: HeldOut | None


def _strengths(params: Params) -> tuple[list[float], float, float, float]:
    return [params.weight_decay], params.dropout, params.mixup, params.label_smoothing


def _trained(
    params: Params,
    lr: float,
    score: Score,
    count: int,
    number: int,
    ready: Prepared,
    journal: Journal,
) -> _Ended:
    """Train once, the repeats of one of `count` ways after those of another."""
    from fastai.torch_core import set_seed

    from executors.training.fit import fit
    from executors.training.judging import judged
    from executors.training.regularisers import ways

    learner, epochs = ready.learner, params.epochs
    way = ways(learner, *_strengths(params))[number // params.repeats]
    seed = ready.settings.seed + number % params.repeats
    set_seed(seed)
    learner.dls.train.rng = random.Random(seed)
    plain = learner.loss_func
    learner.loss_func = way.loss or plain
    fit(
        learner,
        journal,
        way.name,
        epochs,
        lr,
        way=way.name,
        before=number * epochs,
        total=count * params.repeats * epochs,
        weight_decay=way.weight_decay,
        callbacks=way.callbacks,
    )
    learner.loss_func = plain
    loss, *metrics = _judged(learner, learner.dls.valid)
    train = _judged(learner, _whole(learner.dls.train))[0]
    held = None if number else judged(learner, score)
    return _Ended(metrics[0] if metrics else loss, loss, train, held)


def _row(name: str, ended: Sequence[_Ended]) -> Row:
    scores = [one.score for one in ended]
    spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
    valid, train = ([one.valid_loss for one in ended], [one.train_loss for one in ended])
    return Row(
        name, statistics.mean(scores), spread, statistics.mean(valid), statistics.mean(train)
    )


def _judged(learner: Any, loader: Any) -> list[float]:
    with learner.no_bar(), learner.no_logging():
        return [float(value) for value in learner.validate(dl=loader)]


def _whole(train: Any) -> Any:
    """The training loader, every sample once."""
    return train.new(shuffle=False, drop_last=False)


def _best(rows: Sequence[Row], score: Score) -> Row:
    from executors.training.fit import better

    best = rows[0]
    for row in rows[1:]:
        if better(score, row.score, best.score):
            best = row
    return best


def _chance(rows: Sequence[Row], held: HeldOut) -> float | None:
    """By how much two rows may differ for no reason: two standard errors of their difference.

    From the repeats where there are any, and at least what the number of held-out samples allows;
    None where neither is known.
    """
    repeated = 2 * math.sqrt(2 * statistics.mean(row.spread**2 for row in rows))
    return max(repeated, held.chance(rows[0].score) or 0.0) or None


def _message(
    rows: Sequence[Row], best: Row, chance: float | None, score: str, held: HeldOut
) -> str:
    plain = rows[0]
    start = f"Without regularisation on {held.samples} held-out samples: "
    start += f"{beside(score, plain.score, held)} (loss {plain.train_loss:.3g} in training, "
    start += f"{plain.valid_loss:.3g} held out). "
    if not held.beaten(best.score):
        return f"{start}Nothing tried is better than that by more than chance."
    room = plain.valid_loss > plain.train_loss
    if best is plain:
        longer = (
            ""
            if room
            else ": the training loss is not below the held-out loss, so train longer first"
        )
        return f"{start}Nothing tried is better{longer}."
    gained = abs(best.score - plain.score)
    end = f"{best.name.capitalize()} is best with {best.score:.4g}, "
    if chance is None:
        return f"{start}{end}but how much chance explains is not known: raise repeats."
    sure = "more than" if gained > chance else "no more than"
    end += f"{sure} chance explains ({chance:.2g})"
    if gained <= chance:
        end += "; no way is clearly better"
        end += "" if room else ", and the training loss is not below the held-out loss"
    return f"{start}{end}."
