"""The recipe "training-flow": find a rate, train the head, unfreeze, find again, train all, and say
whether it fits.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

from executors.errors import RecipeError
from executors.parameters import both
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
    from executors.training.fit import Epoch, Score, Verdict

__all__ = ["RECIPE", "run"]

_TASKS = tuple(
    name for name in TASK_NAMES if name != "gan"
)  # there is no rate to find and no score to stop at

_STALLING = (
    *("improve", "improved", "improving", "improvement", "better", "progress"),
    *("stall", "stalls", "stalled", "stagnates", "plateaus", "flat"),
)
RECIPE = Recipe(
    name="training-flow",
    title="Train my model",
    summary=(
        "Trains from first to last: finds a rate, trains the head, unfreezes, finds again, trains all layers with "
        "discriminative rates, stops when nothing improves; says whether the model fits, and saves it."
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
        Parameter(
            "epochs",
            "int",
            5,
            unit="epochs",
            minimum=1,
            maximum=10_000,
            said=(
                *EPOCHS_SAID,
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
            help="of all layers, at most",
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
            help="stop after so many epochs without a better score; 0: never",
        ),
        Parameter(
            "lr",
            "float",
            None,
            minimum=1e-9,
            maximum=10,
            said=LR_SAID,
            help="of the head; empty: found by a sweep",
        ),
        DEVICE,
        SEED,
    ),
)
_GROUP_FACTOR = 2.6  # between neighbouring groups of layers of a text classifier: Howard and Ruder 2018, section 3.2


def run(params: dict[str, Any], journal: Journal) -> Outcome:
    """Train.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the user's files do not hold up.
    RecipeError
        When the loss stops being a number.
    """
    from executors.training.fit import score_of, verdict

    ready = prepare(params, journal)
    score = score_of(ready.learner, ready.built.higher_is_better)
    flow = _Flow(ready, params, journal, score)
    flow.train()
    found = verdict(flow.epochs, score, ready.source.valid)
    journal.log(f"{found.word}: {found.reason}; {found.advice}")
    best = _best(flow.epochs, score)
    for name, value in (
        ("train_loss", best.train_loss),
        ("valid_loss", best.valid_loss),
        *best.metrics.items(),
    ):
        journal.metric(name, value)
    saved, said = _save(ready, journal)
    _write(flow.epochs, flow.rates, score, journal)
    values = _values(flow, best, found) | {
        "saved": saved,
        **ready.asked(),
        "notes": [*ready.notes, *flow.notes, *said],
    }
    reason = f"{score.name} {score.of(best):.4g} after epoch {best.number} of {len(flow.epochs)}; {found.word}: "
    return Outcome(
        values,
        flow.code(),
        reason + f"{found.reason}. {found.advice.capitalize()}.",
        ready.settings.task,
    )


class _Flow:
    """The stages as they go."""

    def __init__(
        self, ready: Prepared, params: dict[str, Any], journal: Journal, score: Score
    ) -> None:
        self.ready, self.params, self.journal, self.score = ready, params, journal, score
        self.epochs: list[Epoch] = []
        self.rates: dict[str, float | tuple[float, float]] = {}
        self.lines: list[str] = []
        self.notes: list[str] = []

    def train(self) -> None:
        """All stages, from the head to the whole network."""
        learner, frozen = self.ready.learner, self.params["epochs_frozen"]
        learner.create_opt()
        groups = len(learner.opt.param_lists)
        staged = self.ready.built.pretrained and groups > 1
        if not staged or not frozen:
            learner.unfreeze()
            self._stage(
                "whole network", self.params["epochs"], ["learn.unfreeze()"] if groups > 1 else []
            )
            return
        learner.freeze()
        self._stage("head", frozen, ["learn.freeze()"])
        if self.ready.settings.task == "text-classification":
            for depth in range(2, min(groups, 4)):
                learner.freeze_to(-depth)
                self._stage(f"last {depth} groups", 1, [f"learn.freeze_to(-{depth})"])
        learner.unfreeze()
        self._stage("all layers", self.params["epochs"], ["learn.unfreeze()"])

    def _stage(self, name: str, epochs: int, lines: list[str]) -> None:
        """Find the stage's rate, train with it, keep what it took."""
        from executors.training.fit import fit

        lr = self._rate(name, epochs)
        self.rates[name] = lr
        total = (
            self.params["epochs"]
            + len(self.epochs)
            + (0 if name in ("all layers", "whole network") else epochs)
        )
        last = name in ("all layers", "whole network")
        self.epochs += fit(
            self.ready.learner,
            self.journal,
            name,
            epochs,
            lr,
            score=self.score,
            before=len(self.epochs),
            total=total,
            patience=self.params["patience"] if last else 0,
        )
        shown = f"slice({lr[0]!r}, {lr[1]!r})" if isinstance(lr, tuple) else repr(lr)
        self.lines += [*lines, f"learn.fit_one_cycle({epochs}, {shown})"]

    def _rate(self, name: str, epochs: int) -> float | tuple[float, float]:
        """The stage's rate: asked for, or found; where a curve says nothing, a fifth of the
        first.
        """
        from executors.learning_rate.stage import stage_rate

        before = next(iter(self.rates.values()), None)
        frozen_lr = before if isinstance(before, float) else None
        if self.params["lr"] is not None:
            lr = float(self.params["lr"])
            return (
                lr
                if before is None
                else (float(f"{lr / 5 / _GROUP_FACTOR**4:.1e}"), float(f"{lr / 5:.1e}"))
            )
        learner, seed = self.ready.learner, self.ready.settings.seed
        try:
            return stage_rate(
                learner,
                self.journal,
                name,
                seed,
                epochs=epochs,
                sliced=before is not None,
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


def _best(epochs: list[Epoch], score: Score) -> Epoch:
    """The epoch whose weights stayed: the best of the last stage, which starts from the best of
    those before.
    """
    from executors.training.fit import better

    best = next(epoch for epoch in epochs if epoch.stage == epochs[-1].stage)
    for epoch in epochs:
        if epoch.stage == best.stage and better(score, score.of(epoch), score.of(best)):
            best = epoch
    return best


def _values(flow: _Flow, best: Epoch, found: Verdict) -> dict[str, Any]:
    return {
        "findings": {
            "Verdict": found.word,
            f"Best {flow.score.name}": flow.score.of(best),
            "In epoch": best.number,
        },
        "score": flow.score.name,
        "best": asdict(best),
        "verdict": asdict(found),
        "rates": flow.rates,
        "epochs": [asdict(epoch) for epoch in flow.epochs],
    }


def _save(ready: Prepared, journal: Journal) -> tuple[dict[str, str], list[str]]:
    """The trained model: weights as safetensors, fastai's export, a language model's encoder; what
    could not be.
    """
    from safetensors.torch import save_model

    saved: dict[str, str] = {}
    said: list[str] = []
    learner, folder = ready.learner, journal.folder
    weights = folder / "model.safetensors"
    save_model(learner.model, str(weights), metadata={"task": ready.settings.task})
    journal.artifact(weights, "the trained weights")
    saved["weights"] = weights.name
    trouble = _export(learner, folder / "learner.pkl")
    if trouble:
        said.append(
            f"there is no learner.pkl, for {trouble}; the trained weights are in {weights.name}"
        )
        journal.log(said[-1])
    else:
        journal.artifact(
            folder / "learner.pkl",
            "fastai's export, for load_learner; a pickle: open only your own",
        )
        saved["learner"] = "learner.pkl"
    if ready.settings.task == "language-model":
        from executors.tasks.language_model import save_encoder

        encoder = save_encoder(learner, folder)
        journal.artifact(encoder, f"the encoder, for text-classification: {both('encoder')}")
        saved["encoder"] = encoder.name
    return saved, said


def _export(learner: Any, path: Path) -> str:
    """Write fastai's export; why it could not be, else ""."""
    for loader in learner.dls.loaders:
        if not hasattr(loader, "new"):
            return "fastai exports a learner only with loaders of its own, and these are torch's"
        if not hasattr(loader.dataset, "new_empty"):
            kind = type(loader.dataset).__name__
            return f"fastai exports a learner only with datasets of its own, and these are of type {kind}"
    try:
        learner.export(path)
    except (
        AttributeError,
        TypeError,
        OSError,
        PicklingError,
    ) as error:  # what a user's own file makes
        path.unlink(missing_ok=True)
        return f"fastai's export was not possible ({next(iter(str(error).splitlines()), type(error).__name__)})"
    return ""


def _write(epochs: list[Epoch], rates: dict[str, Any], score: Score, journal: Journal) -> None:
    """The epochs as a table and a picture."""
    from executors.training.plots import plot_epochs

    names = list(epochs[0].metrics)
    head = ["stage", "epoch", "train_loss", "valid_loss", *names, "seconds"]
    rows = (
        [
            one.stage,
            one.number,
            one.train_loss,
            one.valid_loss,
            *(one.metrics[name] for name in names),
            one.seconds,
        ]
        for one in epochs
    )
    journal.table("epochs.csv", "every epoch", head, rows)
    picture = journal.folder / "training.png"
    plot_epochs(picture, [asdict(epoch) for epoch in epochs], score.name)
    journal.artifact(picture, "losses and score of each epoch")
