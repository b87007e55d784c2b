"""What was read stays in memory, up to a number."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.kept import Kept


@given(st.lists(st.lists(st.integers(0, 9), max_size=8), max_size=8), st.integers(1, 12))
def test_values_are_those_read_and_no_more_stay_than_said(
    asked: list[list[int]], most: int
) -> None:
    """Whatever is asked for in whatever order; nothing that is there is read again."""
    read: list[int] = []

    def squares(numbers: Sequence[int]) -> list[int]:
        read.extend(numbers)
        return [n * n for n in numbers]

    kept = Kept(most, squares)
    for numbers in asked:
        there = {*kept}
        read.clear()
        assert kept.some(numbers) == [n * n for n in numbers]
        assert sorted(read) == sorted({*numbers} - there)
        assert len(kept) <= most
        for n in numbers[-1:]:
            assert kept[n] == n * n


def test_a_reading_that_fails_keeps_nothing() -> None:
    """What goes wrong is the reader's to say, and the next one reads again."""
    kept = Kept(3, lambda numbers: [1 / n for n in numbers])
    with pytest.raises(ZeroDivisionError):
        kept.some([1, 0])
    assert not kept
    assert kept[2] == 0.5
