"""The two growing files of a run: events read as they come, a log that stays small."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from executors.runs.folder import parse_json, plain

__all__ = ["LOG_BYTES", "LogFile", "Tail"]

LOG_BYTES = 2_000_000
_LAST_BYTES = 65_536
_READ_BYTES = 1_000_000


class Tail:
    """Reads the events of a file from where it last stopped; what is none is left out and said."""

    def __init__(self, path: Path) -> None:
        self._path, self._offset, self._rest = path, 0, b""

    def size(self) -> int:
        """Bytes in the file; 0 while there is none."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def read(self) -> list[dict[str, Any]]:
        """Whole events written since the last call, but for results, which the starter gives."""
        events: list[dict[str, Any]] = []
        for block in self._blocks():
            *lines, self._rest = (self._rest + block).split(b"\n")
            events.extend(event for event in map(_event, lines) if event is not None)
            if len(self._rest) > _READ_BYTES:  # no event is that long
                self._rest = b""
        return [event for event in events if event["event"] != "result"]

    def append(self, event: dict[str, Any]) -> None:
        """Write one event at the end, on a line of its own."""
        with self._path.open("a+b") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            start = (
                b"" if file.read(1) in (b"", b"\n") else b"\n"
            )  # of a child that was ended while it wrote
            file.write(start + json.dumps(plain(event), ensure_ascii=False).encode() + b"\n")

    def _blocks(self) -> list[bytes]:
        blocks = []
        with contextlib.suppress(OSError), self._path.open("rb") as file:
            file.seek(self._offset)
            while block := file.read(_READ_BYTES):
                self._offset += len(block)
                blocks.append(block)
        return blocks


def _event(line: bytes) -> dict[str, Any] | None:
    if not line.strip():
        return None
    event = parse_json(line)
    if event is not None and isinstance(event.get("event"), str):
        return event
    return {"event": "log", "text": f"(left out: {len(line)} bytes that are not an event)"}


class LogFile:
    """Keeps the first `LOG_BYTES` written to it, and the last few lines after what was left out."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._kept, self._dropped, self._last = 0, 0, b""

    def write(self, block: bytes) -> None:
        """Keep what fits; a full disk loses the log, not the run."""
        self._last = (self._last + block)[-_LAST_BYTES:]
        kept = block[: LOG_BYTES - self._kept]
        self._kept += len(kept)
        self._dropped += len(block) - len(kept)
        with contextlib.suppress(OSError):
            os.write(self._file, kept)

    def close(self) -> None:
        """End the file; when it was cut, with a word on that and the last lines."""
        if self._file < 0:
            return
        if self._dropped:
            last = self._last[-min(self._dropped, _LAST_BYTES) :]
            with contextlib.suppress(OSError):
                os.write(
                    self._file,
                    b"\n[... %d bytes left out ...]\n" % (self._dropped - len(last)) + last,
                )
        os.close(self._file)
        self._file = -1

    def last_line(self) -> str:
        """The last line that is not empty, decoded as well as it goes."""
        lines = [
            line for line in self._last.decode("utf-8", "replace").splitlines() if line.strip()
        ]
        return lines[-1].strip() if lines else ""
