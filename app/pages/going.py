"""The runs that the pages' server has going, one for each visitor."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from executors.errors import RecipeError
from executors.run import Run, start
from executors.warm import Warm

__all__ = ["Going", "StillGoing"]


class StillGoing(RecipeError):
    """A visitor has one run at a time."""


class Going:
    """The runs that this server has going, one for each visitor; ended with the server.

    Parameters
    ----------
    warm : Warm or None
        Children made ready before they are asked for.
    own_code : bool
        Whether a visitor may name a Python file of this machine to be run.
    """

    def __init__(self, warm: Warm | None = None, *, own_code: bool = True) -> None:
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()
        self._warm, self._own_code = warm, own_code

    def start(
        self, visitor: str, recipe: str, params: Mapping[str, object], runs_dir: Path, timeout_s: float = 3600
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
                "these pages are served to other machines, so no file of this one is run for a visitor; whoever "
                "started them can allow it with --allow-learner-files"
            )
        with self._lock:
            before = self._runs.get(visitor)
            if before is not None and before.result() is None:
                raise StillGoing(f"your run of {_recipe_of(before)} is still going on; stop it first")
            run = start(recipe, params, runs_dir, timeout_s=timeout_s, queue=True, warm=self._warm)
            self._runs[visitor] = run
            return run

    def stop(self, visitor: str) -> None:
        """End the visitor's run, if there is one; returns when it has ended."""
        run = self._runs.get(visitor)
        if run is not None:
            run.cancel()

    def stop_all(self) -> None:
        """End every run."""
        for visitor in list(self._runs):
            self.stop(visitor)
        if self._warm is not None:
            self._warm.close()


def _recipe_of(run: Run) -> str:
    """The recipe's name within the run's id."""
    return run.id.partition("-")[2].rpartition("-")[0]
