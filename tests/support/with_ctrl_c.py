"""A server of a test, ended as a user ends it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["ended_with_ctrl_c"]


@contextmanager
def ended_with_ctrl_c(server: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """The server, until the block ends; one that does not end in half a minute is killed."""
    try:
        yield server
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGINT)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
