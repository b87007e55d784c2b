"""Image regression: the points of points.csv, or the middle of a generated blob.

Checking needs Pillow only; torch and fastai are imported where a learner is built.
"""

from __future__ import annotations

import math
import re
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
    upright_size,
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
from executors.inputs.shapes import COUNT, SIDE, draw_blob, source_of
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

NAME = "image-regression"
TITLE = "Image regression (points)"
EXPECTS = (
    "A folder with images and a points.csv: columns file, x1, y1 and so on (pixels from the upper "
    "left corner, the same number of points for each), and if you like valid (true or false); the "
    "sample is drawn: the middle of a blob."
)
SAID = (
    (
        "keypoint",
        "key point",
        "heatmap",
        "heat map",
        "landmark",
        "head pose",
        "pose",
        "coordinates",
        "image regression",
    ),
)
LISTING = "points.csv"

Point = tuple[float, float]  # (x, y) in px of the upright image
Item = tuple[Path | int, list[Point]]


@dataclass(frozen=True, slots=True)
class _Pointed:
    """Images with their points, and the columns these stand in."""

    parts: Split
    columns: tuple[str, ...]  # x1, y1, x2, ...


def default_size(settings: Settings) -> int | None:
    """64 px for the drawings; 224 px, what pretrained networks saw, for photographs."""
    return 224 if settings.data else SIDE


def inspect(settings: Settings, verify: bool = True) -> Source:
    """Find the images and their points.

    Raises
    ------
    BadParameter
        For an architecture that is unknown, with the closest, or that fastai cannot use.
    BadInput
        When folder or listing is missing, or a line of it names no image, one twice, one that
        cannot be read, a cell that is no number or a point outside its image.
    """
    check_arch(settings.arch)
    if settings.data:
        return _folder(
            existing_folder(settings.data, f"with images and a {LISTING}"), settings.seed, verify
        )
    drawn: list[Item] = [(number, [draw_blob(settings.seed, number)[1]]) for number in range(COUNT)]
    parts = split(drawn, settings.seed)
    content = _Pointed(parts, ("x1", "y1"))
    return Source(f"drawn blobs: {COUNT} images", len(parts.train), len(parts.valid), (), content)


def build(
    source: Source, settings: Settings, size: int | None, batch_size: int, device: str, folder: Path
) -> Built:
    """A `vision_learner` that gives each point from -1 to 1; the metric is their distance."""
    from fastai.vision.augment import Resize
    from fastai.vision.data import PointBlock

    from executors.networks.metrics import distance

    content: _Pointed = source.content
    side = size or SIDE
    # squeezed, so that no point is cut off
    resize = Resize(side, method="squish")
    blocks = image_block(partial(_drawing, settings.seed)), PointBlock
    dls = loaders(content.parts, blocks, [resize], batch_size, device, folder)
    numbers = len(content.columns)
    built = vision(dls, settings, side, folder, n_out=numbers, y_range=(-1, 1), metrics=distance)
    return Built(*built, higher_is_better=False)


def snippet(
    source: Source, settings: Settings, size: int | None, batch_size: int, pretrained: bool
) -> str:
    """Imports, `dls` and `learn` on the same images."""
    from executors.networks.metrics import distance

    content: _Pointed = source.content
    imports, network = network_lines(settings)
    lines = ["from fastai.vision.all import *", *imports]
    splitter = f"RandomSplitter({VALID_SHARE}, seed={settings.seed})"
    tfms = f"Resize({size}, method='squish')"
    if settings.data:
        lines += [
            *source_of(distance),
            "",
            "",
            f"path = Path({settings.data!r})",
            *file_lines(Path(settings.data) / LISTING),
        ]
        lines += [
            "def points(row):",
            f"    return [float(row[name]) for name in {list(content.columns)!r}]",
            "",
        ]
        splitter = valid_lines(lines) if content.parts.own else splitter
        if content.parts.turned:
            lines += [*UPRIGHT.splitlines(), ""]
            tfms = f"[upright, {tfms}]"
        block, items = "get_x=file, get_y=points", "rows"
    else:
        lines += [
            "from PIL import Image, ImageDraw, ImageFilter",
            *source_of(draw_blob, distance),
            "",
            "",
        ]
        lines += ["def picture(number):", f"    return draw_blob({settings.seed}, number)[0]", ""]
        lines += [
            "def points(number):",
            f"    return list(draw_blob({settings.seed}, number)[1])",
            "",
        ]
        block, items = "get_x=picture, get_y=points", f"list(range({COUNT}))"
    lines += [
        f"block = DataBlock((ImageBlock, PointBlock), {block}, splitter={splitter})",
        f"dls = block.new(item_tfms={tfms}).dataloaders({items}, bs={batch_size}, num_workers=0)",
        f"learn = vision_learner(dls, {network}, pretrained={pretrained}, "
        f"n_out={len(content.columns)},",
        "                       y_range=(-1, 1), metrics=distance)",
    ]
    return "\n".join(lines) + "\n"


def _drawing(seed: int, number: int) -> Any:
    return draw_blob(seed, number)[0]


def _folder(folder: Path, seed: int, verify: bool) -> Source:
    listing = folder / LISTING
    rows = read_listing(listing, ("file", "x1", "y1"))
    columns = _columns(listing, rows[0])
    items = [(file_of(listing, row), _points(listing, row, columns)) for row in rows]
    check_twice(listing, rows, [path for path, _ in items])
    parts = own_split(listing, rows, items) or split(items, seed)
    check_parts(folder, parts)
    if verify:
        parts = replace(parts, turned=check_images(folder, (path for path, _ in items)))
        for row, (path, points) in zip(rows, items, strict=True):
            _check_inside(listing, row, path, points)
    each = len(columns) // 2
    title = f"{folder.name}: {len(items)} images with {each} point{'s' if each > 1 else ''} each"
    return Source(title, len(parts.train), len(parts.valid), (), _Pointed(parts, columns))


def _columns(listing: Path, row: Row) -> tuple[str, ...]:
    """x1, y1, x2, y2 and so on, as far as they go."""
    coordinates = {name for name in row.cells if re.fullmatch(r"[xy]\d+", name)}
    columns = [f"{axis}{number}" for number in range(1, len(coordinates) // 2 + 1) for axis in "xy"]
    for name in sorted(coordinates):
        if name not in columns:
            raise BadInput(
                f"{listing}: the column '{name}' does not belong to a pair; "
                "expected x1, y1, x2, y2 and so on"
            )
    return tuple(columns)


def _points(listing: Path, row: Row, columns: tuple[str, ...]) -> list[Point]:
    numbers: list[float] = []
    for name in columns:
        try:
            numbers.append(float(row.cells[name]))
        except ValueError:
            numbers.append(math.nan)
        if not math.isfinite(numbers[-1]):
            raise BadInput(
                f"{listing}, line {row.line}: {name} is '{row.cells[name]}'; "
                "expected a number of pixels"
            )
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _check_inside(listing: Path, row: Row, path: Path, points: list[Point]) -> None:
    wide, high = upright_size(path)
    for number, (x, y) in enumerate(points, start=1):
        if not (0 <= x <= wide and 0 <= y <= high):
            raise BadInput(
                f"{listing}, line {row.line}: point {number} of '{row.cells['file']}' is at "
                f"({x:g}, {y:g}), "
                f"outside its image of {wide} by {high} px"
            )
