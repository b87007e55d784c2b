"""Scores as the chance that a teacher accepts the edge."""

from __future__ import annotations

from pathlib import Path

import pytest
from made import write_notes

from ingest.build import ingest
from ingest.relations.acceptance import KEEP, SURE
from kg.store import Store, open_store

NOTES = {
    "gradient.md": "# Gradient\n\nThe gradient is the vector of partial derivatives.\n",
    "descent.md": "# Gradient descent\n\nGradient descent steps against the gradient of the loss. "
    "It needs the gradient at each step, and a learning rate.\n",
    "momentum.md": "# Momentum\n\nMomentum makes gradient descent faster: it adds the last step of "
    "gradient descent to the new one.\n",
    "contact.md": "# Pizza dough\n\nFlour, water, salt and yeast. Let it rest.\n",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("acceptance")
    ingest([write_notes(folder / "notes", NOTES)], folder / "store")
    return open_store(folder / "store")


def score(store: Store, before: str, after: str) -> float:
    named = {c.label: c.id for c in store.concepts}
    pair = named[before], named[after]
    return max((r.score for r in store.relations if (r.source, r.target) == pair), default=0.0)


def test_what_a_concept_rests_on_is_likelier_than_the_reverse_and_than_what_is_beside(
    store: Store,
) -> None:
    """By the notes' own words."""
    told = score(store, "Gradient", "Gradient descent")
    assert told > score(store, "Gradient descent", "Gradient")
    assert told > score(store, "Pizza dough", "Gradient descent")


def test_what_is_kept_is_as_likely_as_its_name_says(store: Store) -> None:
    """From KEEP on, and sure from SURE on."""
    kept = [r for r in store.relations if r.kind == "prerequisite" and r.kept]
    assert all(r.score >= KEEP for r in kept)
    assert all((r.tier == "sure") == (r.score >= SURE) for r in kept if r.tier != "stated")


def test_made_up_folders_are_left_as_they_were(store: Store, tmp_path: Path) -> None:
    """The same notes give the same scores again, elsewhere."""
    ingest([write_notes(tmp_path / "notes", NOTES)], tmp_path / "store")
    again = open_store(tmp_path / "store")
    assert [r for r in again.relations if r.kept] == [r for r in store.relations if r.kept]
