"""Copies of files that were dropped on the page: kept in the store's folder, deleted with it.

A file's name is what a browser says, so it is checked part by part; what is no note and no picture
that a note may show is refused.
"""

from __future__ import annotations

import secrets
import shutil
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path

import anyio.to_thread
from starlette.requests import ClientDisconnect

from app.api.checked import BadRequest
from app.pages.note.pictures import ENDS, MOST_BYTES
from app.paths import uploads_folder
from ingest.decisions.read import FILE
from ingest.notes.files import MAX_MEGABYTES, MAX_MEGABYTES_OF, is_left_out
from ingest.notes.kinds import READERS
from kg.errors import GradusError

__all__ = ["MOST_UPLOADED", "collection_folder", "take_upload"]

SINGLE = "Single notes"  # the collection of what was dropped without a folder
MOST_DEPTH = 20
MOST_NAME = 200  # bytes of one part of a name; file systems take 255
LEAST_FREE = 500_000_000  # bytes that stay free on the disk
MOST_UPLOADED = MAX_MEGABYTES_OF[".ipynb"] * 10**6  # bytes of one file of any kind


def collection_folder(store: Path, collection: str) -> Path:
    """The folder of what was dropped together.

    Raises
    ------
    BadRequest
        When there is none of this name.
    """
    _check_part(collection)
    folder = uploads_folder(store) / collection
    if not folder.is_dir():
        raise BadRequest(f"nothing was dropped under the name '{collection}'")
    return folder


async def take_upload(store: Path, name: str, pieces: AsyncIterator[bytes]) -> str:
    """Write a file that comes in pieces; one of the same name is replaced. Returns its collection.

    Parameters
    ----------
    name : str
        The path within what was dropped, with forward slashes: "vault/a.md", or "a.md".

    Raises
    ------
    BadRequest
        When the name cannot be, the file is of no kind that is read, or is too long.
    GradusError
        When it cannot be written.
    """
    parts = name.split("/")
    for part in parts:
        _check_part(part)
    if len(parts) > MOST_DEPTH:
        raise BadRequest(f"'{name}' is nested in more than {MOST_DEPTH} folders")
    most = _most_bytes(parts[-1])
    if len(parts) == 1:
        parts = [SINGLE, *parts]
    target = uploads_folder(store).joinpath(*parts)
    try:
        await anyio.to_thread.run_sync(_make_room, target.parent)
        await _write(target, pieces, most)
    except OSError as error:
        raise GradusError(f"'{name}' cannot be saved here ({error.strerror})") from error
    return parts[0]


async def _write(target: Path, pieces: AsyncIterator[bytes], most: int) -> None:
    fresh = target.with_name(f".gradus-{secrets.token_hex(8)}.new")
    taken = 0
    try:
        with fresh.open("xb") as file:
            async for piece in pieces:
                taken += len(piece)
                if taken > most:
                    raise BadRequest(f"'{target.name}' is larger than {most // 10**6} MB")
                file.write(piece)
        fresh.replace(target)
    except ClientDisconnect:
        raise BadRequest(f"'{target.name}' arrived incomplete; drop it again") from None
    finally:
        fresh.unlink(missing_ok=True)


def _make_room(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < LEAST_FREE:
        raise GradusError("the disk of this machine is nearly full; free some space and try again")


def _most_bytes(name: str) -> int:
    kind = Path(name).suffix.lower()
    if kind in READERS or name == FILE:
        return MAX_MEGABYTES_OF.get(kind, MAX_MEGABYTES) * 10**6
    if kind in ENDS:
        return MOST_BYTES
    raise BadRequest(f"'{name}' is not a kind of file that Gradus reads: {', '.join(READERS)}")


def _check_part(part: str) -> None:
    odd = any(c in "\\/" or unicodedata.category(c) in ("Cc", "Cs") for c in part)
    if odd or not part.strip(" .") or part != part.strip() or is_left_out(part):
        raise BadRequest(f"'{part}' cannot be used as a name here; rename it")
    if len(part.encode()) > MOST_NAME:
        raise BadRequest(f"the name '{part[:40]} …' is longer than {MOST_NAME} bytes; shorten it")
