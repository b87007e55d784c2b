"""Parameters that several recipes take, and the sentences they share."""

from __future__ import annotations

from ..devices import DEVICE_CHOICES
from ..parameters import Parameter
from ..tasks import TASK_NAMES

__all__ = ["DEVICE", "INPUT", "SEED"]

INPUT = (
    Parameter("task", "choice", TASK_NAMES[0], choices=TASK_NAMES, help="what kind of model is trained"),
    Parameter(
        "data",
        "path",
        "",
        help="images: a folder with one subfolder per class; tabular: a CSV file; empty: the built-in sample",
    ),
    Parameter("target", "str", "", help="tabular: the column to learn"),
    Parameter(
        "arch", "str", "", help="images: a torchvision network (resnet18); tabular: widths of the layers (200,100)"
    ),
    Parameter("pretrained", "bool", True, help="start from pretrained weights when they are at hand"),
    Parameter("download", "bool", False, help="fetch pretrained weights from the internet when they are not at hand"),
)
DEVICE = Parameter(
    "device",
    "choice",
    "auto",
    choices=DEVICE_CHOICES,
    help="auto takes the card with most free memory; cuda:1 names one",
)
SEED = Parameter("seed", "int", 42, minimum=0, maximum=2**32 - 1, help="for the split, the weights and the order")
