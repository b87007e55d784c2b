"""The recipe "lr-find": sweeps and short trainings, frozen and unfrozen, one recommended rate and
its reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from executors.devices import choose_device
from executors.errors import BadInput, BadParameter, RecipeError
from executors.prepare import build
from executors.recipe import Parameter, Recipe
from executors.recipes._shared import (
    BATCH_SIZE,
    DEVICE,
    EPOCHS_SAID,
    PHASE_SAID,
    SEED,
    SIZE,
    inputs,
)
from executors.runs.journal import Journal, Outcome
from executors.task import Built, Source, settings_from
from executors.tasks import TASK_NAMES, find_task

if TYPE_CHECKING:
    from executors.learning_rate.curves import Curve
    from executors.learning_rate.race import Trial

__all__ = ["RECIPE", "run"]

_RACE_SWEEPS = 3  # a race takes at most the batches of so many sweeps, see `race.BUDGET`

# the loss of a critic says nothing about a rate: it falls while the images get worse
_TASKS = tuple(name for name in TASK_NAMES if name != "gan")

_SWEPT = ("rates", "lr", "sweep", "range", "finder", "search", "scan", "curve")
RECIPE = Recipe(
    name="lr-find",
    title="Find my learning rate",
    summary=(
        "Trains a few batches at growing learning rates, several times, then tries the rates around the best by short "
        "trainings: fastai's four suggestions and one recommended rate, frozen and unfrozen."
    ),
    tasks=_TASKS,
    concepts=(
        "learning rate",
        "maximum learning rate",
        "lr",
        "learning rate finder",
        "lr finder",
        "lr_find",
    ),
    parameters=(
        *inputs(_TASKS),
        SIZE,
        BATCH_SIZE,
        Parameter(
            "phase",
            "choice",
            "both",
            choices=("frozen", "unfrozen", "both"),
            values_said=PHASE_SAID,
            help="frozen trains the head only; unfrozen, after some batches of that, all layers",
        ),
        Parameter(
            "num_it",
            "int",
            100,
            unit="batches",
            minimum=30,
            maximum=10_000,
            said=("iteration", "iters", "over # batches", "for # batches", "of # batches"),
            help="length of the sweep",
        ),
        Parameter(
            "start_lr",
            "float",
            1e-7,
            minimum=1e-12,
            maximum=1,
            said=(
                "lowest rate",
                "smallest rate",
                "lowest learning rate",
                *(f"{swept} from # to ~" for swept in _SWEPT),
                *(f"{swept} between # and ~" for swept in _SWEPT),
            ),
            help="the lowest rate tried",
        ),
        Parameter(
            "end_lr",
            "float",
            10.0,
            minimum=1e-9,
            maximum=1000,
            said=(
                "highest rate",
                "largest rate",
                "highest learning rate",
                *(f"{swept} from ~ to #" for swept in _SWEPT),
                *(f"{swept} between ~ and #" for swept in _SWEPT),
            ),
            help="the highest rate tried",
        ),
        Parameter(
            "seeds",
            "int",
            3,
            unit="sweeps",
            minimum=1,
            maximum=20,
            said=("sweep",),
            help="sweeps in as many orders of the batches, for the band around the curve and a steadier rate",
        ),
        Parameter(
            "race",
            "bool",
            True,
            said=("racing", "short training"),
            values_said={"false": ("only the curve", "just the curve", "only the plain curve")},
            help="try rates by short trainings judged on the validation set, for up to three times a sweep's batches",
        ),
        Parameter(
            "epochs",
            "int",
            5,
            unit="epochs",
            minimum=1,
            maximum=10_000,
            said=EPOCHS_SAID,
            help="how long you will train; short trainings are never longer, and the snippet trains for so many",
        ),
        DEVICE,
        SEED,
    ),
)


def run(params: dict[str, Any], journal: Journal) -> Outcome:
    """Find the rates.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the task's input do not hold up.
    RecipeError
        When the curve says nothing.
    """
    if params["start_lr"] >= params["end_lr"]:
        raise BadParameter(
            f"lr-find: parameter 'start_lr' must be below 'end_lr', got {params['start_lr']:g} and {params['end_lr']:g}"
        )
    from executors.learning_rate.curves import write_curves

    settings = settings_from(params)
    task = find_task(settings.task)
    source = task.inspect(settings)
    _check_batch(source, params["batch_size"])
    device = choose_device(params["device"])
    journal.device(device)
    journal.log(source.title)
    size = params["size"] or task.default_size(settings)
    built = build(task, source, settings, size, params["batch_size"], device.name, journal)
    groups = _groups(built)
    phases, said = _phases(params["phase"], built, groups)
    notes = (*source.notes, *built.notes, *said)
    for note in notes:
        journal.log(note)
    curves = _measured(built, phases, params, journal)
    write_curves(journal, curves)
    for curve in curves:
        if curve.found is None:
            raise RecipeError(f"{source.title}, {curve.phase}: {curve.trouble}")
        notes += tuple(f"{curve.phase}: {said}" for said in curve.found.seen)
    asked = {
        "arch": settings.arch or task.DEFAULT_ARCH,
        "size": size,
        "batch_size": params["batch_size"],
        "pretrained": built.pretrained,
        "groups": groups,
        "epochs": params["epochs"],
        "seed": settings.seed,
    }
    values = {**_values(curves), **asked, "notes": list(notes)}
    code = task.snippet(source, settings, size, params["batch_size"], built.pretrained)
    code += _fit_lines(curves, built, params["epochs"])
    return Outcome(values, code, values["reason"], settings.task)


def _check_batch(source: Source, batch_size: int) -> None:
    if source.train < batch_size:
        raise BadInput(
            f"{source.title}: {source.train} samples to train on are fewer than one batch of {batch_size}, "
            f"and fastai would train nothing; take a batch_size of {max(2, source.train // 4)} or so"
        )


def _groups(built: Built) -> int:
    """How many groups of layers the optimizer tells apart."""
    from executors.learning_rate.sweep import unchanged

    with unchanged(built.learner):
        built.learner.create_opt()
        return len(built.learner.opt.param_lists)


def _phases(asked: str, built: Built, groups: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The phases to sweep, and what is to be said about them."""
    if groups == 1:
        one = ("unfrozen",) if asked == "both" else (asked,)
        return one, (
            "the network is a single group of layers, so frozen and unfrozen are the same",
        )
    if built.pretrained:
        return ("frozen", "unfrozen") if asked == "both" else (asked,), ()
    if asked == "frozen":
        return (asked,), ("the weights are random: a body that stays so holds its head back",)
    return ("unfrozen",), (
        "with random weights no layer has learned yet: one rate serves all of them, not a slice",
    )


def _measured(
    built: Built, phases: tuple[str, ...], params: dict[str, Any], journal: Journal
) -> list[Curve]:
    """Find each phase's rate; the learner is afterwards as before."""
    from executors.learning_rate.curves import Curve
    from executors.learning_rate.find import find_rate
    from executors.learning_rate.sweep import Sweep, unchanged

    curves: list[Curve] = []
    frozen_lr: float | None = None
    steps = _Steps(journal, len(phases), params)
    with unchanged(built.learner):
        for phase in phases:
            sweeps: tuple[Sweep, ...] = ()

            def keep(done: tuple[Sweep, ...]) -> None:
                nonlocal sweeps
                sweeps = done

            _enter(phase, built, frozen_lr, params["num_it"], journal)
            steps.enter(phase)
            try:
                found = find_rate(
                    built.learner,
                    sliced=phase == "unfrozen" and built.pretrained,
                    num_it=params["num_it"],
                    start_lr=params["start_lr"],
                    end_lr=params["end_lr"],
                    orders=params["seeds"],
                    race_rates=params["race"],
                    train_batches=params["epochs"] * max(1, len(built.learner.dls.train)),
                    seed=params["seed"],
                    frozen_lr=frozen_lr,
                    tell_point=steps.point,
                    tell_trial=steps.trial,
                    keep=keep,
                )
            except RecipeError as error:
                return [*curves, Curve(phase, sweeps, None, str(error))]
            if phase == "frozen" and not isinstance(found.recommended, tuple):
                frozen_lr = found.recommended
            curves.append(Curve(phase, sweeps, found))
    steps.end()
    return curves


def _enter(
    phase: str, built: Built, frozen_lr: float | None, batches: int, journal: Journal
) -> None:
    """Bring the learner into the phase; a pretrained body is unfrozen below a head that has learned
    something.
    """
    from executors.learning_rate.sweep import train_some

    if phase == "frozen":
        built.learner.freeze()
        return
    if built.pretrained:
        journal.log(f"training the head for {batches} batches before the body is unfrozen")
        built.learner.freeze()
        train_some(built.learner, frozen_lr or 1e-3, batches)
    built.learner.unfreeze()


class _Steps:
    """Tells each point and each trial as it comes, and how far the run is."""

    def __init__(self, journal: Journal, phases: int, params: dict[str, Any]) -> None:
        sweeps, race = params["seeds"], _RACE_SWEEPS if params["race"] else 0
        self.journal, self.phase, self.done, self.number = journal, "", 0, -1
        self.each = params["num_it"] * (sweeps + race)  # batches of a phase, at most
        self.total = self.each * phases

    def enter(self, phase: str) -> None:
        self.phase, self.number = phase, self.number + 1
        self.done = self.number * self.each

    def point(self, lr: float, loss: float, order: int) -> None:
        self.journal.emit("point", lr=lr, loss=loss, phase=self.phase, order=order)
        self._move(1)

    def trial(self, ended: Trial) -> None:
        loss = ended.loss if ended.ended == "done" else None
        self.journal.emit(
            "race",
            phase=self.phase,
            rate=ended.rate,
            batches=ended.batches,
            loss=loss,
            ended=ended.ended,
        )
        self._move(ended.cost)

    def _move(self, batches: int) -> None:
        self.done += batches
        self.journal.progress(min(self.done, self.total), self.total, "batches")

    def end(self) -> None:
        self.journal.progress(self.total, self.total, "batches")


def _values(curves: list[Curve]) -> dict[str, Any]:
    """The result for machines; `recommended` is the first phase's."""
    phases = {curve.phase: curve.to_json() for curve in curves}
    first = curves[0].phase
    reason = " ".join(
        f"{name.capitalize()}: take {found['reason']}." for name, found in phases.items()
    )
    return {"recommended": phases[first]["recommended"], "phases": phases, "reason": reason}


def _fit_lines(curves: list[Curve], built: Built, epochs: int) -> str:
    """The lines that train with the found rates, head first where there is a body to keep."""
    found = {curve.phase: curve.found.recommended for curve in curves if curve.found}
    grouped = len(found) > 1 or built.pretrained
    lines = []
    if "frozen" in found:
        lines += ["learn.freeze()"] if grouped else []
        lines.append(f"learn.fit_one_cycle({epochs}, {found['frozen']!r})")
    elif built.pretrained:
        lines += ["learn.freeze()", "learn.fit_one_cycle(1)"]
    if "unfrozen" in found:
        rate = found["unfrozen"]
        lines += ["learn.unfreeze()"] if grouped else []
        lines.append(
            f"learn.fit_one_cycle({epochs}, {'slice' + repr(rate) if isinstance(rate, tuple) else repr(rate)})"
        )
    return "\n".join(lines) + "\n"
