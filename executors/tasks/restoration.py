"""Restoration: a U-Net that makes good images of bad ones, which we make of good ones.

Checking needs Pillow only; torch and fastai are imported where a learner is built.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from executors.inputs.images import (
    UPRIGHT,
    VALID_SHARE,
    Split,
    check_images,
    check_parts,
    existing_folder,
    find_images,
    finish,
    image_block,
    loaders,
    own_parts,
    split,
    template,
)
from executors.inputs.shapes import source_of
from executors.networks.networks import DEFAULT_ARCH, check_arch, network_lines, unet
from executors.networks.weights import find_weights
from executors.task import Built, Settings, Source

__all__ = [
    "DEFAULT_ARCH",
    "EXPECTS",
    "LADDER",
    "NAME",
    "SAID",
    "TITLE",
    "build",
    "default_size",
    "finish",
    "inspect",
    "snippet",
    "template",
]

LADDER = ()  # a U-Net is large enough whatever its encoder
NAME = "restoration"
TITLE = "Image restoration"
EXPECTS = (
    "A folder of good images, with or without train/ and valid/ in it; each is made worse "
    "(resolution, JPEG, writing) to be restored; the sample is cut from scikit-learn's two "
    "photographs."
)
SAID = (
    (
        "super-resolution",
        "super resolution",
        "superres",
        "restore",
        "restoring",
        "restoration",
        "denoise",
        "denoising",
        "colorize",
        "colorizing",
        "colourise",
        "colourising",
        "colorization",
        "colourisation",
        "crappify",
        "crappified",
        "inpainting",
        "in-painting",
        "deblur",
        "deblurring",
        "feature loss",
        "perceptual loss",
    ),
)
_JUDGE = "vgg16_bn"  # what sees the features that the loss compares
_CROP = 64  # px


def default_size(settings: Settings) -> int | None:
    """64 px, the size of the crops; 224 px for your images."""
    return 224 if settings.data else _CROP


def inspect(settings: Settings, verify: bool = True) -> Source:
    """Find the images.

    Raises
    ------
    BadParameter
        For an architecture that is unknown, with the closest, or that cannot be the encoder of a
        U-Net.
    BadInput
        When the folder is missing, holds too few images, or one that cannot be read.
    """
    check_arch(settings.arch, unet=True)
    if settings.data:
        return _folder(existing_folder(settings.data, "of images"), settings.seed, verify)
    pairs = [(number, number) for number in range(len(_CROPS))]
    parts = Split(tuple(pairs[: len(_TRAIN)]), tuple(pairs[len(_TRAIN) :]))
    title = f"scikit-learn's two photographs: {len(_CROPS)} crops of {_CROP} px"
    note = (
        "the crops to validate on are from the photographs' right ends, "
        "and share no pixel with the others"
    )
    return Source(title, len(_TRAIN), len(_VALID), (note,), parts)


def build(
    source: Source, settings: Settings, size: int | None, batch_size: int, device: str, folder: Path
) -> Built:
    """A `unet_learner` with the feature loss; its encoder is frozen when it is pretrained."""
    from fastai.data.transforms import Normalize
    from fastai.layers import NormType
    from fastai.vision.augment import Resize
    from fastai.vision.core import imagenet_stats
    from sklearn.datasets import load_sample_images

    from executors.inputs.worse import WorseImage, Worsen
    from executors.networks.metrics import psnr
    from executors.training.feature_loss import FeatureLoss

    photos = load_sample_images().images
    draw = partial(_crop, photos)
    # both sides of a pair, for the loss sees what the network sees
    normal = Normalize.from_stats(*imagenet_stats, cuda=device != "cpu")
    dls = loaders(
        source.content,
        (image_block(draw, WorseImage), image_block(draw)),
        [Resize(size or _CROP), Worsen(settings.seed)],
        batch_size,
        device,
        folder,
        batch_tfms=[normal],
    )
    layers, judged = _judge(settings)
    mean, std = imagenet_stats
    learner, pretrained, notes = unet(
        dls,
        settings,
        folder,
        n_out=3,
        norm_type=NormType.Weight,
        y_range=(-3, 3),
        loss_func=FeatureLoss(layers).to(device),
        metrics=partial(psnr, mean=mean, std=std),
    )
    return Built(learner, pretrained, (*notes, judged))


def snippet(
    source: Source, settings: Settings, size: int | None, batch_size: int, pretrained: bool
) -> str:
    """Imports, `dls` and `learn` on the same images, and the loss."""
    from executors.inputs.worse import WorseImage, Worsen, worsen
    from executors.networks.metrics import psnr
    from executors.training.feature_loss import FeatureLoss

    parts: Split = source.content
    imports, network = network_lines(settings)
    judged = find_weights(_JUDGE, settings.pretrained, download=False)[0]
    lines = [
        "import io",
        "import zlib",
        "from fastai.vision.all import *",
        "from PIL import ImageDraw",
        *imports,
    ]
    lines += [*source_of(worsen, WorseImage, Worsen, FeatureLoss, psnr), "", ""]
    tfms = f"Resize({size}), Worsen({settings.seed})"
    if settings.data:
        lines.append(f"path = Path({settings.data!r})")
        if parts.turned:
            lines += [*UPRIGHT.splitlines(), ""]
            tfms = f"upright, {tfms}"
        chosen = (
            "GrandparentSplitter()"
            if parts.own
            else f"RandomSplitter({VALID_SHARE}, seed={settings.seed})"
        )
        block, items = f"get_items=get_image_files, splitter={chosen}", "path"
    else:
        lines += _CROP_LINES
        chosen = "IndexSplitter(range(count, len(crops)))"
        block, items = f"get_x=crop, get_y=crop, splitter={chosen}", "list(range(len(crops)))"
    lines += [
        f"block = DataBlock((ImageBlock(WorseImage), ImageBlock), {block})",
        "normal = Normalize.from_stats(*imagenet_stats)",
        f"block = block.new(item_tfms=[{tfms}], batch_tfms=normal)",
        f"dls = block.dataloaders({items}, bs={batch_size}, num_workers=0)",
        f"judge = {_JUDGE}({'weights=' + repr('DEFAULT') if judged else ''})",
        "loss = FeatureLoss(judge.features).to(dls.device)",
        "metric = partial(psnr, mean=imagenet_stats[0], std=imagenet_stats[1])",
        f"learn = unet_learner(dls, {network}, pretrained={pretrained}, n_out=3, "
        "norm_type=NormType.Weight,",
        "                     y_range=(-3, 3), loss_func=loss, metrics=metric)",
    ]
    return "\n".join(lines) + "\n"


# the photographs are 640 by 427 px; crops to train on overlap, none reaches those to validate on
_TRAIN = tuple(
    (n, left, top) for n in range(2) for left in range(0, 417, 32) for top in range(0, 364, 33)
)
_VALID = tuple((n, left, top) for n in range(2) for left in (512, 576) for top in range(0, 363, 66))
_CROPS = (*_TRAIN, *_VALID)  # number of the photograph, left, top
_CROP_LINES = [
    "from sklearn.datasets import load_sample_images",
    "",
    "photos = load_sample_images().images",
    "left, top = range(0, 417, 32), range(0, 364, 33)",
    "crops = [(n, x, y) for n in range(2) for x in left for y in top]",
    "count = len(crops)  # to train on",
    "crops += [(n, x, y) for n in range(2) for x in (512, 576) for y in range(0, 363, 66)]",
    "",
    "def crop(number):",
    "    n, left, top = crops[number]",
    f"    return photos[n][top : top + {_CROP}, left : left + {_CROP}]",
    "",
]


def _crop(photos: Any, number: int) -> Any:
    """(64, 64, 3) bytes."""
    photo, left, top = _CROPS[number]
    return photos[photo][top : top + _CROP, left : left + _CROP]


def _judge(settings: Settings) -> tuple[Any, str]:
    """(the layers whose features the loss compares, a note on their weights)."""
    from torch import nn
    from torchvision.models.vgg import cfgs, make_layers

    weights, notes = find_weights(_JUDGE, settings.pretrained, settings.download)
    layers = make_layers(
        cfgs["D"], batch_norm=True
    )  # without the head, which holds nine tenths of the weights
    if weights is None:
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    else:
        state = weights.get_state_dict(progress=False)
        start = "features."
        layers.load_state_dict(
            {name[len(start) :]: part for name, part in state.items() if name.startswith(start)}
        )
    return layers, f"the loss compares features of {_JUDGE}; {notes[0]}"


def _folder(folder: Path, seed: int, verify: bool) -> Source:
    images = find_images(folder)
    pairs = [(path, path) for path in images]
    parts = own_parts(folder, pairs) or split(pairs, seed)
    check_parts(folder, parts)
    if verify:
        parts = replace(parts, turned=check_images(folder, images))
    count = len(parts.train) + len(parts.valid)
    return Source(f"{folder.name}: {count} images", len(parts.train), len(parts.valid), (), parts)
