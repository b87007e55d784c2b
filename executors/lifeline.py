"""Ties the life of a run's child to its starter's, and ends a whole tree of what a run started.

The starter keeps the write end of a pipe; when it ends, however it ends, the child reads end-of-file and kills its own
group. Linux's parent-death signal is not used for that, because it fires when the starting *thread* ends, and pages
start runs from threads that come and go; it serves a child's own workers, which its main thread starts.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import threading
import time

import psutil

__all__ = ["end_tree", "end_with_parent", "end_with_starter"]

_PR_SET_PDEATHSIG = 1
_LOOK_S = 1.0


def end_with_starter(pipe: int, starter: int) -> None:
    """From now on, kill the own process group as soon as the pipe's write end is closed or the parent is another.

    Parameters
    ----------
    pipe : int
        Descriptor of the read end.
    starter : int
        Process id of the parent that started this one.
    """

    def watch() -> None:
        while True:
            ready, _, _ = select.select([pipe], [], [], _LOOK_S)
            if (ready and not os.read(pipe, 1)) or os.getppid() != starter:
                os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def end_with_parent(parent: int) -> None:
    """Let the system kill this process when `parent`, whose main thread started it, ends (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


def end_tree(leader: int, grace_s: float) -> None:
    """End the group led by `leader` and every descendant that left it: SIGTERM, `grace_s` seconds, SIGKILL.

    The leader must not have been waited for yet, so that its number cannot belong to somebody else.
    """
    tree = _descendants(leader)
    _signal(leader, tree, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while time.monotonic() < deadline and any(_alive(one) for one in tree):
        time.sleep(0.02)
    _signal(leader, tree + _descendants(leader), signal.SIGKILL)


def _descendants(leader: int) -> list[psutil.Process]:
    try:
        top = psutil.Process(leader)
        return [top, *top.children(recursive=True)]
    except psutil.Error:
        return []


def _alive(one: psutil.Process) -> bool:
    try:
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _signal(leader: int, tree: list[psutil.Process], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
    for one in tree:
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if _alive(one) and os.getpgid(one.pid) != leader:
                one.send_signal(number)
