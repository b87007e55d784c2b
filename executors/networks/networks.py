"""Networks for images by name: those that fastai can use, and learners on them."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

from executors.errors import BadParameter, closest, reason
from executors.networks.weights import find_timm_weights, find_weights
from executors.parameters import both
from executors.task import Settings

__all__ = [
    "DEFAULT_ARCH",
    "KNOWN_NETWORKS",
    "LADDER",
    "NETWORKS",
    "check_arch",
    "network_lines",
    "unet",
    "vision",
]

DEFAULT_ARCH = "resnet18"
LADDER = ("squeezenet1_1", "resnet18", "resnet34")  # of growing capacity
# of torchvision: those that fastai cuts into body and head, and that take images from 32 px on,
# also in a U-Net
NETWORKS = (
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "wide_resnet50_2",
    "densenet121",
    "densenet169",
    "densenet201",
    "squeezenet1_0",
    "squeezenet1_1",
    "vgg11_bn",
    "vgg13_bn",
    "vgg16_bn",
    "vgg19_bn",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_v2_s",
    "regnet_x_400mf",
    "regnet_y_400mf",
    "regnet_y_800mf",
    "convnext_tiny",
    "convnext_small",
)
# of torchvision beside those: a run tells why not, which beats another network unasked
KNOWN_NETWORKS = (
    *NETWORKS,
    *("alexnet", "convnext_base", "convnext_large", "densenet161", "efficientnet_b4"),
    *("efficientnet_b5", "efficientnet_b6", "efficientnet_b7", "efficientnet_v2_m"),
    *("efficientnet_v2_l", "googlenet", "inception_v3", "maxvit_t", "mnasnet0_5", "mnasnet1_0"),
    *("mobilenet_v2", "regnet_x_800mf", "regnet_x_1_6gf", "regnet_x_3_2gf", "regnet_x_8gf"),
    *("regnet_y_1_6gf", "regnet_y_3_2gf", "regnet_y_8gf", "resnext101_32x8d", "resnext101_64x4d"),
    *("shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "swin_t", "swin_s", "swin_b", "swin_v2_t"),
    *("swin_v2_s", "swin_v2_b", "vgg11", "vgg13", "vgg16", "vgg19", "vit_b_16", "vit_b_32"),
    *("vit_l_16", "vit_l_32", "vit_h_14", "wide_resnet101_2"),
)
_NO_UNET = (
    "swin_t",
    "swin_v2_t",
)  # their inner layers have the channels last, where a U-Net expects the width
_TORCHVISION = frozenset((*NETWORKS, *_NO_UNET))
# what `from fastai.vision.all import *` brings
_FASTAI_NAMES = frozenset(
    {"resnet18", "resnet34", "resnet50", "resnet101", "densenet121", "squeezenet1_1", "vgg16_bn"}
)
_LISTED = (
    "resnet",
    "densenet",
    "squeezenet",
    "vgg",
)  # in fastai's table of what to cut and which weights to load
# of torchvision, by how the name begins; tried with fastai 2.8.12
_NO_POOL = "fastai finds no pooling layer of it at which to cut off its head"
_BRANCHES = "its layers do not follow one after the other, as fastai's cutting supposes"
_REFUSED = {
    "vit_": _NO_POOL,
    "mobilenet_v2": _NO_POOL,
    "mnasnet": _NO_POOL,
    "shufflenet": "fastai cuts it off after its first layer, where its only pooling layer is",
    "maxvit": _BRANCHES,
    "inception": _BRANCHES,
    "googlenet": _BRANCHES,
    "alexnet": "it takes no images below 63 px",
}


def check_arch(arch: str, unet: bool = False) -> None:
    """Whether there is such a network and fastai can use it.

    Raises
    ------
    BadParameter
        With the reason, or the closest names.
    """
    if not arch or arch in NETWORKS or (arch in _NO_UNET and not unet):
        return
    if arch in _NO_UNET:
        raise BadParameter(
            f"{both('arch')}: '{arch}' cannot be the encoder of a U-Net, "
            "because its channels come last"
        )
    for start, why in _REFUSED.items():
        if arch.startswith(start) and not (not unet and _in_timm(arch)):
            raise BadParameter(
                f"{both('arch')}: '{arch}' cannot be used: {why}; try {', '.join(NETWORKS[:3])}"
            )
    if _in_timm(arch):
        if unet:
            raise BadParameter(
                f"{both('arch')}: '{arch}' is timm's, "
                "and fastai builds a U-Net on torchvision's only"
            )
        return
    close = closest(arch, NETWORKS) or NETWORKS
    timm = "" if importlib.util.find_spec("timm") else "; timm, which has more, is not installed"
    raise BadParameter(
        f"{both('arch')}: there is no architecture '{arch}'; try {', '.join(close)}{timm}"
    )


def _in_timm(arch: str) -> bool:
    """Whether timm is installed and has the network; a tag after a dot names its weights."""
    if importlib.util.find_spec("timm") is None:
        return False
    timm: Any = importlib.import_module("timm")  # an optional package
    name, _, tag = arch.partition(".")
    return bool(timm.is_model(name)) and (not tag or arch in timm.list_models(pretrained=True))


def vision(
    loaders: Any, settings: Settings, size: int, folder: Path, **more: Any
) -> tuple[Any, bool, tuple[str, ...]]:
    """(`vision_learner`, whether its weights are pretrained, notes on them); frozen when they are.

    Raises
    ------
    BadParameter
        When a network of timm cannot take images of `size` px.
    """
    from fastai.vision.learner import vision_learner

    arch = settings.arch or DEFAULT_ARCH
    if arch in _TORCHVISION:
        weights, notes = find_weights(arch, settings.pretrained, settings.download)
        model, how = _known_to_fastai(arch), {"weights": weights}
        pretrained = weights is not None
    else:
        file, notes = find_timm_weights(arch, settings.pretrained, settings.download)
        model, how, pretrained = arch, {}, file is not None
        if file is not None:  # its own file, so that timm does not ask the network for it
            how = {"pretrained_cfg_overlay": {"file": str(file)}}
    learner = vision_learner(loaders, model, pretrained=pretrained, path=folder, **how, **more)
    if arch not in _TORCHVISION:
        _try_out(learner, arch, size)
    return learner, pretrained, notes


def unet(
    loaders: Any, settings: Settings, folder: Path, **more: Any
) -> tuple[Any, bool, tuple[str, ...]]:
    """(`unet_learner`, whether its encoder is pretrained and so frozen, notes on the weights)."""
    from fastai.vision.learner import unet_learner

    arch = settings.arch or DEFAULT_ARCH
    weights, notes = find_weights(arch, settings.pretrained, settings.download)
    model, pretrained = _known_to_fastai(arch), weights is not None
    learner = unet_learner(
        loaders, model, pretrained=pretrained, weights=weights, path=folder, **more
    )
    return learner, pretrained, notes


def _known_to_fastai(arch: str) -> Any:
    """torchvision's network, where fastai would load older weights or not normalise images."""
    import torchvision
    from fastai.vision.core import imagenet_stats
    from fastai.vision.learner import default_split, model_meta

    network = getattr(torchvision.models, arch)
    if not arch.startswith(_LISTED):
        model_meta[network] = {
            "cut": None,
            "split": default_split,
            "stats": imagenet_stats,
            "weights": "DEFAULT",
        }
    return network


def network_lines(settings: Settings) -> tuple[list[str], str]:
    """(lines that a snippet begins with, the network as an argument in it)."""
    arch = settings.arch or DEFAULT_ARCH
    if arch in _FASTAI_NAMES:
        return [], arch
    if arch not in _TORCHVISION:
        return [], repr(arch)
    lines = [f"from torchvision.models import {arch}"]
    if not arch.startswith(_LISTED):
        lines += ["from fastai.vision.learner import default_split, model_meta", ""]
        lines += [
            f"model_meta[{arch}] = {{'cut': None, 'split': default_split, 'stats': imagenet_stats,"
        ]
        lines += [f"{' ' * (len(arch) + 16)}'weights': 'DEFAULT'}}  # fastai does not list it"]
    return lines, arch


def _try_out(learner: Any, arch: str, size: int) -> None:
    """One pass forward, for many of timm's networks take images of one size only."""
    import torch

    model = learner.model.eval()
    images = torch.zeros(2, 3, size, size, device=next(model.parameters()).device)
    try:
        with torch.no_grad():
            model(images)
    except (RuntimeError, ValueError, TypeError, AssertionError, IndexError) as error:
        raise BadParameter(
            f"{both('arch')}: timm's '{arch}' does not work in fastai at {size} px: "
            f"{reason(error)[:200]}"
        ) from None
    model.train()
