"""The runs that the pages' server has going: each visitor's, and those left behind."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from executors.errors import RecipeError
from executors.runs.run import Run, start
from executors.runs.warm import Warm

__all__ = ["StillGoing", "VisitorsRuns"]


class StillGoing(RecipeError):
    """A visitor has one run at a time."""


class VisitorsRuns:
    """The runs that this server has going, one for each visitor; ended with the server.

    A run goes on when its visitor closes the page; whoever opens it next from the history takes it
    up.

    Parameters
    ----------
    own_code : bool
        Whether a visitor may name a Python file of this machine to be run.
    """

    def __init__(self, *, own_code: bool = True) -> None:
        self._runs: dict[str, Run] = {}
        self._left: dict[str, Run] = {}  # by id
        self._lock = threading.Lock()
        self._warm: Warm | None = None
        self._own_code = own_code

    def keep_ready(self, warm: Warm) -> None:
        """From now on take children that were made ready before they are asked for."""
        self._warm = warm

    def start(
        self,
        visitor: str,
        recipe: str,
        params: Mapping[str, object],
        runs_dir: Path,
        timeout_s: float = 3600,
        tracker: str = "",
        after: str = "",
    ) -> Run:
        """Start a run for a visitor; it waits in line while the device is taken.

        Raises
        ------
        StillGoing
            When one is going on already.
        RecipeError
            When it cannot be started, or is code that a visitor may not run.
        """
        if params.get("learner") and not self._own_code:
            raise RecipeError(
                "these pages are served to other machines, so no file of this one is run for a "
                "visitor; whoever started them can allow it with --allow-learner-files"
            )
        with self._lock:
            before = self._runs.get(visitor)
            if before is not None and before.result() is None:
                recipe_before = before.id.partition("-")[2].rpartition("-")[0]
                raise StillGoing(f"your run of {recipe_before} is still going on; stop it first")
            run = start(
                recipe,
                params,
                runs_dir,
                timeout_s=timeout_s,
                queue=True,
                warm=self._warm,
                tracker=tracker,
                after=after,
            )
            self._runs[visitor] = run
            return run

    def stop(self, visitor: str) -> None:
        """End the visitor's run, if there is one; returns when it has ended."""
        run = self._runs.get(visitor)
        if run is not None:
            run.cancel()

    def leave(self, visitor: str, run: Run) -> None:
        """Let the visitor's run go on by itself: the page was closed, or the run has ended."""
        with self._lock:
            self._left = {name: left for name, left in self._left.items() if left.result() is None}
            if self._runs.get(visitor) is run:  # a next one may have been started since it ended
                del self._runs[visitor]
                if run.result() is None:
                    self._left[run.id] = run

    def take_up(self, visitor: str, run_id: str) -> Run | None:
        """Make a run whose page was closed the visitor's own; None where that cannot be."""
        with self._lock:
            before = self._runs.get(visitor)
            if before is not None and before.result() is None:
                return None
            run = self._left.pop(run_id, None)
            if run is not None:
                self._runs[visitor] = run
            return run

    def stop_all(self) -> None:
        """End every run."""
        for run in [*self._runs.values(), *self._left.values()]:
            run.cancel()
        if self._warm is not None:
            self._warm.close()
