"""Ties the life of a run's child to its starter's, and ends all that a run started.

The starter keeps the write end of a pipe; when it ends, however it ends, the child reads
end-of-file and kills its own group. Linux's parent-death signal is not used for that, because it
fires when the starting *thread* ends, and pages start runs from threads that come and go; it serves
a child's own workers, which its main thread starts.

What a run starts is found by its group, by descent, and by the mark in its environment
(`launch.RUN`), which also finds what left both. Not found is what left both and took another
environment. A child whose own code holds Python's lock in one long call ends with its starter only
when that call does.
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
from pathlib import Path

import psutil

from executors.runs.launch import RUN

__all__ = ["be_first_to_go", "end_tree", "end_with_parent", "end_with_starter"]

_PR_SET_PDEATHSIG = 1
_LOOK_S = 1.0
_FIRST_TO_GO = "700"  # of 1000


def end_with_starter(pipe: int, starter: int) -> None:
    """From now on, kill the own run once the pipe's write end is closed or the parent another.

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
                try:
                    for one in _tree(os.getpid(), os.environ.get(RUN, ""))[1:]:
                        with contextlib.suppress(psutil.Error):
                            one.kill()
                finally:
                    os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def be_first_to_go() -> None:
    """Let the system, when memory runs out, end this process's family first (Linux only)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")


def end_with_parent(parent: int) -> None:
    """Let the system kill this process when the parent's thread that started it ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


def end_tree(leader: int, grace_s: float, mark: str = "") -> None:
    """End the group led by `leader` and what left it: SIGTERM, `grace_s` seconds, SIGKILL.

    The leader must not have been waited for yet, so that its number cannot belong to somebody else.

    Parameters
    ----------
    leader : int
        Process id.
    grace_s : float
        Seconds; 0 for SIGKILL at once after SIGTERM.
    mark : str
        The run's id; what carries it is ended too.
    """
    tree = _tree(leader, mark)
    _signal(leader, tree, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while time.monotonic() < deadline and any(_alive(one) for one in tree):
        time.sleep(0.02)
    _signal(leader, tree + _tree(leader, mark), signal.SIGKILL)


def _tree(leader: int, mark: str) -> list[psutil.Process]:
    """The leader, its descendants, and whoever carries the mark."""
    family: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(leader)
        family = [top, *top.children(recursive=True)]
    if not mark:
        return family
    others = (one for one in psutil.process_iter() if one not in family)
    return family + [one for one in others if _carries(one, mark)]


def _carries(one: psutil.Process, mark: str) -> bool:
    try:
        return one.pid != os.getpid() and one.environ().get(RUN) == mark
    except (psutil.Error, OSError):
        return False


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
