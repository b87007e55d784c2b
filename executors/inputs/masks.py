"""Masks of a segmentation: the class of each pixel as files have it, and what is wrong there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executors.errors import BadInput
from executors.inputs.images import reason_for, upright_size

__all__ = ["CODES", "Codes", "check_sizes", "find_codes", "read_mask"]

CODES = "codes.txt"
_VOID = 255  # the habit of many data sets: this pixel is nobody's
_VOID_NAMES = frozenset({"void", "unlabelled", "unlabeled", "ignore", "ignored"})

Pair = tuple[Path, Path]  # an image and its mask


@dataclass(frozen=True, slots=True)
class Codes:
    """The classes of the pixels by number; `void`, if any, counts for neither loss nor metric.

    With `binary` the masks hold 0 and 255 for the classes 0 and 1.
    """

    names: tuple[str, ...]
    void: int | None = None
    binary: bool = False


def read_mask(path: Path, binary: bool = False) -> Any:
    """Class numbers (h, w) of uint8: grey values or places in a palette, not its colours.

    Raises
    ------
    BadInput
        When the file is no image, or in colours.
    """
    import numpy as np
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as stored:
            values = np.asarray(ImageOps.exif_transpose(stored))  # (h, w) or (h, w, channels)
    except (OSError, ValueError, SyntaxError) as error:
        raise BadInput(f"{path} cannot be read as a mask: {reason_for(error)}") from error
    if values.ndim == 3:
        if not (values[..., :1] == values[..., : min(3, values.shape[-1])]).all():
            raise BadInput(
                f"{path} is in colours; a mask holds the number of a class at each pixel, "
                "in grey or a palette"
            )
        values = values[..., 0]
    if values.min() < 0 or values.max() > _VOID:
        raise BadInput(f"{path} holds the value {values.max()}; class numbers go from 0 to {_VOID}")
    values = values.astype("uint8")
    return (values > 0).astype("uint8") if binary else values


def check_sizes(folder: Path, pairs: Sequence[Pair]) -> None:
    """Every mask is as large as its image, both upright.

    Raises
    ------
    BadInput
        Names the mask, with both sizes.
    """
    for image, mask in pairs:
        size, wanted = upright_size(mask), upright_size(image)
        if size != wanted:
            raise BadInput(
                f"{mask.relative_to(folder)} in {folder} is {size[0]} by {size[1]} px, "
                f"its image {wanted[0]} by {wanted[1]} px"
            )


def find_codes(folder: Path, masks: Sequence[Path], verify: bool) -> Codes:
    """The classes: those of codes.txt, one a line, or as many as the masks have values.

    Without codes.txt, or to verify, every mask is read.

    Raises
    ------
    BadInput
        When a mask has a value that is no class, or all masks have the same single value.
    """
    names = _listed(folder / CODES)
    if names and not verify and len(names) != 2:
        return Codes(names, _void_of(names, len(names) <= _VOID))
    first_with: dict[int, Path] = {}  # of each value, the first mask
    for path in masks:
        for value in sorted({*read_mask(path).tobytes()}):
            first_with.setdefault(value, path)
    if set(first_with) == {0, _VOID} and len(names) in (0, 2):
        return Codes(names or ("0", "1"), binary=True)
    classes = [value for value in first_with if value != _VOID or len(names) > _VOID]
    if not names:
        if len(first_with) < 2 or len(classes) < 2:
            raise BadInput(
                f"the masks in {folder / 'masks'} hold the single class "
                f"{classes[0] if classes else _VOID}"
            )
        names = tuple(str(number) for number in range(max(classes) + 1))
    wrong = [value for value in classes if value >= len(names)]
    if wrong:
        raise BadInput(
            f"{first_with[wrong[0]].relative_to(folder)} in {folder} holds the value {wrong[0]}, "
            f"and {CODES} has {len(names)} classes, 0 to {len(names) - 1}"
        )
    return Codes(names, _void_of(names, _VOID in first_with and len(names) <= _VOID))


def _void_of(names: tuple[str, ...], by_value: bool) -> int | None:
    """The class that is called void, else 255 where masks may hold it."""
    for number, name in enumerate(names):
        if name.lower() in _VOID_NAMES:
            return number
    return _VOID if by_value else None


def _listed(path: Path) -> tuple[str, ...]:
    """The names in the file, one a line; none without a file."""
    if not path.is_file():
        return ()
    try:
        names = tuple(
            line.strip()
            for line in path.read_text(encoding="utf-8-sig").splitlines()
            if line.strip()
        )
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 ({error.reason}); save it as UTF-8") from None
    if len(names) < 2:
        raise BadInput(f"{path} names {len(names)} classes; expected at least two, one a line")
    return names
