"""The recipe "init-check": do activations keep their scale, as built, by Kaiming, by LSUV."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from executors.errors import BadInput
from executors.prepare import Prepared, prepare
from executors.recipe import Parameter, Recipe
from executors.recipes._shared import BATCH_SIZE, DEVICE, SEED, SIZE, inputs
from executors.runs.journal import Journal, Outcome
from executors.runs.stored_findings import Finding, one_line
from executors.task import Settings
from executors.tasks import TASK_NAMES

if TYPE_CHECKING:
    from executors.training.activations import Layer

__all__ = ["RECIPE", "Params", "Trouble", "findings", "run"]

# ratings have factors alone, no layers
_TASKS = tuple(name for name in TASK_NAMES if name != "collaborative-filtering")

RECIPE = Recipe(
    name="init-check",
    title="Check my initialisation",
    summary=(
        "Looks at the mean and the deviation of every layer's activations on one batch: as the "
        "network is built, after Kaiming initialisation, and after LSUV; says where signals "
        "vanish, explode or die."
    ),
    tasks=_TASKS,
    concepts=(
        "initialisation",
        "initialization",
        "weight initialization",
        "Kaiming initialization",
        "Xavier initialization",
        "LSUV",
        "layerwise sequential unit variance",
        "activation statistics",
    ),
    parameters=(
        *inputs(_TASKS),
        SIZE,
        BATCH_SIZE,
        Parameter(
            "train_batches",
            "int",
            0,
            unit="batches",
            minimum=0,
            maximum=10_000,
            said=(
                "after # batches",
                "after # steps",
                "train # batches",
                "train # steps",
                "trained # batches",
                "trained # steps",
                "training # batches",
                "first # batches",
            ),
            help="train first, then look",
        ),
        DEVICE,
        SEED,
    ),
)
_VANISHING, _EXPLODING, _DEAD = 0.01, 100.0, 0.5
_BUILT = "as built"
_WAYS = (_BUILT, "Kaiming", "LSUV")


@dataclass(frozen=True, slots=True)
class Params:
    """What RECIPE's parameters become."""

    settings: Settings
    size: int | None  # px
    batch_size: int | None
    train_batches: int
    device: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with activations, and where it begins."""

    word: str  # "no number", "vanishing", "exploding", "dead"
    first: str  # the first layer it shows in
    details: str
    throughout: bool = True  # whether it shows in every layer from there on

    def __str__(self) -> str:
        return f"{self.where} ({self.details})"

    @property
    def where(self) -> str:
        """What is wrong, and in which layers."""
        first = one_line(self.first)
        return f"{self.word} from {first} on" if self.throughout else f"{self.word} in {first}"


@dataclass(frozen=True, slots=True)
class _Summary:
    """The layers under one way to start, in a few numbers."""

    layers: int
    first_deviation: float
    last_deviation: float
    smallest_deviation: float
    largest_deviation: float
    smallest_signal: float
    most_dead: float | None


def run(params: Params, journal: Journal) -> Outcome:
    """Look at the layers.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the user's files do not hold up, or the network has no layer that can
        be looked at.
    """
    from executors.learning_rate.sweep import train_some

    ready = prepare(params, journal)
    if params.train_batches:
        ready.learner.unfreeze()
        train_some(ready.learner, 1e-3, params.train_batches)
    ways = _measured(ready, journal)
    _write(ways, journal)
    trouble = {way: _trouble(layers) for way, layers in ways.items()}
    summaries = {way: _summary(layers) for way, layers in ways.items()}
    pretrained, built = ready.built.pretrained, summaries[_BUILT]
    values: dict[str, Any] = {
        "ways": {way: [asdict(layer) for layer in layers] for way, layers in ways.items()},
        "summary": {way: asdict(summary) for way, summary in summaries.items()},
        "trouble": {way: [str(one) for one in wrong] for way, wrong in trouble.items()},
        **asdict(ready.trained),
        "notes": list(ready.notes),
    }
    message = _message(built, trouble, pretrained)
    deviations = (built.smallest_deviation, built.largest_deviation)
    said = findings(trouble, pretrained, deviations)
    return Outcome(values, _code(ready), message, ready.settings.task, said)


def findings(
    trouble: Mapping[str, Sequence[Trouble]], pretrained: bool, deviations: tuple[float, float]
) -> tuple[Finding, ...]:
    """Whether the signal keeps its scale as built, and what mends it where it does not.

    `deviations` are the smallest and the largest of the layers as built.
    """
    wrong = [one.where for one in trouble[_BUILT]]
    words = "as built, the signal neither vanishes nor explodes"
    if wrong:
        words = f"as built, activations are {', '.join(wrong)}"
        words += _mended(trouble, "; ") if not pretrained else ""
    figures = {
        "Signal as built": "in trouble" if wrong else "sound",
        "Smallest deviation": deviations[0],
        "Largest deviation": deviations[1],
    }
    return (Finding(words, figures, {"trouble": wrong}),)


def _mended(trouble: Mapping[str, Sequence[Trouble]], before: str) -> str:
    """Which ways to start mend the trouble, in words; "" where none does."""
    ways = [way for way, wrong in trouble.items() if not wrong]
    return f"{before}{' and '.join(ways)} fix{'es' if len(ways) == 1 else ''} it" if ways else ""


def _measured(ready: Prepared, journal: Journal) -> dict[str, list[Layer]]:
    """The layers under each way to start; the learner's own weights are afterwards as before."""
    from executors.learning_rate.state import unchanged
    from executors.training.activations import layers

    learner = ready.learner
    ways: dict[str, list[Layer]] = {}
    with unchanged(learner):
        # of a GAN the half that the noise goes into
        model = getattr(learner.model, "generator", learner.model)
        forward = _forward(model, _batch(learner))
        # batch normalisation by the batch, as in the first step; dropout off, which only adds noise
        model.train()
        for module in model.modules():
            if "Dropout" in type(module).__name__:
                module.eval()
        for number, way in enumerate(_WAYS):
            _start(way, model, forward, journal)
            ways[way] = layers(model, forward)
            for layer in ways[way]:
                journal.emit("layer", way=way, **asdict(layer))
            journal.progress(number + 1, len(_WAYS), "ways to start")
    if not ways[_BUILT]:
        raise BadInput(
            f"{ready.source.title}: the network has no linear or convolutional layer "
            "whose output is a tensor"
        )
    return ways


def _forward(model: Any, inputs: tuple[Any, ...]) -> Callable[[], Any]:
    """Calls the model on the inputs."""

    def forward() -> Any:
        if hasattr(model, "reset"):
            model.reset()  # a text model's state of the batch before
        return model(*inputs)

    return forward


def _start(way: str, model: Any, forward: Callable[[], Any], journal: Journal) -> None:
    """Draw the weights in this way."""
    from executors.training.activations import kaiming, lsuv

    if way == "Kaiming":
        kaiming(model)
    elif way == "LSUV":
        journal.log(f"LSUV scaled {lsuv(model, forward)} layers")


def _batch(learner: Any) -> tuple[Any, ...]:
    """The inputs of one training batch, on the model's device."""
    from executors.training.batches import split_batch

    return split_batch(learner, learner.dls.train.one_batch())[0]


def _summary(layers: Sequence[Layer]) -> _Summary:
    deviations = [layer.deviation for layer in layers]
    return _Summary(
        layers=len(layers),
        first_deviation=deviations[0],
        last_deviation=deviations[-1],
        smallest_deviation=min(deviations),
        largest_deviation=max(deviations),
        smallest_signal=min(layer.signal for layer in layers),
        most_dead=max((layer.dead for layer in layers if layer.dead is not None), default=None),
    )


_SIGNS: tuple[tuple[str, Callable[[Layer], bool]], ...] = (
    ("no number", lambda layer: layer.deviation != layer.deviation),
    ("vanishing", lambda layer: layer.signal < _VANISHING),
    ("exploding", lambda layer: layer.deviation > _EXPLODING),
    ("dead", lambda layer: layer.dead is not None and layer.dead > _DEAD),
)


def _trouble(layers: Sequence[Layer]) -> list[Trouble]:
    """What is wrong with these activations, each with the first layer it shows in."""
    wrong = []
    for word, shows in _SIGNS:
        bad = [layer for layer in layers if shows(layer)]
        if bad:
            first = bad[0]
            measured = f"deviation {first.deviation:.2g}, from sample to sample {first.signal:.2g}"
            details = f"{first.kind}, {measured}; {len(bad)} of {len(layers)} layers"
            throughout = len(bad) == len(layers) - layers.index(first)
            wrong.append(Trouble(word, first.name, details, throughout))
    return wrong


def _message(built: _Summary, trouble: Mapping[str, Sequence[Trouble]], pretrained: bool) -> str:
    low, high = built.smallest_deviation, built.largest_deviation
    wrong = "; ".join(str(one) for one in trouble[_BUILT])
    verdict = f"As built, deviations run from {low:.2g} to {high:.2g} over {built.layers} layers: "
    verdict += wrong or "the signal neither vanishes nor explodes"
    if pretrained:
        known = "The weights are pretrained, so a fresh start would throw away what they know"
        return f"{verdict}. {known}."
    mended = _mended(trouble, ". ") if wrong else ""
    return verdict + (f"{mended}; the snippet shows how." if mended else ".")


def _write(ways: Mapping[str, Sequence[Layer]], journal: Journal) -> None:
    from executors.training.plots import plot_layers

    head = ["way", "layer", "kind", "mean", "deviation", "signal", "dead", "still"]
    rows = ([way, *asdict(layer).values()] for way, layers in ways.items() for layer in layers)
    journal.table("layers.csv", "every layer", head, rows)
    picture = journal.folder / "layers.png"
    plot_layers(picture, ways)
    journal.artifact(picture, "mean and deviation of the activations, layer by layer")


def _code(ready: Prepared) -> str:
    """The network started by LSUV on one batch, to paste."""
    return ready.snippet() + _LSUV


_LSUV = """
def scale_layers(model, *inputs):
    "Orthonormal weights, then every layer to a deviation of one on this batch (LSUV)."
    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d)
    weighted = [module for module in model.modules() if isinstance(module, kinds)]
    for module in weighted:
        nn.init.orthogonal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)

    def scale(module, inputs, output):
        deviation = output.std()
        if deviation > 1e-8 and abs(deviation - 1) > 0.02:
            module.weight /= deviation
            return output / deviation

    hooks = [module.register_forward_hook(scale) for module in weighted]
    with torch.no_grad():
        for _ in range(2):  # a second time for weights that layers share
            model(*inputs)
    for hook in hooks:
        hook.remove()

batch = learn.dls.one_batch()
scale_layers(getattr(learn.model, 'generator', learn.model), *batch[:max(1, len(batch) - 1)])
"""
