"""What the map shows of graphs of every size, and what it makes of what the browser sends."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from app.exports.importing import import_graph
from app.graph_themes import FEWEST, MOST, WHOLE
from app.pages.graph.view import concepts_in, graph_view
from app.pages.graph.wanted import KINDS, Wanted, read_wanted
from kg.errors import UnknownConcept
from kg.marks import add_marks
from kg.store import Store, open_store

N, LOOSE = 400, 100


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """400 concepts in a chain of ten neighbourhoods, and 100 without any relation."""
    folder, dice = tmp_path_factory.mktemp("wide"), random.Random(0)
    nodes = [{"id": n, "label": f"Lemma {n:03}"} for n in range(N + LOOSE)]
    pairs = {(dice.randrange(n // 40 * 40, n), n) for n in range(N) for _ in range(3) if n % 40}
    pairs |= {(n - 1, n) for n in range(40, N, 40)}
    edges = [
        {"source": a, "target": b, "kind": "prerequisite", "score": dice.uniform(0.5, 1)}
        for a, b in sorted(pairs)
    ]
    edges.append({"source": 7, "target": 390, "kind": "related", "score": 0.9})
    (folder / "g.json").write_text(json.dumps({"nodes": nodes, "edges": edges}), encoding="utf-8")
    import_graph(folder / "g.json", folder / "store")
    opened = open_store(folder / "store")
    yield opened
    opened.close()


def leaves(store: Store, opened: list[str]) -> Iterator[dict[str, Any]]:
    """Every view that opening themes ends in."""
    view = graph_view(store, read_wanted(store, {"open": opened}))
    assert [one["lead"] for one in view["trail"]] == opened
    if view["kind"] != "themes":
        yield view
        return
    for node in view["nodes"]:
        yield from leaves(store, [*opened, node["lead"]])


def test_a_crowd_is_shown_as_themes_in_study_order(store: Store) -> None:
    """A few, that hold every concept; each arrow leads from an earlier one."""
    view = graph_view(store)
    assert view["kind"] == "themes" and FEWEST <= len(view["nodes"]) <= MOST
    assert sum(node["concepts"] for node in view["nodes"]) == N + LOOSE == view["inside"]
    assert all(-a < -b for a, b, _ in view["edges"])
    steps = [node["step"] for node in view["nodes"]]
    assert steps == sorted(steps)


def test_opening_themes_reaches_every_concept_once(store: Store) -> None:
    """And what is then drawn can be read."""
    found = [node["id"] for view in leaves(store, []) for node in view["nodes"]]
    assert sorted(found) == list(range(N + LOOSE))
    assert all(len(view["nodes"]) <= WHOLE for view in leaves(store, []))


def test_a_theme_is_named_in_its_link_by_any_of_its_concepts(store: Store) -> None:
    """So that a link holds when another concept has become the central one."""
    first = next(leaves(store, []))
    label = first["nodes"][-1]["label"]
    again = graph_view(store, read_wanted(store, {"open": [label] * len(first["trail"])}))
    assert again == first


def test_a_concept_tells_how_many_need_it(store: Store) -> None:
    """Directly or not, in the whole graph; the dots are drawn by it."""
    graph = store.prerequisites
    for node in next(leaves(store, []))["nodes"]:
        assert node["dependants"] == len(nx.descendants(graph, node["id"]))


def test_the_way_between_two_is_the_surest(store: Store) -> None:
    """By what comes first in either direction, else by any relation, else by none."""
    graph = store.prerequisites
    view = graph_view(store, Wanted(ends=(0, 39)))
    ids = [node["id"] for node in sorted(view["nodes"], key=lambda node: node["level"])]
    assert ids[0] == 0 and ids[-1] == 39
    assert [e[:2] for e in view["edges"]] == [list(e) for e in pairwise(ids)]
    assert all(graph.has_edge(a, b) for a, b, _ in view["edges"])
    back = graph_view(store, Wanted(ends=(39, 0)))
    assert back["edges"] == view["edges"] and "builds on" in back["message"]
    beside = graph_view(store, Wanted(ends=(399, 39)))
    assert {node["id"] for node in beside["nodes"]} >= {39, 399}
    apart = graph_view(store, Wanted(ends=(0, N)))
    assert not apart["edges"] and "Nothing in the notes links" in apart["message"]


def test_filters_leave_out_what_they_say(store: Store, tmp_path: Path) -> None:
    """Marks of what is known; relations of other kinds are drawn beside."""
    add_marks(store, [f"Lemma {n:03}" for n in range(330)])
    alone = concepts_in(store, Wanted(known="alone"))
    hidden = graph_view(store, Wanted(known="hidden"))
    assert alone == list(range(330)) and hidden["inside"] == N + LOOSE - 330
    assert "170 of 500" in hidden["message"]
    kinds = graph_view(store, Wanted(about=7, kinds=KINDS))["edges"]
    assert [7, 390, "related"] in kinds
    assert all(k == "prerequisite" for *_, k in graph_view(store, Wanted(about=7))["edges"])
    none = graph_view(store, Wanted(about=7, kinds=()))
    assert none["edges"] == [] and none["nodes"]


def test_surroundings_go_as_far_back_as_is_said(store: Store) -> None:
    """The steps are counted along arrows; the slider's end is the farthest foundation."""
    graph = store.prerequisites
    far = nx.single_source_shortest_path_length(graph.reverse(), 39)
    deepest = graph_view(store, Wanted(39))["deepest"]
    assert deepest == max(far.values())
    for back in range(1, deepest + 1):
        shown = {node["id"] for node in graph_view(store, Wanted(39, back=back))["nodes"]}
        near = {node for node, steps in far.items() if steps <= back}
        assert shown == near | set(graph.successors(39))


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        {},
        {"open": "Lemma 001", "kinds": "related", "back": "2", "sure": ["sure"], "known": 3},
        {"open": [None, {}, ["x"], "no such theme"], "back": -5, "note": "../../etc/passwd"},
        {"back": True, "kinds": [1, None, "sql"], "from": "Lemma 001", "note": {"a": 1}},
        {"open": ["Lemma 001"] * 500, "back": 10**30},
    ],
)
def test_what_is_not_understood_is_left_out(store: Store, sent: object) -> None:
    """No request fails, whatever the browser sends."""
    wanted = read_wanted(store, sent)
    assert (wanted.sure, wanted.known, wanted.note, wanted.ends) == ("", "", "", None)
    assert len(wanted.opened) <= 12
    assert graph_view(store, wanted)["nodes"] is not None


@pytest.mark.parametrize("name", ["no such concept", -1, 10**9, True, 1.5, ["a"]])
def test_an_unknown_concept_is_said(store: Store, name: object) -> None:
    """By name or by number."""
    with pytest.raises(UnknownConcept):
        read_wanted(store, {"about": name})
