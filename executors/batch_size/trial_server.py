"""Starts trials at once: a process that has imported what is heavy is forked for each.

The server does nothing but import: it opens no card, starts no threads of its own and holds no
data, so that a forked trial has the heap and the devices of a fresh process. What a fork does not
take along, the pages of libraries that were read, is read again before the trial begins; its first
step would count them as its own memory otherwise. The system ends the server with the recipe, and
its trials with it. A child that was ready before its run (`executors.runs.warm`) has imported the
same and done nothing else: `fork_early` makes a server of it at once. Elsewhere than on Linux the
system's own libraries do not bear a fork; there each trial is a program of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import mmap
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from executors.errors import RecipeError
from executors.leaving import leave
from executors.runs.launch import child_environment
from executors.runs.lifeline import end_with_parent
from executors.runs.warm import HEAVY

__all__ = ["TrialServer", "fork_early", "main"]

_ORDER_BYTES = 64  # an order or its answer: a word and a number
_POPULATE_READ = 22  # of madvise(2); systems that do not know it (Linux before 5.14) refuse
_FORKS = sys.platform == "linux"


class _Fork:
    """A fork of this process, as far as `subprocess.Popen` is needed of it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, None while it lives."""
        if self._code is None:
            ended, status = os.waitpid(self._pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if ended else None
        return self._code

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self._code

    def kill(self) -> None:
        """End it."""
        if self.poll() is None:
            os.kill(self._pid, signal.SIGKILL)


_early: dict[str, tuple[socket.socket, _Fork]] = {}  # by the module of their trials


def fork_early(module: str) -> None:
    """Fork a server for the first `TrialServer` of the module; nothing where trials are not forked.

    To be called while this process has done nothing but import.
    """
    if not _FORKS:
        return
    ours, theirs = socket.socketpair()
    starter, pid = os.getpid(), os.fork()
    if pid:
        theirs.close()
        _early[module] = ours, _Fork(pid)
        return
    code = 1
    try:
        ours.close()
        end_with_parent(starter)
        code = _follow(theirs.detach(), module, forks=True)
    except BaseException:  # noqa: BLE001 - the outermost edge of a process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class TrialServer:
    """Starts and ends the trials of one recipe.

    Parameters
    ----------
    module : str
        What a trial runs: its `main` takes the descriptor of a socket that requests come from and
        answers go to; run with `python -m`, it takes that descriptor as its argument.
    forks : bool
        Whether trials are forked.
    imports : tuple of str
        Modules that a fork finds imported; those that are not there are left out.
    """

    def __init__(
        self, module: str, *, forks: bool = _FORKS, imports: tuple[str, ...] = HEAVY
    ) -> None:
        self._process: subprocess.Popen[bytes] | _Fork
        if forks and module in _early:
            self._control, self._process = _early.pop(module)
            return
        self._control, theirs = socket.socketpair()
        with theirs:
            words = [module, str(theirs.fileno()), str(os.getpid())]
            words += ["fork", *imports] if forks else ["spawn"]
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "executors.batch_size.trial_server", *words],
                stdin=subprocess.DEVNULL,
                env=child_environment(),
                pass_fds=(theirs.fileno(),),
            )

    @property
    def lives(self) -> bool:
        """Whether it can start a trial."""
        return self._process.poll() is None

    def start(self) -> tuple[int, socket.socket]:
        """Process id of a new trial, and the socket on which it is asked.

        Raises
        ------
        RecipeError
            When the server has ended.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            pid = self._order("start", theirs.fileno())
        if pid is None:
            ours.close()
            code = self._process.wait()
            raise RecipeError(f"no trial can be started (exit code {code}); the log says why")
        return pid, ours

    def end(self, pid: int, *, kill: bool) -> int:
        """Wait for a trial, once; its exit code, negative for the signal that ended it."""
        code = self._order(f"{'kill' if kill else 'wait'} {pid}")
        return self._process.wait() if code is None else code  # it took the trial with it

    def close(self) -> None:
        """End the server, and with it the trials that are left."""
        self._control.close()
        self._process.kill()
        self._process.wait()

    def _order(self, order: str, *descriptors: int) -> int | None:
        """The answer; None when the server has ended."""
        try:
            socket.send_fds(self._control, [order.encode()], descriptors)
            answer = self._control.recv(_ORDER_BYTES)
        except OSError:
            return None
        return int(answer) if answer else None


def main() -> int:
    """Import and serve; in a forked trial, do what its module does."""
    module, control, starter, way, *imports = sys.argv[1:]
    end_with_parent(int(starter))
    forks = way == "fork"
    if forks:
        for name in imports:
            with contextlib.suppress(ImportError):  # a trial that needs it will say so better
                importlib.import_module(name)
    return _follow(int(control), module, forks=forks)


def _follow(control: int, module: str, *, forks: bool) -> int:
    """Serve as long as there are orders; in a forked trial, do what its module does."""
    if forks:
        importlib.import_module(module)
        gc.collect()
        gc.freeze()  # a trial collects after each batch: it need not look at all that was imported
    with socket.socket(fileno=control) as orders:
        orders.set_inheritable(False)
        channel = _serve(orders, module, forks=forks)
    code = 0 if channel is None else int(sys.modules[module].main(channel))
    gc.unfreeze()  # libraries complain at the end of what is left over
    return code


def _serve(orders: socket.socket, module: str, *, forks: bool) -> int | None:
    """Follow orders until there are no more; in a forked trial, the descriptor of its socket."""
    read = list(_read_of_files()) if forks else []
    while True:
        order, descriptors, *_ = socket.recv_fds(orders, _ORDER_BYTES, 1)
        if not order:
            return None
        if descriptors:
            (channel,) = descriptors
            answer = _forked(read) if forks else _spawned(module, channel)
            if answer == 0:
                return channel
            os.close(channel)
        else:
            word, pid = order.decode().split()
            answer = _ended(int(pid), kill=word == "kill")
        orders.sendall(str(answer).encode())


def _read_of_files() -> Iterator[tuple[int, int]]:
    """Address and length of each run of pages of files that this process has in its memory."""
    with contextlib.suppress(OSError), Path("/proc/self/pagemap").open("rb") as pages:
        for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
            span, rights, _, _, inode, *_ = line.split()
            if inode == "0" or not rights.startswith("r"):
                continue
            begin, end = (int(part, 16) for part in span.split("-"))
            pages.seek(begin // mmap.PAGESIZE * 8)
            entries = np.frombuffer(pages.read((end - begin) // mmap.PAGESIZE * 8), np.uint64)
            there = np.concatenate([[0], entries >> np.uint64(63), [0]]).astype(np.int8)
            starts, ends = (np.flatnonzero(np.diff(there) == step) for step in (1, -1))
            for first, past in zip(starts.tolist(), ends.tolist(), strict=True):
                yield begin + first * mmap.PAGESIZE, (past - first) * mmap.PAGESIZE


def _forked(read: list[tuple[int, int]]) -> int:
    """Process id of a fork; 0 in the fork itself, which has these pages in its memory."""
    server, pid = os.getpid(), os.fork()
    if pid == 0:
        end_with_parent(server)
        madvise = ctypes.CDLL(None).madvise
        for address, length in read:
            madvise(ctypes.c_void_p(address), ctypes.c_size_t(length), _POPULATE_READ)
    return pid


def _spawned(module: str, channel: int) -> int:
    """Process id of a program of its own."""
    os.set_inheritable(channel, True)
    words = [sys.executable, "-P", "-m", module, str(channel)]
    return os.posix_spawn(sys.executable, words, os.environ)


def _ended(pid: int, *, kill: bool) -> int:
    """The exit code of a trial; nobody has waited for it, so that its number is still its own."""
    if kill:
        os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    leave(main())
