"""Lists of what the notes put below a concept."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.answering.answer import answer
from kg.encoder import Encoder
from kg.store import Store

NOTES = """# Metrics

Read them beside the notebooks.

## MAPE

Mean absolute percentage error, undefined where one is zero.

## WAPE

WAPE is the sum of absolute errors divided by the sum of actuals.

# Horizon

How far ahead we forecast. All of our models look eight weeks ahead.
"""


@pytest.fixture(scope="module")
def store(store_of: Callable[..., Store]) -> Store:
    return store_of({"metrics.md": NOTES})


@pytest.mark.parametrize("asked", ["list all metrics", "list all metrics we use"])
def test_all_of_a_concept_is_what_the_notes_put_below_it(
    store: Store, encoder: Encoder, asked: str
) -> None:
    """Not what happens to name it; each with what it is and its line, and nothing is in doubt."""
    said = answer(asked, store, encoder)
    assert said.text.split("\n") == [
        "- **MAPE**: Mean absolute percentage error, undefined where one is zero. [1]",
        "- WAPE is the sum of absolute errors divided by the sum of actuals. [2]",
    ]
    assert [(c.line_start, c.quote[:4]) for c in said.citations] == [(7, "Mean"), (11, "WAPE")]
    assert said.status == "answered" and not said.doubtful


def test_a_concept_without_parts_is_no_list_of_them(store: Store, encoder: Encoder) -> None:
    """What is said of it is listed as before."""
    said = answer("list all of the horizon", store, encoder)
    assert "MAPE" not in said.text
