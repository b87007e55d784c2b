"""The recipe "init-check": do activations keep their scale through the layers, as built, by Kaiming
and by LSUV.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from executors.errors import BadInput
from executors.prepare import Prepared, prepare
from executors.recipe import Parameter, Recipe
from executors.recipes._shared import BATCH_SIZE, DEVICE, SEED, SIZE, inputs
from executors.runs.journal import Journal, Outcome
from executors.tasks import TASK_NAMES

if TYPE_CHECKING:
    from executors.training.activations import Layer

__all__ = ["RECIPE", "run"]

_TASKS = tuple(
    name for name in TASK_NAMES if name != "collaborative-filtering"
)  # factors alone, no layers

RECIPE = Recipe(
    name="init-check",
    title="Check my initialisation",
    summary=(
        "Looks at the mean and the deviation of every layer's activations on one batch: as the network is built, "
        "after Kaiming initialisation, and after LSUV; says where signals vanish, explode or die."
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
_WAYS = ("as built", "Kaiming", "LSUV")


def run(params: dict[str, Any], journal: Journal) -> Outcome:
    """Look at the layers.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the user's files do not hold up, or the network has no layer that can
        be looked at.
    """
    from executors.learning_rate.sweep import train_some

    ready = prepare(params, journal)
    if params["train_batches"]:
        ready.learner.unfreeze()
        train_some(ready.learner, 1e-3, params["train_batches"])
    found = _measured(ready, journal)
    _write(found, journal)
    worst = {way: _trouble(layers) for way, layers in found.items()}
    own = [layer.deviation for layer in found["as built"]]
    values = {
        "findings": {
            "Signal as built": "in trouble" if worst["as built"] else "sound",
            "Smallest deviation": min(own),
            "Largest deviation": max(own),
        },
        "ways": {way: [asdict(layer) for layer in layers] for way, layers in found.items()},
        "summary": {way: _summary(layers) for way, layers in found.items()},
        "trouble": worst,
        **ready.asked(),
        "notes": list(ready.notes),
    }
    return Outcome(
        values, _code(ready), _said(found, worst, ready.built.pretrained), ready.settings.task
    )


def _measured(ready: Prepared, journal: Journal) -> dict[str, list[Layer]]:
    """The layers under each way to start; the learner's own weights are afterwards as before."""
    from executors.learning_rate.sweep import unchanged
    from executors.training.activations import kaiming, layers, lsuv

    learner = ready.learner
    found: dict[str, list[Layer]] = {}
    with unchanged(learner):
        inputs = _batch(learner)
        model = getattr(
            learner.model, "generator", learner.model
        )  # of a GAN the half that the noise goes into

        def forward() -> Any:
            if hasattr(model, "reset"):
                model.reset()  # a text model's state of the batch before
            return model(*inputs)

        model.train()  # batch normalisation by the batch, as in the first step; dropout off, which only adds noise
        for module in model.modules():
            if "Dropout" in type(module).__name__:
                module.eval()
        for number, way in enumerate(_WAYS):
            if way == "Kaiming":
                kaiming(model)
            elif way == "LSUV":
                journal.log(f"LSUV scaled {lsuv(model, forward)} layers")
            found[way] = layers(model, forward)
            for layer in found[way]:
                journal.emit("layer", way=way, **asdict(layer))
            journal.progress(number + 1, len(_WAYS), "ways to start")
    if not found["as built"]:
        raise BadInput(
            f"{ready.source.title}: the network has no linear or convolutional layer whose output is a tensor"
        )
    return found


def _batch(learner: Any) -> tuple[Any, ...]:
    """The inputs of one training batch, on the model's device."""
    from executors.training.batches import split_batch

    return split_batch(learner, learner.dls.train.one_batch())[0]


def _summary(layers: list[Layer]) -> dict[str, Any]:
    deviations = [layer.deviation for layer in layers]
    dead = [layer.dead for layer in layers if layer.dead is not None]
    return {
        "layers": len(layers),
        "first_deviation": deviations[0],
        "last_deviation": deviations[-1],
        "smallest_deviation": min(deviations),
        "largest_deviation": max(deviations),
        "smallest_signal": min(layer.signal for layer in layers),
        "most_dead": max(dead, default=None),
    }


def _trouble(layers: list[Layer]) -> list[str]:
    """What is wrong with these activations, each with the first layer it shows in."""
    found = []
    for word, holds in (
        ("no number", lambda layer: layer.deviation != layer.deviation),
        ("vanishing", lambda layer: layer.signal < _VANISHING),
        ("exploding", lambda layer: layer.deviation > _EXPLODING),
        ("dead", lambda layer: layer.dead is not None and layer.dead > _DEAD),
    ):
        first = next((layer for layer in layers if holds(layer)), None)
        if first is not None:
            count = sum(holds(layer) for layer in layers)
            measured = f"deviation {first.deviation:.2g}, from sample to sample {first.signal:.2g}"
            found.append(f"{word} from {first.name} on ({first.kind}, {measured}; {count} layers)")
    return found


def _said(found: dict[str, list[Layer]], trouble: dict[str, list[str]], pretrained: bool) -> str:
    own = found["as built"]
    low, high = min(layer.deviation for layer in own), max(layer.deviation for layer in own)
    verdict = f"As built, deviations run from {low:.2g} to {high:.2g} over {len(own)} layers: "
    verdict += (
        "; ".join(trouble["as built"])
        if trouble["as built"]
        else "the signal neither vanishes nor explodes"
    )
    others = [way for way in _WAYS[1:] if not trouble[way]]
    if pretrained:
        return (
            verdict
            + ". The weights are pretrained, so a fresh start would throw away what they know."
        )
    if trouble["as built"] and others:
        return (
            verdict
            + f". {' and '.join(others)} mend{'s' if len(others) == 1 else ''} it; the snippet shows how."
        )
    return verdict + "."


def _write(found: dict[str, list[Layer]], journal: Journal) -> None:
    from executors.training.plots import plot_layers

    head = ["way", "layer", "kind", "mean", "deviation", "signal", "dead"]
    rows = ([way, *asdict(layer).values()] for way, layers in found.items() for layer in layers)
    journal.table("layers.csv", "every layer", head, rows)
    picture = journal.folder / "layers.png"
    plot_layers(
        picture,
        {way: [(layer.mean, layer.deviation) for layer in layers] for way, layers in found.items()},
    )
    journal.artifact(picture, "mean and deviation of the activations, layer by layer")


def _code(ready: Prepared) -> str:
    """The network started by LSUV on one batch, to paste."""
    return (
        ready.snippet()
        + """
def scale_layers(model, *inputs):
    "Orthonormal weights, then every layer to a deviation of one on this batch (LSUV)."
    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d)
    weighted = [module for module in model.modules() if isinstance(module, kinds)]
    for module in weighted:
        nn.init.orthogonal_(module.weight)
    for module in weighted:
        seen = []
        hook = module.register_forward_hook(lambda m, i, out: seen.append(out.std()))
        for _ in range(10):
            seen.clear()
            with torch.no_grad():
                model(*inputs)
                if not seen or seen[0] < 1e-8 or abs(seen[0] - 1) < 0.02:
                    break
                module.weight /= seen[0]
        hook.remove()

batch = learn.dls.one_batch()
scale_layers(getattr(learn.model, 'generator', learn.model), *batch[:max(1, len(batch) - 1)])
"""
    )
