"""Short trainings find the best rate within their budget and leave the learner as it was."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastai.callback.core import Callback
from fastai.callback.tracker import SaveModelCallback
from fastai.data.load import DataLoader
from hypothesis import given, settings
from hypothesis import strategies as st
from learners import differences, learner, state

from executors.errors import RecipeError
from executors.learning_rate import race as racing
from executors.learning_rate.band import band
from executors.learning_rate.find import find_rate
from executors.learning_rate.race import BUDGET, Trial, race, trial
from executors.learning_rate.sweep import Sweep, sweep, train_some
from executors.learning_rate.votes import settled


@pytest.fixture(scope="module")
def learn(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A learner that has trained a little; every test here gives it back as it was."""
    made = learner(tmp_path_factory.mktemp("learner"))
    train_some(made, 1e-3, 3)
    return made


def short(learn: Any, **kwargs: Any) -> Any:
    return race(learn, 1e-2, **{"sliced": False, "budget": 60, "total": 1000, "seed": 5, **kwargs})


def test_the_learner_is_as_before(learn: Any) -> None:
    """A race changes no weights, optimizer, gradients, modes, records, loaders, random state."""
    before = state(learn)
    ran = short(learn)
    assert len(ran.trials) >= 3
    assert differences(before, state(learn)) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, torch.OutOfMemoryError, ZeroDivisionError])
@pytest.mark.parametrize("when", ["before_fit", "after_backward", "before_validate", "after_batch"])
def test_a_race_that_dies_leaves_the_learner_as_before(
    learn: Any, when: str, error: type[BaseException]
) -> None:
    """Stopped by hand, out of memory, or by a callback of the user's, at any moment of a trial."""

    def fail(self: Any) -> None:
        raise error("here")

    spoiler = type("Spoiler", (Callback,), {when: fail})()
    learn.add_cb(spoiler)
    before = state(learn)
    with pytest.raises(error, match="here"):
        trial(learn, 1e-3, 4, seed=1, most_valid=2)
    left = differences(before, state(learn))
    learn.remove_cb(spoiler)
    assert left == []


def test_a_trial_is_told_by_its_seed(learn: Any) -> None:
    """Equal rates end in equal losses, to the bit, whatever came before; another seed does not."""
    first = trial(learn, 1e-2, 6, seed=1, most_valid=2)
    torch.rand(7), np.random.rand(7)
    assert trial(learn, 1e-2, 6, seed=1, most_valid=2) == first
    assert trial(learn, 1e-2, 6, seed=2, most_valid=2).loss != first.loss


def test_a_trial_is_the_one_cycle_of_fastai(tmp_path: Path) -> None:
    """Rates and momenta of a trial as long as one epoch are those of `fit_one_cycle`."""
    seen: list[tuple[float, float]] = []

    class Watch(Callback):
        order = 70

        def after_batch(self) -> None:
            if self.training:
                seen.append((self.opt.hypers[-1]["lr"], self.opt.hypers[-1]["mom"]))

    made = learner(tmp_path)
    made.add_cb(Watch())
    trial(made, 2e-2, len(made.dls.train), seed=1, most_valid=1)
    ours, seen[:] = list(seen), []
    with made.no_bar(), made.no_logging():
        made.fit_one_cycle(1, 2e-2)
    assert len(seen) > 4
    assert (
        np.allclose(ours, seen[: len(ours)], rtol=1e-6) and len(ours) >= len(seen) - 1
    )  # the last one is cut short


def test_a_rate_that_destroys_drops_out_at_once(learn: Any) -> None:
    """Its loss is endless, and it costs few batches."""
    lost = trial(learn, 1e6, 40, seed=1, most_valid=2)
    assert math.isinf(lost.loss) and lost.ended in ("nan", "exploded")
    assert lost.cost < 40


def test_what_a_loss_of_no_number_leaves(tmp_path: Path) -> None:
    """A trial whose loss is no number ends at once, with the learner as before."""
    made = learner(tmp_path)
    before = state(made)
    hook = made.model.register_forward_hook(lambda _, __, out: out * float("nan"))
    lost = trial(made, 1e-3, 10, seed=1, most_valid=2)
    hook.remove()
    assert (lost.ended, lost.cost, lost.loss) == ("nan", 1, math.inf)
    assert differences(before, state(made)) == []


def test_callbacks_that_save_stand_back(tmp_path: Path) -> None:
    """A user's SaveModelCallback writes nothing while rates are tried."""
    made = learner(tmp_path)
    made.add_cb(SaveModelCallback(monitor="valid_loss", fname="mine"))
    trial(made, 1e-3, 8, seed=1, most_valid=2)
    assert not list(tmp_path.rglob("mine.pth"))


@pytest.mark.parametrize("budget", [12, 60, 150])
def test_the_budget_holds(learn: Any, budget: int) -> None:
    """Batches trained and validated on are counted, told one by one, and no more than allowed."""
    told: list[Trial] = []
    ran = short(learn, budget=budget, tell=told.append)
    assert tuple(told) == ran.trials
    assert sum(one.cost for one in ran.trials) <= ran.cost <= budget


def test_trials_are_no_longer_than_the_training(learn: Any) -> None:
    """Who trains for six batches is told the best rate for six."""
    assert {one.batches for one in short(learn, total=6).trials} == {6}


def test_no_rate_is_tried_twice(learn: Any) -> None:
    """A rate tried again ends as before and only votes twice: the search ends before its budget."""
    ran = short(learn, total=4, budget=300)
    rates = [one.rate for one in ran.trials]
    assert len(rates) > 3
    assert len(set(rates)) == len(rates)
    assert ran.cost < 200


def test_slices_are_tried(learn: Any) -> None:
    """The head gets the rate, the input's layers less."""
    rates = [one.rate for one in short(learn, sliced=True, budget=100).trials]
    assert all(isinstance(rate, tuple) and rate[0] < rate[1] for rate in rates)


def test_the_first_trials_lie_about_the_rate_given(learn: Any) -> None:
    """Half a decade below, at it, half a decade above."""
    first = [one.rate for one in short(learn).trials[:3]]
    assert first == pytest.approx([1e-2 / 10**0.5, 1e-2, 1e-2 * 10**0.5], rel=0.05)


@settings(deadline=None, max_examples=60)
@given(st.floats(min_value=-6, max_value=6), st.floats(min_value=0.2, max_value=20))
def test_the_search_comes_near_the_best(best: float, steepness: float) -> None:
    """On any bowl with its lowest point within three decades: a quarter decade in nine steps."""
    tried: dict[float, float] = {}
    for _ in range(9):
        step = racing._next(tried)
        assert step not in tried
        tried[step] = steepness * (step - best) ** 2
    found = min(tried, key=lambda step: tried[step])
    assert abs(found - best) <= 0.5  # of half decades


def test_the_search_goes_down_while_all_diverge() -> None:
    """Lower and lower, never upwards."""
    tried: dict[float, float] = {}
    for _ in range(6):
        tried[racing._next(tried)] = math.inf
    order = list(tried)
    assert order[3:] == sorted(order[3:], reverse=True) and order[3] < min(order[:3])


def test_a_rate_is_found_among_those_tried(learn: Any) -> None:
    """It is what trials and valley give, at most at three times the sweep; all is as before."""
    before = state(learn)
    found = find_rate(learn, sliced=False, num_it=40, orders=2, train_batches=100, seed=4)
    assert differences(before, state(learn)) == []
    assert found.race is not None and found.race.best is not None
    took = settled(found.race, found.advice.suggestions["valley"])
    assert found.recommended == took.rate
    assert found.race.cost <= BUDGET * len(found.sweeps[0].lrs)
    assert "short trainings of" in found.reason and "valley" in found.reason
    assert found.sweeps[0].raw != found.sweeps[1].raw


def test_the_first_sweep_is_that_of_a_single_one(learn: Any) -> None:
    """Other orders add to the first sweep, they do not change it."""
    alone = sweep(learn, 1e-7, 10, 30, lambda lr, loss: None)
    found = find_rate(
        learn, sliced=False, num_it=30, orders=2, race_rates=False, train_batches=100, seed=4
    )
    assert found.sweeps[0] == alone and found.race is None


def test_without_a_validation_set_the_curve_is_read(tmp_path: Path) -> None:
    """And it is said why no rate was tried."""
    made = learner(tmp_path)
    made.dls.loaders = [made.dls.train, DataLoader([], bs=4)]
    found = find_rate(made, sliced=False, num_it=40, orders=1, train_batches=100, seed=4)
    assert found.race is None and found.recommended == found.advice.recommended
    assert any("no validation set to judge short trainings by" in said for said in found.seen)


def test_a_network_that_is_trained_already_is_named(tmp_path: Path) -> None:
    """No short training lowers the validation loss, and what to do next is said."""
    made = learner(tmp_path)
    with made.no_bar(), made.no_logging():
        made.fit_one_cycle(8, 1e-2)
    ran = racing.Race((Trial(1e-3, 40, 0.2, 44, "done"),), before=0.2, cost=46, seconds=1.0)
    found = find_rate(
        made, sliced=False, num_it=40, orders=1, race_rates=False, train_batches=100, seed=4
    )
    from executors.learning_rate.find import _judged

    judged = _judged(found, ran)
    assert judged.recommended == found.recommended
    assert any("nothing to gain" in said and "stop here" in said for said in judged.seen)


@pytest.mark.parametrize(("after", "weak"), [(1.95, True), (1.0, False)])
def test_weak_evidence_is_named(learn: Any, after: float, weak: bool) -> None:
    """Trials that learn next to nothing: by how much, who had how much say, and what to do."""
    from executors.learning_rate.find import _judged

    found = find_rate(
        learn, sliced=False, num_it=40, orders=1, race_rates=False, train_batches=100, seed=4
    )
    trials = tuple(Trial(lr, 40, after, 44, "done") for lr in (1e-3, 1e-2))
    said = [
        one
        for one in _judged(found, racing.Race(trials, 2.0, 90, 1.0)).seen
        if "evidence is weak" in one
    ]
    assert len(said) == weak
    assert all("2.5% (2 to 1.95); the valley counts for 47%" in one for one in said)


def test_trials_that_all_diverge_are_named(learn: Any) -> None:
    """An error that says what to look for."""
    from executors.learning_rate.find import _judged

    found = find_rate(
        learn, sliced=False, num_it=40, orders=1, race_rates=False, train_batches=100, seed=4
    )
    lost = tuple(Trial(lr, 40, math.inf, 3, "nan") for lr in (1e-3, 1e-1))
    with pytest.raises(
        RecipeError, match=r"every short training diverged, at rates from 0\.001 to 0\.1; look"
    ):
        _judged(found, racing.Race(lost, 1.0, 8, 1.0))


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.floats(min_value=0, max_value=10), min_size=1, max_size=12),
        min_size=1,
        max_size=5,
    )
)
def test_a_band_holds_every_curve(curves: list[list[float]]) -> None:
    """At each rate that all reached: lowest, median, highest, by NumPy."""
    lrs = tuple(float(rate) for rate in np.geomspace(1e-7, 1, 12))
    around = band([Sweep(lrs[: len(one)], tuple(one), tuple(one), "done") for one in curves])
    shared = min(map(len, curves))
    table = np.array([one[:shared] for one in curves])
    assert around.lrs == lrs[:shared] and around.sweeps == len(curves)
    assert np.allclose(around.low, table.min(0)) and np.allclose(around.high, table.max(0))
    assert np.allclose(around.middle, np.median(table, 0))
