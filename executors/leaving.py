"""The end of a process of ours, without the seconds in which torch would be taken apart."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from typing import NoReturn

__all__ = ["leave"]


def leave(code: object = 0) -> NoReturn:
    """End this process as `sys.exit` would, but for what the interpreter then takes apart.

    Threads are waited for and what is due at the end is done, as where a process of
    multiprocessing ends; `finally` and `with` around the call are not.

    Parameters
    ----------
    code : int, None or anything else
        As for `sys.exit`: None is 0; what is no number is said on standard error, and is 1.
    """
    if code is not None and not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more; it is closed
            stream.flush()
    os._exit((code or 0) & 0xFF)
