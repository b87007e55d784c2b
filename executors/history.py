"""The runs of a folder, read from their own folders; nothing else remembers them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from .folder import PID, RESULT, SPEC, read_json
from .result import RunResult, Status, result_from

__all__ = ["RunRecord", "history"]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as its folder tells it; `status` is "running" while its child lives."""

    id: str
    folder: Path
    recipe: str
    task: str
    params: dict[str, Any] = field(default_factory=dict)
    started: str = ""  # UTC, ISO 8601
    status: Status | Literal["running"] = "failed"
    device: str = ""
    seconds: float = 0.0
    message: str = ""
    result: RunResult | None = None

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
        }


def history(runs_dir: Path) -> list[RunRecord]:
    """Every run under `runs_dir`, newest first; a folder that cannot be read is a failed record that says so."""
    try:
        folders = [path for path in runs_dir.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except OSError:
        return []
    records = [_record(folder.absolute()) for folder in folders]
    return sorted(records, key=lambda record: (record.started or record.id, record.id), reverse=True)


def _record(folder: Path) -> RunRecord:
    spec = read_json(folder / SPEC)
    if spec is None or not isinstance(spec.get("params"), dict):
        return RunRecord(folder.name, folder, "", "", message=f"damaged: {SPEC} is missing or cannot be read")
    blank = RunRecord(
        folder.name,
        folder,
        str(spec.get("recipe", "")),
        str(spec.get("task", "")),
        spec["params"],
        str(spec.get("started", "")),
    )
    stored = read_json(folder / RESULT)
    if stored is not None:
        return _ended(blank, stored)
    if (folder / RESULT).exists():
        return _with(blank, "failed", f"damaged: {RESULT} cannot be read")
    if _lives(read_json(folder / PID) or spec.get("starter")):
        return _with(blank, "running", "")
    return _with(blank, "failed", "interrupted: it ended without a result")


def _ended(blank: RunRecord, stored: dict[str, Any]) -> RunRecord:
    try:
        result = result_from(stored, blank.folder)
    except ValueError:
        return _with(blank, "failed", f"damaged: {RESULT} holds no result")
    return RunRecord(
        blank.id,
        blank.folder,
        blank.recipe,
        result.task or blank.task,
        blank.params,
        blank.started,
        result.status,
        result.device,
        result.seconds,
        result.message,
        result,
    )


def _with(blank: RunRecord, status: Status | Literal["running"], message: str) -> RunRecord:
    seconds = max(0.0, time.time() - blank.folder.stat().st_ctime) if status == "running" else 0.0
    return RunRecord(
        blank.id, blank.folder, blank.recipe, blank.task, blank.params, blank.started, status, "", seconds, message
    )


def _lives(identity: object) -> bool:
    """Whether the very process of that number and birth still lives."""
    if not isinstance(identity, dict) or not isinstance(identity.get("pid"), int):
        return False
    try:
        found = psutil.Process(identity["pid"])
        return (
            found.status() != psutil.STATUS_ZOMBIE and abs(found.create_time() - float(identity.get("created", 0))) < 2
        )
    except (psutil.Error, ValueError, TypeError):
        return False
