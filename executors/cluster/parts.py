"""Trainings that a run has laid out (`executors.runs.post`), as tasks that Ray finds places for.

Each takes what its run takes, cores or a card, and waits in Ray's line like any run. It is a child
process of its own on its node, and its task yields what that says until it has an answer.
"""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from executors.cluster.connect import ray_here
from executors.cluster.order import Order
from executors.cluster.sent import unpacked
from executors.errors import RecipeError, one_line
from executors.runs.folder import EVENTS
from executors.runs.post import ANSWER, AT, ORDER, SHARED, Letter, posted, put
from executors.runs.run import Run
from executors.runs.tail import Tail

__all__ = ["Parts"]

_LOOK_S = 0.05
_ENDS_S = 10.0  # for a task that is cancelled
_SAID = 300  # characters of an error


class Parts:
    """The trainings that one run lays out.

    Parameters
    ----------
    order : Order
        The run.
    archives : mapping
        Its files, as in `sent.packed`.
    """

    def __init__(self, order: Order, archives: Mapping[str, bytes]) -> None:
        self._order, self._archives, self._ray = order, archives, ray_here()
        self._sent, self._ending = set[Letter](), set[Letter]()
        self._tasks = dict[Letter, Any]()
        self._files: Any = None
        self._shared = dict[Path, Any]()

    def look(self, folder: Path) -> None:
        """Send what the run has laid out into its folder, and take there what has come of it."""
        for letter in posted(folder):
            if letter.taken.exists():
                self._end(letter)
            elif letter not in self._sent:
                self._send(letter)
        self._bring()

    def end(self) -> None:
        """End them all, and wait for that."""
        for letter in list(self._tasks):
            self._end(letter)
        deadline = time.monotonic() + _ENDS_S
        while self._tasks and time.monotonic() < deadline:
            self._bring()
            time.sleep(_LOOK_S)

    def _send(self, letter: Letter) -> None:
        self._sent.add(letter)
        if self._files is None:
            self._files = self._ray.put(dict(self._archives))
        if letter.call not in self._shared:
            self._shared[letter.call] = self._ray.put(letter.shared.read_bytes())
        needs = {"num_cpus": self._order.cpus, "num_gpus": self._order.cards}
        part = self._ray.remote(_part).options(**needs, max_retries=0, num_returns="streaming")
        self._tasks[letter] = part.remote(
            self._order, self._files, self._shared[letter.call], letter.order.read_bytes()
        )

    def _end(self, letter: Letter) -> None:
        self._sent.add(letter)
        if letter in self._tasks and letter not in self._ending:
            self._ending.add(letter)
            self._ray.cancel(self._tasks[letter])

    def _bring(self) -> None:
        """Take all that the tasks have said since."""
        while self._tasks:
            ready, _ = self._ray.wait(list(self._tasks.values()), timeout=0)
            if not ready:
                return
            for letter in [one for one, task in self._tasks.items() if task in ready]:
                self._take(letter)

    def _take(self, letter: Letter) -> None:
        try:
            kind, said = self._ray.get(next(self._tasks[letter]))
        except StopIteration:
            del self._tasks[letter]
        except Exception as error:  # noqa: BLE001 - whatever became of it, the run does it itself
            del self._tasks[letter]
            cause = getattr(error, "cause", None)
            told = str(cause) if isinstance(cause, RecipeError) else one_line(error)
            with suppress(OSError):
                put(letter.returned, told[:_SAID].encode())
        else:
            if kind == ANSWER:
                put(letter.answer, said)
            else:
                with letter.events.open("ab") as file:
                    file.write(said)


def _part(
    order: Order, archives: Mapping[str, bytes], shared: bytes, work: bytes
) -> Iterator[tuple[str, bytes]]:
    """Do a training of the run on this node: its events as they come, then its answer.

    Raises
    ------
    RecipeError
        When it comes to none.
    """
    place, run = Path(tempfile.mkdtemp(prefix="gradus-part-")), None
    try:
        params, _ = unpacked(archives, order.params, place)
        run = order.started(params, place / "runs", {SHARED: shared, ORDER: work})
        address = ray_here().util.get_node_ip_address()
        yield EVENTS, _lines([{"event": AT, "node": f"{socket.gethostname()} ({address})"}])
        for events in _told(run):
            yield EVENTS, _lines(events)
        result = run.wait()
        if result.status != "ok":
            raise RecipeError(result.message)
        yield ANSWER, (run.folder / ANSWER).read_bytes()
    finally:
        if run is not None:
            run.cancel()
        shutil.rmtree(place, ignore_errors=True)


def _told(run: Run) -> Iterator[list[dict[str, Any]]]:
    """The events of a run, as many as there are at a time, to its end."""
    tail, ended = Tail(run.folder / EVENTS), False
    while not ended:
        ended = run.result() is not None  # before reading: what it wrote is then all read
        if events := tail.read():
            yield events
        elif not ended:
            time.sleep(_LOOK_S)


def _lines(events: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)
