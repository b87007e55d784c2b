"""Draws the samples of the image tasks; each function stands on its own, for snippets."""

from __future__ import annotations

import inspect
import random
import textwrap
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

__all__ = ["COUNT", "SHAPES", "SIDE", "draw_blob", "draw_shapes", "source_of"]

COUNT = 400  # images of a sample
SIDE = 64  # px
SHAPES = ("circle", "square", "triangle")


def draw_shapes(seed: int, number: int) -> tuple[Image.Image, Image.Image]:
    """A picture of 64 px with shapes, none or some, and its mask: 1, 2 and 3 where they are."""
    chance = random.Random(f"{seed} {number}")
    picture = Image.new("RGB", (64, 64), tuple(chance.randint(0, 90) for _ in "rgb"))
    mask = Image.new("L", (64, 64))
    quarters = chance.sample(
        [(16, 16), (16, 48), (48, 16), (48, 48)], 3
    )  # centres: shapes never overlap
    for code, (x, y) in enumerate(quarters, start=1):
        half, x, y = chance.randint(6, 11), x + chance.randint(-4, 4), y + chance.randint(-4, 4)
        colour = tuple(chance.randint(120, 255) for _ in "rgb")
        if chance.random() < 0.5:
            continue
        for image, fill in ((picture, colour), (mask, code)):
            pen, box = ImageDraw.Draw(image), (x - half, y - half, x + half, y + half)
            if code == 1:
                pen.ellipse(box, fill)
            elif code == 2:
                pen.rectangle(box, fill)
            else:
                pen.polygon([(x - half, y + half), (x + half, y + half), (x, y - half)], fill)
    return picture, mask


def draw_blob(seed: int, number: int) -> tuple[Image.Image, tuple[int, int]]:
    """A picture of 64 px with a soft bright blob among bars, and the blob's centre (x, y)."""
    chance = random.Random(f"{seed} {number}")
    picture = Image.new("RGB", (64, 64), tuple(chance.randint(0, 60) for _ in "rgb"))
    pen = ImageDraw.Draw(picture)
    for _ in range(6):
        ends = [(chance.randint(0, 63), chance.randint(0, 63)) for _ in range(2)]
        pen.line(ends, tuple(chance.randint(60, 120) for _ in "rgb"), chance.randint(1, 3))
    x, y, wide, high = (
        chance.randint(8, 55),
        chance.randint(8, 55),
        chance.randint(4, 9),
        chance.randint(4, 9),
    )
    pen.ellipse(
        (x - wide, y - high, x + wide, y + high), tuple(chance.randint(190, 255) for _ in "rgb")
    )
    return picture.filter(ImageFilter.GaussianBlur(1.5)), (x, y)


def source_of(*things: Callable[..., Any] | type) -> list[str]:
    """The lines of these functions and classes, for a snippet."""
    return [
        line
        for thing in things
        for line in ("", "", *textwrap.dedent(inspect.getsource(thing)).splitlines())
    ]
