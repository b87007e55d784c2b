"""Images come in upright and in three channels, however they are stored; hidden ones do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from executors.errors import BadInput
from executors.inputs.images import (
    check_images,
    find_images,
    open_image,
    own_parts,
    split,
    upright_size,
)


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("RGB", "a.png"),
        ("L", "a.png"),
        ("LA", "a.png"),
        ("RGBA", "a.png"),
        ("P", "a.gif"),
        ("1", "a.png"),
        ("CMYK", "a.jpg"),
        ("L", "a.bmp"),
        ("RGB", "a.webp"),
        ("P", "a.tiff"),
    ],
)
def test_every_mode_becomes_three_channels(tmp_path: Path, mode: str, name: str) -> None:
    """White stays white and the size stays the size."""
    Image.new("RGB", (9, 5), "white").convert(mode).save(tmp_path / name)
    image = open_image(tmp_path / name)
    assert (image.mode, image.size) == ("RGB", (9, 5))
    assert min(image.getpixel((4, 2))) >= 250  # type: ignore[arg-type]


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    """A middle grey of 16 bits is one of 8 bits."""
    Image.new("I;16", (4, 4), 32768).save(tmp_path / "a.png")
    assert open_image(tmp_path / "a.png").getpixel((0, 0)) == (128, 128, 128)


def test_a_turned_photograph_is_upright(tmp_path: Path) -> None:
    """The orientation that a camera wrote is respected; size and corners are a viewer's."""
    image = Image.new("RGB", (20, 10), "black")
    image.paste("white", (0, 0, 10, 10))  # the left half
    exif = Image.Exif()
    exif[0x0112] = 6  # the top is on the right
    image.save(tmp_path / "a.png", exif=exif)
    image.save(tmp_path / "b.png")
    upright = open_image(tmp_path / "a.png")
    assert upright.size == upright_size(tmp_path / "a.png") == (10, 20)
    assert (upright.getpixel((5, 2)), upright.getpixel((5, 17))) == ((255, 255, 255), (0, 0, 0))
    assert upright_size(tmp_path / "b.png") == (20, 10)
    assert check_images(tmp_path, [tmp_path / "b.png", tmp_path / "a.png"])
    assert not check_images(tmp_path, [tmp_path / "b.png"])


def test_a_cut_off_file_is_named(tmp_path: Path) -> None:
    """The path and what is wrong with it."""
    path = tmp_path / "cut.bmp"
    Image.new("RGB", (50, 50)).save(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(BadInput, match=r"cut\.bmp cannot be read as an image: .*truncated"):
        open_image(path)


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    """At every depth, also where the folder's own path has a dot."""
    folder = tmp_path / ".data" / "photos"
    for name in ("a.png", "b/c.JPG", ".d.png", ".e/f.png", "g.txt", "b/.h/i.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    assert [path.relative_to(folder).as_posix() for path in find_images(folder)] == [
        "a.png",
        "b/c.JPG",
    ]


def test_links_are_followed_once(tmp_path: Path) -> None:
    """A class may lie elsewhere, and a link to a folder above does not go round in circles."""
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "a.png").write_text("")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cats").symlink_to(tmp_path / "far")
    (tmp_path / "photos" / "up").symlink_to(tmp_path / "photos")
    assert find_images(tmp_path / "photos") == [tmp_path / "photos" / "cats" / "a.png"]


@given(st.integers(1, 60), st.integers(0, 5), st.integers(1, 7))
def test_a_split_loses_nothing(count: int, seed: int, kinds: int) -> None:
    """Every item is in one part, no kind is only held out, and about a fifth is."""
    items = [(number, number % kinds) for number in range(count)]
    parts = split(items, seed, lambda item: item[1])
    assert sorted((*parts.train, *parts.valid)) == items
    assert {kind for _, kind in parts.valid} <= {kind for _, kind in parts.train}
    assert len(parts.valid) == min(round(count / 5), count - len({kind for _, kind in items}))
    assert parts == split(items, seed, lambda item: item[1])


def test_folders_named_train_and_valid_are_the_split(tmp_path: Path) -> None:
    """What lies beside the two is in neither."""
    for name in ("train/a.png", "valid/b.png", "other/c.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("")
    parts = own_parts(tmp_path, [(path, 1) for path in find_images(tmp_path)])
    assert parts is not None and parts.own
    assert (parts.train, parts.valid) == (
        ((tmp_path / "train/a.png", 1),),
        ((tmp_path / "valid/b.png", 1),),
    )
    assert own_parts(tmp_path / "train", []) is None
