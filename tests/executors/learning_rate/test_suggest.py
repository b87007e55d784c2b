"""What is read from a learning-rate curve, on curves whose answer can be seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executors.errors import RecipeError
from executors.learning_rate.suggest import advise, explodes_at

RATES = np.geomspace(1e-7, 10, 100)


def bowl(lowest: float, bang: float, depth: float = 2.0, start: float = 3.0) -> np.ndarray:
    """Flat, falling to its minimum at `lowest`, above its start from `bang` on."""
    x, low, high = np.log10(RATES), np.log10(lowest), np.log10(bang)
    fall = depth / (1 + np.exp(-2.5 * (x - low + 1.2)))
    rise = np.where(x > low, (depth + 0.5) * ((x - low) / (high - low)) ** 4, 0)
    curve: np.ndarray = start - fall + rise
    return curve


def test_the_rate_lies_on_the_slope_below_the_minimum() -> None:
    """A clean bowl: below its lowest point, far from the explosion, with reason and numbers."""
    curve = bowl(1e-1, 1.0)
    advice = advise(RATES, curve, curve, sliced=False)
    assert isinstance(advice.recommended, float)
    assert 1e-2 < advice.recommended < 1e-1
    assert set(advice.suggestions) == {"minimum", "steep", "valley", "slide"}
    assert all(f"{name} " in advice.reason for name in advice.suggestions)


def test_where_it_explodes_is_seen() -> None:
    """The first rate above the start, within a step of the truth; none where it never is."""
    curve = bowl(1e-2, 0.5)
    assert explodes_at(RATES, curve) == pytest.approx(0.5, rel=0.25)
    assert explodes_at(RATES, np.linspace(3, 1, 100)) is None


def test_a_slice_rises_from_the_input_to_the_head() -> None:
    """Its head gets a fifth of the frozen rate at most, its input a tenth of the head or less."""
    curve = bowl(1e-2, 1e-1)
    advice = advise(RATES, curve, curve, sliced=True, frozen_lr=1e-3)
    assert isinstance(advice.recommended, tuple)
    assert list(advice.recommended) == pytest.approx([2e-5, 2e-4])
    assert "the head gets a fifth of 0.001, found frozen" in advice.reason


def test_a_flat_curve_that_explodes_gives_a_tenth_of_that() -> None:
    """A well-trained network: nothing to gain, only something to break."""
    curve = np.where(RATES < 1e-3, 0.5, 0.5 + 100 * (RATES - 1e-3))
    advice = advise(RATES, curve, curve, sliced=True)
    bang = advice.explodes_at
    assert bang is not None and bang == pytest.approx(1e-3, rel=0.5)
    low, high = advice.recommended if isinstance(advice.recommended, tuple) else (0, 0)
    assert high == pytest.approx(bang / 10, rel=0.05) and low == pytest.approx(high / 10, rel=0.05)
    assert "does not fall" in advice.reason


def test_a_flat_curve_is_named() -> None:
    """No advice is made up from nothing."""
    flat = np.full(100, 0.7)
    with pytest.raises(
        RecipeError, match=r"the curve is flat: no rate from 1e-07 to 10 changes the loss"
    ):
        advise(RATES, flat, flat, sliced=False)


@pytest.mark.parametrize("count", [0, 1, 8, 18])
def test_a_sweep_that_broke_at_once_is_named(count: int) -> None:
    """Too few points are an explosion, and said to be one."""
    few = np.geomspace(1, 100, count) if count else np.array([])
    with pytest.raises(RecipeError, match=f"after {count} batches; lower start_lr"):
        advise(RATES[:count], few, few, sliced=False, num_it=100)


@settings(deadline=None, max_examples=40)
@given(
    st.floats(min_value=-5, max_value=-0.5),
    st.floats(min_value=0.5, max_value=1.0),
    st.floats(min_value=0.1, max_value=1000),
    st.integers(min_value=0, max_value=2**32 - 1),
)
def test_the_rate_is_never_near_the_explosion(
    lowest: float, room: float, scale: float, seed: int
) -> None:
    """Noisy bowls of any scale: inside the sweep, at most a fifth of where the loss explodes."""
    noise = np.random.default_rng(seed).normal(0, 0.02 * scale, 100)
    curve = scale * bowl(10**lowest, 10 ** (lowest + room)) + noise
    raw = curve + 3 * noise
    try:
        advice = advise(RATES, curve, raw, sliced=False)
    except RecipeError:
        return
    assert isinstance(advice.recommended, float)
    assert RATES[0] <= advice.recommended <= RATES[-1]
    if advice.explodes_at is not None:
        assert advice.recommended <= advice.explodes_at / 5 * 1.06  # rounded to two digits
