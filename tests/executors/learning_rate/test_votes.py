"""All trials of a race and the valley settle the rate together, by how far each usually errs."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors.learning_rate.race import Race, Trial
from executors.learning_rate.suggest import head_of
from executors.learning_rate.votes import USUAL, favoured, settled, valley_share, weighed

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


def sliced(ran: list[tuple[float, float]], before: float = 2.0) -> Race:
    """The same race with pairs of rates."""
    trials = tuple(
        Trial((rate / 3, rate), 50, one.loss, 56, one.ended)
        for (rate, _), one in zip(ran, raced(ran).trials, strict=True)
    )
    return Race(trials, before, 300, 1.0)


@given(races)
def test_it_lies_among_the_rates_that_trained(ran: list[tuple[float, float]]) -> None:
    """Never outside what was tried; those that diverged have no say."""
    heard = [rate for rate, loss in ran if loss < math.inf]
    assert min(heard) * 0.999 <= favoured(raced(ran)) <= max(heard) * 1.001


@given(races, st.integers(0, 99))
def test_the_order_of_the_trials_changes_nothing(ran: list[tuple[float, float]], seed: int) -> None:
    """Only rates and losses count."""
    mixed = random.Random(seed).sample(ran, len(ran))
    assert favoured(raced(mixed)) == pytest.approx(favoured(raced(ran)))


def test_equals_meet_in_the_middle_and_a_clear_winner_decides() -> None:
    """Two as good: their geometric mean; one far ahead: that one."""
    assert favoured(raced([(1e-3, 0.5), (1e-1, 0.5)])) == pytest.approx(1e-2)
    assert favoured(raced([(1e-3, 1.5), (1e-2, 0.1), (1e-1, 1.9)])) == pytest.approx(1e-2, rel=0.01)


def test_where_nothing_is_learned_all_count_alike() -> None:
    """On a plateau the best is best by luck, and the middle of all is as good."""
    plateau = [(1e-3, 1.9990), (1e-2, 1.9995), (1e-1, 1.9999)]
    assert favoured(raced(plateau)) == pytest.approx(1e-2, rel=0.05)


@given(rates, rates, st.floats(-1, 1), st.booleans())
def test_the_rate_lies_between_both_as_corrected(
    trials: float, valley: float, fall: float, pair: bool
) -> None:
    """Trials and valley, each moved by its usual error, hold the rate between them."""
    both = sorted((trials * 10 ** (USUAL.trials + pair * USUAL.sliced), valley * 10**USUAL.valley))
    assert both[0] * 0.999 <= weighed(trials, valley, fall, pair) <= both[1] * 1.001


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=9).map(sorted))
def test_the_less_the_trials_learn_the_more_the_valley_counts(falls: list[float]) -> None:
    """Between nothing learned and all, never beyond a half."""
    shares = [valley_share(fall) for fall in falls]
    assert all(after <= before for before, after in pairwise(shares))
    assert all(0 < share < 0.5 for share in shares)


@given(races, rates, rates)
def test_a_higher_valley_never_lowers_the_rate(
    ran: list[tuple[float, float]], one: float, other: float
) -> None:
    """And a lower one never raises it."""
    low, high = sorted((one, other))
    below, above = settled(raced(ran), low).rate, settled(raced(ran), high).rate
    assert isinstance(below, float) and isinstance(above, float) and below <= above


def test_without_a_valley_the_trials_decide() -> None:
    """A sweep so short that fastai finds none."""
    took = settled(raced([(1e-2, 0.5)]), None)
    assert took.valley_share == 0
    assert took.rate == pytest.approx(1e-2 * 10**USUAL.trials, rel=0.05)


def test_a_slice_is_taken_higher_than_one_rate() -> None:
    """A body just unfrozen wants more than short trainings show; its input's layers a third."""
    one, pair = settled(raced([(1e-2, 0.5)]), 2e-3), settled(sliced([(1e-2, 0.5)]), 2e-3)
    assert isinstance(pair.rate, tuple) and head_of(pair.rate) > head_of(one.rate)
    assert pair.rate[0] == pytest.approx(pair.rate[1] / 10**0.5, rel=0.05)
    assert pair.favoured == one.favoured == pytest.approx(1e-2)


@given(races, st.one_of(st.none(), rates))
def test_a_rate_that_diverged_is_never_recommended(
    ran: list[tuple[float, float]], valley: float | None
) -> None:
    """Neither for one rate nor for a slice, wherever the valley lies."""
    broke = min((rate for rate, loss in ran if loss == math.inf), default=math.inf)
    for race in (raced(ran), sliced(ran)):
        assert head_of(settled(race, valley).rate) < broke


def test_a_race_in_which_all_diverged_favours_nothing() -> None:
    """That is the caller's to explain."""
    with pytest.raises(ValueError, match="all trials diverged"):
        favoured(raced([(1e-2, math.inf)]))
