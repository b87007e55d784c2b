"""The recipe "lr-find": fastai's learning-rate finder, frozen and unfrozen, one recommended rate and its reason."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..devices import choose_device
from ..errors import BadInput, BadParameter, RecipeError
from ..journal import Journal, Outcome
from ..recipe import Parameter, Recipe
from ..tasks import TASK_NAMES, find_task
from ..tasks.source import Built, Settings, Source, settings_from
from ._shared import BATCH_SIZE, DEVICE, SEED, SIZE, inputs

if TYPE_CHECKING:
    from ..suggest import Advice
    from ..sweep import Sweep

__all__ = ["RECIPE", "run"]

# the loss of a critic says nothing about a rate: it falls while the images get worse
_TASKS = tuple(name for name in TASK_NAMES if name != "gan")

RECIPE = Recipe(
    name="lr-find",
    title="Find my learning rate",
    summary=(
        "Trains a few batches at growing learning rates and reads the curve: fastai's four suggestions "
        "and one recommended rate, frozen and unfrozen."
    ),
    tasks=_TASKS,
    concepts=(
        "learning rate",
        "learning rate finder",
        "lr_find",
        "discriminative learning rates",
        "freezing",
        "unfreezing",
        "one-cycle",
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
            help="frozen trains the head only; unfrozen, after some batches of that, all layers",
        ),
        Parameter("num_it", "int", 100, unit="batches", minimum=30, maximum=10_000, help="length of the sweep"),
        Parameter("start_lr", "float", 1e-7, minimum=1e-12, maximum=1, help="the lowest rate tried"),
        Parameter("end_lr", "float", 10.0, minimum=1e-9, maximum=1000, help="the highest rate tried"),
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
    settings = settings_from(params)
    task = find_task(settings.task)
    source = task.inspect(settings)
    _check_batch(source, params["batch_size"])
    device = choose_device(params["device"])
    journal.device(device)
    journal.log(source.title)
    size = params["size"] or task.default_size(settings)
    built = _built(task, source, settings, size, params["batch_size"], device.name, journal)
    phases, said = _phases(params["phase"], built)
    notes = (*source.notes, *built.notes, *said)
    for note in notes:
        journal.log(note)
    curves = _measured(built, phases, params, journal)
    _write(journal, curves)
    for curve in curves:
        if curve.advice is None:
            raise RecipeError(f"{source.title}, {curve.phase}: {curve.trouble}")
    asked = {
        "arch": settings.arch or task.DEFAULT_ARCH,
        "size": size,
        "batch_size": params["batch_size"],
        "pretrained": built.pretrained,
        "seed": settings.seed,
    }
    values = {**_values(curves), **asked, "notes": list(notes)}
    code = task.snippet(source, settings, size, params["batch_size"], built.pretrained) + _fit_lines(curves, built)
    return Outcome(values, code, values["reason"], settings.task)


@dataclass(frozen=True, slots=True)
class _Curve:
    """One phase's sweep, and what it says or why it says nothing."""

    phase: str
    sweep: Sweep
    advice: Advice | None
    trouble: str = ""


def _check_batch(source: Source, batch_size: int) -> None:
    if source.train < batch_size:
        raise BadInput(
            f"{source.title}: {source.train} samples to train on are fewer than one batch of {batch_size}, "
            f"and fastai would train nothing; take a batch_size of {max(2, source.train // 4)} or so"
        )


def _built(
    task: Any, source: Source, settings: Settings, size: int | None, batch_size: int, device: str, journal: Journal
) -> Built:
    """The learner, made from the seed; "random" state begins here."""
    import torch
    from fastai.torch_core import set_seed

    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    set_seed(settings.seed)
    built: Built = task.build(source, settings, size, batch_size, device, journal.folder)
    return built


def _phases(asked: str, built: Built) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The phases to sweep, and what is to be said about them."""
    from ..sweep import unchanged

    learner = built.learner
    with unchanged(learner):
        learner.create_opt()
        groups = len(learner.opt.param_lists)
    if groups == 1:
        one = ("unfrozen",) if asked == "both" else (asked,)
        return one, ("the network is a single group of layers, so frozen and unfrozen are the same",)
    phases = ("frozen", "unfrozen") if asked == "both" else (asked,)
    if "unfrozen" in phases and not built.pretrained:
        return phases, ("unfrozen with random weights: no layer has learned yet, so one rate serves all, not a slice",)
    return phases, ()


def _measured(built: Built, phases: tuple[str, ...], params: dict[str, Any], journal: Journal) -> list[_Curve]:
    """Sweep each phase; the learner is afterwards as before."""
    from ..suggest import advise
    from ..sweep import sweep, unchanged

    curves: list[_Curve] = []
    frozen_lr: float | None = None
    with unchanged(built.learner):
        for number, phase in enumerate(phases):
            _enter(phase, built, frozen_lr, params["num_it"], journal)
            tell = _teller(journal, phase, number * params["num_it"], len(phases) * params["num_it"])
            swept = sweep(built.learner, params["start_lr"], params["end_lr"], params["num_it"], tell)
            sliced = phase == "unfrozen" and built.pretrained
            try:
                advice = advise(
                    swept.lrs,
                    swept.losses,
                    swept.raw,
                    sliced=sliced,
                    num_it=params["num_it"],
                    frozen_lr=frozen_lr,
                )
            except RecipeError as error:
                return [*curves, _Curve(phase, swept, None, str(error))]
            if phase == "frozen" and not isinstance(advice.recommended, tuple):
                frozen_lr = advice.recommended
            curves.append(_Curve(phase, swept, advice))
    journal.progress(len(phases) * params["num_it"], len(phases) * params["num_it"], "batches")
    return curves


def _enter(phase: str, built: Built, frozen_lr: float | None, batches: int, journal: Journal) -> None:
    """Bring the learner into the phase; a pretrained body is unfrozen below a head that has learned something."""
    from ..sweep import train_some

    if phase == "frozen":
        built.learner.freeze()
        return
    if built.pretrained:
        journal.log(f"training the head for {batches} batches before the body is unfrozen")
        built.learner.freeze()
        train_some(built.learner, frozen_lr or 1e-3, batches)
    built.learner.unfreeze()


def _teller(journal: Journal, phase: str, before: int, total: int) -> Callable[[float, float], None]:
    """Tells each point of a sweep as it comes, and how far the sweeps are."""
    done = before

    def tell(lr: float, loss: float) -> None:
        nonlocal done
        done += 1
        journal.emit("point", lr=lr, loss=loss, phase=phase)
        journal.progress(done, total, "batches")

    return tell


def _write(journal: Journal, curves: list[_Curve]) -> None:
    """The curves as a table and a picture."""
    from ..plots import plot_curves

    table = journal.folder / "lr-find.csv"
    _write_table(table, curves)
    journal.artifact(table, "the curve")
    drawn = [
        {
            "phase": curve.phase,
            "lrs": curve.sweep.lrs,
            "losses": curve.sweep.losses,
            "raw": curve.sweep.raw,
            "suggestions": curve.advice.suggestions if curve.advice else {},
            "recommended": curve.advice.recommended if curve.advice else None,
            "explodes_at": curve.advice.explodes_at if curve.advice else None,
        }
        for curve in curves
        if curve.sweep.lrs
    ]
    if drawn:
        picture = journal.folder / "lr-find.png"
        plot_curves(picture, drawn)
        journal.artifact(picture, "loss against learning rate")


def _write_table(path: Path, curves: list[_Curve]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["phase", "lr", "smoothed_loss", "loss"])
        for curve in curves:
            rows = zip(curve.sweep.lrs, curve.sweep.losses, curve.sweep.raw, strict=True)
            writer.writerows([curve.phase, *row] for row in rows)


def _values(curves: list[_Curve]) -> dict[str, Any]:
    """The result for machines; `recommended` is the first phase's."""
    phases = {}
    for curve in curves:
        assert curve.advice is not None
        phases[curve.phase] = {
            "recommended": curve.advice.recommended,
            "suggestions": curve.advice.suggestions,
            "explodes_at": curve.advice.explodes_at,
            "reason": curve.advice.reason,
            "points": len(curve.sweep.lrs),
            "ended": curve.sweep.ended,
        }
    first = curves[0].phase
    reason = " ".join(f"{name.capitalize()}: take {found['reason']}." for name, found in phases.items())
    return {"recommended": phases[first]["recommended"], "phases": phases, "reason": reason}


def _fit_lines(curves: list[_Curve], built: Built) -> str:
    """The lines that train with the found rates, head first where there is a body to keep."""
    found = {curve.phase: curve.advice.recommended for curve in curves if curve.advice}
    grouped = len(found) > 1 or built.pretrained
    lines = []
    if "frozen" in found:
        lines += ["learn.freeze()"] if grouped else []
        lines.append(f"learn.fit_one_cycle(1, {found['frozen']!r})")
    elif built.pretrained:
        lines += ["learn.freeze()", "learn.fit_one_cycle(1)"]
    if "unfrozen" in found:
        rate = found["unfrozen"]
        lines += ["learn.unfreeze()"] if grouped else []
        lines.append(f"learn.fit_one_cycle(1, {'slice' + repr(rate) if isinstance(rate, tuple) else repr(rate)})")
    return "\n".join(lines) + "\n"
