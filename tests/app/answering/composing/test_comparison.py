"""What stands in the table of a comparison."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.answering.answer import answer
from kg.encoder import Encoder
from kg.store import Store

NOTES = """# Random forest

Many [[Decision tree|decision trees]] on ==bootstrap== samples, which vote `together`.

# Gradient boosting

Trees are built one after another, each on the errors of the [[Sum]] before it.
"""


@pytest.fixture(scope="module")
def store(store_of: Callable[..., Store]) -> Store:
    return store_of({"trees.md": NOTES})


def test_cells_are_shown_as_other_excerpts_are(store: Store, encoder: Encoder) -> None:
    """Marks of note-taking programs stand for what they mean; a bar would end the cell."""
    said = answer("difference between random forest and gradient boosting", store, encoder)
    assert said.text.split("\n")[-1] == (
        "| Many decision trees on **bootstrap** samples, which vote `together`. [1] "
        "| Trees are built one after another, each on the errors of the Sum before it. [2] |"
    )
