"""Numbers are compared by value and unit, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.reading.quantities import Quantity, quantities


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a rate of 0.001", "a rate of 1e-3"),
        ("1e-3", r"$10^{-3}$"),
        ("3e-4", r"$3 \times 10^{-4}$"),
        ("2 × 10^-4", "0.0002"),
        ("1,024 numbers", "1024 numbers"),
        ("500,000", "5e5"),
        ("ten percent", "10 %"),
        ("10%", "10 percent"),
        ("twelve layers", "12 layers"),
        ("87 MB", "87 megabytes"),
        ("−1", "-1"),
        (r"10\%", "10 %"),
        (".5", "0.5"),
        ("2**10", "1024"),
    ],
)
def test_the_same_amount_is_the_same(one: str, other: str) -> None:
    """Spelling, separators, powers of ten and names of units make no difference."""
    assert quantities(one) == quantities(other) != frozenset()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.01", "0.1"),
        ("64 MB", "64 GB"),
        ("between -1 and 1", "between 0 and 1"),
        ("10 %", "10"),
        ("224", "2,240"),
    ],
)
def test_another_amount_is_another(one: str, other: str) -> None:
    """A digit, a unit or a sign makes a difference."""
    assert not all(q.within(quantities(other)) for q in quantities(one))


def test_a_unit_that_is_not_said_may_be_any() -> None:
    """A number without a unit stands where the same number has one, and not the other way round."""
    assert Quantity(64).within(quantities("64 MB"))
    assert not Quantity(64, "MB").within(quantities("a batch of 64"))


def test_a_range_has_its_unit_at_both_ends() -> None:
    """ "10 to 20 %" holds 10 %."""
    assert {Quantity(10, "%"), Quantity(20, "%")} <= quantities("a margin of 10 to 20 %")
    assert Quantity(3, "epoch") in quantities("3–5 epochs")


def test_numbers_inside_names_are_names() -> None:
    """ "float32" and "L2" hold no amount; a dash before a number is no sign after a word."""
    assert quantities("float32 and L2") == frozenset()
    assert quantities("ResNet-34") == {Quantity(34)}


@given(st.text(max_size=60))
def test_any_text_has_quantities(text: str) -> None:
    """Nothing that people or models write makes it fail, and reading is repeatable."""
    assert quantities(text) == quantities(text)


@given(st.floats(min_value=1e-9, max_value=1e9))
def test_scientific_and_plain_notation_meet(value: float) -> None:
    """A value and its scientific form are the same amount."""
    (found,) = quantities(f"{value:.6e}")
    assert found.within([Quantity(float(f"{value:.6e}"))])


@pytest.mark.parametrize("text", ["9" * 400, "1e99999", "999999999**9999", "0^{-1}", "$10^{999}$"])
def test_what_no_float_holds_is_infinite(text: str) -> None:
    """Amounts beyond all measure do no harm."""
    (found,) = quantities(text)
    assert found.value == float("inf")
