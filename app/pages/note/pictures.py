"""Pictures that lie beside the notes: found, and read only from the folders that were ingested.

Notes are written by others, so an address in one may try to lead anywhere: nothing outside the
note's own ingested folder is opened, whatever links lead there, and nothing that is no picture.
"""

from __future__ import annotations

import base64
import binascii
import html
import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from PIL import Image

from kg.store import NoteFile

__all__ = ["FoundPicture", "data_address", "embedded", "find_picture", "picture_tag"]

MOST_BYTES = 8_000_000
MOST_PIXELS = 40_000_000
KINDS = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
}
VECTOR = "image/svg+xml"  # as a picture it runs no script and fetches nothing
ENDS = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".svg"})


@dataclass(frozen=True, slots=True)
class FoundPicture:
    """A picture's file and what it holds; width and height in pixels, 0 where it has none."""

    content: bytes
    kind: str  # its media type
    width: int
    height: int


def find_picture(note: NoteFile, address: str, anywhere: bool = False) -> FoundPicture | None:
    """The picture that an address in a note leads to; None where there is none to show.

    Looked for beside the note and from the ingested folder on; with `anywhere` a bare name also in
    all of it, as Obsidian does.
    """
    wanted = unquote(address.partition("#")[0].partition("?")[0]).replace("\\", "/").lstrip("/")
    if not wanted or "\0" in wanted or Path(wanted).suffix.lower() not in ENDS:
        return None
    try:
        root = note.root.resolve(strict=True)
        for file in (note.path.parent / wanted, root / wanted):
            found = _read(file, root)
            if found is not None:
                return found
        if anywhere and "/" not in wanted:
            return next((x for f in _named(root, wanted) if (x := _read(f, root))), None)
    except (OSError, RuntimeError, ValueError):  # too long, a loop of links, not there any more
        return None
    return None


def embedded(text: object) -> FoundPicture | None:
    """A picture that a notebook holds as base64; None where it is none."""
    if not isinstance(text, str) or len(text) > 2 * MOST_BYTES:
        return None
    try:
        return _looked_at(base64.b64decode("".join(text.split()), validate=True))
    except (binascii.Error, ValueError):
        return None


def data_address(picture: FoundPicture) -> str:
    """The picture as an address that holds it, which the page shows without asking anybody."""
    return f"data:{picture.kind};base64,{base64.b64encode(picture.content).decode()}"


def picture_tag(picture: FoundPicture, words: str, source: str) -> str:
    """An element that keeps the picture's place before it is there; `source` says what it shows."""
    size = f' width="{picture.width}" height="{picture.height}"' if picture.width else ""
    return f'<img class="g-picture" {source} alt="{html.escape(words)}"{size}>'


def _named(root: Path, name: str) -> list[Path]:
    """Files of a name anywhere below a folder, hidden folders left out, the nearest first."""
    found = []
    for folder, below, files in os.walk(root):
        below[:] = [part for part in below if not part.startswith(".")]
        if name in files:
            found.append(Path(folder) / name)
    return sorted(found, key=lambda file: (len(file.parts), file))


def _read(file: Path, root: Path) -> FoundPicture | None:
    """The picture in a file, if that is really below the folder, links followed."""
    try:
        real = file.resolve(strict=True)
        if not real.is_relative_to(root) or not real.is_file():
            return None
        if real.suffix.lower() not in ENDS or real.stat().st_size > MOST_BYTES:
            return None
        with real.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError:
        return None
    if real.suffix.lower() == ".svg":
        is_vector = b"<svg" in content[:4000] and len(content) <= MOST_BYTES
        return FoundPicture(content, VECTOR, 0, 0) if is_vector else None
    return _looked_at(content)


def _looked_at(content: bytes) -> FoundPicture | None:
    """What the content itself says it is; the name of a file says nothing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=tuple(KINDS)) as image:
                kind, (width, height) = KINDS.get(image.format or ""), image.size
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError):
        return None
    if kind is None or len(content) > MOST_BYTES or width * height > MOST_PIXELS:
        return None
    return FoundPicture(content, kind, width, height)
