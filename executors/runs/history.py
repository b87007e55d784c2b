"""The runs of a folder, read from their own folders; nothing else remembers them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from executors.errors import RecipeError, closest
from executors.runs.folder import PID, RESULT, SPEC, read_json
from executors.runs.identity import lives
from executors.runs.result import RunResult, Status, result_from
from executors.runs.turns import waiting

__all__ = ["STATUSES", "RecordStatus", "RunRecord", "find_run", "history"]

RecordStatus = Status | Literal["queued", "running"]
STATUSES: tuple[str, ...] = (*get_args(Status), "queued", "running")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as its folder tells it; `status` is also "queued" or "running"."""

    id: str
    folder: Path
    recipe: str
    task: str
    params: dict[str, Any] = field(default_factory=dict)
    started: str = ""  # UTC, ISO 8601
    status: RecordStatus = "failed"
    device: str = ""
    seconds: float = 0.0
    message: str = ""
    result: RunResult | None = None
    after: str = ""  # id of the run that it goes on from

    def to_json(self) -> dict[str, Any]:
        """The record as the command line prints it."""
        return {
            "id": self.id,
            "folder": str(self.folder),
            "recipe": self.recipe,
            "task": self.task,
            "params": self.params,
            "started": self.started,
            "status": self.status,
            "device": self.device,
            "seconds": self.seconds,
            "message": self.message,
            "values": self.result.values if self.result else {},
            "artifacts": list(self.result.artifacts) if self.result else [],
            "code": self.result.code if self.result else "",
            "notes": list(self.result.notes) if self.result else [],
            "after": self.after,
            "next": [asdict(one) for one in self.result.next] if self.result else [],
        }


def history(runs_dir: Path, of: Collection[str] | None = None) -> list[RunRecord]:
    """Every run under `runs_dir`, newest first; of one that cannot be read, that it cannot.

    Parameters
    ----------
    of : collection of str or None
        Names of recipes, whose runs alone are read; None for all.
    """
    try:
        folders = [
            path for path in runs_dir.iterdir() if path.is_dir() and not path.name.startswith(".")
        ]
    except OSError:
        return []
    if of is not None:
        folders = [path for path in folders if any(f"-{name}-" in path.name for name in of)]
    line = waiting(runs_dir)
    records = [_record(folder.absolute(), line.get(folder.name)) for folder in folders]
    if of is not None:
        records = [record for record in records if record.recipe in of]
    return sorted(
        records, key=lambda record: (record.started or record.id, record.id), reverse=True
    )


def find_run(records: Sequence[RunRecord], name: str) -> RunRecord:
    """The run of this id; its beginning or end is enough where no other run has the same.

    Raises
    ------
    RecipeError
        When no run has it, or several.
    """
    matches = [record for record in records if record.id == name] or [
        record for record in records if record.id.startswith(name) or record.id.endswith(name)
    ]
    if len(matches) == 1 and name:
        return matches[0]
    if matches:
        ids = ", ".join(record.id for record in matches[:4])
        raise RecipeError(f"{len(matches)} runs fit '{name}': {ids}; write more of the id")
    close = closest(name, [record.id for record in records])
    hint = f"did you mean {' or '.join(close)}?" if close else "`gradus runs --json` lists the ids"
    raise RecipeError(f"there is no run '{name}'; {hint}")


def _record(folder: Path, ahead: int | None) -> RunRecord:
    """The run of a folder; `ahead` is its place in the line, if it waits."""
    spec = read_json(folder / SPEC)
    if spec is None or not isinstance(spec.get("params"), dict):
        return RunRecord(
            folder.name, folder, "", "", message=f"damaged: {SPEC} is missing or cannot be read"
        )
    blank = RunRecord(
        folder.name,
        folder,
        str(spec.get("recipe", "")),
        str(spec.get("task", "")),
        spec["params"],
        str(spec.get("started", "")),
        after=str(spec.get("after", "")),
    )
    stored = read_json(folder / RESULT)
    if stored is not None:
        return _ended(blank, stored)
    if (folder / RESULT).exists():
        return _with(blank, "failed", f"damaged: {RESULT} cannot be read")
    if ahead is not None:
        return _with(blank, "queued", f"{ahead} ahead")
    if lives(read_json(folder / PID) or spec.get("starter")):
        return _with(blank, "running", "")
    if spec.get("on"):
        name = folder.name[-6:]
        return _with(
            blank,
            "failed",
            f"connection lost; the run may go on (`gradus take-up {name}` fetches it)",
        )
    return _with(blank, "failed", "interrupted: it ended without a result; start it again")


def _ended(blank: RunRecord, stored: dict[str, Any]) -> RunRecord:
    try:
        result = result_from(stored, blank.folder)
    except ValueError:
        return _with(blank, "failed", f"damaged: {RESULT} holds no result")
    return replace(
        blank,
        task=result.task or blank.task,
        status=result.status,
        device=result.device,
        seconds=result.seconds,
        message=result.message,
        result=result,
    )


def _with(blank: RunRecord, status: RecordStatus, message: str) -> RunRecord:
    seconds = 0.0
    if status == "running":
        with contextlib.suppress(OSError):  # its child was started when this was written
            seconds = max(0.0, time.time() - (blank.folder / PID).stat().st_mtime)
    return replace(blank, status=status, seconds=seconds, message=message)
