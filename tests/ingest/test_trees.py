"""Trees read from a table of nodes give what the classifier gave that they were taken from."""

from __future__ import annotations

import numpy as np
import pytest

from ingest.trees import Trees

STUMP = {
    "columns": ["a", "b"],
    "roots": [0, 3],
    "feature": [1, -1, -1, -1],
    "threshold": [0.5, 0, 0, 0],
    "left": [1, 0, 0, 0],
    "right": [2, 0, 0, 0],
    "value": [0, -1.0, 2.0, 0.25],
    "base": 0.5,
}


@pytest.mark.parametrize(("second", "odds"), [(0.0, -0.25), (0.5, -0.25), (0.6, 2.75)])
def test_a_row_goes_left_up_to_the_threshold(second: float, odds: float) -> None:
    """And the values of the leaves add up, one that is a root among them."""
    (chance,) = Trees.of(STUMP, "ab").chances(np.array([[9.0, second]]))
    assert chance == pytest.approx(1 / (1 + np.exp(-odds)))


def test_no_rows_have_no_chances() -> None:
    """Nor does that need a tree."""
    assert Trees.of(STUMP, "ab").chances(np.zeros((0, 2))).shape == (0,)


def test_trees_of_other_columns_are_refused() -> None:
    """They would read the wrong ones."""
    with pytest.raises(ValueError, match="fit them again"):
        Trees.of(STUMP, "ba")
