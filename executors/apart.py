"""Trainings of one recipe that do not depend on each other: one after another, or at many places.

Each begins from the learner as it stands, which is afterwards as before, so that no number depends
on where it is done. On a cluster all but the first are laid out for other places
(`executors.runs.post`), and what none of them has begun is done here. Whatever goes wrong
elsewhere is done again here, so that it ends, or fails, as it would have at one place.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from executors.errors import RecipeError
from executors.prepare import Asked, Prepared, prepare
from executors.runs.journal import Journal
from executors.runs.post import AT, Letter, alike, new_call, put
from executors.runs.tail import Tail

__all__ = ["trained_apart"]

Result = TypeVar("Result")
Job = Callable[[Prepared, Journal], Result]
Hear = Callable[[str, Mapping[str, Any]], None]

_LOOK_S = 0.05
_BEGUN = "begun"


def trained_apart(
    ready: Prepared,
    jobs: Sequence[Job[Result]],
    journal: Journal,
    hear: Hear | None = None,
    *,
    shrink: bool = True,
) -> Iterator[Result]:
    """What the jobs come to, in their order.

    Parameters
    ----------
    jobs : sequence of callables
        Each trains the task's learner and tells the journal that it is given; it writes no files.
        They travel pickled: functions of a module, or `partial` of one.
    hear : callable, optional
        Gets name and fields of the jobs' events, those of one job after those of the job before;
        the run's journal where there is none.
    shrink : bool
        As `ready` was prepared.
    """
    told = hear or partial(_emit, journal)
    if not journal.apart or len(jobs) < 2 or ready.settings.learner:
        for job in jobs:
            yield _done(ready, job, Journal(journal.folder, outlet=told))
        return
    yield from _Spread(ready, jobs, journal, told).results(shrink)


def _emit(journal: Journal, event: str, fields: Mapping[str, Any]) -> None:
    journal.emit(event, **fields)


def _done(ready: Prepared, job: Job[Result], journal: Journal) -> Result:
    from executors.learning_rate.state import unchanged

    with unchanged(ready.learner):
        return job(ready, journal)


def _done_elsewhere(job: Job[Result], shared: Any, params: Asked, journal: Journal) -> Result:
    """Do a job at another place, on a learner that is built alike and brought into its state.

    Raises
    ------
    RecipeError
        When the place would come to other numbers.
    """
    from executors.learning_rate.state import take_over

    state, there, shrink = shared
    ready = prepare(params, journal, shrink=shrink, verify=False)
    here = alike(journal.folder)
    if here != there:
        other = ", ".join(f"{name} is {here[name]}, not {there[name]}" for name in here)
        raise RecipeError(f"numbers might differ there: {other}")
    take_over(ready.learner, state)
    journal.emit(_BEGUN)
    return job(ready, journal)


class _Spread:
    """Jobs that are laid out for other places; those that none has begun are done here.

    Here the job whose turn it is comes first, where others have taken it the last that nobody has,
    and then those for which a place was found that is not ready yet.
    """

    def __init__(
        self, ready: Prepared, jobs: Sequence[Job[Any]], journal: Journal, hear: Hear
    ) -> None:
        self._ready, self._jobs, self._journal, self._hear = ready, jobs, journal, hear
        self._out: dict[int, tuple[Letter, Tail]] = {}
        self._nodes = dict[int, str]()  # where a place was found
        self._begun = set[int]()  # where that is ready, and training
        self._results = dict[int, Any]()
        self._kept: list[list[tuple[str, Mapping[str, Any]]]] = [[] for _ in jobs]
        self._told = [0 for _ in jobs]  # events that were heard
        self._live, self._looked = 0, 0.0

    def results(self, shrink: bool) -> Iterator[Any]:
        """What the jobs come to, in their order."""
        self._lay_out(shrink)
        try:
            for number in range(len(self._jobs)):
                while number not in self._results:
                    self._go_on(number)
                yield self._results[number]
        finally:
            for number in list(self._out):
                self._take(number)

    def _lay_out(self, shrink: bool) -> None:
        from executors.learning_rate.state import carried

        folder = self._journal.folder
        call = new_call(folder)
        shared = pickle.dumps((carried(self._ready.learner), alike(folder), shrink))
        for number, job in enumerate(self._jobs[1:], 1):
            letter = Letter(call, number)
            if number == 1:
                put(letter.shared, shared)
            put(letter.order, pickle.dumps(partial(_done_elsewhere, job)))
            self._out[number] = letter, Tail(letter.events)

    def _go_on(self, turn: int) -> None:
        """Do a job that nobody has begun, or wait a little for those who have."""
        self._look()
        left = [n for n in range(turn, len(self._jobs)) if n not in {*self._results, *self._begun}]
        free = [number for number in left if number not in self._nodes]
        if left:
            self._do(turn if turn in free else (free or left)[-1])
        else:
            time.sleep(_LOOK_S)

    def _do(self, number: int) -> None:
        self._take(number)
        self._kept[number].clear()  # what it said elsewhere comes again, and is not told again
        journal = Journal(self._journal.folder, outlet=partial(self._keep, number))
        self._results[number] = _done(self._ready, self._jobs[number], journal)
        self._tell()

    def _take(self, number: int) -> None:
        """Let nobody else do it."""
        letter, _ = self._out.pop(number, (None, None))
        if letter is not None:
            letter.taken.touch()

    def _keep(self, number: int, event: str, fields: Mapping[str, Any]) -> None:
        self._kept[number].append((event, fields))
        if time.monotonic() - self._looked > _LOOK_S:
            self._look()
        else:
            self._tell()

    def _look(self) -> None:
        """Take what has come from other places."""
        self._looked = time.monotonic()
        for number, (letter, tail) in list(self._out.items()):
            ended = letter.answer.exists()  # before reading: all that was said before is then read
            for event in tail.read():
                self._note(number, str(event.pop("event")), event)
            if ended:
                self._results[number] = pickle.loads(letter.answer.read_bytes())
                del self._out[number]
            elif letter.returned.exists():
                self._journal.log(
                    f"{self._name(number)} is done here after all: {letter.returned.read_text()}"
                )
                self._begun.discard(number)
                self._nodes.pop(number, None)
                del self._out[number]
        self._tell()

    def _note(self, number: int, event: str, fields: dict[str, Any]) -> None:
        fields.pop("t", None)
        if number in self._begun:
            self._kept[number].append((event, fields))
        elif event == AT:
            self._nodes[number] = str(fields.get("node"))
        elif event == _BEGUN:
            self._begun.add(number)
            where = self._nodes.get(number, "another place")
            self._journal.log(f"{self._name(number)} is done on {where}")

    def _name(self, number: int) -> str:
        return f"training {number + 1} of {len(self._jobs)}"

    def _tell(self) -> None:
        """Tell what is known of the jobs, one after another."""
        while self._live < len(self._jobs):
            number = self._live
            kept = self._kept[number]
            for event, fields in kept[self._told[number] :]:
                self._told[number] += 1
                self._hear(event, fields)
            if number not in self._results:
                return
            self._live += 1
