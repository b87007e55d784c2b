"""The recipe "training-flow": find a rate, train the head, unfreeze, train all; does it fit?"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

from executors.amounts import show_number
from executors.errors import RecipeError
from executors.parameters import both
from executors.prepare import Prepared, prepare
from executors.recipe import Parameter, Recipe
from executors.recipes._next import follow_up, has_classes, possible
from executors.recipes._shared import (
    BATCH_SIZE,
    DEVICE,
    SEED,
    SIZE,
    epochs_parameter,
    inputs,
    rate_parameter,
)
from executors.runs.journal import Journal, Outcome
from executors.runs.next_run import NextRun
from executors.runs.stored_findings import Finding, plain_name
from executors.task import Settings
from executors.tasks import TASK_NAMES
from executors.training.held_out import beside, constant_figure, constant_words

if TYPE_CHECKING:
    from executors.learning_rate.suggest import Rate
    from executors.training.fit import Epoch, Score
    from executors.training.verdicts import Verdict

__all__ = ["RECIPE", "Params", "findings", "next_runs", "run"]

# a GAN has no rate to find and no score to stop at
_TASKS = tuple(name for name in TASK_NAMES if name != "gan")

_STALLING = (
    *("improve", "improved", "improving", "improvement", "better", "progress"),
    *("stall", "stalls", "stalled", "stagnates", "plateaus", "flat"),
)
RECIPE = Recipe(
    name="training-flow",
    title="Train my model",
    summary=(
        "Trains from first to last: finds a rate, trains the head, unfreezes, finds again, trains "
        "all layers with discriminative rates, stops when nothing improves; says whether the model "
        "fits, and saves it."
    ),
    tasks=_TASKS,
    concepts=(
        "training flow",
        "transfer learning",
        "fine-tuning",
        "finetuning",
    ),
    parameters=(
        *inputs(_TASKS),
        SIZE,
        BATCH_SIZE,
        Parameter(
            "epochs_frozen",
            "int",
            1,
            unit="epochs",
            minimum=0,
            maximum=1000,
            said=(
                "# frozen",
                "# freezing",
                "# head",
                "# epochs frozen",
                "# epochs freezing",
                "# epochs head",
                "frozen # epochs",
                "freeze # epochs",
                "freezing # epochs",
                "head # epochs",
            ),
            help="of the head alone",
        ),
        epochs_parameter(
            5,
            "of all layers, at most",
            most=10_000,
            said=(
                "# unfrozen",
                "# all layers",
                "# whole network",
                "# whole model",
                "# epochs unfrozen",
                "# epochs all layers",
                "# epochs whole network",
                "# epochs whole model",
                "unfrozen # epochs",
                "unfreeze # epochs",
                "unfreezing # epochs",
            ),
        ),
        Parameter(
            "patience",
            "int",
            3,
            unit="epochs",
            minimum=0,
            maximum=1000,
            said=(
                "# epochs patience",
                "# epochs without",
                "# epochs with no",
                "# epochs of no",
                *(f"{how} # epochs" for how in _STALLING),
            ),
            help="stop after this many epochs without a better score; 0: never",
        ),
        rate_parameter("of the head; empty: found by a sweep"),
        DEVICE,
        SEED,
    ),
)
# between neighbouring groups of layers of a text classifier: Howard and Ruder 2018, section 3.2
_GROUP_FACTOR = 2.6
_ALL, _WHOLE = "all layers", "whole network"  # the last stage, after others and as the only one
_VERDICTS = {
    "overfitting": "the model overfits",
    "underfitting": "the model underfits",
    "still improving": "the model was still improving",
    "fits": "the model fits",
    "no better than a constant answer": "the model is no better than a constant answer",
    "cannot be said": "whether the model fits cannot be said from what is held out",
}


@dataclass(frozen=True, slots=True)
class Params:
    """What RECIPE's parameters become."""

    settings: Settings
    size: int | None  # px
    batch_size: int | None
    epochs_frozen: int
    epochs: int
    patience: int  # epochs
    lr: float | None
    device: str


def run(params: Params, journal: Journal) -> Outcome:
    """Train.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the user's files do not hold up.
    RecipeError
        When the loss stops being a number.
    """
    from executors.training.fit import kept, score_of
    from executors.training.judging import judged
    from executors.training.verdicts import verdict

    ready = prepare(params, journal)
    score = score_of(ready.learner, ready.built.higher_is_better)
    flow = _Flow(ready, params, journal, score)
    flow.train()
    best, held = kept(flow.epochs, score), judged(ready.learner, score)
    fits = verdict(flow.epochs, score, held)
    reached = beside(score.name, score.of(best), held)
    journal.log(f"{fits.word}: {fits.reason}; {fits.advice}")
    losses = {"train_loss": best.train_loss, "valid_loss": best.valid_loss}
    for name, value in (losses | dict(best.metrics)).items():
        journal.metric(name, value)
    saved, remarks = _save(ready, journal)
    _write(flow.epochs, score, journal)
    values: dict[str, Any] = {
        "score": score.name,
        "best": asdict(best),
        "held_out": asdict(held),
        "verdict": asdict(fits),
        "rates": flow.rates,
        "epochs": [asdict(epoch) for epoch in flow.epochs],
        "saved": saved,
        **asdict(ready.trained),
        "notes": [*ready.notes, *flow.notes, *remarks],
    }
    message = f"After epoch {best.number} of {len(flow.epochs)}, on {held.samples} held-out "
    message += f"samples: {reached}. {fits.word.capitalize()}: {fits.reason}. "
    message += f"{fits.advice.capitalize()}."
    said = findings(fits.word, score.name, score.of(best), best.number, held.constant)
    classes = has_classes(ready.learner)
    offers = next_runs(params, fits, len(flow.epochs), classes)
    return Outcome(values, flow.code(), message, ready.settings.task, said, offers)


def next_runs(
    params: Params, fits: Verdict, trained: int, classes: bool = True
) -> tuple[NextRun, ...]:
    """What to run after this verdict, the best first; `trained` are the epochs that it had."""

    def offer(recipe: str, why: str, **changes: object) -> NextRun | None:
        return follow_up(RECIPE, params, recipe, why, **changes)

    offers: list[NextRun | None] = []
    if fits.longer:
        more = min(10_000, 2 * params.epochs)
        offers.append(offer(RECIPE.name, f"{more} epochs instead of {params.epochs}", epochs=more))
    if fits.word in ("underfitting", "no better than a constant answer"):
        offers.append(offer("overfit-first", "can the network learn a few batches by heart?"))
    elif fits.word == "overfitting":
        epochs = min(1000, trained)
        offers.append(
            offer("regularise", "which regularisation helps, and how much", epochs=epochs)
        )
        offers.append(offer("clean-data", "wrong labels are learned by heart too"))
    elif fits.word == "fits":
        offers.append(offer("progressive-resizing", "small images first, then larger ones"))
        offers.append(offer("clean-data", "which labels does the model doubt?"))
    return possible(offers, classes)


def findings(
    word: str, score: str, reached: float, epoch: int, constant: float | None = None
) -> tuple[Finding, ...]:
    """Whether the model fits, and the score of its best epoch beside a constant answer's."""
    value = reached if math.isfinite(reached) else None
    words = _VERDICTS[word]
    if value is not None:
        words += f", {plain_name(score)} {show_number(value)}"
        words += constant_words(constant)
    figures = {"Verdict": word, f"Best {score}": value, "In epoch": epoch}
    figures |= constant_figure(constant)
    found = {"verdict": word, "score": score, "value": value, "constant": constant}
    return (Finding(words, figures, found),)


class _Flow:
    """The stages as they go."""

    def __init__(self, ready: Prepared, params: Params, journal: Journal, score: Score) -> None:
        self.ready, self.params, self.journal, self.score = ready, params, journal, score
        self.epochs: list[Epoch] = []
        self.rates: dict[str, Rate] = {}
        self.lines: list[str] = []
        self.notes: list[str] = []

    def train(self) -> None:
        """All stages, from the head to the whole network."""
        learner, params = self.ready.learner, self.params
        learner.create_opt()
        groups = len(learner.opt.param_lists)
        staged = self.ready.built.pretrained and groups > 1
        if not staged or not params.epochs_frozen:
            learner.unfreeze()
            self._stage(_WHOLE, params.epochs, "learn.unfreeze()" if groups > 1 else "")
            return
        learner.freeze()
        self._stage("head", params.epochs_frozen, "learn.freeze()")
        if self.ready.settings.task == "text-classification":
            for depth in range(2, min(groups, 4)):
                learner.freeze_to(-depth)
                self._stage(f"last {depth} groups", 1, f"learn.freeze_to(-{depth})")
        learner.unfreeze()
        self._stage(_ALL, params.epochs, "learn.unfreeze()")

    def _stage(self, name: str, epochs: int, line: str) -> None:
        """Find the stage's rate, train with it, keep what it took."""
        from executors.training.fit import fit

        lr = self._rate(name, epochs)
        self.rates[name] = lr
        last = name in (_ALL, _WHOLE)
        self.epochs += fit(
            self.ready.learner,
            self.journal,
            name,
            epochs,
            lr,
            score=self.score,
            before=len(self.epochs),
            total=len(self.epochs) + self.params.epochs + (0 if last else epochs),
            patience=self.params.patience if last else 0,
        )
        shown = f"slice({lr[0]!r}, {lr[1]!r})" if isinstance(lr, tuple) else repr(lr)
        self.lines += [line] if line else []
        self.lines.append(f"learn.fit_one_cycle({epochs}, {shown})")

    def _rate(self, name: str, epochs: int) -> Rate:
        """The stage's rate: asked for, found, or a fifth of the first if a curve says nothing."""
        from executors.learning_rate.stage import stage_rate

        first = next(iter(self.rates.values()), None)
        if self.params.lr is not None:
            return self.params.lr if first is None else _sliced(self.params.lr)
        frozen_lr = first if isinstance(first, float) else None
        try:
            return stage_rate(
                self.ready.learner,
                self.journal,
                name,
                self.ready.settings.seed,
                epochs=epochs,
                sliced=first is not None,
                frozen_lr=frozen_lr,
            )
        except RecipeError as error:
            if frozen_lr is None:
                raise
            self.notes.append(f"{name}: {error}; a fifth of the first rate is taken")
            return frozen_lr / 50, frozen_lr / 5

    def code(self) -> str:
        """The snippet, with what was found."""
        return self.ready.snippet() + "\n".join(self.lines) + "\n"


def _sliced(lr: float) -> tuple[float, float]:
    """A fifth of the head's rate for the head, falling towards the input."""
    return float(f"{lr / 5 / _GROUP_FACTOR**4:.1e}"), float(f"{lr / 5:.1e}")


def _save(ready: Prepared, journal: Journal) -> tuple[dict[str, str], list[str]]:
    """(files of the trained model by what they hold, why others could not be written).

    Weights as safetensors, fastai's export, a language model's encoder.
    """
    from safetensors.torch import save_model

    saved: dict[str, str] = {}
    remarks: list[str] = []
    learner, folder = ready.learner, journal.folder
    weights = folder / "model.safetensors"
    save_model(learner.model, str(weights), metadata={"task": ready.settings.task})
    journal.artifact(weights, "the trained weights")
    saved["weights"] = weights.name
    export = folder / "learner.pkl"
    trouble = _export(learner, export)
    if trouble:
        remarks.append(
            f"there is no {export.name}, because {trouble}; the trained weights are in "
            f"{weights.name}"
        )
        journal.log(remarks[-1])
    else:
        title = "fastai's export, for load_learner; a pickle: open only your own"
        journal.artifact(export, title)
        saved["learner"] = export.name
    if ready.settings.task == "language-model":
        from executors.tasks.language_model import save_encoder

        encoder = save_encoder(learner, folder)
        journal.artifact(encoder, f"the encoder, for text-classification: {both('encoder')}")
        saved["encoder"] = encoder.name
    return saved, remarks


def _export(learner: Any, path: Path) -> str:
    """Write fastai's export; why it could not be, else ""."""
    only = "fastai exports a learner only with"
    for loader in learner.dls.loaders:
        if not hasattr(loader, "new"):
            return f"{only} loaders of its own, and these are torch's"
        if not hasattr(loader.dataset, "new_empty"):
            kind = type(loader.dataset).__name__
            return f"{only} datasets of its own, and these are of type {kind}"
    try:
        learner.export(path)
    except (AttributeError, TypeError, OSError, PicklingError) as error:  # of a user's own file
        path.unlink(missing_ok=True)
        why = next(iter(str(error).splitlines()), type(error).__name__)
        return f"fastai's export was not possible ({why})"
    return ""


def _write(epochs: list[Epoch], score: Score, journal: Journal) -> None:
    """The epochs as a table and a picture."""
    from executors.training.plots import plot_epochs

    names = list(epochs[0].metrics)
    head = ["stage", "epoch", "train_loss", "valid_loss", *names, "seconds"]
    journal.table("epochs.csv", "every epoch", head, [_row(epoch, names) for epoch in epochs])
    picture = journal.folder / "training.png"
    plot_epochs(picture, epochs, score.name)
    journal.artifact(picture, "losses and score of each epoch")


def _row(epoch: Epoch, metrics: list[str]) -> list[object]:
    reached = [epoch.metrics[name] for name in metrics]
    losses = (epoch.train_loss, epoch.valid_loss)
    return [epoch.stage, epoch.number, *losses, *reached, epoch.seconds]
