"""All trials of a race settle the rate together, by how near the best each of them ended."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors.learning_rate.race import Race, Trial
from executors.learning_rate.votes import favoured, settled

QUARTER = 10**0.25

losses = st.one_of(st.floats(0.01, 5), st.just(math.inf))
rates = st.floats(-5, 0).map(lambda power: 10**power)
races = st.lists(st.tuples(rates, losses), min_size=1, max_size=8).filter(
    lambda ran: any(b < math.inf for _, b in ran)
)


def raced(ran: list[tuple[float, float]], before: float = 2.0) -> Race:
    """A race with these rates and losses."""
    trials = tuple(
        Trial(rate, 50, loss, 56, "exploded" if loss == math.inf else "done") for rate, loss in ran
    )
    return Race(trials, before, 300, 1.0)


@given(races, st.one_of(st.none(), rates))
def test_it_lies_among_the_rates_that_trained(
    ran: list[tuple[float, float]], curve: float | None
) -> None:
    """Never outside what was tried and the curve says; those that diverged have no say."""
    heard = [rate for rate, loss in ran if loss < math.inf] + ([curve] if curve else [])
    assert min(heard) * 0.999 <= favoured(raced(ran), curve) <= max(heard) * 1.001


@given(races, rates, st.integers(0, 99))
def test_the_order_of_the_trials_changes_nothing(
    ran: list[tuple[float, float]], curve: float, seed: int
) -> None:
    """Only rates and losses count; of one rate tried twice, one loss."""
    once = list({rate: (rate, loss) for rate, loss in ran}.values())
    mixed = random.Random(seed).sample(once, len(once))
    if any(loss < math.inf for _, loss in once):
        assert favoured(raced(mixed), curve) == pytest.approx(favoured(raced(once), curve))


def test_equals_meet_in_the_middle_and_a_clear_winner_decides() -> None:
    """Two as good: their geometric mean; one far ahead: that one, wherever the curve lies."""
    assert favoured(raced([(1e-3, 0.5), (1e-1, 0.5)])) == pytest.approx(1e-2)
    assert favoured(raced([(1e-3, 1.5), (1e-2, 0.1), (1e-1, 1.9)]), 1e-5) == pytest.approx(
        1e-2, rel=0.01
    )


def test_where_nothing_is_learned_all_count_alike() -> None:
    """On a plateau the best is best by luck, and the middle of all is as good."""
    plateau = [(1e-3, 1.9990), (1e-2, 1.9995), (1e-1, 1.9999)]
    assert favoured(raced(plateau)) == pytest.approx(1e-2, rel=0.05)


def test_the_curve_votes_as_the_trials_near_it() -> None:
    """Beside the best it counts as much, beside the worst next to nothing."""
    ran = [(1e-3, 1.5), (1e-2, 0.5), (1e-1, 1.5)]
    assert favoured(raced(ran), 1e-2 * 1.1) > favoured(raced(ran)) * 1.01
    assert favoured(raced(ran), 1e-4) == pytest.approx(favoured(raced(ran)), rel=0.01)


def test_one_rate_is_taken_lower_and_a_slice_higher() -> None:
    """A quarter of a decade either way, told so."""
    assert settled(1e-2, raced([(1e-2, 0.5)])) == (
        pytest.approx(1e-2 / QUARTER, rel=0.05),
        "1.8 times below",
    )
    pairs = Race((Trial((3e-3, 1e-2), 50, 0.5, 56, "done"),), 2.0, 300, 1.0)
    (low, high), how = settled((1e-3, 1e-2), pairs)
    assert how == "1.8 times above"
    assert high == pytest.approx(1e-2 * QUARTER, rel=0.05) and low == pytest.approx(
        high / 10**0.5, rel=0.05
    )


@given(races)
def test_a_rate_that_diverged_is_never_recommended(ran: list[tuple[float, float]]) -> None:
    """Neither for one rate nor for a slice."""
    broke = min((rate for rate, loss in ran if loss == math.inf), default=math.inf)
    assert settled(1e-2, raced(ran))[0] < broke
    pairs = Race(
        tuple(
            Trial((one.rate / 3, one.rate), 50, one.loss, 56, one.ended)
            for one in raced(ran).trials
        ),
        2.0,
        300,
        1.0,
    )
    assert settled((1e-3, 1e-2), pairs)[0][1] < broke


def test_a_race_in_which_all_diverged_favours_nothing() -> None:
    """That is the caller's to explain."""
    with pytest.raises(ValueError, match="all trials diverged"):
        favoured(raced([(1e-2, math.inf)]))
