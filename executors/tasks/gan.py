"""A Wasserstein GAN on a folder of images, or on scikit-learn's handwritten digits.

Checking needs Pillow only; torch and fastai are imported where a learner is built.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from executors.errors import BadInput, BadParameter
from executors.inputs.images import (
    FEWEST_IMAGES,
    UPRIGHT,
    Split,
    check_images,
    existing_folder,
    find_images,
    finish,
    image_block,
    loaders,
    template,
)
from executors.parameters import both
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

NAME = "gan"
TITLE = "GAN (WGAN)"
EXPECTS = (
    "A folder of images, all of which are trained on; the image size is a power of two; the "
    "sample is scikit-learn's handwritten digits."
)
SAID = (("gan", "gans", "wgan", "dcgan", "generative adversarial", "generator", "critic"),)
DEFAULT_ARCH = "wgan"  # fastai's basic generator and critic; there is no other here
LADDER = ()
_NOTES = (
    "the weights are random: a GAN has no pretrained ones",
    "no image is held out: a critic's loss says nothing about how good the images are; "
    "look at them",
)


def default_size(settings: Settings) -> int | None:
    """32 px for the digits, which are 8 px wide; 64 px for your images."""
    return 64 if settings.data else 32


def inspect(settings: Settings, verify: bool = True) -> Source:
    """Find the images.

    Raises
    ------
    BadParameter
        When an architecture is asked for, for there is only one.
    BadInput
        When the folder is missing, holds too few images, or one that cannot be read.
    """
    if settings.arch not in ("", DEFAULT_ARCH):
        raise BadParameter(f"{both('arch')}: a GAN is '{DEFAULT_ARCH}' here, not '{settings.arch}'")
    if settings.data:
        return _folder(existing_folder(settings.data, "of images"), verify)
    from sklearn.datasets import load_digits

    count = len(load_digits().images)
    pairs = tuple((number, number) for number in range(count))
    return Source(f"scikit-learn's digits: {count} images", count, 0, (), Split(pairs, ()))


def build(
    source: Source, settings: Settings, size: int | None, batch_size: int, device: str, folder: Path
) -> Built:
    """A `GANLearner.wgan` that makes images of `size` px from 100 random numbers.

    Raises
    ------
    BadParameter
        When the size is no power of two.
    """
    from fastai.data.block import TransformBlock
    from fastai.data.transforms import Normalize
    from fastai.optimizer import Adam
    from fastai.torch_core import params
    from fastai.vision.augment import Resize
    from fastai.vision.gan import GANLearner, basic_critic, basic_generator, generate_noise
    from sklearn.datasets import load_digits

    side = size or 32
    if side < 32 or side & (side - 1):
        raise BadParameter(
            f"{both('size')}: a GAN's images are 32, 64, 128 px and so on in size, not {side}"
        )
    digits = (load_digits().images * 15.9).astype("uint8")  # (n, 8, 8), 0 to 254
    blocks = TransformBlock(type_tfms=generate_noise), image_block(partial(_digit, digits))
    halves = [0.5] * 3  # from -1 to 1, as the generator's end
    normal = Normalize.from_stats(halves, halves, cuda=device != "cpu")
    dls = loaders(
        source.content, blocks, [Resize(side)], batch_size, device, folder, batch_tfms=[normal]
    )
    learner = GANLearner.wgan(
        dls,
        basic_generator(side, n_channels=3),
        basic_critic(side, n_channels=3),
        # three steps of a trial are to show the generator's; then it has one to the critic's five
        gen_first=True,
        opt_func=partial(Adam, mom=0.0),
        # fastai's would leave out the half that was frozen when training last ended
        splitter=params,
        wd=0.0,
        path=folder,
    )
    learner.recorder.train_metrics, learner.recorder.valid_metrics = True, False
    return Built(learner, pretrained=False, notes=_NOTES, higher_is_better=False)


def snippet(
    source: Source, settings: Settings, size: int | None, batch_size: int, pretrained: bool
) -> str:
    """Imports, `dls` and `learn` on the same images."""
    parts: Split = source.content
    lines = ["from fastai.vision.all import *", "from fastai.vision.gan import *"]
    tfms = f"Resize({size})"
    if settings.data:
        lines += ["", f"path = Path({settings.data!r})"]
        if parts.turned:
            lines += [*UPRIGHT.splitlines(), ""]
            tfms = f"[upright, {tfms}]"
        block, items = "get_items=get_image_files", "path"
    else:
        lines += [
            "from sklearn.datasets import load_digits",
            "",
            "digits = load_digits().images",
            "",
        ]
        lines += ["def picture(number):", "    pixels = (digits[number] * 15.9).astype('uint8')"]
        lines += ["    return pixels[..., None].repeat(3, axis=-1)", ""]
        block, items = "get_y=picture", "list(range(len(digits)))"
    lines += [
        f"block = DataBlock((TransformBlock, ImageBlock), {block}, get_x=generate_noise, "
        "splitter=IndexSplitter([]))",
        "normal = Normalize.from_stats([0.5] * 3, [0.5] * 3)",
        f"block = block.new(item_tfms={tfms}, batch_tfms=normal)",
        f"dls = block.dataloaders({items}, bs={batch_size}, num_workers=0)",
        f"generator = basic_generator({size}, n_channels=3)",
        f"critic = basic_critic({size}, n_channels=3)",
        "learn = GANLearner.wgan(dls, generator, critic, opt_func=partial(Adam, mom=0.0), "
        "splitter=params, wd=0.0)",
        "learn.recorder.train_metrics, learn.recorder.valid_metrics = True, False",
    ]
    return "\n".join(lines) + "\n"


def _digit(digits: Any, number: int) -> Any:
    """(8, 8, 3) bytes."""
    return digits[number][..., None].repeat(3, axis=-1)


def _folder(folder: Path, verify: bool) -> Source:
    images = find_images(folder)
    if len(images) < FEWEST_IMAGES:
        raise BadInput(f"{folder} holds {len(images)} images; at least {FEWEST_IMAGES} are needed")
    parts = Split(tuple((path, path) for path in images), ())
    if verify:
        parts = replace(parts, turned=check_images(folder, images))
    return Source(f"{folder.name}: {len(images)} images", len(images), 0, (), parts)
