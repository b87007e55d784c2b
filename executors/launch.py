"""The environment that a child process of ours is started in."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

__all__ = ["child_environment"]


def child_environment() -> dict[str, str]:
    """An environment in which a child finds `executors`, draws without a screen and prints without delay.

    Our home is added last, and only where Python would not look anyway, so that it hides nothing of the user's.
    """
    home = str(Path(__file__).resolve().parent.parent)
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    installed = sysconfig.get_paths()
    if home not in (installed["purelib"], installed["platlib"], *paths):
        paths.append(home)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1", "MPLBACKEND": "Agg"}
