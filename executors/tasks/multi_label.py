"""Multi-label classification: images with the labels of labels.csv, or generated shapes.

Checking needs Pillow only; torch and fastai are imported where a learner is built.
"""

from __future__ import annotations

from collections import Counter
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
    finish,
    image_block,
    loaders,
    split,
    template,
)
from executors.inputs.listing import (
    Row,
    check_twice,
    file_lines,
    file_of,
    own_split,
    read_listing,
    valid_lines,
)
from executors.inputs.shapes import COUNT, SHAPES, SIDE, draw_shapes, source_of
from executors.networks.networks import DEFAULT_ARCH, LADDER, check_arch, network_lines, vision
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

NAME = "multi-label"
TITLE = "Multi-label classification"
EXPECTS = (
    "A folder with images and a labels.csv: columns file and labels (separated by spaces or by "
    "; , or |), and if you like valid (true or false); the sample is drawn: circles, squares and "
    "triangles, each or none."
)
SAID = (
    (
        "multi-label",
        "multi label",
        "several labels each",
        "several labels per",
        "several labels at once",
    ),
    (),
    (
        "several tag",
        "several finding",
        "several keyword",
        "several diagnoses",
        "multiple tag",
        "multiple finding",
        "multiple keyword",
        "multiple diagnoses",
        "many tag",
        "many finding",
        "many keyword",
        "many diagnoses",
        "various tag",
        "various finding",
        "various keyword",
        "various diagnoses",
        "any number of tag",
        "any number of finding",
        "any number of keyword",
        "any number of diagnoses",
        "more than one tag",
        "more than one finding",
        "more than one keyword",
        "more than one diagnoses",
        "several labels each",
        "several labels at once",
        "several labels per image",
        "several labels per photo",
        "several labels per picture",
        "several classes each",
        "several classes at once",
        "several classes per image",
        "several classes per photo",
        "several classes per picture",
        "several categories each",
        "several categories at once",
        "several categories per image",
        "several categories per photo",
        "several categories per picture",
        "several objects each",
        "several objects at once",
        "several objects per image",
        "several objects per photo",
        "several objects per picture",
        "multiple labels each",
        "multiple labels at once",
        "multiple labels per image",
        "multiple labels per photo",
        "multiple labels per picture",
        "multiple classes each",
        "multiple classes at once",
        "multiple classes per image",
        "multiple classes per photo",
        "multiple classes per picture",
        "multiple categories each",
        "multiple categories at once",
        "multiple categories per image",
        "multiple categories per photo",
        "multiple categories per picture",
        "multiple objects each",
        "multiple objects at once",
        "multiple objects per image",
        "multiple objects per photo",
        "multiple objects per picture",
        "many labels each",
        "many labels at once",
        "many labels per image",
        "many labels per photo",
        "many labels per picture",
        "many classes each",
        "many classes at once",
        "many classes per image",
        "many classes per photo",
        "many classes per picture",
        "many categories each",
        "many categories at once",
        "many categories per image",
        "many categories per photo",
        "many categories per picture",
        "many objects each",
        "many objects at once",
        "many objects per image",
        "many objects per photo",
        "many objects per picture",
        "more than one labels each",
        "more than one labels at once",
        "more than one labels per image",
        "more than one labels per photo",
        "more than one labels per picture",
        "more than one classes each",
        "more than one classes at once",
        "more than one classes per image",
        "more than one classes per photo",
        "more than one classes per picture",
        "more than one categories each",
        "more than one categories at once",
        "more than one categories per image",
        "more than one categories per photo",
        "more than one categories per picture",
        "more than one objects each",
        "more than one objects at once",
        "more than one objects per image",
        "more than one objects per photo",
        "more than one objects per picture",
        "labels per image",
        "labels per photo",
        "labels per picture",
        "tags per image",
        "tags per photo",
        "tags per picture",
        "keywords per image",
        "keywords per photo",
        "keywords per picture",
        "findings per image",
        "findings per photo",
        "findings per picture",
        "classes per image",
        "classes per photo",
        "classes per picture",
        "categories per image",
        "categories per photo",
        "categories per picture",
    ),
)
LISTING = "labels.csv"

Item = tuple[
    Path | int, list[str]
]  # a path, or a number of a drawing; and its labels, a list as fastai wants them


@dataclass(frozen=True, slots=True)
class _Labelled:
    """Images (item, labels), and all labels there are."""

    parts: Split
    labels: tuple[str, ...]
    separator: str = " "


def default_size(settings: Settings) -> int | None:
    """64 px for the drawings; 224 px, what pretrained networks saw, for photographs."""
    return 224 if settings.data else SIDE


def inspect(settings: Settings, verify: bool = True) -> Source:
    """Find the images and their labels.

    Raises
    ------
    BadParameter
        For an architecture that is unknown, with the closest, or that fastai cannot use.
    BadInput
        When folder or listing is missing, or a line of it names no image, one twice, or one that
        cannot be read.
    """
    check_arch(settings.arch)
    if settings.data:
        return _folder(
            existing_folder(settings.data, f"with images and a {LISTING}"), settings.seed, verify
        )
    drawn: list[Item] = [(number, _shapes_in(settings.seed, number)) for number in range(COUNT)]
    parts = split(drawn, settings.seed)
    title = f"drawn shapes: {COUNT} images with {', '.join(SHAPES)}"
    return Source(title, len(parts.train), len(parts.valid), (), _Labelled(parts, SHAPES))


def build(
    source: Source, settings: Settings, size: int | None, batch_size: int, device: str, folder: Path
) -> Built:
    """A `vision_learner` with a yes or no for every label; frozen when it is pretrained."""
    from fastai.metrics import accuracy_multi
    from fastai.vision.augment import Resize
    from fastai.vision.data import MultiCategoryBlock

    content: _Labelled = source.content
    blocks = (
        image_block(partial(_drawing, settings.seed)),
        MultiCategoryBlock(vocab=list(content.labels)),
    )
    side = size or SIDE
    # squeezed, for what is cut off at the sides may be what a label stands for
    dls = loaders(
        content.parts, blocks, [Resize(side, method="squish")], batch_size, device, folder
    )
    return Built(*vision(dls, settings, side, folder, metrics=accuracy_multi))


def snippet(
    source: Source, settings: Settings, size: int | None, batch_size: int, pretrained: bool
) -> str:
    """Imports, `dls` and `learn` on the same images."""
    content: _Labelled = source.content
    imports, network = network_lines(settings)
    lines = ["from fastai.vision.all import *", *imports]
    splitter = f"RandomSplitter({VALID_SHARE}, seed={settings.seed})"
    tfms = f"Resize({size}, method='squish')"
    if settings.data:
        lines += ["", f"path = Path({settings.data!r})", *file_lines(Path(settings.data) / LISTING)]
        cut = ".split()" if content.separator == " " else f".split({content.separator!r})"
        lines += [
            "def labels(row):",
            f"    return [label.strip() for label in row['labels']{cut} if label.strip()]",
            "",
        ]
        splitter = valid_lines(lines) if content.parts.own else splitter
        if content.parts.turned:
            lines += [*UPRIGHT.splitlines(), ""]
            tfms = f"[upright, {tfms}]"
        block, items = "get_x=file, get_y=labels", "rows"
    else:
        lines += [
            "from PIL import Image, ImageDraw",
            *source_of(draw_shapes),
            "",
            *_shape_lines(settings.seed),
        ]
        block, items = "get_x=picture, get_y=labels", f"list(range({COUNT}))"
    lines += [
        f"block = DataBlock((ImageBlock, MultiCategoryBlock(vocab={list(content.labels)!r})),",
        f"                  {block}, splitter={splitter})",
        f"dls = block.new(item_tfms={tfms}).dataloaders({items}, bs={batch_size}, num_workers=0)",
        f"learn = vision_learner(dls, {network}, pretrained={pretrained}, metrics=accuracy_multi)",
    ]
    return "\n".join(lines) + "\n"


def _shape_lines(seed: int) -> list[str]:
    return [
        "def picture(number):",
        f"    return draw_shapes({seed}, number)[0]",
        "",
        "def labels(number):",
        f"    codes = set(draw_shapes({seed}, number)[1].tobytes())",
        f"    return [{SHAPES!r}[code - 1] for code in codes if code]",
        "",
    ]


def _drawing(seed: int, number: int) -> Any:
    return draw_shapes(seed, number)[0]


def _shapes_in(seed: int, number: int) -> list[str]:
    """The names of the shapes that are in the drawing."""
    codes = sorted(set(draw_shapes(seed, number)[1].tobytes()))
    return [SHAPES[code - 1] for code in codes if code]


def _folder(folder: Path, seed: int, verify: bool) -> Source:
    listing = folder / LISTING
    rows = read_listing(listing, ("file", "labels"))
    separator = next(
        (mark for mark in ";,|" if any(mark in row.cells["labels"] for row in rows)), " "
    )
    items = [(file_of(listing, row), _labels(row, separator)) for row in rows]
    check_twice(listing, rows, [path for path, _ in items])
    count = Counter(label for _, labels in items for label in labels)
    if not count:
        raise BadInput(f"{listing}: no file has a label; expected some in the column 'labels'")
    parts = own_split(listing, rows, items) or split(items, seed)
    check_parts(folder, parts)
    untaught = set(count) - {label for _, labels in parts.train for label in labels}
    if untaught and parts.own:
        raise BadInput(
            f"{listing}: the label '{min(untaught)}' is only on images that are held out"
        )
    if verify:
        parts = replace(parts, turned=check_images(folder, (path for path, _ in items)))
    title = f"{folder.name}: {len(items)} images with {len(count)} labels"
    bare = sum(not labels for _, labels in items)
    notes = (f"{bare} images have no label",) if bare else ()
    return Source(
        title,
        len(parts.train),
        len(parts.valid),
        notes,
        _Labelled(parts, tuple(sorted(count)), separator),
    )


def _labels(row: Row, separator: str) -> list[str]:
    names = row.cells["labels"].split(None if separator == " " else separator)
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))
