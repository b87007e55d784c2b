"""The recipe "progressive-resizing": small images first, then larger, against large throughout."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from executors.amounts import show_number
from executors.apart import trained_apart
from executors.errors import BadParameter
from executors.parameters import both
from executors.prepare import Prepared, build, prepare
from executors.recipe import Parameter, Recipe
from executors.recipes._shared import (
    BATCH_SIZE,
    DEVICE,
    SEED,
    SIZE_SAID,
    epochs_parameter,
    inputs,
    rate_of,
    rate_parameter,
)
from executors.runs.journal import Journal, Outcome
from executors.runs.stored_findings import Finding, plain_name
from executors.task import Settings
from executors.tasks import IMAGE_TASKS
from executors.training.held_out import HeldOut, beside, constant_figure, constant_words

if TYPE_CHECKING:
    from executors.training.fit import Epoch, Score

__all__ = ["RECIPE", "Params", "Way", "findings", "run"]

_TASKS = tuple(name for name in IMAGE_TASKS if name != "gan")  # its generator makes one size

RECIPE = Recipe(
    name="progressive-resizing",
    title="Grow my images",
    summary=(
        "Trains on small images, then goes on with larger ones, and sets that against as many "
        "epochs on the largest throughout: time and score of both, on your images."
    ),
    tasks=_TASKS,
    concepts=("progressive resizing", "progressive image resizing"),
    parameters=(
        *inputs(_TASKS),
        Parameter(
            "sizes",
            "sizes",
            (),
            unit="px",
            minimum=32,
            maximum=2048,
            said=(*SIZE_SAID, "from # to", "start at #", "begin at #", "first #", "at #"),
            help="from small to large; empty: half of the task's usual size, then that",
            tasks=_TASKS,
        ),
        BATCH_SIZE,
        epochs_parameter(2, "at each size"),
        rate_parameter("empty: found by a sweep at each size"),
        Parameter(
            "compare",
            "bool",
            True,
            said=("compare", "comparison", "comparing", "baseline"),
            help="also train as many epochs on the largest size only",
        ),
        DEVICE,
        SEED,
    ),
)
_SMALLEST = 32
_FASTER = 0.95  # of the other's time; more is the luck of the machine


@dataclass(frozen=True, slots=True)
class Params:
    """What RECIPE's parameters become."""

    settings: Settings
    sizes: tuple[int, ...]  # px
    batch_size: int | None
    epochs: int  # at each size
    lr: float | None
    compare: bool
    device: str

    @property
    def size(self) -> int | None:
        """The largest size in px, for which memory has to do."""
        return max(self.sizes, default=None)


@dataclass(frozen=True, slots=True)
class Way:
    """One way of training, judged at the largest size."""

    name: str
    seconds: float
    score: float
    valid_loss: float


def run(params: Params, journal: Journal) -> Outcome:
    """Train size after size.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the user's files do not hold up.
    RecipeError
        When no rate can be found, or the loss stops being a number.
    """
    from executors.training.fit import score_of

    ready = prepare(params, journal)
    sizes = _sizes(params.sizes, ready)
    score = score_of(ready.learner, ready.built.higher_is_better)
    plans = [sizes, (sizes[-1],) * len(sizes)][: 2 if params.compare else 1]
    jobs = [partial(_trained, params, plans, number, score) for number in range(len(plans))]
    ended = list(trained_apart(ready, jobs, journal))
    ways, held = [one.way for one in ended], ended[0].held
    assert held is not None
    epochs = [epoch for one in ended for epoch in one.epochs]
    rates = {stage: lr for one in ended for stage, lr in one.rates.items()}
    for way in ways:
        reached = {"seconds": way.seconds, "score": way.score, "valid_loss": way.valid_loss}
        journal.emit("row", table="ways", way=way.name, **reached)
    _write(journal, epochs, ways, score)
    values: dict[str, Any] = {
        "score": score.name,
        "sizes": list(sizes),
        "rates": rates,
        "ways": [asdict(way) for way in ways],
        "held_out": asdict(held),
        "epochs": [asdict(epoch) for epoch in epochs],
        **asdict(ready.trained),
        "notes": list(ready.notes),
    }
    message, said = _message(ways, score, sizes, held), findings(ways, score.name, held.constant)
    code = _code(ready, params.epochs, sizes, rates)
    return Outcome(values, code, message, ready.settings.task, said)


def findings(ways: Sequence[Way], score: str, constant: float | None = None) -> tuple[Finding, ...]:
    """Score and time of each way beside a constant answer's score, in one finding."""
    named = plain_name(score)
    reached = [f"{show_number(w.score)} in {w.seconds:.0f} s with {w.name}" for w in ways]
    figures = {f"{score.capitalize()}, {way.name}": way.score for way in ways}
    figures |= constant_figure(constant)
    rows = [{"way": way.name, "value": way.score, "seconds": way.seconds} for way in ways]
    return (
        Finding(
            f"{named} {', '.join(reached)}{constant_words(constant)}",
            figures,
            {"score": named, "ways": rows},
        ),
    )


def _sizes(asked: tuple[int, ...], ready: Prepared) -> tuple[int, ...]:
    """At least two sizes, rising.

    Raises
    ------
    BadParameter
        When a single one is asked for.
    """
    if len(asked) == 1:
        raise BadParameter(f"{both('sizes')} needs two sizes at least, got {asked[0]}")
    if asked:
        return tuple(sorted(asked))
    assert ready.size is not None
    large = max(ready.size, 2 * _SMALLEST)
    return max(_SMALLEST, large // 2), large


@dataclass(frozen=True, slots=True)
class _Ended:
    """What one way came to, and its rates by stage; the first is judged beside constant answers."""

    way: Way
    epochs: tuple[Epoch, ...]
    rates: dict[str, float]
    held: HeldOut | None


def _trained(
    params: Params,
    plans: Sequence[tuple[int, ...]],
    number: int,
    score: Score,
    ready: Prepared,
    journal: Journal,
) -> _Ended:
    """Train at each size of one plan in turn, from the weights as they are; judged at the last."""
    from executors.training.fit import fit
    from executors.training.judging import judged

    learner, sizes = ready.learner, plans[number]
    grown = len({*sizes}) > 1
    throughout = f"{sizes[-1]} px throughout"
    name = " then ".join(f"{size} px" for size in sizes) if grown else throughout
    epochs: list[Epoch] = []
    spent, rates = 0.0, dict[str, float]()
    before, total = (params.epochs * len(sizes) * count for count in (number, len(plans)))
    for place, size in enumerate(sizes):
        if place == 0 or grown:
            learner.dls = _loaders(ready, size, journal)
        learner.unfreeze()
        stage = f"{size} px" if grown else f"{throughout}, {place + 1} of {len(sizes)}"
        if place == 0 or grown:
            lr = rate_of(ready, params.lr, params.epochs, journal, stage)
            rates[stage] = lr
        started = time.monotonic()
        done = before + len(epochs)
        epochs += fit(
            learner, journal, stage, params.epochs, lr, way=name, before=done, total=total
        )
        spent += time.monotonic() - started
    way = Way(name, spent, score.of(epochs[-1]), epochs[-1].valid_loss)
    return _Ended(way, tuple(epochs), rates, None if number else judged(learner, score))


def _loaders(ready: Prepared, size: int, journal: Journal) -> Any:
    """New ones, whose batches come in the order of the seed."""
    task, source, settings = ready.task, ready.source, ready.settings
    return build(task, source, settings, size, ready.batch_size, ready.device, journal).learner.dls


def _code(ready: Prepared, epochs: int, sizes: tuple[int, ...], rates: Mapping[str, float]) -> str:
    """The snippet of the first way."""
    first, *others = sizes
    lines = ready.snippet(first)
    lines += f"learn.unfreeze()\nlearn.fit_one_cycle({epochs}, {rates[f'{first} px']!r})\n"
    for size in others:
        again = ready.snippet(size).splitlines()
        loaders = next(line for line in again if line.startswith("dls = "))
        rate = rates[f"{size} px"]
        lines += f"\n{loaders}\nlearn.dls = dls\nlearn.fit_one_cycle({epochs}, {rate!r})\n"
    return lines


def _message(ways: Sequence[Way], score: Score, sizes: tuple[int, ...], held: HeldOut) -> str:
    grown = ways[0]
    text = f"On {held.samples} held-out samples, growing from {sizes[0]} to {sizes[-1]} px reached "
    text += f"{beside(score.name, grown.score, held)}, in {grown.seconds:.0f} s"
    if len(ways) == 1:
        return text + "."
    whole = ways[1]
    text += f"; {whole.name} reached {whole.score:.4g} in {whole.seconds:.0f} s. "
    text += f"{_better_way(grown, whole, score, held)}, and {_faster_way(grown, whole)}."
    return f"{text} Each was trained once, so small differences are chance."


def _better_way(grown: Way, whole: Way, score: Score, held: HeldOut) -> str:
    from executors.training.fit import better

    chance = held.chance(grown.score)
    if grown.score == whole.score:
        return "Both scored the same"
    if chance is not None and abs(grown.score - whole.score) <= chance:
        return f"The scores differ by no more than chance ({chance:.2g})"
    if better(score, whole.score, grown.score):
        return "Here the largest size alone scored better"
    return "Growing scored better"


def _faster_way(grown: Way, whole: Way) -> str:
    if grown.seconds < _FASTER * whole.seconds:
        return f"growing took {grown.seconds / whole.seconds:.0%} of the time"
    if whole.seconds < _FASTER * grown.seconds:
        return f"growing took {grown.seconds / whole.seconds:.1f} times the time"
    return "growing saved no time"


def _write(journal: Journal, epochs: list[Epoch], ways: Sequence[Way], score: Score) -> None:
    from executors.training.plots import plot_epochs

    head = ["way", "seconds", score.name, "valid_loss"]
    journal.table("ways.csv", "both ways", head, (asdict(way).values() for way in ways))
    picture = journal.folder / "training.png"
    plot_epochs(picture, epochs, score.name)
    journal.artifact(picture, "losses and score of each epoch")
