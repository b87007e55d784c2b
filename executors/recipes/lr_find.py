"""The recipe "lr-find": sweeps and short trainings, frozen and unfrozen, and one rate from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from executors.amounts import show_rate
from executors.apart import trained_apart
from executors.errors import BadParameter, RecipeError
from executors.parameters import both
from executors.prepare import Prepared, prepare
from executors.recipe import Parameter, Recipe
from executors.recipes._shared import (
    BATCH_SIZE,
    DEVICE,
    PHASE_SAID,
    SEED,
    SIZE,
    epochs_parameter,
    inputs,
)
from executors.runs.journal import Journal, Outcome
from executors.runs.stored_findings import Finding
from executors.task import Built, Settings
from executors.tasks import TASK_NAMES

if TYPE_CHECKING:
    from executors.learning_rate.curves import Curve
    from executors.learning_rate.in_turn import Job
    from executors.learning_rate.race import Trial
    from executors.learning_rate.suggest import Rate
    from executors.learning_rate.sweep import Sweep

__all__ = ["RECIPE", "Params", "findings", "run"]

_RACE_SWEEPS = 3  # a race takes at most the batches of so many sweeps, see `race.BUDGET`

# the loss of a critic says nothing about a rate: it falls while the images get worse
_TASKS = tuple(name for name in TASK_NAMES if name != "gan")

_SWEPT = ("learning rate", "rate", "lr", "sweep", "range", "finder", "search", "scan", "curve")
RECIPE = Recipe(
    name="lr-find",
    title="Find my learning rate",
    summary=(
        "Trains a few batches at growing learning rates, several times, then tries the rates "
        "around the best by short trainings: fastai's four suggestions and one recommended rate, "
        "frozen and unfrozen."
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
            help="sweeps, each in another order of the batches, for the band around the curve and "
            "a steadier rate",
        ),
        Parameter(
            "race",
            "bool",
            True,
            said=("racing", "short training"),
            values_said={"false": ("only the curve", "just the curve", "only the plain curve")},
            help="try rates by short trainings judged on the validation set, for up to three times "
            "a sweep's batches",
        ),
        epochs_parameter(
            5,
            "how long you will train; short trainings are never longer, and the snippet "
            "trains for this many",
            most=10_000,
        ),
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
    phase: str
    num_it: int
    start_lr: float
    end_lr: float
    seeds: int
    race: bool
    epochs: int
    device: str


def run(params: Params, journal: Journal) -> Outcome:
    """Find the rates.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the task's input do not hold up.
    RecipeError
        When the curve says nothing.
    """
    if params.start_lr >= params.end_lr:
        raise BadParameter(
            f"{both('start_lr')} must be below {both('end_lr')}, "
            f"got {params.start_lr:g} and {params.end_lr:g}"
        )
    from executors.learning_rate.curves import write_curves

    ready = prepare(params, journal, shrink=False)
    groups = _groups(ready.built)
    phases, remarks = _phases(params.phase, ready.built, groups)
    for remark in remarks:
        journal.log(remark)
    curves = _measured(ready, phases, params, journal)
    write_curves(journal, curves)
    rates, seen = _found(curves, ready.source.title)
    reason = _reason(curves)
    values: dict[str, Any] = {
        "recommended": rates[phases[0]],
        "phases": {curve.phase: curve.to_json() for curve in curves},
        "reason": reason,
        **asdict(ready.trained),
        "groups": groups,
        "epochs": params.epochs,
        "notes": [*ready.notes, *remarks, *seen],
    }
    code = ready.snippet() + _fit_lines(rates, ready.built.pretrained, params.epochs)
    return Outcome(values, code, reason, ready.settings.task, findings(rates, groups))


def findings(rates: Mapping[str, Rate], groups: int) -> tuple[Finding, ...]:
    """A rate for each phase; one for both where the network is a single group of layers."""
    return tuple(_finding(phase, rate, groups == 1) for phase, rate in rates.items())


def _finding(phase: str, rate: Rate, alike: bool) -> Finding:
    if isinstance(rate, tuple):
        low, high = rate
        words = f"learning rates from {show_rate(low)} to {show_rate(high)}, as a slice"
    else:
        words = f"learning rate {show_rate(rate)}"
    words += ", frozen or not, because the network is a single group of layers" if alike else ""
    return Finding(
        words,
        {f"Learning rate, {phase}": rate},
        {"learning_rate": rate, "phase": "both" if alike else phase},
        phase="" if alike else phase,
    )


def _groups(built: Built) -> int:
    """How many groups of layers the optimizer tells apart."""
    from executors.learning_rate.state import unchanged

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
    ready: Prepared, phases: tuple[str, ...], params: Params, journal: Journal
) -> list[Curve]:
    """Find each phase's rate; the learner is afterwards as before.

    A phase whose curve says nothing is the last one.
    """
    from executors.learning_rate.state import unchanged

    curves: list[Curve] = []
    frozen_lr: float | None = None
    steps = _Steps(journal, len(phases), params)
    with unchanged(ready.learner):
        for phase in phases:
            _enter(phase, ready.built, frozen_lr, params.num_it, journal)
            steps.enter(phase)
            curve = _swept(ready, phase, params, frozen_lr, steps)
            curves.append(curve)
            if curve.found is None:
                return curves
            if phase == "frozen" and not isinstance(curve.found.recommended, tuple):
                frozen_lr = curve.found.recommended
    steps.end()
    return curves


def _swept(
    ready: Prepared, phase: str, params: Params, frozen_lr: float | None, steps: _Steps
) -> Curve:
    """What one phase gave, or the sweeps there are and why they say nothing."""
    from executors.learning_rate.curves import Curve
    from executors.learning_rate.find import find_rate

    sweeps: tuple[Sweep, ...] = ()

    def keep(done: tuple[Sweep, ...]) -> None:
        nonlocal sweeps
        sweeps = done

    try:
        found = find_rate(
            ready.learner,
            sliced=phase == "unfrozen" and ready.built.pretrained,
            num_it=params.num_it,
            start_lr=params.start_lr,
            end_lr=params.end_lr,
            orders=params.seeds,
            race_rates=params.race,
            train_batches=params.epochs * max(1, len(ready.learner.dls.train)),
            seed=params.settings.seed,
            frozen_lr=frozen_lr,
            tell_trial=steps.trial,
            keep=keep,
            in_turn=partial(_in_turn, ready, steps),
        )
    except RecipeError as error:
        return Curve(phase, sweeps, None, str(error))
    return Curve(phase, sweeps, found)


def _in_turn(ready: Prepared, steps: _Steps, jobs: Sequence[Job]) -> Iterator[Any]:
    """The sweeps or trials of a phase, where there is room side by side."""
    told = [partial(_job, steps.phase, job) for job in jobs]
    return trained_apart(ready, told, steps.journal, steps.hear, shrink=False)


def _job(phase: str, job: Job, ready: Prepared, journal: Journal) -> Any:
    from executors.learning_rate.stage import tell_point

    return job(ready.learner, partial(tell_point, journal, phase))


def _enter(
    phase: str, built: Built, frozen_lr: float | None, batches: int, journal: Journal
) -> None:
    """Bring the learner into the phase; a head learns something before its body is unfrozen."""
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

    def __init__(self, journal: Journal, phases: int, params: Params) -> None:
        race = _RACE_SWEEPS if params.race else 0
        self.journal, self.phase, self.done, self.number = journal, "", 0, -1
        self.each = params.num_it * (params.seeds + race)  # batches of a phase, at most
        self.total = self.each * phases

    def enter(self, phase: str) -> None:
        self.phase, self.number = phase, self.number + 1
        self.done = self.number * self.each

    def hear(self, event: str, fields: Mapping[str, Any]) -> None:
        self.journal.emit(event, **fields)
        self._move(event == "point")

    def trial(self, ended: Trial) -> None:
        from executors.learning_rate.stage import tell_trial

        tell_trial(self.journal, self.phase, ended)
        self._move(ended.cost)

    def _move(self, batches: int) -> None:
        self.done += batches
        self.journal.progress(min(self.done, self.total), self.total, "batches")

    def end(self) -> None:
        self.journal.progress(self.total, self.total, "batches")


def _found(curves: list[Curve], title: str) -> tuple[dict[str, Rate], list[str]]:
    """(rate by phase, what the curves show beside it).

    Raises
    ------
    RecipeError
        When a curve says nothing.
    """
    rates: dict[str, Rate] = {}
    seen: list[str] = []
    for curve in curves:
        if curve.found is None:
            raise RecipeError(f"{title}, {curve.phase}: {curve.trouble}")
        rates[curve.phase] = curve.found.recommended
        seen += [f"{curve.phase}: {remark}" for remark in curve.found.seen]
    return rates, seen


def _reason(curves: list[Curve]) -> str:
    return " ".join(
        f"{curve.phase.capitalize()}: take {curve.found.reason}." for curve in curves if curve.found
    )


def _fit_lines(rates: Mapping[str, Rate], pretrained: bool, epochs: int) -> str:
    """The lines that train with the found rates, head first where there is a body to keep."""
    grouped = len(rates) > 1 or pretrained
    lines = []
    if "frozen" in rates:
        lines += ["learn.freeze()"] if grouped else []
        lines.append(f"learn.fit_one_cycle({epochs}, {rates['frozen']!r})")
    elif pretrained:
        lines += ["learn.freeze()", "learn.fit_one_cycle(1)"]
    if "unfrozen" in rates:
        rate = rates["unfrozen"]
        lines += ["learn.unfreeze()"] if grouped else []
        shown = f"slice{rate!r}" if isinstance(rate, tuple) else repr(rate)
        lines.append(f"learn.fit_one_cycle({epochs}, {shown})")
    return "\n".join(lines) + "\n"
