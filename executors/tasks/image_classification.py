"""Image classification on a folder with one subfolder per class, or on scikit-learn's handwritten digits.

Checking needs Pillow only; torch and fastai are imported where a learner is built.
"""

from __future__ import annotations

import difflib
import random
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import BadInput, BadParameter
from .source import Built, Settings, Source

__all__ = [
    "ARCHITECTURES",
    "DEFAULT_ARCH",
    "EXPECTS",
    "NAME",
    "TITLE",
    "build",
    "default_size",
    "finish",
    "inspect",
    "snippet",
    "template",
]

NAME = "image-classification"
TITLE = "Image classification"
EXPECTS = (
    "A folder with one subfolder of images per class, with or without train/ and valid/ above them; "
    "the sample is scikit-learn's handwritten digits."
)
DEFAULT_ARCH = "resnet18"
# of torchvision, each tried with fastai's vision_learner from 32 px on
ARCHITECTURES = (
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "densenet121",
    "squeezenet1_1",
    "vgg11_bn",
    "vgg16_bn",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "regnet_y_400mf",
    "convnext_tiny",
)
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"})
VALID_SHARE = 0.2
FEWEST_IMAGES = 8  # fewer leave nothing to validate on
_TEMPLATE_IMAGES = 8

Item = tuple[Path | int, str]  # a path, or a number into the digits; and its class


@dataclass(frozen=True, slots=True)
class Images:
    """Training and validation images."""

    train: tuple[Item, ...]
    valid: tuple[Item, ...]
    split: bool  # whether the folder brings its own train/ and valid/


def default_size(settings: Settings) -> int | None:
    """32 px for the digits, which are 8 px wide; 224 px, what pretrained networks saw, for photographs."""
    return 224 if settings.data else 32


def inspect(settings: Settings, verify: bool = True) -> Source:
    """Find the images and their classes.

    Raises
    ------
    BadParameter
        For an unknown architecture, with the closest.
    BadInput
        When the folder is missing, holds fewer than two classes or too few images, or an image that cannot be read.
    """
    if (settings.arch or DEFAULT_ARCH) not in ARCHITECTURES:
        close = difflib.get_close_matches(settings.arch, ARCHITECTURES, n=2, cutoff=0.5) or ARCHITECTURES
        raise BadParameter(f"parameter 'arch': there is no architecture '{settings.arch}'; try {', '.join(close)}")
    return _folder(Path(settings.data), settings.seed, verify) if settings.data else _digits(settings.seed)


def build(source: Source, settings: Settings, size: int | None, batch_size: int, device: str, folder: Path) -> Built:
    """A `vision_learner` on the images, resized to `size` px; frozen when its weights are pretrained."""
    import torchvision
    from fastai.metrics import accuracy
    from fastai.vision.learner import vision_learner

    from .weights import find_weights

    arch = settings.arch or DEFAULT_ARCH
    weights, notes = find_weights(arch, settings.pretrained, settings.download)
    learner = vision_learner(
        _loaders(source.content, size or 32, batch_size, device, folder),
        getattr(torchvision.models, arch),
        pretrained=weights is not None,
        weights=weights,
        metrics=accuracy,
        path=folder,
    )
    return Built(learner, weights is not None, notes)


def template(loader: Any) -> tuple[Any, ...]:
    """(images (b, 3, size, size) uint8, classes (b,)) of the first few training samples."""
    batch = loader.do_batch([loader.do_item(index) for index in range(min(_TEMPLATE_IMAGES, loader.n))])
    return tuple(batch)


def finish(loader: Any, batch: tuple[Any, ...]) -> tuple[Any, ...]:
    """Floats from bytes and, for pretrained weights, their normalisation."""
    return tuple(loader.after_batch(batch))


def snippet(source: Source, settings: Settings, size: int | None, batch_size: int, pretrained: bool) -> str:
    """Imports, `dls` and `learn` on the same images."""
    arch = settings.arch or DEFAULT_ARCH
    lines = ["from fastai.vision.all import *"]
    if arch not in _FASTAI_NAMES:
        lines.append(f"from torchvision.models import {arch}")
    lines += ["", f"path = Path({settings.data!r})"] if settings.data else _DIGITS_LINES
    split = "train='train', valid='valid'" if source.content.split else f"valid_pct={VALID_SHARE}, seed={settings.seed}"
    lines += [
        f"dls = ImageDataLoaders.from_folder(path, {split}, bs={batch_size}, item_tfms=Resize({size}), num_workers=0)",
        f"learn = vision_learner(dls, {arch}, pretrained={pretrained}, metrics=accuracy)",
    ]
    return "\n".join(lines) + "\n"


# what `from fastai.vision.all import *` brings
_FASTAI_NAMES = frozenset({"resnet18", "resnet34", "resnet50", "resnet101", "densenet121", "squeezenet1_1", "vgg16_bn"})
_DIGITS_LINES = [
    "from sklearn.datasets import load_digits",
    "",
    "path, digits = Path('digits'), load_digits()",
    "for i, (pixels, digit) in enumerate(zip(digits.images, digits.target)):",
    "    (path / str(digit)).mkdir(parents=True, exist_ok=True)",
    "    PILImage.create((pixels * 15.9).astype('uint8')).save(path / str(digit) / f'{i}.png')",
    "",
]


def _digits(seed: int) -> Source:
    from sklearn.datasets import load_digits

    classes = [str(digit) for digit in load_digits().target]
    train, valid = _split(list(enumerate(classes)), seed)
    title = f"scikit-learn's digits: {len(classes)} images in 10 classes"
    return Source(title, len(train), len(valid), (), Images(train, valid, split=False))


def _folder(folder: Path, seed: int, verify: bool) -> Source:
    """The folder's images; a train/ and a valid/ in it are taken as they are."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise BadInput(f"{folder} {what}; give a folder with one subfolder of images per class")
    own_split = (folder / "train").is_dir() and (folder / "valid").is_dir()
    if own_split:
        train, valid = tuple(_labelled(folder / "train")), tuple(_labelled(folder / "valid"))
        _check_classes(folder / "train", train)
        known = {name for _, name in train}
        for path, name in valid:
            if name not in known:
                raise BadInput(f"{path}: class '{name}' is in valid/ but not in train/ of {folder}")
    else:
        images = _labelled(folder)
        _check_classes(folder, images)
        train, valid = _split(images, seed)
    if not train or not valid:
        raise BadInput(f"{folder}: no images are left to {'train' if not train else 'validate'} on")
    if verify:
        _check_images(folder, [path for path, _ in (*train, *valid) if isinstance(path, Path)])
    count, classes = len(train) + len(valid), len({name for _, name in train})
    title = f"{folder.name}: {count} images in {classes} classes"
    return Source(title, len(train), len(valid), (), Images(train, valid, own_split))


def _labelled(folder: Path) -> list[Item]:
    """Every image below a class's subfolder, in order of its path; hidden files and folders are left out."""
    found: list[Item] = []
    for child in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        found += [
            (path, child.name)
            for path in sorted(child.rglob("*"))
            if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
        ]
    return found


def _check_classes(folder: Path, images: list[Item] | tuple[Item, ...]) -> None:
    classes = sorted({name for _, name in images})
    if not classes:
        loose = sum(path.suffix.lower() in SUFFIXES for path in folder.iterdir())
        where = f"{loose} images but no subfolder with images" if loose else "no subfolder with images"
        raise BadInput(f"{folder} holds {where}; put each class's images into a subfolder of its own")
    if len(classes) == 1:
        raise BadInput(f"{folder} holds a single class ('{classes[0]}'); classification needs at least two subfolders")
    if len(images) < FEWEST_IMAGES:
        raise BadInput(f"{folder} holds {len(images)} images; at least {FEWEST_IMAGES} are needed")


def _check_images(folder: Path, paths: list[Path]) -> None:
    """Open every image's header; one that is cut off later in the file is found when it is loaded."""
    from PIL import Image

    bad: list[tuple[Path, str]] = []
    for path in paths:
        try:
            with Image.open(path):
                pass
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            bad.append((path, _reason(error)))
    if bad:
        path, reason = bad[0]
        count = f" ({len(bad)} of {len(paths)} images)" if len(bad) > 1 else ""
        raise BadInput(f"{path.relative_to(folder)} in {folder} cannot be read as an image{count}: {reason}")


def _reason(error: Exception) -> str:
    text = str(error)
    return "it is no image" if "cannot identify" in text else text.splitlines()[0] if text else type(error).__name__


def _split(images: list[Item], seed: int) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Training and validation images; every class keeps at least one image to train on."""
    mixed = images[:]
    random.Random(seed).shuffle(mixed)
    seen: set[str] = set()
    first: list[Item] = []
    rest: list[Item] = []
    for image in mixed:
        (rest if image[1] in seen else first).append(image)
        seen.add(image[1])
    count = min(len(rest), round(len(images) * VALID_SHARE))
    return (*first, *rest[count:]), tuple(rest[:count])


def _loaders(images: Images, size: int, batch_size: int, device: str, folder: Path) -> Any:
    """fastai's loaders over the images; the same split and order of classes in every run."""
    from fastai.data.block import CategoryBlock, DataBlock, TransformBlock
    from fastai.data.transforms import IndexSplitter, IntToFloatTensor, ItemGetter
    from fastai.vision.augment import Resize
    from sklearn.datasets import load_digits

    items = [*images.train, *images.valid]
    digits = (load_digits().images * 15.9).astype("uint8")  # (n, 8, 8), 0 to 254
    block = DataBlock(
        blocks=(
            TransformBlock(type_tfms=partial(_open, digits), batch_tfms=IntToFloatTensor),
            CategoryBlock(vocab=sorted({name for _, name in images.train})),
        ),
        get_x=ItemGetter(0),
        get_y=ItemGetter(1),
        splitter=IndexSplitter(range(len(images.train), len(items))),
        item_tfms=Resize(size),
    )
    return block.dataloaders(items, bs=batch_size, num_workers=0, device=device, path=folder)


def _open(digits: Any, item: Path | int) -> Any:
    """The item as fastai's image; a file that cannot be decoded is named."""
    from fastai.vision.core import PILImage

    if isinstance(item, int):
        return PILImage.create(digits[item][..., None].repeat(3, axis=-1))  # (8, 8, 3)
    try:
        return PILImage.create(item)
    except (OSError, ValueError, SyntaxError) as error:
        raise BadInput(f"{item} cannot be read as an image: {_reason(error)}") from error
