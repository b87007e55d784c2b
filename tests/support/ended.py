"""Folders of runs that have ended, written as `executors.runs.run` writes them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from executors.recipe import check_params, find_recipe
from executors.runs.folder import RESULT, SPEC, write_json
from executors.runs.result import RunResult, Status

__all__ = ["put_run"]


def put_run(
    runs_dir: Path,
    recipe: str,
    values: dict[str, Any],
    started: datetime,
    *,
    status: Status = "ok",
    device: str = "cpu",
    message: str = "",
    **params: object,
) -> str:
    """Write one run's folder with checked parameters; the same moment gives the same id."""
    checked = check_params(find_recipe(recipe), params)
    task = str(checked["task"])
    folder = runs_dir / f"{started:%Y%m%dT%H%M%SZ}-{recipe}-{started.microsecond:06x}"
    folder.mkdir(parents=True)
    write_json(
        folder / SPEC,
        {"recipe": recipe, "task": task, "params": checked, "started": started.isoformat()},
    )
    result = RunResult(
        status, recipe, task, device, values, seconds=1.0, message=message, folder=str(folder)
    )
    write_json(folder / RESULT, result.to_event())
    return folder.name
