"""Starts a child process of ours: its environment, its group, and the pipe that keeps it alive."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

from executors.devices import CARD

__all__ = ["RUN", "Child", "child_environment", "launch"]

RUN = "GRADUS_RUN"  # in the environment of all that a run starts: the run's id


@dataclass(frozen=True, slots=True)
class Child:
    """A child that was started, and the pipe's end that keeps it alive."""

    popen: subprocess.Popen[bytes]
    lifeline: int

    def gone(self) -> bool:
        """Whether it has ended; where possible it stays unreaped, and its number its own."""
        if hasattr(os, "waitid"):
            return (
                os.waitid(os.P_PID, self.popen.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
                is not None
            )
        return self.popen.poll() is not None

    def printed(self, wait_s: float) -> bytes:
        """What it printed within so long, at most 64 KiB; b"" also once it closed the pipe."""
        assert self.popen.stdout is not None
        pipe = self.popen.stdout.fileno()
        poll = select.poll()  # unlike select, takes any descriptor's number
        poll.register(pipe, select.POLLIN | select.POLLHUP)
        if not poll.poll(wait_s * 1000):
            return b""
        block = os.read(pipe, 65536)
        if not block:  # closed by the child, which may still go on
            time.sleep(wait_s)
        return block

    def let_go(self) -> None:
        """Close the lifeline and the pipes; a child that still lives kills its own group then."""
        os.close(self.lifeline)
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not flushed to a child that is gone
                    pipe.close()


def child_environment(run: str = "", card: str = "") -> dict[str, str]:
    """A child's environment: it finds `executors`, draws without a screen, prints without delay.

    Our home is added last, and only where Python would not look anyway, so that it hides nothing of
    the user's. Cards are numbered as the driver and nvidia-smi number them, unless the user says
    otherwise.

    Parameters
    ----------
    run : str
        The run's id, which marks all that it starts; "" keeps the mark of the caller's environment.
    card : str
        The uuid of the card to take where a recipe's device is "auto"; "" leaves the choice to the
        child.
    """
    home = str(Path(__file__).resolve().parents[2])
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    installed = sysconfig.get_paths()
    if home not in (installed["purelib"], installed["platlib"], *paths):
        paths.append(home)
    ours = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1", "MPLBACKEND": "Agg"}
    marks = {RUN: run} | ({CARD: card} if card else {}) if run else {}
    return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", **os.environ, **ours, **marks}


def launch(
    words: list[str],
    folder: Path,
    environment: dict[str, str],
    *,
    ready: int | None = None,
    module: str = "runs.child",
) -> Child:
    """Start a module of ours with these words, in a group of its own that ends with this program.

    Parameters
    ----------
    words : list of str
        Followed by the options --lifeline and --starter, which `lifeline.end_with_starter` takes.
    folder : Path
        Where it works.
    environment : dict
    ready : int or None
        Descriptor on which a child that waits says that it is ready; its order comes on standard
        input.
    module : str
        Below `executors`.

    Raises
    ------
    OSError
        When the system starts no more, or `folder` is not there.
    """
    lifeline, held = os.pipe()
    command = [sys.executable, "-P", "-m", f"executors.{module}", *words]
    command += ["--lifeline", str(lifeline), "--starter", str(os.getpid())]
    try:
        popen = subprocess.Popen(
            command if ready is None else [*command, "--ready", str(ready)],
            stdin=subprocess.DEVNULL if ready is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            pass_fds=(lifeline,) if ready is None else (lifeline, ready),
            start_new_session=True,
        )
    except OSError:
        os.close(held)
        raise
    finally:
        os.close(lifeline)
    return Child(popen, held)
