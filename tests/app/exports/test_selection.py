"""What leaves the store, and the ids under which it does."""

from __future__ import annotations

import re
from collections.abc import Callable

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from app.exports.selection import Choice, node_ids, one_line, selected
from kg.store import Store
from kg.types import Relation


@given(st.lists(st.text(max_size=12), max_size=20))
def test_ids_are_unique_and_plain(labels: list[str]) -> None:
    """Whatever the labels, every id is its own, of characters that no format gives a meaning."""
    ids = node_ids(labels)
    assert len(set(ids)) == len(labels)
    assert all(re.fullmatch(r"[a-z0-9_]+", i) for i in ids)


@given(st.lists(st.text(max_size=8), unique=True, max_size=10), st.text(max_size=8))
def test_an_id_stays_when_another_concept_is_appended(labels: list[str], more: str) -> None:
    """What is noted later changes no id of what was there."""
    assert node_ids([*labels, more])[: len(labels)] == node_ids(labels)


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    """No reader of lines, whatever it takes for a line's end, sees two."""
    assert len(one_line(text).splitlines()) <= 1
    assert one_line(one_line(text)) == one_line(text)


def test_every_kept_relation_is_chosen_unless_told_otherwise(several: Store) -> None:
    """Candidates only on demand; one kind when one is asked for; no shortcut when short."""
    pairs = [(r.kind[0], r.source, r.target) for r in selected(several, Choice()).relations]
    assert pairs == [
        ("p", 0, 1),
        ("p", 0, 2),
        ("p", 1, 3),
        ("p", 2, 3),
        ("p", 0, 3),
        ("b", 0, 1),
        ("r", 1, 2),
    ]
    assert len(selected(several, Choice(candidates=True)).relations) == len(pairs) + 1
    short = selected(several, Choice("prerequisite", short=True)).relations
    graph = nx.DiGraph(
        (r.source, r.target) for r in several.relations if r.kept and r.kind == "prerequisite"
    )
    assert {(r.source, r.target) for r in short} == set(nx.transitive_reduction(graph).edges)


def test_about_takes_ancestors_and_descendants(several: Store) -> None:
    """And relations among them only; ids are those of the whole graph."""
    chosen = selected(several, Choice(about=1))
    assert [c.id for c in chosen.concepts] == [0, 1, 3]
    assert {(r.kind, r.source, r.target) for r in chosen.relations} == {
        ("prerequisite", 0, 1),
        ("prerequisite", 1, 3),
        ("prerequisite", 0, 3),
        ("broader", 0, 1),
    }
    whole = selected(several, Choice())
    assert all(
        whole.ids[c] == i and whole.depths[c] == chosen.depths[c] for c, i in chosen.ids.items()
    )
    assert whole.depths == {0: 0, 1: 1, 2: 1, 3: 2, 4: 0}


PAIRS = st.sets(
    st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda p: p[0] < p[1]), max_size=16
)


@given(PAIRS, st.frozensets(st.integers(0, 7)))
def test_of_some_concepts_those_edges_are_short_that_they_do_not_imply(
    make_store: Callable[..., Store], pairs: set[tuple[int, int]], only: frozenset[int]
) -> None:
    """As networkx reduces the part, whatever others of the whole graph imply."""
    graph = nx.DiGraph(sorted(pairs))
    needed = set(nx.transitive_reduction(graph).edges)
    relations = [
        Relation("prerequisite", *pair, 0.9, True, (), shortcut=pair not in needed)
        for pair in sorted(pairs)
    ]
    store = make_store([f"c{i}" for i in range(8)], relations)
    chosen = selected(store, Choice("prerequisite", short=True, only=only))
    assert {c.id for c in chosen.concepts} == only
    wanted = nx.transitive_reduction(graph.subgraph(only)).edges
    assert {(r.source, r.target) for r in chosen.relations} == set(wanted)
    every = selected(store, Choice("prerequisite", only=only)).relations
    assert {(r.source, r.target) for r in every} == set(graph.subgraph(only).edges)
