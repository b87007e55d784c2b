"""Searches case after case for its batches by trials on a bench, and tells every trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from executors.amounts import show_bytes
from executors.batch_size.advice import Plan, label
from executors.batch_size.bench import Bench
from executors.batch_size.search import SMALLEST, Case, Trial, best_rate, ladder, largest_batch
from executors.batch_size.setup import Ready
from executors.errors import OutOfMemory, RecipeError
from executors.runs.journal import Journal

__all__ = ["Narrator", "Search"]

_PROBE_STEPS = 2  # the second step holds the optimizer's state as well
_STEPS, _SECONDS = 3, 0.8  # of a measurement of speed, at least; so long is a verification too
# parts of a batch that the search is content with: a heap's use varies by more than a card's
_CPU_PART, _CARD_PART = 8, 16
_TRIALS_EACH = 11  # of a case, as a first guess


class Narrator:
    """Tells every trial as it ends; the total is a guess that grows with what there is to do."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._total, self.trials = journal, 0, list[Trial]()

    def expect(self, cases: int) -> None:
        """So many cases are to be searched."""
        self._total = cases * _TRIALS_EACH

    def tell(self, trial: Trial) -> Trial:
        """The trial, told and kept."""
        self.trials.append(trial)
        self._journal.emit("trial", **trial.to_json())
        self._total = max(self._total, len(self.trials) + 2)
        self._journal.progress(len(self.trials), self._total, "batches tried", guess=True)
        return trial

    def end(self) -> None:
        """There is no more to do."""
        self._journal.progress(len(self.trials), len(self.trials), "batches tried")


@dataclass(frozen=True, slots=True)
class Search:
    """What every case is searched with."""

    bench: Bench
    ready: Ready
    narrator: Narrator
    samples: int  # to train on
    max_batch: int
    steps: int  # of a verification

    def plans(self, cases: Sequence[Case]) -> tuple[list[Plan], list[str]]:
        """(a plan for each case that can be trained, why the others cannot).

        Raises
        ------
        OutOfMemory, RecipeError
            When nothing can be trained, or not even in float32.
        """
        plans: list[Plan] = []
        failures: list[str] = []
        for case in cases:
            try:
                plans.append(self.plan(case))
            except OutOfMemory as error:
                if case == cases[-1] and not plans:
                    raise
                failures.append(str(error))
            except RecipeError as error:
                if not plans or case.precision == "float32":
                    raise
                failures.append(f"{label(case)} cannot be trained: {error}")
        return plans, failures

    def plan(self, case: Case) -> Plan:
        """The largest and the recommended batch for one case."""
        start, cap = len(self.narrator.trials), min(self.max_batch, self.samples)
        self.bench.renew()

        def attempt(batch: int, fresh: bool) -> Trial:
            return self._verify(case, batch) if fresh else self._probe(case, batch)

        limit = self.ready.limit_bytes
        part = _CPU_PART if self.ready.device == "cpu" else _CARD_PART
        largest = largest_batch(attempt, limit, cap, part)
        if largest is None:
            raise OutOfMemory(_nothing_fits(case, limit, self.narrator.trials))
        rates = [self._time(case, batch) for batch in ladder(largest.batch)]
        best = best_rate(rates if any(rate.ok for rate in rates) else [largest])
        trials = tuple(self.narrator.trials[start:])
        bound = self._bound(largest.batch)
        return Plan(case, largest, best, bound, largest.loader_samples_per_s, trials)

    def _probe(self, case: Case, batch: int) -> Trial:
        return self.narrator.tell(self.bench.attempt(case, batch, steps=_PROBE_STEPS))

    def _verify(self, case: Case, batch: int) -> Trial:
        trial = self.bench.attempt(
            case, batch, steps=self.steps, seconds=_SECONDS, fresh=True, purpose="verify"
        )
        return self.narrator.tell(trial)

    def _time(self, case: Case, batch: int) -> Trial:
        trial = self.bench.attempt(case, batch, steps=_STEPS, seconds=_SECONDS, purpose="rate")
        return self.narrator.tell(trial)

    def _bound(self, largest: int) -> str:
        """What the largest batch ran into."""
        if largest < min(self.max_batch, self.samples):
            return "memory"
        return "max_batch" if self.max_batch < self.samples else "data"


def _nothing_fits(case: Case, limit: int, trials: Sequence[Trial]) -> str:
    at = f" at {case.size} px" if case.size else ""
    reason = next((trial.reason for trial in reversed(trials) if trial.reason), "")
    return (
        f"not even a batch of {SMALLEST} trains{at} in {show_bytes(limit)} ({reason}); "
        "give more memory, a smaller image or a smaller network"
    )
