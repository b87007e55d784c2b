"""Keeps one child ready that has imported what is heavy, so that a run starts at once.

It is an interpreter of its own, never a fork, and holds no CUDA context: imports alone do not open
a card. It serves one run and ends with it. While it waits it takes no processor time but 0.5 GB of
memory of its own, 0.84 GB with what it shares (torch for CUDA 13, torchvision, fastai; Linux), and
it ends with this program, however that ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import site
import sys
import sysconfig
import threading
from pathlib import Path

from executors.devices import CARD
from executors.runs.launch import RUN, Child, child_environment, launch
from executors.runs.lifeline import end_tree

__all__ = ["HEAVY", "Warm"]

HEAVY = (
    "torch",
    "torchvision",
    "fastai.vision.all",
    "fastai.tabular.all",
    "fastai.text.all",
    "fastai.collab",
)


class Warm:
    """A child that waits for a run; made ready at once and, by `prepare`, after each run.

    Parameters
    ----------
    imports : tuple of str
        Modules that it imports; those that are not there are left out.
    """

    def __init__(self, imports: tuple[str, ...] = HEAVY) -> None:
        self._imports = imports
        self._lock = threading.Lock()
        self._spare: Child | None = None
        self._made_for: object = None
        self._ready = -1
        self._closed = False
        self.prepare()

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id of the child that waits; 0 when there is none."""
        spare = self._spare
        return spare.popen.pid if spare is not None else 0

    def prepare(self) -> None:
        """Have a child that fits what is installed now; returns while it goes on importing."""
        with self._lock:
            if self._closed or self._fits():
                return
            self._drop()
            with contextlib.suppress(OSError):  # without one, runs start the cold way
                self._start()

    def wait_ready(self) -> bool:
        """Wait until the imports are done; False when no child waits, or it ended."""
        with self._lock:
            if self._ready < 0:
                return False
            ready = os.dup(self._ready)
        poll = select.poll()
        poll.register(ready, select.POLLIN)
        try:
            return bool(poll.poll()[0][1] & select.POLLIN)
        finally:
            os.close(ready)

    def take(self, folder: Path, card: str = "") -> Child | None:
        """The child, with the order to do the run of `folder`; None when there is none that fits.

        Parameters
        ----------
        folder : Path
            The run's folder, absolute.
        card : str
            As in `child_environment`.
        """
        with self._lock:
            if not self._fits():
                self._drop()
                return None
            spare, self._spare = self._spare, None
            self._forget_ready()
        assert spare is not None and spare.popen.stdin is not None
        order = {
            "folder": str(folder),
            "environment": {RUN: folder.name} | ({CARD: card} if card else {}),
        }
        try:
            spare.popen.stdin.write(json.dumps(order).encode() + b"\n")
            spare.popen.stdin.close()
        except OSError:
            _end(spare)
            return None
        return spare

    def close(self) -> None:
        """End the child that waits; none is made ready any more."""
        with self._lock:
            self._closed = True
            self._drop()

    def _fits(self) -> bool:
        spare = self._spare
        return (
            spare is not None and spare.popen.poll() is None and self._made_for == _surroundings()
        )

    def _start(self) -> None:
        self._made_for = _surroundings()
        self._ready, written = os.pipe()
        words = ["--wait", "--imports", ",".join(self._imports)]
        try:
            self._spare = launch(words, Path("/"), child_environment(), ready=written)
        except OSError:
            self._forget_ready()
            raise
        finally:
            os.close(written)

    def _drop(self) -> None:
        self._forget_ready()
        if self._spare is not None:
            spare, self._spare = self._spare, None
            _end(spare)

    def _forget_ready(self) -> None:
        if self._ready >= 0:
            os.close(self._ready)
            self._ready = -1


def _end(spare: Child) -> None:
    end_tree(spare.popen.pid, 0.0)
    spare.popen.wait()
    spare.let_go()


def _surroundings() -> object:
    """What a child was started in: environment, interpreter, what is installed, our own code."""
    environment = child_environment()
    installed = sysconfig.get_paths()
    places = [installed["purelib"], installed["platlib"], site.getusersitepackages()]
    places += environment["PYTHONPATH"].split(os.pathsep)
    ours = sorted(Path(__file__).parents[1].rglob("*.py"))
    return (
        tuple(sorted(environment.items())),
        sys.executable,
        tuple(_stamp(Path(place)) for place in (sys.executable, *places)),
        tuple((path, _stamp(path)) for path in ours),
    )


def _stamp(path: Path) -> tuple[int, int] | None:
    """Changes when the file, or the list of a folder's files, does."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_ino
