"""Segmentation: a class for every pixel, by a U-Net on images with masks, or on generated shapes.

Checking needs Pillow and NumPy only; torch and fastai are imported where a learner is built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from executors.errors import BadInput
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
from executors.inputs.masks import CODES, Codes, check_sizes, find_codes, read_mask
from executors.inputs.shapes import COUNT, SHAPES, SIDE, draw_shapes, source_of
from executors.networks.networks import DEFAULT_ARCH, LADDER, check_arch, network_lines, unet
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

NAME = "segmentation"
TITLE = "Segmentation (U-Net)"
EXPECTS = (
    "A folder with images/ and masks/ of the same names, with or without train/ and valid/ in "
    "both; a mask holds the number of a class at each pixel (255: void), and codes.txt, if there, "
    "their names; the sample is drawn shapes."
)
SAID = (
    (
        "segmentation",
        "segmenting",
        "segment",
        "segmenter",
        "segmented",
        "mask",
        "camvid",
        "pixel-wise",
    ),
    ("unet", "u-net"),
    ("every pixel", "each pixel", "per pixel", "all pixels"),
)


@dataclass(frozen=True, slots=True)
class _Masked:
    """Pairs of an image and its mask (a number of a drawing twice), and the classes."""

    parts: Split
    codes: Codes


def default_size(settings: Settings) -> int | None:
    """64 px for the drawings, 224 px for photographs."""
    return 224 if settings.data else SIDE


def inspect(settings: Settings, verify: bool = True) -> Source:
    """Find the images and their masks.

    Raises
    ------
    BadParameter
        For an architecture that is unknown, with the closest, or that cannot be the encoder of a
        U-Net.
    BadInput
        When a folder, an image or a mask is missing or cannot be read; when a mask is of another
        size than its image or holds a value that is no class.
    """
    check_arch(settings.arch, unet=True)
    if settings.data:
        return _folder(
            existing_folder(settings.data, "with images/ and masks/"), settings.seed, verify
        )
    parts = split([(number, number) for number in range(COUNT)], settings.seed)
    title = f"drawn shapes: {COUNT} images with masks"
    content = _Masked(parts, Codes(("background", *SHAPES)))
    return Source(title, len(parts.train), len(parts.valid), (), content)


def build(
    source: Source, settings: Settings, size: int | None, batch_size: int, device: str, folder: Path
) -> Built:
    """A `unet_learner` on images of `size` px; its encoder is frozen when it is pretrained."""
    from fastai.data.block import TransformBlock
    from fastai.data.transforms import IntToFloatTensor
    from fastai.losses import CrossEntropyLossFlat
    from fastai.metrics import DiceMulti
    from fastai.vision.augment import Resize
    from fastai.vision.core import AddMaskCodes

    from executors.networks.metrics import DiceWithoutVoid

    content: _Masked = source.content
    codes = content.codes
    masks = TransformBlock(
        type_tfms=partial(_mask, settings.seed, codes),
        item_tfms=AddMaskCodes(codes=list(codes.names)),
        batch_tfms=IntToFloatTensor,
    )
    blocks = image_block(partial(_drawing, settings.seed)), masks
    # squeezed, so that every pixel counts
    dls = loaders(
        content.parts, blocks, [Resize(size or SIDE, method="squish")], batch_size, device, folder
    )
    ignored = {} if codes.void is None else {"ignore_index": codes.void}
    learner, pretrained, notes = unet(
        dls,
        settings,
        folder,
        n_out=len(codes.names),
        loss_func=CrossEntropyLossFlat(axis=1, **ignored),
        metrics=DiceMulti() if codes.void is None else DiceWithoutVoid(codes.void),
    )
    return Built(learner, pretrained, notes)


def snippet(
    source: Source, settings: Settings, size: int | None, batch_size: int, pretrained: bool
) -> str:
    """Imports, `dls` and `learn` on the same images."""
    content: _Masked = source.content
    codes = content.codes
    imports, network = network_lines(settings)
    lines = ["from fastai.vision.all import *", *imports]
    splitter = f"RandomSplitter({VALID_SHARE}, seed={settings.seed})"
    tfms = f"Resize({size}, method='squish')"
    metric, loss = "DiceMulti()", ""
    if codes.void is not None:
        from executors.networks.metrics import DiceWithoutVoid

        lines += source_of(DiceWithoutVoid)
        metric = f"DiceWithoutVoid({codes.void})"
        loss_func = f"CrossEntropyLossFlat(axis=1, ignore_index={codes.void})"
        loss = f"\n                     loss_func={loss_func},"
    if settings.data:
        lines += ["", "", f"path = Path({settings.data!r})", *_mask_lines(codes)]
        splitter = "GrandparentSplitter()" if content.parts.own else splitter
        if content.parts.turned:
            lines += [*UPRIGHT.splitlines(), ""]
            tfms = f"[upright, {tfms}]"
        block, items = "get_items=get_image_files, get_y=mask", "path / 'images'"
    else:
        lines += [
            "from PIL import Image, ImageDraw",
            *source_of(draw_shapes),
            "",
            *_shape_lines(settings.seed),
        ]
        block, items = "get_x=picture, get_y=mask", f"list(range({COUNT}))"
    lines += [
        f"block = DataBlock((ImageBlock, MaskBlock(codes={list(codes.names)!r})),",
        f"                  {block}, splitter={splitter})",
        f"dls = block.new(item_tfms={tfms}).dataloaders({items}, bs={batch_size}, num_workers=0)",
        f"learn = unet_learner(dls, {network}, pretrained={pretrained}, "
        f"n_out={len(codes.names)},{loss}",
        f"                     metrics={metric})",
    ]
    return "\n".join(lines) + "\n"


def _mask_lines(codes: Codes) -> list[str]:
    """The function of a snippet that reads an image's mask as class numbers."""
    lines = [
        "files = get_image_files(path / 'masks')",
        "masks = {file.relative_to(path / 'masks').with_suffix(''): file for file in files}",
        "",
        "def mask(file):",
        "    place = masks[file.relative_to(path / 'images').with_suffix('')]",
        "    values = np.array(Image.open(place)).astype('uint8')",
        "    values = values[..., 0] if values.ndim == 3 else values",
    ]
    if codes.void not in (None, 255):
        lines.append(f"    values[values == 255] = {codes.void}")
    lines += [
        "    return (values > 0).astype('uint8')" if codes.binary else "    return values",
        "",
    ]
    return lines


def _shape_lines(seed: int) -> list[str]:
    return [
        "def picture(number):",
        f"    return draw_shapes({seed}, number)[0]",
        "",
        "def mask(number):",
        f"    return np.array(draw_shapes({seed}, number)[1])",
        "",
    ]


def _drawing(seed: int, number: int) -> Any:
    return draw_shapes(seed, number)[0]


def _mask(seed: int, codes: Codes, item: Any) -> Any:
    """The item's class numbers as fastai's mask."""
    import numpy as np
    from fastai.vision.core import PILMask

    if not isinstance(item, Path):
        return PILMask.create(np.array(draw_shapes(seed, item)[1]))
    values = read_mask(item, codes.binary)
    if codes.void is not None:
        values[values == 255] = codes.void
    return PILMask.create(values)


def _folder(folder: Path, seed: int, verify: bool) -> Source:
    images, masks = folder / "images", folder / "masks"
    for place in (images, masks):
        if not place.is_dir():
            raise BadInput(
                f"{folder} has no folder {place.name}/; "
                "expected images/ and masks/ of the same names"
            )
    image_files, mask_files = find_images(images), find_images(masks)
    turned = verify and check_images(folder, image_files)
    if verify:
        check_images(folder, mask_files)
    pairs = _paired(folder, image_files, mask_files)
    if verify:
        check_sizes(folder, pairs)
    parts = replace(own_parts(images, pairs) or split(pairs, seed), turned=turned)
    check_parts(folder, parts)
    codes = find_codes(folder, [mask for _, mask in pairs], verify)
    title = f"{folder.name}: {len(pairs)} images with masks of {len(codes.names)} classes"
    return Source(
        title, len(parts.train), len(parts.valid), _notes(folder, codes), _Masked(parts, codes)
    )


def _paired(folder: Path, images: Sequence[Path], masks: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Each image with the mask of the same name; further masks are left alone."""
    by_name: dict[Path, Path] = {}
    for mask in masks:
        name = mask.relative_to(folder / "masks").with_suffix("")
        if name in by_name:
            raise BadInput(
                f"{folder}: '{by_name[name].name}' and '{mask.name}' in masks/ "
                "are masks of the same image"
            )
        by_name[name] = mask
    pairs: list[tuple[Path, Path]] = []
    for image in images:
        name = image.relative_to(folder / "images").with_suffix("")
        if name not in by_name:
            raise BadInput(
                f"{image.relative_to(folder)} in {folder} has no mask; expected masks/{name}.png"
            )
        pairs.append((image, by_name[name]))
    return pairs


def _notes(folder: Path, codes: Codes) -> tuple[str, ...]:
    """What was decided about the values of the masks."""
    notes = (
        [f"{len(codes.names)} classes: {', '.join(codes.names[:12])}"]
        if (folder / CODES).is_file()
        else []
    )
    if codes.binary:
        notes.append("the masks hold 0 and 255, taken as the classes 0 and 1")
    if codes.void is not None:
        name = (
            f"'{codes.names[codes.void]}'"
            if codes.void < len(codes.names)
            else f"the value {codes.void}"
        )
        notes.append(f"{name} is void: neither the loss nor the metric counts its pixels")
    return tuple(notes)
