"""What stands in the table of a comparison."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.answering.answer import answer
from ingest.build import ingest
from kg.encoder import Encoder
from kg.store import Store, open_store

NOTES = """# Random forest

Many [[Decision tree|decision trees]] on ==bootstrap== samples, which vote `together`.

# Gradient boosting

Trees are built one after another, each on the errors of the [[Sum]] before it.
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("notes")
    (folder / "trees.md").write_text(NOTES, encoding="utf-8")
    ingest([folder], folder / "store")
    opened = open_store(folder / "store")
    yield opened
    opened.close()


def test_cells_are_shown_as_other_excerpts_are(store: Store, encoder: Encoder) -> None:
    """Marks of note-taking programs stand for what they mean; a bar would end the cell."""
    said = answer("difference between random forest and gradient boosting", store, encoder)
    assert said.text.split("\n")[-1] == (
        "| Many decision trees on **bootstrap** samples, which vote `together`. [1] "
        "| Trees are built one after another, each on the errors of the Sum before it. [2] |"
    )
