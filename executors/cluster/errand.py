"""A run on a cluster: who keeps what it says until that was fetched, and who does it.

The errand is a Ray actor that outlives its client's connection and takes no card. It asks Ray for
the run's place, where `_work` starts the run as on any machine (`executors.runs.run`), with its
limits, its own process and its folder, and sends on line by line what comes into that folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from executors.cluster.connect import ray_here
from executors.cluster.order import Order
from executors.cluster.parts import Parts
from executors.cluster.sent import as_here, unpacked
from executors.devices import place_name, places
from executors.errors import RecipeError, one_line, reason
from executors.runs.folder import ENVIRONMENT, EVENTS, LOG, PID, RESULT, SPEC, read_json, write_json
from executors.runs.post import SERVED
from executors.runs.result import Status
from executors.runs.run import Run

__all__ = ["PIECE_BYTES", "Errand", "News"]

PIECE_BYTES = 4_000_000
KEPT_S = 86_400.0  # how long what an ended run left waits for its client
_LOOK_S = 0.05
_SIGN_S = 0.25  # how often a run that says nothing asks whether it is to stop
_GROWING = (EVENTS, LOG)
_RESULT = b'{"event": "result"'
_TEXTS = (".json", ".csv", ".txt", ".py")  # in which places are named


@dataclass(frozen=True, slots=True)
class News:
    """What came since the last look; of a run that has ended, the sizes of its other files.

    `state` is "waiting", "running" or "ended"; `lost` says why a run that ended has no
    result of its own.
    """

    state: str
    node: str
    events: bytes
    log: bytes
    files: Mapping[str, int]
    lost: tuple[Status, str] | None


class Errand:
    """The actor. It is called by its client and by the work, in threads of their own."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._folder = Path(tempfile.mkdtemp(prefix="gradus-errand-"))
        self._lock = threading.Lock()
        self._state, self._node = "waiting", ""
        self._lost: tuple[Status, str] | None = None
        self._stop = threading.Event()
        ray = ray_here()
        needs = {"num_cpus": order.cpus, "num_gpus": order.cards}
        work = ray.remote(_work).options(**needs, max_retries=0)
        me = ray.get_runtime_context().current_actor
        self._ref = work.remote(me, replace(order, archives={}), order.archives)
        threading.Thread(target=self._wait, name="wait", daemon=True).start()

    def summary(self) -> dict[str, str]:
        """What `gradus where` shows of it."""
        return {"recipe": self._order.recipe, "state": self._state, "node": self._node}

    def told(self, node: str, pieces: Mapping[str, bytes]) -> bool:
        """Take what the work sends, to the ends of files; whether it is to stop."""
        with self._lock:
            self._state, self._node = "running", node
            for name, piece in pieces.items():
                with (self._folder / name).open("ab") as file:
                    file.write(piece)
        return self._stop.is_set()

    def news(self, events: int, log: int) -> News:
        """What there is beyond so many bytes of events and log."""
        with self._lock:
            ended = self._state == "ended"
            files = {p.name: p.stat().st_size for p in self._folder.iterdir()} if ended else {}
            return News(
                self._state,
                self._node,
                self._piece(EVENTS, events),
                self._piece(LOG, log),
                {name: size for name, size in files.items() if name not in _GROWING},
                self._lost,
            )

    def piece(self, name: str, offset: int) -> bytes:
        """A part of a file that an ended run left."""
        return self._piece(Path(name).name, offset)

    def stop(self) -> None:
        """End the run, where it waits or where it works."""
        self._stop.set()
        if self._state == "waiting":
            ray_here().cancel(self._ref)

    def leave(self) -> None:
        """Everything was fetched."""
        shutil.rmtree(self._folder, ignore_errors=True)
        os._exit(0)

    def _piece(self, name: str, offset: int) -> bytes:
        with contextlib.suppress(OSError), (self._folder / name).open("rb") as file:
            file.seek(offset)
            return file.read(PIECE_BYTES)
        return b""

    def _wait(self) -> None:
        """Wait for the work's end; without a client, leave a day later."""
        ray, lost = ray_here(), None
        try:
            ray.get(self._ref)
        except Exception as error:  # noqa: BLE001 - whatever became of the node, the client is told
            lost = _why(error, self._node, self._stop.is_set())
        with self._lock:
            self._state, self._lost = "ended", lost
        time.sleep(KEPT_S)
        self.leave()


def _why(error: Exception, node: str, stopped: bool) -> tuple[Status, str]:
    """How a run ended whose work did not come to its end, by the kind of Ray's error."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    where = f"the node {node}" if node else "the node"
    if stopped or "TaskCancelledError" in kinds:
        return "cancelled", "the run was cancelled while it waited" if not node else "cancelled"
    if "OutOfMemoryError" in kinds:
        return "out_of_memory", f"Ray ended the run because {where} ran out of memory"
    if kinds & {"WorkerCrashedError", "NodeDiedError", "ActorDiedError", "OwnerDiedError"}:
        return "failed", f"{where} that the run was on is gone, or its worker was; run it again"
    cause = getattr(error, "cause", None)
    if isinstance(cause, ModuleNotFoundError):
        return "failed", f'{reason(cause)} on the cluster; pip install "gradus[ray]" on its nodes'
    told = cause if isinstance(cause, Exception) else error
    return "failed", str(told) if isinstance(told, RecipeError) else one_line(told, 500)


def _work(errand: Any, order: Order, archives: Mapping[str, bytes]) -> None:
    """Do the run on this node; the errand is told of all that it says and leaves.

    Ray gives away the cores of a task whose main thread waits for an answer, so another one waits.
    """
    with ThreadPoolExecutor(1) as alone:
        alone.submit(_do, errand, order, archives).result()


def _do(errand: Any, order: Order, archives: Mapping[str, bytes]) -> None:
    place = Path(tempfile.mkdtemp(prefix="gradus-run-"))
    run, parts = None, Parts(order, archives)
    try:
        params, names = unpacked(archives, order.params, place)
        teller = _Teller(errand, order, names)
        teller.begins(str(params.get("device") or "auto"))
        run = order.started(params, place / "runs", {SERVED: b""})
        teller.follow(run, parts)
    finally:
        parts.end()
        if run is not None:
            run.cancel()
        shutil.rmtree(place, ignore_errors=True)


class _Teller:
    """Sends what comes into a run's folder, in the client's names of places."""

    def __init__(self, errand: Any, order: Order, names: dict[str, str]) -> None:
        self._errand, self._order, self._names = errand, order, names
        self._ray = ray_here()
        self._node = f"{socket.gethostname()} ({self._ray.util.get_node_ip_address()})"
        self._sent = dict.fromkeys(_GROWING, 0)

    def begins(self, asked: str) -> None:
        """Tell where the run is, as the queue of one machine does."""
        device, card = place_name(next(iter(places(asked))))
        event = {"event": "begins", "t": 0.0, "device": device, "card": card, "node": self._node}
        self._tell({EVENTS: json.dumps(event).encode() + b"\n"})

    def follow(self, run: Run, parts: Parts) -> None:
        """Send until the run has ended, ending it when that is asked for; then send its files."""
        self._names[str(run.folder)] = self._order.folder
        signed, ended, pieces = time.monotonic(), False, dict[str, bytes]()
        while not ended or pieces:
            parts.look(run.folder)
            ended = run.result() is not None  # before reading: what it wrote is then all read
            grown = {name: self._grown(run.folder / name, ended) for name in _GROWING}
            pieces = {name: piece for name, piece in grown.items() if piece}
            if pieces or time.monotonic() - signed > _SIGN_S:
                signed = time.monotonic()
                if self._tell(pieces):
                    run.cancel()
            elif not ended:
                time.sleep(_LOOK_S)
        parts.end()
        self._leave_files(run)

    def _grown(self, path: Path, ended: bool) -> bytes:
        """The whole lines that came; once the run has ended also a last one that is not whole."""
        with contextlib.suppress(OSError), path.open("rb") as file:
            file.seek(self._sent[path.name])
            block = file.read(PIECE_BYTES)
            if not ended and len(block) < PIECE_BYTES:
                block = block[: block.rfind(b"\n") + 1]
            self._sent[path.name] += len(block)
            lines = block.splitlines(keepends=True)
            own = (line for line in lines if not line.startswith(_RESULT))  # which the starter adds
            return as_here(b"".join(own), self._names, in_json=path.name == EVENTS)
        return b""

    def _leave_files(self, run: Run) -> None:
        """What the run left beside events and log, its result last."""
        result = replace(run.wait(), node=self._node)
        write_json(run.folder / RESULT, result.to_event())
        noted = read_json(run.folder / ENVIRONMENT) or {}
        write_json(run.folder / ENVIRONMENT, {**noted, "node": self._node})
        for path in sorted(run.folder.iterdir(), key=lambda path: path.name == RESULT):
            if path.is_file() and path.name not in (*_GROWING, SPEC, PID):
                self._send(path)

    def _send(self, path: Path) -> None:
        if path.suffix in _TEXTS and path.stat().st_size <= PIECE_BYTES:
            whole = as_here(path.read_bytes(), self._names, in_json=path.suffix == ".json")
            pieces = iter((whole,))
        else:
            pieces = _pieces(path)
        for piece in pieces:
            self._tell({path.name: piece})

    def _tell(self, pieces: Mapping[str, bytes]) -> bool:
        """Send; whether the run is to stop. An errand that is gone ends the run by its error."""
        return bool(self._ray.get(self._errand.told.remote(self._node, pieces)))


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
