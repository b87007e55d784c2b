"""The recipe "progressive-resizing": small images first, then larger, against large throughout."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from executors.amounts import show_number
from executors.errors import BadParameter
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
from executors.runs.finding import Finding, plain_name
from executors.runs.journal import Journal, Outcome
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
            help="also train as many epochs at the largest size alone",
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
    batch_size: int
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
    from executors.learning_rate.sweep import unchanged
    from executors.training.fit import score_of
    from executors.training.judging import judged

    ready = prepare(params, journal)
    sizes = _sizes(params.sizes, ready)
    score = score_of(ready.learner, ready.built.higher_is_better)
    total = params.epochs * len(sizes) * (2 if params.compare else 1)
    flow = _Flow(ready, journal, params, score, total)
    with unchanged(ready.learner):
        ways = [flow.way(sizes)]
        code = flow.code(sizes)
        held = judged(ready.learner, score)
    if params.compare:
        with unchanged(ready.learner):
            ways.append(flow.way((sizes[-1],) * len(sizes)))
    for way in ways:
        reached = {"seconds": way.seconds, "score": way.score, "valid_loss": way.valid_loss}
        journal.emit("row", table="ways", way=way.name, **reached)
    _write(journal, flow.epochs, ways, score)
    values: dict[str, Any] = {
        "score": score.name,
        "sizes": list(sizes),
        "rates": flow.rates,
        "ways": [asdict(way) for way in ways],
        "held_out": asdict(held),
        "epochs": [asdict(epoch) for epoch in flow.epochs],
        **asdict(ready.trained),
        "notes": list(ready.notes),
    }
    message, said = _message(ways, score, sizes, held), findings(ways, score.name, held.constant)
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
        raise BadParameter(
            f"progressive-resizing: parameter 'sizes' needs two sizes at least, got {asked[0]}"
        )
    if asked:
        return tuple(sorted(asked))
    assert ready.size is not None
    large = max(ready.size, 2 * _SMALLEST)
    return max(_SMALLEST, large // 2), large


class _Flow:
    """Trains one way after the other with the same learner."""

    def __init__(
        self, ready: Prepared, journal: Journal, params: Params, score: Score, total: int
    ) -> None:
        self.ready, self.journal, self.params = ready, journal, params
        self.score, self.total = score, total
        self.loaders: dict[int, Any] = {}
        self.epochs: list[Epoch] = []
        self.rates: dict[str, float] = {}

    def way(self, sizes: tuple[int, ...]) -> Way:
        """Train at each size in turn, from the weights as they are; judged at the last."""
        from executors.training.fit import fit

        learner, grown = self.ready.learner, len({*sizes}) > 1
        throughout = f"{sizes[-1]} px throughout"
        name = " then ".join(f"{size} px" for size in sizes) if grown else throughout
        spent = 0.0
        last: list[Epoch] = []
        for number, size in enumerate(sizes):
            learner.dls = self._loaders(size)
            learner.unfreeze()
            stage = f"{size} px" if grown else f"{throughout}, {number + 1} of {len(sizes)}"
            if number == 0 or grown:
                params = self.params
                lr = rate_of(self.ready, params.lr, params.epochs, self.journal, stage)
                self.rates[stage] = lr
            started = time.monotonic()
            last = fit(
                learner,
                self.journal,
                stage,
                self.params.epochs,
                lr,
                way=name,
                before=len(self.epochs),
                total=self.total,
            )
            spent += time.monotonic() - started
            self.epochs += last
        return Way(name, spent, self.score.of(last[-1]), last[-1].valid_loss)

    def _loaders(self, size: int) -> Any:
        if size not in self.loaders:
            ready = self.ready
            built = build(
                ready.task,
                ready.source,
                ready.settings,
                size,
                ready.batch_size,
                ready.device,
                self.journal,
            )
            self.loaders[size] = built.learner.dls
        return self.loaders[size]

    def code(self, sizes: tuple[int, ...]) -> str:
        """The snippet of the first way."""
        epochs, (first, *others) = self.params.epochs, sizes
        lines = self.ready.snippet(first)
        lines += f"learn.unfreeze()\nlearn.fit_one_cycle({epochs}, {self.rates[f'{first} px']!r})\n"
        for size in others:
            again = self.ready.snippet(size).splitlines()
            loaders = next(line for line in again if line.startswith("dls = "))
            rate = self.rates[f"{size} px"]
            lines += f"\n{loaders}\nlearn.dls = dls\nlearn.fit_one_cycle({epochs}, {rate!r})\n"
        return lines


def _message(ways: Sequence[Way], score: Score, sizes: tuple[int, ...], held: HeldOut) -> str:
    grown = ways[0]
    text = f"On {held.samples} held-out samples growing from {sizes[0]} to {sizes[-1]} px reached "
    text += f"{beside(score.name, grown.score, held)}, in {grown.seconds:.0f} s"
    if len(ways) == 1:
        return text + "."
    whole = ways[1]
    text += f"; {whole.name} reached {whole.score:.4g} in {whole.seconds:.0f} s. "
    text += f"{_better_way(grown, whole, score, held)}, and {_faster_way(grown, whole)}."
    return f"{text} One training each: small differences are chance."


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
