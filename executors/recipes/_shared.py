"""Parameters that several recipes take, and the rate that those that train train with."""

from __future__ import annotations

from executors.devices import DEVICE_CHOICES
from executors.parameters import Parameter
from executors.prepare import Prepared
from executors.runs.journal import Journal
from executors.tasks import IMAGE_TASKS, LEARNER, TASK_NAMES, TEXT_TASKS

__all__ = [
    "BATCH_SIZE",
    "DEVICE",
    "PHASE_SAID",
    "SEED",
    "SIZE",
    "SIZE_SAID",
    "epochs_parameter",
    "inputs",
    "rate_of",
    "rate_parameter",
]

_EPOCHS_SAID = ("epoch", "n_epoch", "fit_one_cycle(#", "fine_tune(#", "fit(#")
SIZE_SAID = ("image size", "input size", "picture size", "resolution", "sz")
PHASE_SAID = {
    "frozen": (
        "frozen",
        "freezing",
        "freeze",
        "before unfreezing",
        "before unfreeze",
        "before i unfreeze",
        "head only",
        "the head",
        "new head",
        "only head",
        "last layer",
    ),
    "unfrozen": (
        "unfrozen",
        "unfreezing",
        "unfreeze",
        "discriminative",
        "all layers",
        "all the layers",
        "whole network",
        "whole model",
        "whole net",
        "entire network",
        "entire model",
        "full network",
        "full model",
    ),
    "both": ("both phases", "before and after unfreezing", "before and after i unfreeze"),
}
_FILES = tuple(name for name in TASK_NAMES if name != LEARNER)
_PRETRAINED = (*(name for name in IMAGE_TASKS if name != "gan"), *TEXT_TASKS)
_INPUT = (
    Parameter(
        "data",
        "path",
        "",
        help="your files, as the task expects them; empty: the built-in sample",
        tasks=_FILES,
    ),
    Parameter(
        "target",
        "str",
        "",
        unit="column",
        said=("target column", "label column", "y column", "column"),
        help="the column to learn; of ratings: user, item and rating; of a language model: the "
        "column of texts",
        tasks=("tabular", "text-classification", "language-model", "collaborative-filtering"),
    ),
    Parameter(
        "learner",
        "path",  # made absolute where it is typed: a run has a folder of its own
        "",
        unit="file.py:function",
        help="your own: path/to/file.py:function, where the function returns a fastai Learner",
        tasks=(LEARNER,),
    ),
    Parameter(
        "arch",
        "str",
        "",
        unit="network",
        said=(
            "layers",
            "layer sizes",
            "widths",
            "hidden",
            "layer of #",
            "# factors",
            "# latent factors",
            "factors #",
        ),
        values_said={"AWD_LSTM": ("awd_lstm",)},
        help="images: a network of torchvision or timm (resnet18); texts: AWD_LSTM, or its "
        "embedding, hidden width and "
        "layers (128,256,2); tables: widths of the layers (200,100); ratings: factors (50)",
        tasks=(*_PRETRAINED, "tabular", "collaborative-filtering"),
    ),
    Parameter(
        "pretrained",
        "bool",
        True,
        said=("pre-trained", "pretraining", "imagenet weights", "imagenet"),
        values_said={
            "false": (
                "random weights",
                "randomly initialised weights",
                "untrained",
                "from scratch",
                "unpretrained",
                "pretrained=false",
            )
        },
        help="start from pretrained weights if they are on this machine",
        tasks=_PRETRAINED,
    ),
    Parameter(
        "download",
        "bool",
        False,
        said=("download weights", "download pretrained weights", "downloading weights"),
        help="download pretrained weights that are not on this machine",
        tasks=_PRETRAINED,
    ),
    Parameter(
        "encoder",
        "path",
        "",
        help="the encoder that a run on a language model saved, to start from",
        tasks=("text-classification",),
    ),
    Parameter(
        "log_target",
        "choice",
        "auto",
        choices=("auto", "yes", "no"),
        help="learn the logarithm of a quantity; auto: when it is positive and spans orders of "
        "magnitude",
        tasks=("tabular",),
    ),
    Parameter(
        "y_range",
        "str",
        "",
        unit="low,high",
        said=("predictions", "predicted", "predict"),
        help="lowest and highest prediction of a rating or quantity, such as 0.5,5.5; empty: "
        "a little beyond the file's values",
        tasks=("tabular", "collaborative-filtering"),
    ),
)
SIZE = Parameter(
    "size",
    "int",
    None,
    unit="px",
    minimum=32,
    maximum=2048,
    said=SIZE_SAID,
    help="image size; empty: small for the sample, 224 for your images",
    tasks=IMAGE_TASKS,
)
BATCH_SIZE = Parameter(
    "batch_size",
    "int",
    None,
    unit="samples",
    minimum=2,
    maximum=1_000_000,
    said=("bs", "mini-batch size", "batch #", "batches #"),
    help="as you will train; empty: 64, for a learner of your own as it has",
)
DEVICE = Parameter(
    "device",
    "choice",
    "auto",
    choices=DEVICE_CHOICES,
    values_said={
        "auto": (),
        "cuda": (),
        "cuda:#": ("cuda:#", "gpu #", "card #", "gpu no #", "card no #"),
        "cpu": ("cpu", "cpus", "no gpu", "without gpu", "without a gpu", "without a card"),
        "mps": ("mps", "apple silicon", "macbook", "m1", "m2", "m3", "m4", "m5"),
    },
    help="auto takes the card with most free memory; cuda:1 names one",
)
SEED = Parameter(
    "seed", "int", 42, minimum=0, maximum=2**32 - 1, help="for the split, the weights and the order"
)


def epochs_parameter(
    default: int, meaning: str, *, most: int = 1000, said: tuple[str, ...] = ()
) -> Parameter:
    """How long is trained; `said` are names beside the usual ones."""
    names = (*_EPOCHS_SAID, *said)
    return Parameter(
        "epochs", "int", default, unit="epochs", minimum=1, maximum=most, said=names, help=meaning
    )


def rate_parameter(meaning: str, default: float | None = None) -> Parameter:
    """The learning rate to train with."""
    said = ("learning rate",)
    return Parameter("lr", "float", default, minimum=1e-9, maximum=10, said=said, help=meaning)


def inputs(tasks: tuple[str, ...]) -> tuple[Parameter, ...]:
    """The parameters that say what is trained on what, for a recipe that does these tasks."""
    task = Parameter(
        "task", "choice", tasks[0], choices=tasks, help="what kind of model is trained"
    )
    return (task, *(parameter for parameter in _INPUT if set(parameter.tasks) & {*tasks}))


def rate_of(
    ready: Prepared, asked: float | None, epochs: int, journal: Journal, stage: str = ""
) -> float:
    """The rate that was asked for, else one found for so many epochs.

    Raises
    ------
    RecipeError
        When no rate can be found.
    """
    from executors.learning_rate.stage import one_rate

    if asked is not None:
        return asked
    return one_rate(ready.learner, journal, stage, ready.settings.seed, epochs)
