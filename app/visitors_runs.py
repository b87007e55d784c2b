"""The runs that a server has going: each visitor's, and those left behind.

A visitor is an opened page, or whoever asks by a program.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from app.paths import lies_in, runs_folder
from executors.errors import RecipeError
from executors.recipe import Parameter, check_params, find_recipe
from executors.runs.run import Run, start
from executors.runs.warm import Warm
from kg.errors import GradusError
from kg.store import note_roots

__all__ = ["NotAllowed", "StillGoing", "VisitorsRuns", "anywhere", "roots_of"]


class StillGoing(RecipeError):
    """A visitor has one run at a time."""


class NotAllowed(RecipeError):
    """A file that no visitor may have a run read."""


class VisitorsRuns:
    """The runs that this server has going, one for each visitor; ended with the server.

    A run goes on when its visitor closes the page; whoever opens it next from the history takes it
    up.

    Parameters
    ----------
    own_code : bool
        Whether a visitor may name a Python file of this machine to be run.
    roots : callable or None
        Gives the folders in which the files that a run is given have to lie; None: anywhere.
        Symbolic links are followed first. What a file there names in turn is not looked at.
    on : str
        Address of the cluster that runs go to where nobody says otherwise; "" for this machine.
    code_there : bool
        Whether a Python file of this machine may be sent there and run.
    """

    def __init__(
        self,
        *,
        own_code: bool = True,
        roots: Callable[[], Collection[Path]] | None = None,
        on: str = "",
        code_there: bool = False,
    ) -> None:
        self._roots, self.on, self._code_there = roots, on, code_there
        self._started: dict[str, str] = {}  # the visitor of each run, by id
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
        on: str | None = None,
    ) -> Run:
        """Start a run for a visitor; it waits in line while the device is taken.

        It goes to the cluster `on`; None is where the runs of this server go.

        Raises
        ------
        StillGoing
            When one is going on already.
        NotAllowed
            When it is given a file outside the allowed folders, or code that a visitor may not run.
        RecipeError
            When it cannot be started.
        """
        if params.get("learner") and not self._own_code:
            raise NotAllowed(
                "these pages are open to other machines, so they run no Python file of this one; "
                "whoever started them can allow it with --allow-learner-files"
            )
        self._check_places(recipe, params)
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
                on=self.on if on is None else on,
                learner_files=self._code_there,
            )
            self._runs[visitor], self._started[run.id] = run, visitor
            return run

    def is_of(self, visitor: str, run_id: str) -> bool:
        """Whether this visitor started this run, ended or not."""
        return self._started.get(run_id) == visitor

    def _check_places(self, recipe: str, params: Mapping[str, object]) -> None:
        if self._roots is None:
            return
        known = find_recipe(recipe)
        given = check_params(known, params)
        wanted = [_file(p, str(given[p.name])) for p in known.parameters if _names_file(p, given)]
        roots = sorted(self._roots()) if wanted else []
        for path in wanted:
            if not lies_in(path, roots):
                folders = ", ".join(map(str, roots))
                raise NotAllowed(
                    f"{path} is outside the folders that runs may read ({folders}); whoever "
                    "started Gradus can allow more with --data FOLDER"
                )

    def readable(self) -> set[Path]:
        """The folders in which a visitor finds files for a run: those allowed, else his own."""
        return {*self._roots()} if self._roots is not None else {Path.cwd(), Path.home()}

    def may_read(self, path: Path) -> bool:
        """Whether a visitor may have a run read this."""
        return self._roots is None or lies_in(path, self._roots())

    def stop(self, visitor: str, run_id: str = "") -> None:
        """End the visitor's run, if there is one, or that of this id; returns when it has ended."""
        run = self._runs.get(visitor)
        if run is not None and run_id in ("", run.id):
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


def roots_of(store_folder: Path, given: Collection[Path] = ()) -> Callable[[], set[Path]]:
    """A function to the folders that runs may read.

    Those given, the current one, those that the notes came from, and the store's runs, whose
    results other runs begin from.
    """
    always = {*given, Path.cwd(), runs_folder(store_folder)}

    def roots() -> set[Path]:
        try:
            return always | {*note_roots(store_folder).values()}
        except GradusError:  # nothing was ingested yet
            return always

    return roots


def anywhere(store_folder: Path) -> set[Path]:
    """The folders of whoever sits at this machine: those of `roots_of`, and the whole of it."""
    return {*roots_of(store_folder)(), Path(Path.cwd().anchor)}


def _names_file(parameter: Parameter, given: Mapping[str, object]) -> bool:
    return parameter.type == "path" and bool(given[parameter.name])


def _file(parameter: Parameter, value: str) -> Path:
    """The file or folder that a checked value names; of "file.py:function" the file."""
    return Path(value.rpartition(":")[0] if parameter.unit == "file.py:function" else value)
