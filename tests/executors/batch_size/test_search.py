"""The search for the largest batch, against simulated memory whose true answer is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executors.batch_size.search import SMALLEST, Trial, best_rate, ladder, largest_batch

Peak = Callable[[int], int]


class Simulated:
    """Trials on a machine where a batch takes `peak`, and an optimizer's step `optimizer`."""

    def __init__(self, limit: int, peak: Peak, optimizer: int = 0, fresh_extra: int = 0) -> None:
        self.limit, self.peak, self.optimizer, self.fresh_extra = (
            limit,
            peak,
            optimizer,
            fresh_extra,
        )
        self.trials: list[tuple[int, bool, bool]] = []

    def need(self, batch: int, fresh: bool = True) -> int:
        return max(self.peak(batch), self.optimizer) + (self.fresh_extra if fresh else 0)

    def __call__(self, batch: int, fresh: bool) -> Trial:
        need = self.need(batch, fresh)
        ok = need <= self.limit
        self.trials.append((batch, fresh, ok))
        return Trial(
            batch,
            None,
            ok,
            need if ok else 0,
            self.peak(batch) if ok else 0,
            reason="" if ok else "full",
        )

    def truth(self, cap: int) -> int:
        return max(
            (batch for batch in range(SMALLEST, cap + 1) if self.need(batch) <= self.limit),
            default=0,
        )


linear = st.builds(
    lambda fixed, each: lambda batch: fixed + each * batch,
    st.integers(min_value=0, max_value=500_000),
    st.integers(min_value=10, max_value=50_000),
)
bent = st.builds(
    lambda fixed, each, knee, more: (
        lambda batch: fixed + each * batch + more * max(0, batch - knee)
    ),
    st.integers(min_value=0, max_value=500_000),
    st.integers(min_value=10, max_value=5_000),
    st.integers(min_value=2, max_value=300),
    st.integers(min_value=0, max_value=20_000),
)


@settings(deadline=None)
@given(
    st.one_of(linear, bent),
    st.integers(1_000, 3_000_000),
    st.integers(0, 400_000),
    st.integers(2, 2_000),
)
def test_the_found_batch_fits_and_is_nearly_the_largest(
    peak: Peak, limit: int, optimizer: int, cap: int
) -> None:
    """What is found was trained in a fresh process, fits, and is within a tenth of the largest."""
    machine = Simulated(limit, peak, optimizer)
    found, truth = largest_batch(machine, limit, cap), machine.truth(cap)
    if truth == 0:
        assert found is None
        return
    assert found is not None
    assert (found.batch, True, True) in machine.trials
    assert truth * 0.9 - 1 <= found.batch <= truth
    assert len(machine.trials) <= 20


@settings(deadline=None)
@given(bent, st.integers(10_000, 3_000_000), st.integers(2, 2_000))
def test_no_step_goes_past_four_times_what_fitted(peak: Peak, limit: int, cap: int) -> None:
    """Memory is approached, not stormed: other programs live there too."""
    machine = Simulated(limit, peak)
    largest_batch(machine, limit, cap)
    fitted = 1
    for batch, _, ok in machine.trials:
        assert batch <= max(4, 4 * fitted)
        fitted = max(fitted, batch if ok else 0)


@settings(deadline=None)
@given(
    st.integers(0, 400_000),
    st.integers(500, 20_000),
    st.integers(500_000, 4_000_000),
    st.integers(0, 400_000),
)
def test_on_a_line_the_search_is_near_in_few_trials(
    fixed: int, each: int, limit: int, optimizer: int
) -> None:
    """Also where the optimizer hides the line at first; only a first guess far too large fails."""
    machine = Simulated(limit, lambda batch: fixed + each * batch, optimizer)
    found, truth = largest_batch(machine, limit, 4096), machine.truth(4096)
    if truth < 4:
        return
    assert found is not None and 0.93 * truth <= found.batch <= truth
    assert len(machine.trials) <= 8
    assert sum(not ok for _, _, ok in machine.trials) <= 1


@settings(deadline=None)
@given(st.integers(0, 400_000), st.integers(500, 20_000), st.integers(4, 24), st.floats(0, 0.99))
def test_where_few_samples_fit_all_of_them_are_found(
    fixed: int, each: int, truth: int, more: float
) -> None:
    """One sample of ten is a tenth: below sixteen none is lost on a line, and few trials fail."""
    limit = int(fixed + each * (truth + more))
    machine = Simulated(limit, lambda batch: fixed + each * batch)
    found = largest_batch(machine, limit, 4096)
    assert found is not None and found.batch >= (truth if truth < 16 else truth - 1)
    assert len(machine.trials) <= 6
    assert sum(not ok for _, _, ok in machine.trials) <= 1


def test_what_fitted_before_is_tried_before_anything_below_it() -> None:
    """A wall right behind what fitted: the search does not end below it."""
    machine = Simulated(147_514, lambda batch: 10 * batch + 5_812 * max(0, batch - 242))
    found = largest_batch(machine, 147_514, 296)
    assert found is not None and found.batch >= 0.94 * machine.truth(296)


def test_linear_memory_needs_few_trials_and_hardly_a_failure() -> None:
    """The line is followed, not bisected."""
    machine = Simulated(10_000_000, lambda batch: 900_000 + 11_000 * batch)
    found = largest_batch(machine, 10_000_000, 100_000)
    assert found is not None and found.batch >= 0.95 * machine.truth(2_000)
    assert len(machine.trials) <= 8
    assert sum(not ok for _, _, ok in machine.trials) <= 1


def test_a_batch_that_fails_when_fresh_is_given_up() -> None:
    """Validation may need more than the search saw: the result is what passes with it."""
    machine = Simulated(1_000_000, lambda batch: 10_000 * batch, fresh_extra=100_000)
    found = largest_batch(machine, 1_000_000, 1_000)
    assert found is not None and 80 <= found.batch <= 90


def test_the_cap_is_the_answer_when_it_fits() -> None:
    """No batch past the data set's size is tried."""
    machine = Simulated(10**9, lambda batch: batch)
    found = largest_batch(machine, 10**9, 77)
    assert found is not None and found.batch == 77
    assert max(batch for batch, _, _ in machine.trials) == 77


def test_memory_that_takes_no_batch_gives_none() -> None:
    """Two samples that do not fit are the end of the search."""
    machine = Simulated(10, lambda batch: 100 * batch)
    assert largest_batch(machine, 10, 100) is None
    assert [batch for batch, _, _ in machine.trials] == [4, 2]


def rate(batch: int, samples_per_s: float, ok: bool = True) -> Trial:
    return Trial(batch, None, ok, samples_per_s=samples_per_s)


def test_the_smallest_batch_within_five_percent_is_recommended() -> None:
    """A larger batch that is hardly faster is not worth its memory."""
    trials = [rate(8, 50), rate(16, 90), rate(32, 96), rate(64, 100), rate(128, 99)]
    assert best_rate(trials).batch == 32


def test_failed_trials_are_not_recommended() -> None:
    """A batch that ran out of memory has no rate."""
    assert best_rate([rate(8, 50), rate(16, 900, ok=False)]).batch == 8
    with pytest.raises(ValueError, match="no trial fitted"):
        best_rate([rate(8, 5, ok=False)])


@settings(deadline=None)
@given(st.integers(min_value=SMALLEST, max_value=10**6))
def test_the_ladder_leads_down_from_the_largest(largest: int) -> None:
    """At most five different sizes: the largest comes first, the others are powers of two."""
    rungs = ladder(largest)
    assert (
        rungs[0] == largest and list(rungs) == sorted(set(rungs), reverse=True) and len(rungs) <= 5
    )
    assert all(rung >= SMALLEST and rung & (rung - 1) == 0 for rung in rungs[1:])
