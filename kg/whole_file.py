"""Write a file whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, content: bytes) -> None:
    """Put content in a file's place at once, on the disk, with the rights the file has.

    Who reads meanwhile, or after a failure, finds all of the old or all of the new. The new one is
    written beside it first, under a hidden name.

    Raises
    ------
    OSError
        When the folder cannot be written or the disk is full; the file is then as it was.
    """
    fresh = path.with_name(f".gradus-{os.getpid()}-{secrets.token_hex(4)}.new")
    try:
        with fresh.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            fresh.chmod(stat.S_IMODE(path.stat().st_mode))
        fresh.replace(path)
    finally:
        if fresh.exists():
            fresh.unlink()
