"""Makes images worse for a network to restore; each part stands on its own, for snippets."""

import io
import random
import zlib

from fastai.vision.core import PILImage, Transform
from PIL import Image, ImageDraw

__all__ = ["WorseImage", "Worsen", "worsen"]


def worsen(image: Image.Image, seed: int) -> Image.Image:
    """The image at a lower resolution, with a number written on it and stored as a poor JPEG."""
    chance = random.Random(f"{seed} {zlib.crc32(image.tobytes())}")
    wide, high = image.size
    factor, quality = chance.uniform(2, 4), chance.randint(10, 70)
    small = image.resize(
        (max(1, round(wide / factor)), max(1, round(high / factor))), Image.Resampling.BILINEAR
    )
    worse = small.resize((wide, high), Image.Resampling.BILINEAR)
    place = chance.randint(0, max(0, wide - 12)), chance.randint(0, max(0, high - 12))
    ImageDraw.Draw(worse).text(place, str(quality), tuple(chance.randint(0, 255) for _ in "rgb"))
    file = io.BytesIO()
    worse.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


class WorseImage(PILImage):
    """An image that `Worsen` makes worse."""


class Worsen(Transform):
    """Makes an image worse once it has its size, for otherwise a large one would lose nothing."""

    order = 2  # after Resize

    def __init__(self, seed: int):
        super().__init__()
        self.seed = seed

    def encodes(self, image: WorseImage):  # type: ignore[no-untyped-def]
        """The image, worse."""
        return WorseImage(worsen(image, self.seed))
