"""The JSON graph: networkx reads it, and what is imported is exported the same."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.exports.importing import import_graph
from app.exports.node_link import to_json
from app.exports.reading import read_graph
from app.exports.selection import Choice
from kg.errors import GradusError
from kg.linking import key
from kg.store import Store, open_store
from kg.types import Evidence, Relation, RelationKind, Tier

EVERYTHING = Choice(candidates=True)
KINDS: tuple[RelationKind, ...] = ("prerequisite", "broader", "related")
TIERS: tuple[Tier, ...] = ("likely", "sure", "stated")
Drawn = tuple[list[str], list[list[str]], list[Relation]]


def again(text: str, folder: Path) -> str:
    """Import a graph into a new store and export it from there."""
    folder.mkdir(exist_ok=True)
    file = folder / "graph.json"
    file.write_text(text, encoding="utf-8")
    import_graph(file, folder / "store")
    opened = open_store(folder / "store")
    try:
        return to_json(opened, EVERYTHING)
    finally:
        opened.close()


def test_networkx_reads_it(several: Store) -> None:
    """`node_link_graph` gives a multigraph with every attribute under its documented name."""
    graph = nx.node_link_graph(json.loads(to_json(several)), edges="edges")
    assert isinstance(graph, nx.MultiDiGraph)
    assert graph.nodes["learning_rate"]["label"] == "Learning Rate"
    assert graph.nodes["learning_rate"]["aliases"] == ["LR"]
    assert graph.nodes["learning_rate"]["lines"] == [
        {"note": "note.md", "cell": None, "line_start": 4, "line_end": 4}
    ]
    assert set(graph.nodes["loss"]) == {"label", "aliases", "summary", "notes", "lines", "depth"}
    edge = graph.edges["tensor", "gradient", "prerequisite"]
    assert set(edge) == {"kind", "score", "kept", "tier", "shortcut", "evidence"}
    assert (edge["score"], edge["tier"], edge["shortcut"]) == (0.9, "stated", False)
    assert edge["evidence"][0] == dataclasses.asdict(several.relations[0].evidence[0])
    assert graph.number_of_edges("tensor", "gradient") == 2


def test_an_ingested_graph_comes_back_the_same(store: Store, tmp_path: Path) -> None:
    """Export, import, export: not a byte differs, candidates and evidence included."""
    text = to_json(store, EVERYTHING)
    assert json.loads(text)["edges"]
    assert again(text, tmp_path) == text


def test_several_kinds_and_hostile_labels_come_back_the_same(
    several: Store, hostile: Store, tmp_path: Path
) -> None:
    """So do graphs that no note would give."""
    for i, graph in enumerate((several, hostile)):
        text = to_json(graph, EVERYTHING)
        assert again(text, tmp_path / str(i)) == text


@st.composite
def graphs(draw: st.DrawFn) -> Drawn:
    """Labels of any text, each a name of its own, with acyclic prerequisites and others."""
    name = st.text(min_size=1, max_size=12).filter(lambda t: bool(t.strip()))
    labels = draw(st.lists(name, min_size=2, max_size=6, unique_by=lambda t: key(t) or (t,)))
    aliases = [draw(st.lists(st.text(max_size=5), max_size=2)) for _ in labels]
    n = len(labels)
    evidence = st.builds(
        Evidence,
        st.text(),
        st.none() | st.integers(0, 9),
        st.integers(1, 9**9),
        st.text(),
        st.text(),
    )
    relations = {}
    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] < p[1])
    for kind in KINDS:
        for source, target in draw(st.sets(pair, max_size=4)):
            score, kept = draw(st.floats(0, 1)), draw(st.booleans())
            tier: Tier = draw(st.sampled_from(TIERS)) if kept and kind == "prerequisite" else ""
            said = tuple(draw(st.lists(evidence, max_size=2)))
            relations[kind, source, target] = Relation(
                kind, source, target, score, kept, said, tier
            )
    return labels, aliases, list(relations.values())


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graphs())
def test_any_graph_comes_back_the_same(
    make_store: Callable[..., Store],
    tmp_path_factory: pytest.TempPathFactory,
    drawn: Drawn,
) -> None:
    """Whatever its words, scores and evidence."""
    labels, aliases, relations = drawn
    text = to_json(make_store(labels, relations, aliases), EVERYTHING)
    assert again(text, tmp_path_factory.mktemp("graph")) == text


def least(**changes: Any) -> dict[str, Any]:
    return {
        "nodes": [{"id": 1, "label": "A"}, {"id": "b", "label": "B"}, {"id": 3, "label": "C"}],
        "edges": [],
    } | changes


def edge(source: object, target: object, **more: Any) -> dict[str, Any]:
    return {"source": source, "target": target, "kind": "prerequisite"} | more


def test_little_is_needed(tmp_path: Path) -> None:
    """Ids, labels and kinds do; unknown names are passed over; related pairs are ordered."""
    file = tmp_path / "hand.json"
    file.write_text(
        json.dumps(least(edges=[edge("b", 1, colour="red"), edge(3, "b", kind="related")]))
    )
    graph = read_graph(file)
    assert [(c.label, c.notes) for c in graph.concepts] == [(x, ("hand.json",)) for x in "ABC"]
    assert graph.relations[0] == Relation("prerequisite", 1, 0, 1.0, True, ())
    assert (graph.relations[1].source, graph.relations[1].target) == (1, 2)
    assert graph.dropped == ()


FAULTS: dict[str, object] = {
    'expected an object with "nodes" and "edges", found a list': [],
    "nodes: expected a list, found nothing": {"edges": []},
    'expected "edges", found "links"': {"nodes": [], "links": []},
    "directed: the graph is undirected": least(directed=False),
    "graph.version: expected 1, found 7; a newer Gradus": least(
        graph={"format": "gradus-graph", "version": 7}
    ),
    "nodes[0]: expected an object, found 'A'": least(nodes=["A"]),
    "nodes[0].id: expected text or a whole number, found nothing": least(nodes=[{"label": "A"}]),
    "nodes[1].id: 1 is the id of an earlier node too": least(
        nodes=[{"id": 1, "label": "A"}, {"id": 1, "label": "B"}]
    ),
    "nodes[0].label: expected text, found 3": least(nodes=[{"id": 1, "label": 3}]),
    "nodes[0].label: expected a name, found white space": least(nodes=[{"id": 1, "label": " \n"}]),
    "nodes[0].label: expected at most 2000 characters, found 2001": least(
        nodes=[{"id": 1, "label": "x" * 2001}]
    ),
    "nodes[0].label: holds half of a character, \\ud800": least(
        nodes=[{"id": 1, "label": "\ud800"}]
    ),
    "nodes[1].label: 'batches' is the name of nodes[0] too": least(
        nodes=[{"id": 1, "label": "Batch"}, {"id": 2, "label": "batches"}]
    ),
    "nodes[0].aliases[1]: expected text, found nothing": least(
        nodes=[{"id": 1, "label": "A", "aliases": ["x", None]}]
    ),
    "nodes[0].lines[0].line_end: expected 3 or more, found 2": least(
        nodes=[{"id": 1, "label": "A", "lines": [{"note": "a.md", "line_start": 3, "line_end": 2}]}]
    ),
    "edges[0].source: no node has the id 'x'": least(edges=[edge("x", 1)]),
    "edges[0].target: no node has the id '1'": least(edges=[edge("b", "1")]),
    "edges[0]: a relation of a concept with itself": least(edges=[edge(1, 1)]),
    "edges[1]: the same prerequisite relation as edges[0]": least(
        edges=[edge(1, "b"), edge(1, "b")]
    ),
    "edges[0].kind: expected one of prerequisite, broader, related, found 'needs'": least(
        edges=[edge(1, "b", kind="needs")]
    ),
    "edges[0].tier: expected one of \"\", likely, sure, stated, found 'gold'": least(
        edges=[edge(1, "b", tier="gold")]
    ),
    "edges[0].score: expected a number from 0 to 1, found 1.5": least(
        edges=[edge(1, "b", score=1.5)]
    ),
    "edges[0].score: expected a number from 0 to 1, found true": least(
        edges=[edge(1, "b", score=True)]
    ),
    "edges[0].kept: expected true or false, found 'yes'": least(edges=[edge(1, "b", kept="yes")]),
    "edges[0].evidence[0].line: expected a whole number from 1 on, found 0": least(
        edges=[edge(1, "b", evidence=[{"note": "a.md", "line": 0}])]
    ),
}


@pytest.mark.parametrize("said", FAULTS)
def test_every_fault_is_named_with_its_place(said: str, tmp_path: Path) -> None:
    """The message names file, place, what was expected and found; nothing is written."""
    file = tmp_path / "graph.json"
    file.write_text(json.dumps(FAULTS[said]), encoding="utf-8")
    with pytest.raises(GradusError) as caught:
        import_graph(file, tmp_path / "store")
    assert str(caught.value).startswith(f"{file}: {said}")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"nodes": [\n{"id" 1}', "graph.json:2:7: this is not JSON: Expecting ':' delimiter"),
        (b"", "graph.json:1:1: this is not JSON"),
        (b'{"nodes": "\xff"}', "graph.json: expected UTF-8 text, found the byte 0xff"),
        (b'{"score": NaN}', "graph.json: NaN is not a number in JSON"),
        (b'{"score": -Infinity}', "graph.json: -Infinity is not a number in JSON"),
        (b"[" * 200_000, "graph.json: lists nested so deep"),
        (b'{"nodes": [{"id": ' + b"9" * 10_000 + b"}]}", "graph.json: Exceeds the limit"),
    ],
)
def test_what_is_no_json_is_said_with_its_place(raw: bytes, said: str, tmp_path: Path) -> None:
    """Broken, hostile and foreign files are one clear error."""
    file = tmp_path / "graph.json"
    file.write_bytes(raw)
    with pytest.raises(GradusError) as caught:
        read_graph(file)
    assert said in str(caught.value)


def test_a_file_too_large_is_not_even_read(tmp_path: Path) -> None:
    """Its size is looked at first; a sparse file of 300 MiB takes no time."""
    file = tmp_path / "graph.json"
    with file.open("wb") as opened:
        opened.truncate(300 * 2**20)
    with pytest.raises(GradusError, match="the file is larger than 256 MiB"):
        read_graph(file)
    with pytest.raises(GradusError, match=r"cannot read the graph in .*: No such file"):
        read_graph(tmp_path / "none.json")


def test_a_cycle_loses_its_weakest_edge_and_says_so(tmp_path: Path) -> None:
    """What was dropped is still there as a candidate, without its tier."""
    file = tmp_path / "graph.json"
    ring = [edge(1, "b", score=0.9), edge("b", 3, score=0.8), edge(3, 1, score=0.3, tier="likely")]
    file.write_text(json.dumps(least(edges=ring)), encoding="utf-8")
    graph = import_graph(file, tmp_path / "store")
    assert graph.dropped == ("'C' before 'A' (score 0.30) would close a cycle",)
    store = open_store(tmp_path / "store")
    assert [(r.kept, r.tier) for r in store.relations] == [(True, ""), (True, "")]
    assert [(r.source, r.target, r.tier) for r in store.candidates()] == [(2, 0, "")]
    assert list(nx.topological_sort(store.prerequisites)) == [0, 1, 2]
    store.close()


def test_a_shortcut_that_nothing_implies_is_none(tmp_path: Path) -> None:
    """Else a short path would lose a prerequisite; one that others imply stays."""
    file = tmp_path / "graph.json"
    edges = [edge(1, "b"), edge("b", 3), edge(1, 3, shortcut=True)]
    file.write_text(json.dumps(least(edges=edges)), encoding="utf-8")
    assert read_graph(file).relations[2].shortcut
    file.write_text(json.dumps(least(edges=edges[1:])), encoding="utf-8")
    graph = read_graph(file)
    assert not graph.relations[1].shortcut
    assert graph.dropped == (
        "'A' before 'C' is called a shortcut, but no other relations imply it",
    )


def test_a_store_of_notes_is_not_written_over(
    store_folder: Path, several: Store, tmp_path: Path
) -> None:
    """One that holds an imported graph is: it has nothing that the file's giver does not."""
    file = tmp_path / "graph.json"
    file.write_text(to_json(several), encoding="utf-8")
    with pytest.raises(
        GradusError, match=r"holds \d+ notes, which an imported graph would replace"
    ):
        import_graph(file, store_folder)
    import_graph(file, tmp_path / "store")
    file.write_text(json.dumps(least()), encoding="utf-8")
    import_graph(file, tmp_path / "store")
    opened = open_store(tmp_path / "store")
    assert [c.label for c in opened.concepts] == ["A", "B", "C"]
    assert (opened.imported_from, len(opened.passages), opened.generation) == ("graph.json", 0, 2)
    opened.close()
