"""The graph's search finds what a path finds, and everything that holds what was typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.pages.graph.search import matching
from kg.errors import UnknownConcept
from kg.linking import find_concept
from kg.store import Store
from kg.types import Concept

NAMES = st.text("aU-é sN", min_size=1, max_size=6).filter(lambda name: name.strip(" -"))


def concepts(*names: tuple[str, ...]) -> list[Concept]:
    """A concept for each label with its aliases."""
    return [
        Concept(at, label, tuple(aliases), ("n.md",), "", ())
        for at, (label, *aliases) in enumerate(names)
    ]


def labels(known: list[Concept], wanted: str) -> list[str]:
    return [known[at].label for at in matching(known, wanted)[0]]


@pytest.mark.parametrize("wanted", ["unet", "u-net", "U Net", "UNETS", "une"])
def test_a_hyphen_more_or_less_is_the_same_name(wanted: str) -> None:
    """As in questions and paths, "unet" is U-Net; what only holds it comes after."""
    known = concepts(("A U-Net decoder",), ("U-Net", "segmentation network"), ("Tensor",))
    assert labels(known, wanted) == ["U-Net", "A U-Net decoder"]


def test_aliases_accents_and_plurals_find_their_concept() -> None:
    """Each way in which people write a name."""
    known = concepts(("Gödel number",), ("Stochastic gradient descent", "SGD"), ("Batch size",))
    for wanted, label in (("godel", 0), ("sgd", 1), ("batch sizes", 2), ("descent", 1)):
        assert labels(known, wanted) == [known[label].label]


def test_where_no_name_fits_close_ones_are_given_as_such() -> None:
    """A slip leads to what was meant, and says that it is no name of it."""
    known = concepts(("Momentum",), ("Dropout",))
    assert matching(known, "dropuot") == ([1], True)
    assert matching(known, "zzzz") == ([], True)


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=5), NAMES)
def test_a_name_that_a_path_finds_comes_first(names: list[tuple[str, ...]], wanted: str) -> None:
    """The very concept that `find_concept` gives, whatever else holds the name."""
    known = concepts(*names)
    try:
        meant = find_concept(known, wanted)
    except UnknownConcept:
        return
    found, only_close = matching(known, wanted)
    assert found[0] == meant.id and not only_close


def test_every_name_of_a_store_finds_its_concept(store: Store) -> None:
    """Labels and aliases of real notes, and their first letters."""
    for concept in store.concepts:
        for name in (concept.label, *concept.aliases):
            assert matching(store.concepts, name)[0][0] == find_concept(store.concepts, name).id
            assert concept.id in matching(store.concepts, name[:3])[0]
