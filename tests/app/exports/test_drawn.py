"""Mermaid, DOT and canvas: the graph as others draw it; labels stay words."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree import ElementTree

import pydot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.exports.canvas import to_canvas
from app.exports.dot import to_dot
from app.exports.mermaid import to_mermaid
from app.exports.selection import Choice, node_ids, one_line
from kg.store import Store
from kg.types import Relation

EVERYTHING = Choice(candidates=True)
LABELS = st.lists(st.text(min_size=1, max_size=20), min_size=2, max_size=5)


def joined(n: int) -> tuple[Relation, ...]:
    return tuple(Relation("prerequisite", i, i + 1, 0.9, True, ()) for i in range(n - 1))


def shown(labels: Sequence[str]) -> list[str]:
    """Labels as they are shown: on one line, and the id where nothing of one is left."""
    return [one_line(label) or i for label, i in zip(labels, node_ids(labels), strict=True)]


def shown_by_mermaid(labels: Sequence[str]) -> list[str]:
    """The same but for two marks that Mermaid uses within."""
    return [label.replace("\ufb02", "fl").replace("¶ß", "¶ ß") for label in shown(labels)]


_NODE = re.compile(r'    c_(\w+)\["(.*)"\]')
_CODE = re.compile(r"#(\d+);")
# What Mermaid's own grammar and its Markdown leave alone inside a quoted label.
_QUIET = re.compile(r"(?:[^\x00-\x7f]|[A-Za-z0-9 ,.'()/!?+=-]|:(?=\s)|#\d+;)*")


def mermaid_nodes(text: str) -> dict[str, str]:
    """Labels by id as Mermaid reads them: `#NN;` is the character of that number."""
    found = (_NODE.fullmatch(line) for line in text.split("\n"))
    return {m[1]: _CODE.sub(lambda c: chr(int(c[1])), m[2]) for m in found if m}


def test_mermaid_draws_kinds_apart(several: Store) -> None:
    """Ids are stable, concepts without relations are left out, candidates carry a question mark."""
    assert to_mermaid(several) == (
        "flowchart LR\n"
        '    c_tensor["Tensor"]\n'
        '    c_gradient["Gradient"]\n'
        '    c_loss["Loss"]\n'
        '    c_learning_rate["Learning Rate"]\n'
        "    c_tensor --> c_gradient\n"
        "    c_tensor --> c_loss\n"
        "    c_gradient --> c_learning_rate\n"
        "    c_loss --> c_learning_rate\n"
        "    c_tensor --> c_learning_rate\n"
    )
    lines = to_mermaid(several, EVERYTHING).splitlines()
    assert lines[-3:] == [
        "    c_tensor -.-> c_gradient",
        "    c_gradient --- c_loss",
        "    c_learning_rate -.-|?| c_tensor",
    ]
    alone = to_mermaid(several, Choice(about=4))
    assert alone == 'flowchart LR\n    c_left_alone["Left alone"]\n'


@given(LABELS)
def test_any_label_is_the_same_to_mermaid(
    make_store: Callable[..., Store], labels: list[str]
) -> None:
    """Decoded it is the label on one line; undecoded nothing in it has a meaning."""
    text = to_mermaid(make_store(labels, joined(len(labels))))
    assert list(mermaid_nodes(text).values()) == shown_by_mermaid(labels)
    lines = text.splitlines()
    assert len(lines) == 1 + len(labels) + len(labels) - 1
    for line in lines[1 : len(labels) + 1]:
        match = _NODE.fullmatch(line)
        assert match
        assert _QUIET.fullmatch(match[2])
        assert not re.match(r"[-+]|\d{1,3}[.)]", match[2])


def test_hostile_labels_are_the_same_to_mermaid(hostile: Store) -> None:
    """Directives, entities, styles, tags and Markdown come out as the words that they were."""
    read = list(mermaid_nodes(to_mermaid(hostile)).values())
    assert read == shown_by_mermaid([c.label for c in hostile.concepts])


def read_by_pydot(text: str) -> Any:
    graphs = pydot.graph_from_dot_data(text)
    assert graphs is not None
    assert len(graphs) == 1
    return graphs[0]


def unquoted(text: str | None) -> str:
    """What a quoted DOT string says in a label, its escapes and entities read."""
    assert text is not None
    assert text[0] == text[-1] == '"'
    return re.sub(r"\\(.)", r"\1", text[1:-1]).replace("&amp;", "&")


def test_dot_is_read_by_pydot(several: Store) -> None:
    """Nodes with their labels, edges with the documented attributes."""
    graph = read_by_pydot(to_dot(several, EVERYTHING))
    nodes = {n.get_name(): n for n in graph.get_nodes() if n.get_name() != "node"}
    assert {unquoted(i): unquoted(n.get("label")) for i, n in nodes.items()} == {
        "tensor": "Tensor",
        "gradient": "Gradient",
        "loss": "Loss",
        "learning_rate": "Learning Rate",
    }
    edges = [(e.get_source(), e.get_destination(), e.get_attributes()) for e in graph.get_edges()]
    assert len(edges) == 8
    first = {name: unquoted(value) for name, value in edges[0][2].items()}
    assert edges[0][:2] == ('"tensor"', '"gradient"')
    assert first == {
        "kind": "prerequisite",
        "score": "0.9",
        "kept": "true",
        "tier": "stated",
        "shortcut": "false",
        "style": "solid",
    }


@settings(max_examples=30)
@given(
    st.lists(
        st.text(min_size=1, max_size=12).filter(lambda t: "&" not in t), min_size=2, max_size=3
    )
)
def test_any_label_is_the_same_to_pydot(
    make_store: Callable[..., Store], labels: list[str]
) -> None:
    """No label ends its own quotes."""
    graph = read_by_pydot(to_dot(make_store(labels, joined(len(labels)))))
    read = [unquoted(n.get("label")) for n in graph.get_nodes() if n.get_name() != "node"]
    assert sorted(read) == sorted(shown(labels))


@pytest.mark.skipif(
    shutil.which("dot") is None, reason="needs Graphviz's dot, which is not installed"
)
def test_graphviz_draws_hostile_labels_as_they_are(hostile: Store) -> None:
    """The words in Graphviz's picture are the labels, and every arrow is drawn."""
    drawn = subprocess.run(
        ["dot", "-Tsvg"], input=to_dot(hostile).encode(), capture_output=True, check=True
    )
    assert drawn.stderr == b""
    svg = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(drawn.stdout)
    words = ["".join(t.itertext()).replace("\xa0", " ") for t in root.iter(f"{svg}text")]
    assert sorted(words) == sorted(shown([c.label for c in hostile.concepts]))
    kinds = [g.get("class") for g in root.iter(f"{svg}g")]
    assert kinds.count("edge") == len(hostile.relations)


def checked_canvas(text: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Nodes by id and edges of a canvas that keeps to the JSON Canvas 1.0 spec."""
    canvas = json.loads(text)
    assert set(canvas) == {"nodes", "edges"}
    nodes = {n["id"]: n for n in canvas["nodes"]}
    assert len(nodes) == len(canvas["nodes"])
    for node in nodes.values():
        assert node["type"] in ("text", "group")
        assert {type(node[k]) for k in ("x", "y", "width", "height")} == {int}
        assert isinstance(node["text" if node["type"] == "text" else "label"], str)
    for edge in canvas["edges"]:
        assert edge["fromNode"] in nodes
        assert edge["toNode"] in nodes
        assert {edge["fromSide"], edge["toSide"]} <= {"top", "right", "bottom", "left"}
        assert edge.get("toEnd", "arrow") in ("none", "arrow")
        assert edge.get("color", "1") in ("1", "2", "3", "4", "5", "6")
    assert len({e["id"] for e in canvas["edges"]} | set(nodes)) == len(canvas["edges"]) + len(nodes)
    return nodes, canvas["edges"]


def overlap(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return bool(
        a["x"] < b["x"] + b["width"]
        and b["x"] < a["x"] + a["width"]
        and a["y"] < b["y"] + b["height"]
        and b["y"] < a["y"] + a["height"]
    )


def test_a_canvas_runs_downwards(several: Store) -> None:
    """What needs a concept lies below it; what has no relations lies in a group of its own."""
    nodes, edges = checked_canvas(to_canvas(several))
    assert len(edges) == 5
    for edge in edges:
        assert (
            nodes[edge["fromNode"]]["y"] + nodes[edge["fromNode"]]["height"]
            < nodes[edge["toNode"]]["y"]
        )
    group = nodes["group without relations"]
    inside = [i for i, n in nodes.items() if n is not group and overlap(n, group)]
    assert inside == ["left_alone"]
    assert nodes["tensor"]["text"] == "**Tensor**\n\nWhat it is, in 0."
    colours = {e["fromNode"] + " " + e["toNode"]: e.get("color") for e in edges}
    assert (
        colours["tensor gradient"],
        colours["gradient learning_rate"],
        colours["tensor loss"],
    ) == ("4", "5", None)
    _, every = checked_canvas(to_canvas(several, EVERYTHING))
    assert [e.get("label") for e in every[5:]] == ["broader", "related", "prerequisite?"]
    assert every[-2]["toEnd"] == "none"


@settings(max_examples=40)
@given(st.data())
def test_no_card_lies_on_another(make_store: Callable[..., Store], data: st.DataObject) -> None:
    """However many concepts there are, with and without relations."""
    n = data.draw(st.integers(1, 60))
    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] < p[1])
    pairs = data.draw(st.sets(pair, max_size=80)) if n > 1 else set()
    store = make_store(
        [f"c{i}" for i in range(n)],
        [Relation("prerequisite", *p, 0.9, True, ()) for p in sorted(pairs)],
    )
    nodes, edges = checked_canvas(to_canvas(store))
    cards = [node for node in nodes.values() if node["type"] == "text"]
    assert len(cards) == n
    assert len(edges) == len(pairs)
    assert not any(overlap(a, b) for i, a in enumerate(cards) for b in cards[:i])
    for group in (node for node in nodes.values() if node["type"] == "group"):
        touching = [c for c in cards if overlap(c, group)]
        assert len(touching) == n - len({end for p in pairs for end in p})
        for c in touching:
            assert group["x"] <= c["x"]
            assert c["x"] + c["width"] <= group["x"] + group["width"]
            assert group["y"] <= c["y"]
            assert c["y"] + c["height"] <= group["y"] + group["height"]
