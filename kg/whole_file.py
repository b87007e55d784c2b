"""Write a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from pathlib import Path

__all__ = ["clear_unfinished", "write_whole"]

# What a writer that was killed leaves; the second form is that of an older Gradus.
_UNFINISHED = re.compile(r"(?:\.gradus-(\d+)-[0-9a-f]{8}|vectors\.faiss\.(\d+))\.new")


def write_whole(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Put content in a file's place at once, on the disk, with the rights the file has.

    Who reads meanwhile, or after a failure, finds all of the old or all of the new. The new one is
    written beside it first, under a hidden name.

    Parameters
    ----------
    mode : int
        The rights of a file that is not there yet, less the umask; 0o600 for its owner alone.

    Raises
    ------
    OSError
        When the folder cannot be written or the disk is full; the file is then as it was.
    """
    fresh = path.with_name(f".gradus-{os.getpid()}-{secrets.token_hex(4)}.new")
    try:
        with open(fresh, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            fresh.chmod(stat.S_IMODE(path.stat().st_mode))
        fresh.replace(path)
    finally:
        if fresh.exists():
            fresh.unlink()


def clear_unfinished(folder: Path) -> None:
    """Take away what writers that are gone have left unfinished in a folder."""
    import psutil

    with contextlib.suppress(OSError):
        for file in list(folder.iterdir()):
            name = _UNFINISHED.fullmatch(file.name)
            if name and not psutil.pid_exists(int(name[1] or name[2])):
                file.unlink(missing_ok=True)
