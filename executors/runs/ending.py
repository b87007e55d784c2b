"""What can be said about the end of a run's child: its own result, or why there is none."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

from executors.runs.folder import FOLDER_LOST, RESULT, read_json
from executors.runs.result import RunResult, Status, result_from

__all__ = ["settled"]


def settled(
    blank: RunResult, verdict: tuple[Status, str] | None, code: int, last: str
) -> RunResult:
    """The child's own result when it wrote one, else what its end tells.

    Parameters
    ----------
    blank : RunResult
        Says which run it was.
    verdict : (status, message) or None
        Why the starter ended the child; None when it ended by itself.
    code : int
        The child's exit code; negative for the signal that killed it.
    last : str
        The last line that it printed.
    """
    folder = Path(blank.folder)
    stored = read_json(folder / RESULT)
    if stored is not None:
        try:
            return replace(result_from(stored, folder), recipe=blank.recipe)
        except ValueError:
            return replace(blank, message="the run wrote a result that cannot be read")
    if verdict is not None:
        return replace(blank, status=verdict[0], message=verdict[1])
    if code == FOLDER_LOST:
        return replace(
            blank,
            message=f"{last or 'the folder cannot be written'}; free some space and run it again",
        )
    if code < 0:
        return replace(blank, message=_killed_by(-code))
    hint = f"; the last it said: {last[:300]}" if last else ""
    return replace(blank, message=f"the run ended with exit code {code} and without a result{hint}")


def _killed_by(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = "unknown"
    hint = ", perhaps by the system because memory ran out" if number == signal.SIGKILL else ""
    return f"the run was killed by signal {number} ({name}){hint}"
