"""What a recipe says while it runs: events on a file of their own, artifacts in the run's folder.

Standard output and error are not touched: whatever prints there goes to the run's log.
"""

from __future__ import annotations

import csv
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from executors.devices import Device
from executors.runs.folder import ENVIRONMENT, EVENTS, plain, read_json, write_json
from executors.runs.next_run import NextRun
from executors.runs.stored_findings import Finding

__all__ = ["EVENT_BYTES", "Journal", "Outcome"]

# A recipe that floods its events must not fill the disk: the first are kept, and the last.
EVENT_BYTES = 32_000_000
LAST_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a recipe found: values for machines, a snippet, the reason in one sentence.

    `said` are the findings in a few words each, the first one first; their figures become
    `values["findings"]` of the result. `next` are runs to go on with, the best first.
    """

    values: dict[str, Any]  # in terms of JSON
    code: str
    message: str
    task: str = ""
    said: tuple[Finding, ...] = ()
    next: tuple[NextRun, ...] = ()


@dataclass(slots=True)
class Journal:
    """The one place a recipe writes its events to.

    Parameters
    ----------
    folder : Path
        The run's folder; artifacts are written into it.
    apart : bool
        Whether trainings of the run may be done at other places, see `executors.apart`.
    outlet : callable or None
        Gets each event's name and fields, instead of the file.
    """

    folder: Path
    apart: bool = False
    outlet: Callable[[str, Mapping[str, Any]], None] | None = None
    device_name: str = ""
    card: str = ""
    artifacts: list[str] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)
    _file: int = -1
    _written: int = 0
    _late: deque[bytes] = field(default_factory=deque)
    _late_bytes: int = 0
    _left_out: int = 0

    def __post_init__(self) -> None:
        if self.outlet is None:
            self._file = os.open(
                self.folder / EVENTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644
            )

    def emit(self, event: str, **fields: object) -> None:
        """Write one event, with `t`, seconds since the start.

        Past `EVENT_BYTES` events wait for `finish`, which keeps the last of them.

        Raises
        ------
        OSError
            When the disk is full.
        """
        if self.outlet is not None:
            self.outlet(event, fields)
            return
        stamped = {"event": event, "t": round(time.monotonic() - self._started, 3), **fields}
        line = (json.dumps(plain(stamped), ensure_ascii=False, allow_nan=False) + "\n").encode()
        if self._late or self._written + len(line) > EVENT_BYTES - 2 * LAST_BYTES:
            self._keep(line)
        else:
            self._written += len(line)
            self._write(line)

    def finish(self) -> None:
        """Write the last of the events that were too many, after a word on what is left out.

        Raises
        ------
        OSError
            When the disk is full.
        """
        last = b"".join(self._late)
        self._late.clear()
        if self._left_out:
            t = round(time.monotonic() - self._started, 3)
            text = f"({self._left_out} events are left out here: the run has too many)"
            self._write(json.dumps({"event": "log", "t": t, "text": text}).encode() + b"\n")
        self._write(last)

    def _keep(self, line: bytes) -> None:
        self._late.append(line)
        self._late_bytes += len(line)
        while self._late_bytes > LAST_BYTES:
            self._late_bytes -= len(self._late.popleft())
            self._left_out += 1

    def _write(self, line: bytes) -> None:
        while line:  # a nearly full disk takes a part of the line before it refuses
            line = line[os.write(self._file, line) :]

    def log(self, text: str) -> None:
        """A sentence for the person who watches."""
        self.emit("log", text=text)

    def source(self, title: str, doubts: Iterable[str]) -> None:
        """What was read, and what of it may have been meant otherwise."""
        self.log(title)
        for doubt in doubts:
            self.emit("doubt", text=doubt)

    def progress(self, done: int, total: int, what: str, *, guess: bool = False) -> None:
        """How far the run is; `total` may grow while the recipe learns how much there is to do.

        From a total that is a guess nobody is told how long the run still takes.
        """
        self.emit("progress", done=done, total=total, what=what, guess=guess)

    def metric(self, name: str, value: float, unit: str = "") -> None:
        """One measured number."""
        self.emit("metric", name=name, value=value, unit=unit)

    def device(self, device: Device) -> None:
        """The device that does the work, said and noted in the run's environment."""
        self.device_name, self.card = device.name, device.card
        self.emit("device", device=device.name, card=device.card, why=device.why)
        noted = read_json(self.folder / ENVIRONMENT) or {}
        write_json(self.folder / ENVIRONMENT, {**noted, "device": device.name, "card": device.card})

    def table(
        self, name: str, title: str, head: Sequence[str], rows: Iterable[Iterable[object]]
    ) -> None:
        """Write rows as a CSV file of the run's folder, and tell it as an artifact."""
        path = self.folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(head)
            writer.writerows(rows)
        self.artifact(path, title)

    def artifact(self, path: Path, title: str) -> None:
        """A file of the run's folder that belongs to the result."""
        self.artifacts.append(str(path))
        self.emit("artifact", path=str(path), title=title)
