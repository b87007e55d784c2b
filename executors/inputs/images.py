"""The image files of a task: found, checked, opened upright and split."""

from __future__ import annotations

import os
import random
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from executors.errors import BadInput

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "FEWEST_IMAGES",
    "SUFFIXES",
    "UPRIGHT",
    "VALID_SHARE",
    "Split",
    "check_images",
    "check_parts",
    "existing_folder",
    "find_images",
    "finish",
    "image_block",
    "loaders",
    "open_image",
    "other_files",
    "own_parts",
    "part_folders",
    "part_notes",
    "reason_for",
    "split",
    "template",
    "upright_size",
]

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"})
VALID_SHARE = 0.2
FEWEST_IMAGES = 8  # fewer leave nothing to validate on
_TEMPLATE_IMAGES = 8
_NAMED = 20  # images that cannot be read
_THREADS = 4
_DRAFT = (32, 32)  # px: a JPEG is decoded at about this size, which is faster
_ORIENTATION = 0x0112  # the tag of Exif that says how a camera was held; 1 is upright
_SIDEWAYS = 5  # and above: width and height are exchanged
# for a snippet: what `open_image` does about the orientation, as an item transform; fastai ignores
# it
UPRIGHT = """
from PIL import ImageOps

def upright(image: PILImage):
    return PILImage(ImageOps.exif_transpose(image))
"""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Split:
    """Samples to train and to validate on; `own` says whether the files bring this split."""

    train: tuple[Any, ...]
    valid: tuple[Any, ...]
    own: bool = False
    turned: bool = (
        False  # whether some images lie on their side until their Exif orientation is respected
    )


def existing_folder(path: str, what: str) -> Path:
    """The folder.

    Raises
    ------
    BadInput
        When it is none; `what` says what is expected of it.
    """
    folder = Path(path)
    if not folder.is_dir():
        state = "is a file" if folder.exists() else "does not exist"
        raise BadInput(f"{folder} {state}; give a folder {what}")
    return folder


def find_images(folder: Path) -> list[Path]:
    """Every image in the folder and below it, in order of its path; hidden ones are left out.

    Links to folders are followed, as fastai does, each folder once.
    """
    return [path for path in _files(folder) if path.suffix.lower() in SUFFIXES]


def other_files(folder: Path) -> tuple[str, ...]:
    """A note on the files below the folder's own that are no images by their names, if any."""
    others = [
        path
        for path in _files(folder)
        if path.suffix.lower() not in SUFFIXES and path.parent != folder
    ]
    if not others:
        return ()
    first = others[0].relative_to(folder)
    return (f"left out: {len(others)} files whose names are not those of images, such as {first}",)


def _files(folder: Path) -> list[Path]:
    """Every file in the folder and below it that is not hidden, in order of its path."""
    files: list[Path] = []
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        if os.path.realpath(place) in seen:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files += [Path(place, name) for name in names if not name.startswith(".")]
        seen.add(os.path.realpath(place))
    return sorted(path for path in files if path.is_file())


def check_images(folder: Path, paths: Iterable[Path]) -> bool:
    """Decode every image to its end, as training will.

    Returns
    -------
    bool
        Whether some image is to be turned or mirrored before it is shown.

    Raises
    ------
    BadInput
        Names the images that cannot be read, each with the reason, and how many there are.
    """
    files = list(paths)
    with ThreadPoolExecutor(_THREADS) as pool:  # Pillow decodes outside of Python's lock
        found = list(pool.map(_looked_at, files))
    bad = [(path, why) for path, (why, _) in zip(files, found, strict=True) if why]
    if bad:
        named = ", ".join(f"{path.relative_to(folder)} ({why})" for path, why in bad[:_NAMED])
        more = ", ..." if len(bad) > _NAMED else ""
        raise BadInput(
            f"{len(bad)} of {len(files)} images in {folder} cannot be read: {named}{more}; "
            "replace or remove them"
        )
    return any(turned for _, turned in found)


def _looked_at(path: Path) -> tuple[str, bool]:
    """(why the image cannot be read, or ""; whether it is to be turned)."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            turned = _orientation(image) != 1
            image.draft("L", _DRAFT)  # a photograph is read to its end all the same
            image.load()
    except _broken() as error:
        return ("it is empty" if not path.stat().st_size else reason_for(error)), False
    return "", turned


def _broken() -> tuple[type[Exception], ...]:
    """What Pillow raises at files that are damaged in one way or another."""
    from PIL import Image

    return (
        *(OSError, ValueError, SyntaxError, EOFError, struct.error, IndexError, TypeError),
        *(KeyError, OverflowError, zlib.error, Image.DecompressionBombError),
    )


def upright_size(path: Path) -> tuple[int, int]:
    """(width, height) in px as a viewer shows the image, which can be opened."""
    from PIL import Image

    with Image.open(path) as image:
        width, height = image.size
        return (height, width) if _orientation(image) >= _SIDEWAYS else (width, height)


def _orientation(image: Image) -> int:
    """What Exif says about how the camera was held; nothing is decoded for it."""
    from PIL.Image import Image as Base

    return int(Base.getexif(image).get(_ORIENTATION, 1))


def reason_for(error: Exception) -> str:
    """Why Pillow could not read an image, in a few words."""
    text = str(error)
    return (
        "it is not an image"
        if "cannot identify" in text
        else text.splitlines()[0]
        if text
        else type(error).__name__
    )


def open_image(path: Path) -> Image:
    """The image in three channels of 8 bits, upright as viewers show it, whatever it is stored as.

    Raises
    ------
    BadInput
        Names the file when it cannot be decoded to its end.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as stored:
            image = ImageOps.exif_transpose(stored)
        if image.mode[0] in "IF":
            image = _in_bytes(image)
        elif "transparency" in image.info:
            image = image.convert("RGBA")
        return image.convert("RGB")
    except _broken() as error:
        raise BadInput(f"{path} cannot be read as an image: {reason_for(error)}") from error


def _in_bytes(image: Image) -> Image:
    """Grey of 8 bits from more: 16 bits are scaled, which Pillow would clip, as are fractions."""
    import numpy as np
    from PIL import Image as Images

    values = np.asarray(image, dtype=float)  # (h, w)
    highest = float(values.max(initial=0))
    if image.mode.startswith("I;16") or 255 < highest < 2**16:
        values = values / 256
    elif image.mode == "F" and highest <= 1:
        values = values * 255
    elif highest > 255:
        values = values * (255 / highest)
    return Images.fromarray(values.clip(0, 255).round().astype("uint8"))


def split(items: Sequence[Item], seed: int, kind: Callable[[Item], object] | None = None) -> Split:
    """A fifth of the items to validate on; of every `kind`, one at least is left to train on."""
    mixed = list(items)
    random.Random(seed).shuffle(mixed)
    seen: set[object] = set()
    first: list[Item] = []
    rest: list[Item] = []
    for item in mixed:
        known = kind is None or kind(item) in seen
        (rest if known else first).append(item)
        if kind is not None:
            seen.add(kind(item))
    count = min(len(rest), round(len(items) * VALID_SHARE))
    return Split((*first, *rest[count:]), tuple(rest[:count]))


def own_parts(folder: Path, items: Sequence[tuple[Path, Any]]) -> Split | None:
    """The items as train/ and valid/ in the folder tell them apart; None without these."""
    if not ((folder / "train").is_dir() and (folder / "valid").is_dir()):
        return None
    parts: dict[str, list[Any]] = {"train": [], "valid": []}
    for item in items:
        parts.setdefault(item[0].relative_to(folder).parts[0], []).append(item)
    return Split(tuple(parts["train"]), tuple(parts["valid"]), own=True)


def part_folders(folder: Path) -> tuple[str, str] | None:
    """Names of the folders to train and to validate on, above those of the classes; None without.

    They are train/ and valid/, or others that begin so and share a class; where there is none to
    validate on, the one to test on is.
    """
    if (folder / "train").is_dir() and (folder / "valid").is_dir():
        return "train", "valid"
    inner = {
        place.name: {child.name for child in place.iterdir() if child.is_dir()}
        for place in sorted(folder.iterdir())
        if place.is_dir()
    }
    train, valid, test = (
        [name for name in inner if name.lower().startswith(start)]
        for start in ("train", "val", "test")
    )
    held = valid or test
    if len(train) != 1 or len(held) != 1 or not inner[train[0]] & inner[held[0]]:
        return None
    return train[0], held[0]


def part_notes(folder: Path, parts: tuple[str, str]) -> tuple[str, ...]:
    """What is to be said of parts of other names than train/ and valid/."""
    others = sorted(
        f"{place.name}/"
        for place in folder.iterdir()
        if place.is_dir() and place.name not in parts and not place.name.startswith(".")
    )
    left = f"; left out: {', '.join(others)}" if others else ""
    usual = parts == ("train", "valid") and not others
    return () if usual else (f"{parts[0]}/ is trained on, {parts[1]}/ validated on{left}",)


def check_parts(where: Path, parts: Split) -> None:
    """Enough to train and something to validate on.

    Raises
    ------
    BadInput
        With the counts.
    """
    count = len(parts.train) + len(parts.valid)
    if count < FEWEST_IMAGES:
        raise BadInput(f"{where} holds {count} images; at least {FEWEST_IMAGES} are needed")
    if not parts.train or not parts.valid:
        raise BadInput(
            f"{where}: no images are left to {'validate' if parts.train else 'train'} on"
        )


def template(loader: Any) -> tuple[Any, ...]:
    """The first few training samples as one batch on the CPU, images as bytes."""
    batch = loader.do_batch(
        [loader.do_item(index) for index in range(min(_TEMPLATE_IMAGES, loader.n))]
    )
    return tuple(batch)


def finish(loader: Any, batch: tuple[Any, ...]) -> tuple[Any, ...]:
    """Floats from bytes and, for pretrained weights, their normalisation."""
    return tuple(loader.after_batch(batch))


def loaders(
    parts: Split,
    blocks: Sequence[Any],
    item_tfms: Sequence[Any],
    batch_size: int,
    device: str,
    folder: Path,
    batch_tfms: Sequence[Any] = (),
) -> Any:
    """fastai's loaders over samples (input, label, ...), split in the same way in every run."""
    from fastai.data.block import DataBlock
    from fastai.data.transforms import IndexSplitter, ItemGetter

    items = [*parts.train, *parts.valid]
    block = DataBlock(
        blocks=tuple(blocks),
        getters=[ItemGetter(number) for number in range(len(blocks))],
        splitter=IndexSplitter(range(len(parts.train), len(items))),
        item_tfms=list(item_tfms),
        batch_tfms=list(batch_tfms),
    )
    return block.dataloaders(items, bs=batch_size, num_workers=0, device=device, path=folder)


def image_block(draw: Callable[[Any], Any], cls: type | None = None) -> Any:
    """A block of images: a path is opened, and `draw` makes one of anything else."""
    from fastai.data.block import TransformBlock
    from fastai.data.transforms import IntToFloatTensor

    return TransformBlock(type_tfms=partial(_pil, draw, cls), batch_tfms=IntToFloatTensor)


def _pil(draw: Callable[[Any], Any], cls: Any, item: Any) -> Any:
    """The item as fastai's image."""
    from fastai.vision.core import PILImage

    return (cls or PILImage).create(open_image(item) if isinstance(item, Path) else draw(item))
