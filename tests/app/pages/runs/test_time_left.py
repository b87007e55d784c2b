"""How long a run still takes is said where its own steps tell, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.pages.runs.time_left import left_s, time_left


def steps(done: int, total: int, each_s: float, **more: Any) -> list[dict[str, Any]]:
    """What a run of even steps tells until `done` of them."""
    told = {"event": "progress", "what": "batches", "total": total, **more}
    return [{**told, "done": n, "t": 5.0 + n * each_s} for n in range(1, done + 1)]


@given(st.integers(20, 300), st.floats(0.2, 1.0), st.floats(0.01, 90.0))
def test_of_even_steps_it_is_what_they_will_take(total: int, part: float, each_s: float) -> None:
    """And the time since the last of them counts as passed."""
    done = min(total - 1, max(4, round(part * total)))
    events = steps(done, total, each_s)
    assert left_s(events) == pytest.approx((total - done) * each_s, rel=1e-6)
    assert left_s(events, each_s / 2) == pytest.approx((total - done - 0.5) * each_s, rel=1e-6)
    later = [*events, {"event": "log", "text": "x", "t": events[-1]["t"] + each_s / 4}]
    assert left_s(later, each_s / 4) == pytest.approx((total - done - 0.5) * each_s, rel=1e-6)


@pytest.mark.parametrize(
    "events",
    [
        [],
        [{"event": "log", "text": "x", "t": 1.0}],
        steps(3, 100, 1.0),  # too early
        steps(10, 100, 1.0),
        steps(3, 6, 1.0),  # too few
        steps(50, 100, 1.0, guess=True),
        [*steps(20, 60, 1.0), *steps(50, 100, 1.0)[20:]],  # it grew on the way
        steps(100, 100, 1.0),  # nothing is left
        [{"event": "progress", "what": "batches", "done": 5, "t": 1.0}],
    ],
)
def test_where_it_is_not_known_nothing_is_said(events: list[dict[str, Any]]) -> None:
    """A guess in large is worse than nothing."""
    assert left_s(events) is None and time_left(events) == ""


def test_a_step_that_takes_longer_than_all_that_was_left_ends_the_promise() -> None:
    """It never counts down to nothing and stays there."""
    events = steps(8, 10, 1.0)
    assert time_left(events) == "about 5 s left"
    assert time_left(events, 3.0) == ""


def test_steps_of_another_kind_begin_anew() -> None:
    """Epochs say nothing of how long the batches before them took."""
    epochs = [{**step, "what": "epochs"} for step in steps(4, 10, 60.0)]
    assert left_s([*steps(20, 20, 0.1), *epochs]) == pytest.approx(360.0)
    assert left_s([*steps(20, 20, 0.1), *epochs[:2]]) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (2, "about 5 s left"),
        (31, "about 40 s left"),
        (89, "about 90 s left"),
        (95, "about 2 min left"),
        (700, "about 12 min left"),
        (3700, "about 1 h 2 min left"),
    ],
)
def test_it_is_rounded_up_to_what_can_be_known(seconds: float, said: str) -> None:
    """In steps that grow with the length."""
    assert time_left(steps(50, 51, seconds)) == said
