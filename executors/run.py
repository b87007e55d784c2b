"""Starts a recipe in a child process and follows it: events, limits of time and silence, cancel, result.

The limits hold whether or not anybody reads: a thread for each run watches them. What they cover: time, silence, what
the child prints (kept up to `LOG_BYTES`), everything the child starts. What they do not: memory (recipes bound their
own trials), and what a recipe's code may read or write.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from .errors import RecipeError
from .folder import EVENTS, FOLDER_LOST, LOG, PID, RESULT, SPEC, read_json, write_json
from .launch import child_environment
from .lifeline import end_tree
from .recipe import check_params, find_recipe
from .result import RunResult, Status, result_from
from .tail import LogFile, Tail

__all__ = ["GRACE_S", "Run", "RunResult", "start"]

GRACE_S = 2.0  # between SIGTERM and SIGKILL
_LOOK_S = 0.05


def start(
    recipe: str,
    params: Mapping[str, object],
    runs_dir: Path,
    *,
    timeout_s: float = 3600,
    silence_s: float | None = 900,
) -> Run:
    """Start the recipe in a child process; returns at once.

    Parameters
    ----------
    recipe : str
        A recipe's name.
    params : mapping
        Checked by `check_params`; text is welcome.
    runs_dir : Path
        Where the run's own folder is made.
    timeout_s, silence_s : float
        Seconds after which the run is ended: in all, and without any event or output.

    Raises
    ------
    UnknownRecipe, BadParameter
        Before anything is started.
    RecipeError
        When the run's folder cannot be written.
    """
    found = find_recipe(recipe)
    checked = check_params(found, params)
    task = str(checked.get("task") or (found.tasks[0] if found.tasks else ""))
    now = datetime.now(UTC)
    folder = runs_dir.absolute() / f"{now:%Y%m%dT%H%M%SZ}-{recipe}-{secrets.token_hex(3)}"
    spec = {
        "recipe": recipe,
        "task": task,
        "params": checked,
        "started": now.isoformat(),
        "starter": _identity(os.getpid()),
    }
    try:
        folder.mkdir(parents=True)
        write_json(folder / SPEC, spec)
        return Run(folder, recipe, task, timeout_s, silence_s)
    except OSError as error:
        raise RecipeError(
            f"the run cannot be written to {folder}: {error.strerror or error}; "
            "free some space there or choose another folder"
        ) from error


class Run:
    """One execution of a recipe, going on or ended; made by `start`.

    Attributes
    ----------
    id : str
        Name of the run's folder.
    folder : Path
    pid : int
        Process id of the child, which leads a process group of its own.
    """

    def __init__(self, folder: Path, recipe: str, task: str, timeout_s: float, silence_s: float | None) -> None:
        self.id = folder.name
        self.folder = folder
        self._blank = RunResult("failed", recipe, task, "", folder=str(folder))
        self._timeout_s, self._silence_s = timeout_s, silence_s
        self._lock, self._ended, self._cancel = threading.Lock(), threading.Event(), threading.Event()
        self._result: RunResult | None = None
        self._tail, self._told = Tail(folder / EVENTS), False
        self._log = LogFile(folder / LOG)
        self._started = time.monotonic()
        self._child, self._lifeline = _launch(folder)
        self.pid = self._child.pid
        with contextlib.suppress(OSError):  # the history then goes by the starter
            write_json(folder / PID, _identity(self.pid))
        threading.Thread(target=self._watch, name=f"watch {self.id}", daemon=True).start()

    def new_events(self) -> list[dict[str, Any]]:
        """Events since the last call, without waiting; the result comes last, once."""
        with self._lock:
            ended = self._ended.is_set()  # before reading: what was written before the end is then read
            events = self._tail.read()
            if ended and not self._told and self._result is not None:
                self._told = True
                events.append(self._result.to_event())
            return events

    def events(self) -> Iterator[dict[str, Any]]:
        """Every event from the first, waiting for the next; the last is the result."""
        tail, ended = Tail(self.folder / EVENTS), False
        while not ended:
            ended = self._ended.wait(_LOOK_S)
            yield from tail.read()
        yield self.wait().to_event()

    def cancel(self) -> None:
        """End the run and everything it started; returns when it has ended. A run that had ended stays as it is."""
        self._cancel.set()
        self._ended.wait()

    def result(self) -> RunResult | None:
        """The result, or None while the run goes on."""
        return self._result

    def wait(self) -> RunResult:
        """The result, once there is one."""
        self._ended.wait()
        if self._result is None:
            raise RecipeError(f"the run {self.id} ended without a result")
        return self._result

    def _watch(self) -> None:
        """Follow the child to its end, then settle what the run ended with."""
        result = replace(self._blank, message="the run could not be followed to its end")
        try:
            verdict = self._follow()
            end_tree(self.pid, GRACE_S if verdict else 0.0)
            code = self._child.wait()
            self._drain()
            result = self._settled(verdict, code)
            result = replace(result, seconds=round(time.monotonic() - self._started, 3))
            self._keep(result)
        except OSError as error:
            result = replace(result, message=f"{result.message} ({error.strerror or error})".strip())
        finally:
            os.close(self._lifeline)
            self._result = result
            self._ended.set()

    def _follow(self) -> tuple[Status, str] | None:
        """Wait until the child ends (None) or has to be ended (why)."""
        size, sign = 0, time.monotonic()
        while not self._gone():
            printed = self._collect(_LOOK_S)
            now_size = self._tail.size()
            if printed or now_size != size:
                size, sign = now_size, time.monotonic()
            if self._cancel.is_set():
                return "cancelled", "the run was cancelled"
            if time.monotonic() - self._started > self._timeout_s:
                return "timeout", f"the run took longer than its limit of {self._timeout_s:g} s"
            if self._silence_s is not None and time.monotonic() - sign > self._silence_s:
                return "timeout", f"the run gave no sign of life for {self._silence_s:g} s"
        return None

    def _gone(self) -> bool:
        """Whether the child has ended; it is left unreaped where possible, so that its group's number stays its own."""
        if hasattr(os, "waitid"):
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
        return self._child.poll() is not None

    def _collect(self, wait_s: float) -> bool:
        """Move what the child printed to the log; whether there was anything."""
        assert self._child.stdout is not None
        if self._child.stdout.closed or not _readable(self._child.stdout.fileno(), wait_s):
            return False
        block = os.read(self._child.stdout.fileno(), 65536)
        if not block:  # closed by the child, which may still go on
            time.sleep(wait_s)
        self._log.write(block)
        return bool(block)

    def _drain(self) -> None:
        """Read what is left in the pipe: at most its buffer, for somebody who got away may still hold it."""
        for _ in range(64):
            if not self._collect(0.0):
                break
        if self._child.stdout is not None:
            self._child.stdout.close()
        self._log.close()

    def _settled(self, verdict: tuple[Status, str] | None, code: int) -> RunResult:
        """The child's own result when it wrote one, else what can be said about its end."""
        stored = read_json(self.folder / RESULT)
        if stored is not None:
            try:
                return replace(result_from(stored, self.folder), recipe=self._blank.recipe)
            except ValueError:
                return replace(self._blank, message="the run wrote a result that cannot be read")
        if verdict is not None:
            return replace(self._blank, status=verdict[0], message=verdict[1])
        last = self._log.last_line()
        if code == FOLDER_LOST:
            return replace(
                self._blank, message=f"{last or 'the folder cannot be written'}; free some space and run it again"
            )
        if code < 0:
            return replace(self._blank, message=_killed_by(-code))
        hint = f"; the last it said: {last[:300]}" if last else ""
        return replace(self._blank, message=f"the run ended with exit code {code} and without a result{hint}")

    def _keep(self, result: RunResult) -> None:
        """Leave the result in the folder, as a file and as the last event."""
        event = result.to_event()
        write_json(self.folder / RESULT, event)
        self._tail.append(event)


def _launch(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """The child process, and the descriptor that keeps it alive."""
    lifeline, held = os.pipe()
    try:
        child = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "executors.child",
                str(folder),
                "--lifeline",
                str(lifeline),
                "--starter",
                str(os.getpid()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=child_environment(),
            pass_fds=(lifeline,),
            start_new_session=True,
        )
    except OSError:
        os.close(held)
        raise
    finally:
        os.close(lifeline)
    return child, held


def _readable(pipe: int, wait_s: float) -> bool:
    """Whether there is something to read, or the end, within the time; unlike select, for any descriptor's number."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN | select.POLLHUP)
    return bool(poll.poll(wait_s * 1000))


def _identity(pid: int) -> dict[str, float]:
    """A process by number and birth, so that a number given anew is not taken for it."""
    try:
        return {"pid": pid, "created": psutil.Process(pid).create_time()}
    except psutil.Error:
        return {"pid": pid, "created": 0.0}


def _killed_by(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = "unknown"
    hint = ", perhaps by the system because memory ran out" if number == signal.SIGKILL else ""
    return f"the run was killed by signal {number} ({name}){hint}"
