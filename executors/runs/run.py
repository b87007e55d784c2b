"""Starts a recipe in a child process and follows it to its result.

The limits hold whether or not anybody reads: a thread for each run watches them. What they cover:
time, silence, what the child prints (kept up to `LOG_BYTES`), everything the child starts. What
they do not: memory (recipes bound their own trials; the system, when it runs out, ends the child
before us), and what a recipe's code may read or write.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from executors.cluster_address import check_address
from executors.devices import place_name
from executors.errors import RecipeError
from executors.recipe import check_params, find_recipe
from executors.runs.ending import settled
from executors.runs.folder import EVENTS, LOG, PID, RESULT, SPEC, read_json, write_json
from executors.runs.identity import identity, lives
from executors.runs.launch import Child, child_environment, launch
from executors.runs.lifeline import end_tree
from executors.runs.result import RunResult, Status
from executors.runs.tail import LogFile, Tail
from executors.runs.track import check_tracker, track
from executors.runs.turns import Turn
from executors.runs.warm import Warm

__all__ = ["GRACE_S", "Run", "RunResult", "start", "take_up"]

GRACE_S = 2.0  # between SIGTERM and SIGKILL
AWAY_GRACE_S = 20.0  # the same of a run on a cluster, which is ended there
_LOOK_S = 0.05
_TURN_S = 0.2  # how often a run that waits asks whether it is its turn


@dataclass(frozen=True, slots=True)
class _Options:
    """How a run is followed; see `start`."""

    timeout_s: float
    silence_s: float | None
    warm: Warm | None
    tracker: str
    away: tuple[str, ...] = ()  # words of the proxy of a run on a cluster

    @property
    def grace_s(self) -> float:
        """Seconds that the child gets to end by itself."""
        return AWAY_GRACE_S if self.away else GRACE_S


def start(
    recipe: str,
    params: Mapping[str, object],
    runs_dir: Path,
    *,
    timeout_s: float = 3600,
    silence_s: float | None = 900,
    queue: bool = False,
    warm: Warm | None = None,
    tracker: str = "",
    after: str = "",
    on: str = "",
    learner_files: bool = False,
    laid: Mapping[str, bytes] = MappingProxyType({}),
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
        Seconds after which the run is ended: in all, and without any event or output. Waiting in
        line does not count.
    queue : bool
        Begin only when no other queued run of `runs_dir`, also of other programs, has the device:
        each card takes one run, and the CPU one. Until then events "queued" tell how many runs are
        ahead; "begins" tells the device.
    warm : Warm or None
        Gives the child, if it has one ready that fits, and is made ready again after the run.
    tracker : {"", "mlflow", "trackio"}
        Where the run is also sent once it has ended; what came of it is a note of the result.
    after : str
        Id of the run that this one goes on from, which its history then says.
    on : str
        Address of a Ray cluster to run on, where Ray queues; "" for this machine. Limits hold
        there; files that are given are sent along when small (`executors.cluster.sent`).
    learner_files : bool
        Whether a Python file of the user's may be sent to a cluster and run there.
    laid : mapping
        Files by name that the child finds in its folder, see `executors.runs.post`.

    Raises
    ------
    UnknownRecipe, BadParameter
        Before anything is started.
    RecipeError
        When the run's folder cannot be written, or the run may not go to the cluster.
    """
    known = find_recipe(recipe)
    checked = check_params(known, params)
    check_tracker(tracker)
    address = check_address(on)
    if address and checked.get("learner") and not learner_files:
        raise RecipeError(
            "a learner's file is code that would run on the cluster with its rights; "
            "--allow-learner-files allows it"
        )
    options = _Options(timeout_s, silence_s, warm, tracker)
    if address:
        options = _away(tracker, again=False)
    task = str(checked.get("task") or (known.tasks[0] if known.tasks else ""))
    now = datetime.now(UTC)
    folder = runs_dir.absolute() / f"{now:%Y%m%dT%H%M%SZ}-{recipe}-{secrets.token_hex(3)}"
    spec: dict[str, object] = {"recipe": recipe, "task": task, "params": checked}
    spec |= {"started": now.isoformat(), "starter": identity(os.getpid()), "after": after}
    if address:
        spec |= {"on": address, "timeout_s": timeout_s, "silence_s": silence_s}
    try:
        folder.mkdir(parents=True)
        write_json(folder / SPEC, spec)
        for name, content in laid.items():
            (folder / name).write_bytes(content)
        here = queue and not address
        turn = Turn(folder, str(checked.get("device") or "auto")) if here else None
        return Run(RunResult("failed", recipe, task, "", folder=str(folder)), options, turn)
    except OSError as error:
        raise RecipeError(
            f"the run cannot be written to {folder}: {error.strerror or error}; "
            "free some space there or choose another folder"
        ) from error


def take_up(folder: Path) -> Run:
    """Follow a run on a cluster again whose starter is gone; it is fetched from its beginning.

    Raises
    ------
    RecipeError
        When it is no such run, or has ended, or somebody follows it.
    """
    spec = read_json(folder / SPEC) or {}
    if not spec.get("on") or (folder / RESULT).exists() or lives(read_json(folder / PID)):
        raise RecipeError(
            f"the run {folder.name} cannot be taken up: it is not a run that continued on "
            "a cluster without the program that started it"
        )
    check_address(str(spec["on"]))
    for name in (EVENTS, LOG):
        (folder / name).unlink(missing_ok=True)
    recipe, task = str(spec.get("recipe", "")), str(spec.get("task", ""))
    return Run(
        RunResult("failed", recipe, task, "", folder=str(folder)), _away("", again=True), None
    )


def _away(tracker: str, *, again: bool) -> _Options:
    """How the proxy of a run on a cluster is followed: the limits hold there."""
    words = ("--again",) if again else ()
    return _Options(math.inf, None, None, tracker, ("cluster.proxy", *words))


class Run:
    """One execution of a recipe, waiting, going on or ended; made by `start`.

    Attributes
    ----------
    id : str
        Name of the run's folder.
    folder : Path
    pid : int
        Process id of the child, which leads a process group of its own; 0 until it begins.
    warmed : bool
        Whether the child was ready before the run.
    """

    def __init__(self, blank: RunResult, options: _Options, turn: Turn | None) -> None:
        self.folder = Path(blank.folder)
        self.id, self.pid, self.warmed = self.folder.name, 0, False
        self._blank, self._options, self._turn = blank, options, turn
        self._ended, self._cancel = threading.Event(), threading.Event()
        self._result: RunResult | None = None
        self._tail, self._said = Tail(self.folder / EVENTS), 0
        self._made = self._begun = time.monotonic()
        self._child: Child | None = None
        if turn is None or turn.begin():
            try:
                self._begin()
            except OSError:
                self._leave()
                raise
        else:
            self._tell("queued", ahead=turn.ahead)
        threading.Thread(target=self._watch, name=f"watch {self.id}", daemon=True).start()

    @property
    def ahead(self) -> int:
        """How many runs have to end before this one begins; 0 once it has begun."""
        return self._turn.ahead if self._turn is not None else 0

    def events(self) -> Iterator[dict[str, Any]]:
        """Every event from the first, waiting for the next; the last is the result."""
        tail, ended = Tail(self.folder / EVENTS), False
        while not ended:
            ended = self._ended.wait(_LOOK_S)
            yield from tail.read()
        yield self.wait().to_event()

    def cancel(self) -> None:
        """End the run and everything it started, and wait for that; an ended run stays as it is."""
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

    def _begin(self, *, cold: bool = False) -> Child:
        """Start the child, a warm one if there is one that fits."""
        card = self._turn.card if self._turn is not None else ""
        if self._turn is not None and not cold:
            name, hardware = place_name(self._turn.device)
            self._tell("begins", device=name, card=hardware)
        self._said = self._tail.size()
        warm = self._options.warm
        child = warm.take(self.folder, card) if warm is not None and not cold else None
        self.warmed = child is not None
        module, *words = self._options.away or ("runs.child",)
        self._child = child or launch(
            [str(self.folder), *words],
            self.folder,
            child_environment(self.id, card),
            module=module,
        )
        self.pid, self._begun = self._child.popen.pid, time.monotonic()
        with contextlib.suppress(OSError):  # the history then goes by the starter
            write_json(self.folder / PID, identity(self.pid))
        return self._child

    def _watch(self) -> None:
        """Follow the run from its place in line to its end; keep and send what it ended with."""
        result = self._blank
        try:
            result = self._kept(result := self._lived())
        except OSError as error:
            result = replace(
                result, message=f"{result.message} ({error.strerror or error})".strip()
            )
        finally:
            self._result = result
            self._ended.set()
            if self._options.warm is not None:
                self._options.warm.prepare()

    def _lived(self) -> RunResult:
        try:
            return self._live()
        except OSError as error:
            return replace(
                self._blank,
                message=f"the run could not be followed to its end: {error.strerror or error}",
            )
        finally:
            self._leave()

    def _live(self) -> RunResult:
        """The result of the run, once it had its turn and its child has ended."""
        if self._turn is not None and not self._wait_for(self._turn):
            return replace(
                self._blank, status="cancelled", message="the run was cancelled while it waited"
            )
        child = self._child or self._begin()
        result = self._follow_to_end(child)
        if self.warmed and result is None:  # it never began: what is ready may still be broken
            child.let_go()
            result = self._follow_to_end(self._begin(cold=True))
        if result is not None and self._options.away:
            return result  # whose seconds are those of the node
        return replace(result or self._blank, seconds=round(time.monotonic() - self._begun, 3))

    def _wait_for(self, turn: Turn) -> bool:
        """Stand in line; False when the run was cancelled there."""
        while not turn.device:
            if self._cancel.wait(_TURN_S):
                return False
            before = turn.ahead
            if not turn.begin() and turn.ahead != before:
                self._tell("queued", ahead=turn.ahead)
        return True

    def _tell(self, event: str, **fields: object) -> None:
        """An event of the starter's own, while there is no child that writes."""
        self._tail.append({"event": event, "t": round(time.monotonic() - self._made, 3), **fields})

    def _follow_to_end(self, child: Child) -> RunResult | None:
        """Follow the child; None when a warm one ended by itself before it said anything."""
        log = LogFile(self.folder / LOG)
        try:
            verdict = self._follow(child, log)
            end_tree(child.popen.pid, self._options.grace_s if verdict else 0.0, self.id)
            code = child.popen.wait()
            for _ in range(
                64
            ):  # what is left in the pipe: at most its buffer, for somebody may still hold it
                log.write(child.printed(0.0))
        finally:
            log.close()
        if self.warmed and verdict is None and self._tail.size() == self._said:
            return None
        return settled(self._blank, verdict, code, log.last_line())

    def _follow(self, child: Child, log: LogFile) -> tuple[Status, str] | None:
        """Wait until the child ends (None) or has to be ended (why)."""
        size, sign = 0, time.monotonic()
        timeout_s, silence_s = self._options.timeout_s, self._options.silence_s
        while not child.gone():
            printed = child.printed(_LOOK_S)
            log.write(printed)
            now_size = self._tail.size()
            if printed or now_size != size:
                size, sign = now_size, time.monotonic()
            if self._cancel.is_set():
                return "cancelled", "the run was cancelled"
            if time.monotonic() - self._begun > timeout_s:
                took = f"the run took longer than its limit of {timeout_s:g} s"
                return "timeout", f"{took}; give it more time or less to do"
            if silence_s is not None and time.monotonic() - sign > silence_s:
                silent = f"the run gave no sign of life for {silence_s:g} s"
                return "timeout", f"{silent}; its log may say why, and it can be started again"
        return None

    def _leave(self) -> None:
        """Let go of the child and of the device."""
        if self._child is not None:
            self._child.let_go()
            self._child = None
        if self._turn is not None:
            with contextlib.suppress(OSError):  # a holder that is gone counts for nothing
                self._turn.leave()

    def _kept(self, result: RunResult) -> RunResult:
        """Leave the result in the folder and as the last event; send it if that was asked for."""
        write_json(self.folder / RESULT, result.to_event())
        if self._options.tracker:
            note = track(self.folder, self._options.tracker, self._cancel)
            result = replace(result, notes=(*result.notes, note))
            write_json(self.folder / RESULT, result.to_event())
        self._tail.append(result.to_event())
        return result
