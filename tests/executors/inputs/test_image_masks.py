"""Masks hold a class at each pixel; a missing one, another size or a strange value is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from executors.errors import BadInput, BadParameter
from executors.inputs.masks import read_mask
from executors.task import Settings, Source
from executors.tasks.segmentation import inspect


def scene(folder: Path, values: tuple[int, ...] = (0, 1, 2), count: int = 10) -> Path:
    """Images and masks of 12 by 8 px, the masks with these values in stripes."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    stripes = np.resize(np.repeat(np.array(values, "uint8"), 8), (12, 8)).T  # (h, w)
    for number in range(count):
        Image.new("RGB", (12, 8), (number, 0, 0)).save(folder / "images" / f"{number}.jpg")
        Image.fromarray(np.ascontiguousarray(stripes)).save(folder / "masks" / f"{number}.png")
    return folder


def look(folder: Path, **more: Any) -> Source:
    return inspect(Settings("segmentation", str(folder), **more))


def refused(folder: Path) -> str:
    with pytest.raises(BadInput) as caught:
        look(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_values_are_classes(tmp_path: Path) -> None:
    """As many as the largest value asks for; nothing is void."""
    source = look(scene(tmp_path / "a"))
    assert (source.content.codes.names, source.content.codes.void) == (("0", "1", "2"), None)
    assert (source.train, source.valid) == (8, 2)


def test_255_is_void(tmp_path: Path) -> None:
    """It is no class, and that is said."""
    source = look(scene(tmp_path / "a", (0, 1, 255)))
    assert (source.content.codes.names, source.content.codes.void) == (("0", "1"), 255)
    assert source.notes == (
        "the value 255 is void: neither the loss nor the metric counts its pixels",
    )


def test_black_and_white_are_two_classes(tmp_path: Path) -> None:
    """0 and 255 alone are the habit of drawing programs, not a class and void."""
    source = look(scene(tmp_path / "a", (0, 255)))
    assert source.content.codes.binary and source.content.codes.void is None
    assert source.notes == ("the masks hold 0 and 255, taken as the classes 0 and 1",)
    assert set(read_mask(tmp_path / "a" / "masks" / "0.png", binary=True).flatten()) == {0, 1}


def test_codes_name_the_classes(tmp_path: Path) -> None:
    """One of them may be void by its name."""
    folder = scene(tmp_path / "a")
    (folder / "codes.txt").write_text("road\nVoid\ntree\n")
    source = look(folder)
    assert (source.content.codes.names, source.content.codes.void) == (("road", "Void", "tree"), 1)
    assert source.notes[0] == "3 classes: road, Void, tree"
    assert (
        inspect(Settings("segmentation", str(folder)), verify=False).content.codes
        == source.content.codes
    )


def test_a_value_beyond_the_codes_is_named(tmp_path: Path) -> None:
    """With its file."""
    folder = scene(tmp_path / "a", (0, 1))
    (folder / "codes.txt").write_text("road\ntree\n")
    Image.new("L", (12, 8), 7).save(folder / "masks" / "5.png")
    assert "masks/5.png in" in (message := refused(folder))
    assert "holds the value 7, and codes.txt has 2 classes, 0 to 1" in message


def test_a_single_class_is_refused(tmp_path: Path) -> None:
    """There is nothing to tell apart."""
    assert "hold the single class 3" in refused(scene(tmp_path / "a", (3,)))


def test_a_missing_mask_is_named(tmp_path: Path) -> None:
    """With the image, and with the name that was looked for."""
    folder = scene(tmp_path / "a")
    (folder / "masks" / "4.png").unlink()
    assert (
        "images/4.jpg in" in (message := refused(folder))
        and "has no mask; expected masks/4.png" in message
    )


def test_a_mask_of_another_size_is_named(tmp_path: Path) -> None:
    """With both sizes."""
    folder = scene(tmp_path / "a")
    Image.new("L", (12, 9)).save(folder / "masks" / "4.png")
    assert (
        "masks/4.png" in (message := refused(folder))
        and "is 12 by 9 px, its image 12 by 8 px" in message
    )


def test_two_masks_of_one_image_are_named(tmp_path: Path) -> None:
    """Which one is meant cannot be known."""
    folder = scene(tmp_path / "a")
    Image.new("L", (12, 8)).save(folder / "masks" / "4.bmp")
    assert "'4.bmp' and '4.png' in masks/ are masks of the same image" in refused(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """Images alone are not enough."""
    (tmp_path / "a" / "images").mkdir(parents=True)
    assert "has no folder masks/" in refused(tmp_path / "a")


def test_a_palette_is_read_by_its_places(tmp_path: Path) -> None:
    """The numbers, not the colours that they stand for, and not their brightness."""
    values = np.array([[0, 1], [2, 3]], "uint8")
    image = Image.fromarray(values, "P")
    image.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200, 9, 9, 9])
    image.save(tmp_path / "a.png")
    assert (read_mask(tmp_path / "a.png") == values).all()


def test_a_mask_in_colours_is_refused(tmp_path: Path) -> None:
    """Grey in three channels is read, colours are not."""
    Image.new("RGB", (4, 4), (2, 2, 2)).save(tmp_path / "grey.png")
    assert set(read_mask(tmp_path / "grey.png").flatten()) == {2}
    Image.new("RGB", (4, 4), (2, 0, 2)).save(tmp_path / "red.png")
    with pytest.raises(
        BadInput, match=r"red\.png is in colours; a mask holds the number of a class"
    ):
        read_mask(tmp_path / "red.png")


def test_train_and_valid_are_taken_as_they_are(tmp_path: Path) -> None:
    """When they are in both folders."""
    folder = scene(tmp_path / "a")
    for name, end in (("images", "jpg"), ("masks", "png")):
        for number in range(10):
            part = folder / name / ("valid" if number > 6 else "train")
            part.mkdir(exist_ok=True)
            (folder / name / f"{number}.{end}").rename(part / f"{number}.{end}")
    source = look(folder)
    assert (source.train, source.valid, source.content.parts.own) == (7, 3, True)


def test_a_network_that_cannot_be_in_a_unet_says_why(tmp_path: Path) -> None:
    """The reason, before anything is read."""
    with pytest.raises(
        BadParameter,
        match="'swin_t' cannot be the encoder of a U-Net, because its channels come last",
    ):
        look(tmp_path, arch="swin_t")
