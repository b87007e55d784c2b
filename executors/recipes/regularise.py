"""The recipe "regularise": weight decay, dropout, mixup and label smoothing, side by side on the
user's own files.
"""

from __future__ import annotations

import math
import random
import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

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
    from executors.training.fit import Score
    from executors.training.regularisers import Way

__all__ = ["RECIPE", "run"]

_TASKS = tuple(
    name for name in TASK_NAMES if name not in ("gan", "restoration")
)  # no score that overfits

RECIPE = Recipe(
    name="regularise",
    title="Reduce overfitting",
    summary=(
        "Trains the same network from the same start without and with weight decay, dropout, mixup and label "
        "smoothing; a small table says what each is worth on your data, and what is chance."
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
        Parameter(
            "epochs",
            "int",
            3,
            unit="epochs",
            minimum=1,
            maximum=1000,
            said=EPOCHS_SAID,
            help="of each training",
        ),
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
            help="trainings of each, with other batch orders",
        ),
        Parameter(
            "weight_decay",
            "float",
            0.1,
            minimum=0,
            maximum=10,
            said=("wd",),
            help="0 leaves it out, as below",
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
        Parameter(
            "lr",
            "float",
            None,
            minimum=1e-9,
            maximum=10,
            said=LR_SAID,
            help="empty: found by a sweep",
        ),
        DEVICE,
        SEED,
    ),
)


@dataclass(frozen=True, slots=True)
class _Row:
    """One way's trainings: means over repeats, judged without what regularises; `spread` is of the
    score.
    """

    name: str
    score: float
    spread: float
    valid_loss: float
    train_loss: float


def run(params: dict[str, Any], journal: Journal) -> Outcome:
    """Train each way.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the user's files do not hold up.
    RecipeError
        When no rate can be found, or the loss stops being a number.
    """
    from executors.learning_rate.stage import one_rate
    from executors.training.fit import score_of
    from executors.training.regularisers import ways

    ready = prepare(params, journal)
    learner, score = ready.learner, score_of(ready.learner, ready.built.higher_is_better)
    learner.unfreeze()
    lr = params["lr"] or one_rate(learner, journal, "", ready.settings.seed, params["epochs"])
    wanted = ways(
        learner,
        [params["weight_decay"]],
        params["dropout"],
        params["mixup"],
        params["label_smoothing"],
    )
    rows: list[_Row] = []
    for way in wanted:
        rows.append(_trained(ready, way, params, float(lr), score, journal, len(rows), len(wanted)))
        journal.emit("row", table="regularise", **asdict(rows[-1]))
    best, chance = _best(rows, score), _chance(rows, ready.source.valid)
    head = ["way", score.name, "spread", "valid_loss", "train_loss"]
    journal.table("regularise.csv", "each way", head, (asdict(row).values() for row in rows))
    values = {
        "findings": {
            _best_words(best, rows, chance): best.name,
            score.name.capitalize(): best.score,
            "Without": rows[0].score,
        },
        "score": score.name,
        "rows": [asdict(row) for row in rows],
        "best": best.name,
        "chance": chance,
        "lr": lr,
        **ready.asked(),
        "notes": list(ready.notes),
    }
    way = next(way for way in wanted if way.name == best.name)
    code = (
        ready.snippet()
        + way.line
        + f"learn.unfreeze()\nlearn.fit_one_cycle({params['epochs']}, {lr!r}{way.fit_words})\n"
    )
    return Outcome(values, code, _said(rows, best, chance, score), ready.settings.task)


def _trained(
    ready: Prepared,
    way: Way,
    params: dict[str, Any],
    lr: float,
    score: Score,
    journal: Journal,
    done: int,
    total: int,
) -> _Row:
    """Train one way a few times from the same weights; the learner is afterwards as before."""
    from fastai.torch_core import set_seed

    from executors.learning_rate.sweep import unchanged
    from executors.training.fit import fit

    scores, valid, train = [], [], []
    repeats, epochs = params["repeats"], params["epochs"]
    for repeat in range(repeats):
        with unchanged(ready.learner):
            set_seed(ready.settings.seed + repeat)
            ready.learner.dls.train.rng = random.Random(ready.settings.seed + repeat)
            plain = ready.learner.loss_func
            ready.learner.loss_func = way.loss or plain
            before = (done * repeats + repeat) * epochs
            fit(
                ready.learner,
                journal,
                way.name,
                epochs,
                lr,
                way=way.name,
                before=before,
                total=total * repeats * epochs,
                weight_decay=way.weight_decay,
                callbacks=way.callbacks,
            )
            ready.learner.loss_func = plain
            loss, *metrics = _judged(ready.learner, ready.learner.dls.valid)
            scores.append(metrics[0] if metrics else loss)
            valid.append(loss)
            train.append(_judged(ready.learner, _whole(ready.learner.dls.train))[0])
    spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
    return _Row(
        way.name, statistics.mean(scores), spread, statistics.mean(valid), statistics.mean(train)
    )


def _judged(learner: Any, loader: Any) -> list[float]:
    with learner.no_bar(), learner.no_logging():
        return [float(value) for value in learner.validate(dl=loader)]


def _whole(train: Any) -> Any:
    """The training loader, every sample once."""
    return train.new(shuffle=False, drop_last=False)


def _best(rows: list[_Row], score: Score) -> _Row:
    from executors.training.fit import better

    best = rows[0]
    for row in rows[1:]:
        if better(score, row.score, best.score):
            best = row
    return best


def _chance(rows: list[_Row], samples: int) -> float:
    """By how much two rows may differ for no reason: two standard errors of their difference.

    From the repeats where there are any, and for a share of few samples at least what their number
    allows.
    """
    repeated = 2 * math.sqrt(2 * statistics.mean(row.spread**2 for row in rows))
    share = all(0 <= row.score <= 1 for row in rows)
    base = rows[0].score
    counted = (
        2 * math.sqrt(max(base * (1 - base), 0.25 / samples) / samples)
        if share and samples
        else 0.0
    )
    return max(repeated, counted)


def _best_words(best: _Row, rows: list[_Row], chance: float) -> str:
    """The finding's label, which does not promise more than the table holds."""
    return "Best" if abs(best.score - rows[0].score) > chance else "Best, by no more than chance"


def _said(rows: list[_Row], best: _Row, chance: float, score: Score) -> str:
    plain = rows[0]
    gap = plain.valid_loss - plain.train_loss
    start = f"Without regularisation {score.name} is {plain.score:.4g} (loss {plain.train_loss:.3g} in training, "
    start += f"{plain.valid_loss:.3g} held out). "
    if best is plain:
        return (
            start
            + "Nothing tried is better"
            + (": it does not overfit yet, train longer first." if gap <= 0 else ".")
        )
    gained = abs(best.score - plain.score)
    sure = "more than" if gained > chance else "no more than"
    end = f"{best.name.capitalize()} is best with {best.score:.4g}, {sure} chance explains ({chance:.2g})"
    if gained <= chance:
        end += "; no way is clearly better" + (
            ", and there is little to regularise" if gap <= 0 else ""
        )
    return start + end + "."
