"""The recipe "progressive-resizing": train on small images first, then larger ones, against large
ones throughout.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from executors.errors import BadParameter
from executors.prepare import Prepared, build, prepare
from executors.recipe import Parameter, Recipe
from executors.recipes._shared import (
    BATCH_SIZE,
    DEVICE,
    EPOCHS_SAID,
    LR_SAID,
    SEED,
    SIZE_SAID,
    inputs,
)
from executors.runs.journal import Journal, Outcome
from executors.tasks import IMAGE_TASKS

if TYPE_CHECKING:
    from executors.training.fit import Epoch, Score

__all__ = ["RECIPE", "run"]

_TASKS = tuple(name for name in IMAGE_TASKS if name != "gan")  # its generator makes one size

RECIPE = Recipe(
    name="progressive-resizing",
    title="Grow my images",
    summary=(
        "Trains on small images, then goes on with larger ones, and sets that against as many epochs on the largest "
        "throughout: time and score of both, on your images."
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
        Parameter(
            "epochs",
            "int",
            2,
            unit="epochs",
            minimum=1,
            maximum=1000,
            said=EPOCHS_SAID,
            help="at each size",
        ),
        Parameter(
            "lr",
            "float",
            None,
            minimum=1e-9,
            maximum=10,
            said=LR_SAID,
            help="empty: found by a sweep at each size",
        ),
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


@dataclass(frozen=True, slots=True)
class _Way:
    """One way of training, judged at the largest size."""

    name: str
    seconds: float
    score: float
    valid_loss: float


def run(params: dict[str, Any], journal: Journal) -> Outcome:
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

    ready = prepare({**params, "size": max(params["sizes"], default=None)}, journal)
    sizes = _sizes(params["sizes"], ready)
    score = score_of(ready.learner, ready.built.higher_is_better)
    total = params["epochs"] * len(sizes) * (2 if params["compare"] else 1)
    flow = _Flow(ready, journal, params, score, total)
    with unchanged(ready.learner):
        found = [flow.way(sizes)]
        code = flow.code(sizes)
    if params["compare"]:
        with unchanged(ready.learner):
            found.append(flow.way((sizes[-1],) * len(sizes)))
    for way in found:
        row = asdict(way)
        journal.emit("row", table="ways", way=row.pop("name"), **row)
    _write(journal, flow.epochs, found, score)
    values = {
        "findings": {f"{score.name.capitalize()}, {way.name}": way.score for way in found},
        "score": score.name,
        "sizes": list(sizes),
        "rates": flow.rates,
        "ways": [asdict(way) for way in found],
        "epochs": [asdict(epoch) for epoch in flow.epochs],
        **ready.asked(),
        "notes": list(ready.notes),
    }
    return Outcome(values, code, _said(found, score, sizes), ready.settings.task)


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
        self, ready: Prepared, journal: Journal, params: dict[str, Any], score: Score, total: int
    ) -> None:
        self.ready, self.journal, self.params, self.score, self.total = (
            ready,
            journal,
            params,
            score,
            total,
        )
        self.loaders: dict[int, Any] = {}
        self.epochs: list[Epoch] = []
        self.rates: dict[str, float] = {}

    def way(self, sizes: tuple[int, ...]) -> _Way:
        """Train at each size in turn, from the weights as they are; judged at the last."""
        from executors.training.fit import fit

        learner, grown = self.ready.learner, len({*sizes}) > 1
        name = (
            " then ".join(f"{size} px" for size in sizes) if grown else f"{sizes[-1]} px throughout"
        )
        spent = 0.0
        last: list[Epoch] = []
        for number, size in enumerate(sizes):
            learner.dls = self._loaders(size)
            learner.unfreeze()
            stage = f"{size} px" if grown else f"{size} px throughout, {number + 1} of {len(sizes)}"
            if number == 0 or grown:
                self.rates[stage] = lr = self._rate(stage)
            started = time.monotonic()
            last = fit(
                learner,
                self.journal,
                stage,
                self.params["epochs"],
                lr,
                way=name,
                before=len(self.epochs),
                total=self.total,
            )
            spent += time.monotonic() - started
            self.epochs += last
        return _Way(name, spent, self.score.of(last[-1]), last[-1].valid_loss)

    def _rate(self, stage: str) -> float:
        from executors.learning_rate.stage import one_rate

        return float(
            self.params["lr"]
            or one_rate(
                self.ready.learner,
                self.journal,
                stage,
                self.ready.settings.seed,
                self.params["epochs"],
            )
        )

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
        ready, epochs = self.ready, self.params["epochs"]
        first, *others = sizes
        pretrained = ready.built.pretrained
        lines = ready.task.snippet(
            ready.source, ready.settings, first, ready.batch_size, pretrained
        )
        lines += f"learn.unfreeze()\nlearn.fit_one_cycle({epochs}, {self.rates[f'{first} px']!r})\n"
        for size in others:
            again = ready.task.snippet(
                ready.source, ready.settings, size, ready.batch_size, pretrained
            )
            loaders = next(line for line in again.splitlines() if line.startswith("dls = "))
            rate = self.rates[f"{size} px"]
            lines += f"\n{loaders}\nlearn.dls = dls\nlearn.fit_one_cycle({epochs}, {rate!r})\n"
        return lines


def _said(found: list[_Way], score: Score, sizes: tuple[int, ...]) -> str:
    from executors.training.fit import better

    grown = found[0]
    text = f"Growing from {sizes[0]} to {sizes[-1]} px reached {score.name} {grown.score:.4g} in {grown.seconds:.0f} s"
    if len(found) == 1:
        return text + "."
    whole = found[1]
    text += f"; {whole.name} {whole.score:.4g} in {whole.seconds:.0f} s. "
    faster = grown.seconds < 0.95 * whole.seconds
    if better(score, whole.score, grown.score):
        gain = (
            "and was the faster way too"
            if not faster
            else f"for {whole.seconds / grown.seconds:.1f} times the time"
        )
        return text + f"Here the largest size alone scored better, {gain}."
    saved = (
        f" in {grown.seconds / whole.seconds:.0%} of the time"
        if faster
        else ", though it saved no time"
    )
    return (
        text
        + f"Growing was at least as good{saved}. One training each: small differences are chance."
    )


def _write(journal: Journal, epochs: list[Epoch], found: list[_Way], score: Score) -> None:
    from executors.training.plots import plot_epochs

    head = ["way", "seconds", score.name, "valid_loss"]
    journal.table("ways.csv", "both ways", head, (asdict(way).values() for way in found))
    picture = journal.folder / "training.png"
    plot_epochs(picture, [asdict(epoch) for epoch in epochs], score.name)
    journal.artifact(picture, "losses and score of each epoch")
