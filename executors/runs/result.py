"""What a run ends with."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from executors.runs.next_run import NextRun, next_runs_from
from executors.runs.stored_findings import Finding, findings_from

__all__ = ["RunResult", "Status", "result_from"]

Status = Literal["ok", "failed", "timeout", "out_of_memory", "cancelled"]


@dataclass(frozen=True, slots=True)
class RunResult:
    """The end of one run; `message` is the finding's reason, or what went wrong, in one line."""

    status: Status
    recipe: str
    task: str
    device: str  # "cpu", "mps", "cuda:0"; "" when the run ended before it was chosen
    values: dict[str, Any] = field(default_factory=dict)
    artifacts: tuple[str, ...] = ()  # absolute paths
    code: str = ""  # fastai v2 snippet, "" when there is none
    seconds: float = 0.0
    message: str = ""
    folder: str = ""  # absolute path of the run's folder
    notes: tuple[str, ...] = ()  # what came of sending it elsewhere
    said: tuple[Finding, ...] = ()  # what was found, in a few words each
    next: tuple[NextRun, ...] = ()  # what to go on with, the best first
    card: str = ""  # the hardware's name of the device; "" for the CPU
    node: str = ""  # of the cluster that it ran on; "" for this machine

    def to_event(self) -> dict[str, Any]:
        """The run's last event, as the command line prints it."""
        return {
            "event": "result",
            "status": self.status,
            "recipe": self.recipe,
            "task": self.task,
            "device": self.device,
            "card": self.card,
            "node": self.node,
            "values": self.values,
            "artifacts": list(self.artifacts),
            "code": self.code,
            "seconds": round(self.seconds, 3),
            "message": self.message,
            "folder": self.folder,
            "notes": list(self.notes),
            "said": [asdict(finding) for finding in self.said],
            "next": [asdict(one) for one in self.next],
        }


def result_from(stored: dict[str, Any], folder: Path) -> RunResult:
    """The result in a stored object.

    Artifacts are looked for in `folder`, so that a moved store still finds them; findings and
    next runs that are damaged are left out.

    Raises
    ------
    ValueError
        When the object is no result.
    """
    status, notes = stored.get("status"), stored.get("notes", [])
    values, artifacts = stored.get("values", {}), stored.get("artifacts", [])
    typed = isinstance(values, dict) and isinstance(artifacts, list)
    told = all(isinstance(stored.get(name), str) for name in ("recipe", "task", "message"))
    if status not in get_args(Status) or not typed or not told:
        raise ValueError(
            f"{folder.name}: the stored result has status {status!r}, or is not complete"
        )
    return RunResult(
        status=cast(Status, status),
        recipe=str(stored.get("recipe", "")),
        task=str(stored.get("task", "")),
        device=str(stored.get("device", "")),
        values=values,
        artifacts=tuple(str(folder.absolute() / Path(str(name)).name) for name in artifacts),
        code=str(stored.get("code", "")),
        seconds=_seconds(stored.get("seconds")),
        message=str(stored.get("message", "")),
        folder=str(folder.absolute()),
        notes=tuple(map(str, notes)) if isinstance(notes, list) else (),
        said=findings_from(stored.get("said")),
        next=next_runs_from(stored.get("next")),
        card=str(stored.get("card", "")),
        node=str(stored.get("node", "")),
    )


def _seconds(stored: object) -> float:
    """The stored seconds; 0 for what is no number of them, as a damaged file may have it."""
    try:
        return float(stored) if isinstance(stored, int | float) else 0.0
    except OverflowError:
        return 0.0
