"""GraphML: what networkx and igraph read is what the store holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import igraph
import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from app.exports.graphml import to_graphml
from app.exports.selection import Choice, edge_attributes, node_attributes, selected
from kg.store import Store


def as_text(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def test_networkx_reads_every_attribute(several: Store) -> None:
    """Parallel relations stay apart; lists and truth values come back as what they are."""
    graph: Any = nx.parse_graphml(
        to_graphml(several, Choice(candidates=True)), force_multigraph=True
    )
    chosen = selected(several, Choice(candidates=True))
    for c in chosen.concepts:
        wanted = {k: as_text(v) for k, v in node_attributes(c, chosen).items()}
        assert graph.nodes[chosen.ids[c.id]] == wanted
    read = {key: (u, v, attributes) for u, v, key, attributes in graph.edges(keys=True, data=True)}
    assert len(read) == len(chosen.relations) == 8
    for n, r in enumerate(chosen.relations):
        u, v, attributes = read[f"e{n}"]
        assert (u, v) == (chosen.ids[r.source], chosen.ids[r.target])
        # An empty text and none are the same to GraphML.
        assert {"tier": "", **attributes} == {k: as_text(x) for k, x in edge_attributes(r).items()}


def test_igraph_reads_the_same(several: Store, tmp_path: Path) -> None:
    """A second reader, of libxml2 and C, agrees."""
    path = tmp_path / "g.graphml"
    path.write_text(to_graphml(several), encoding="utf-8")
    graph = igraph.Graph.Read_GraphML(str(path))
    chosen = selected(several, Choice())
    assert graph.is_directed()
    assert graph.vs["label"] == [c.label for c in chosen.concepts]
    assert graph.vs["depth"] == [0, 1, 1, 2, 0]
    assert [json.loads(a) for a in graph.vs["aliases"]] == [
        list(c.aliases) for c in chosen.concepts
    ]
    wanted = sorted(
        (r.source, r.target, r.kind, r.score, r.kept, r.tier, r.shortcut) for r in chosen.relations
    )
    read = [
        (*e.tuple, e["kind"], e["score"], e["kept"], e["tier"], e["shortcut"]) for e in graph.es
    ]
    assert sorted(read) == wanted


def test_truth_values_are_xmls_own_words(several: Store) -> None:
    """Readers that know no Python take "true" and "false" only; a label "True" stays as it is."""
    root = ElementTree.fromstring(to_graphml(several).encode())
    values = [e.text for e in root.iterfind(".//{*}data") if e.get("key") in ("kept", "shortcut")]
    assert set(values) == {"true", "false"}


@settings(max_examples=60)
@given(labels=st.lists(st.text(st.characters(), min_size=1), min_size=1, max_size=6))
def test_any_label_survives_or_is_cleaned(
    labels: list[str], make_store: Callable[..., Store]
) -> None:
    """Control characters become U+FFFD, every line end one; all else is read as it was."""
    text = to_graphml(make_store(labels))
    text.encode()  # no halves of characters are left
    graph = nx.parse_graphml(text)
    read = [graph.nodes[n].get("label", "") for n in graph]
    assert len(read) == len(labels)
    for label, found in zip(labels, read, strict=True):
        lined = label.replace("\r\n", "\n").replace("\r", "\n")
        assert len(lined) == len(found)
        assert all(b in (a, "\ufffd") for a, b in zip(lined, found, strict=True))
        assert all(
            a == b or not (a.isprintable() and a.isascii())
            for a, b in zip(lined, found, strict=True)
        )


def test_hostile_labels_are_read_by_igraph_too(hostile: Store, tmp_path: Path) -> None:
    """As many concepts as there were, in their order, with every character that XML allows."""
    path = tmp_path / "g.graphml"
    path.write_bytes(to_graphml(hostile).encode())
    read = igraph.Graph.Read_GraphML(str(path)).vs["label"]
    for concept, label in zip(hostile.concepts, read, strict=True):
        kept = "".join(c for c in label if c != "\ufffd")
        assert kept == "".join(
            c
            for c in concept.label.replace("\r\n", "\n")
            if (c >= " " and c not in "\ufffe\uffff") or c == "\n"
        )
