"""The commands `export` and `import`: formats by name and suffix, nothing lost unasked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from app.commands.ingest_and_ask import main
from app.open_store import Shelf
from app.pages.graph.view import graph_view, path_view
from app.pages.graph.wanted import Wanted


class Shell:
    """Runs `gradus` in this process and keeps what it printed."""

    def __init__(
        self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, store: Path
    ) -> None:
        self.capfd, self.monkeypatch, self.store = capfd, monkeypatch, store
        self.code = 0
        self.err = ""

    def __call__(self, *arguments: str | Path) -> str:
        self.monkeypatch.setattr(sys, "argv", ["gradus", *map(str, arguments)])
        self.monkeypatch.setenv("GRADUS_STORE", str(self.store))
        try:
            main()
            self.code = 0
        except SystemExit as end:
            self.code = int(end.code or 0)
        said = self.capfd.readouterr()
        self.err = " ".join(said.err.split())
        return said.out


@pytest.fixture
def shell(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, store_folder: Path
) -> Shell:
    return Shell(capfd, monkeypatch, store_folder)


@pytest.fixture
def imported(shell: Shell, tmp_path: Path) -> Shell:
    """A shell on a store that was imported from an export."""
    shell("export", "--out", tmp_path / "graph.json")
    shell.store = tmp_path / "imported"
    shell("import", tmp_path / "graph.json")
    assert shell.code == 0, shell.err
    return shell


BEGINS = {
    "graphml": '<?xml version="1.0" encoding="UTF-8"?>',
    "json": "{",
    "mermaid": "flowchart LR",
    "dot": "digraph gradus {",
    "canvas": "{",
}


def test_the_suffix_says_the_format(shell: Shell, tmp_path: Path) -> None:
    """A file by its suffix holds what stdout gives for the format's name; JSON is the default."""
    for suffix, form in (
        ("graphml", "graphml"),
        ("json", "json"),
        ("mmd", "mermaid"),
        ("GV", "dot"),
        ("canvas", "canvas"),
    ):
        out = shell("export", "--format", form)
        assert out.startswith(BEGINS[form])
        assert shell("export", "--out", tmp_path / f"graph.{suffix}") == ""
        assert shell.code == 0, shell.err
        assert (tmp_path / f"graph.{suffix}").read_text(encoding="utf-8") == out
    assert shell("export") == shell("export", "--format", "json")


def test_wrong_usage_is_said(shell: Shell, tmp_path: Path) -> None:
    """Exit code 2 with what was expected; an unknown concept is a known error with the closest."""
    for arguments, said in (
        (
            ("--format", "png"),
            "expected one of graphml, json, mermaid, dot, canvas, cards, got 'png'",
        ),
        (
            ("--kind", "friends"),
            "expected one of prerequisite, broader, related, all, got 'friends'",
        ),
        (("--out", tmp_path / "graph.xlsx"), "'graph.xlsx' ends in none of .graphml, .json,"),
        (("--format", "cards"), "cards are files of their own; name their folder"),
    ):
        shell("export", *arguments)
        assert shell.code == 2
        assert said in shell.err.replace("│ ", "").replace(" │", "")
    shell("export", "--about", "levains and more")
    assert shell.code == 1
    assert "the notes have no concept 'levains and more'" in shell.err


def test_the_choice_reaches_the_file(shell: Shell) -> None:
    """--kind, --about, --short and --all choose."""

    def graph(*arguments: str) -> Any:
        return nx.node_link_graph(json.loads(shell("export", *arguments)), edges="edges")

    whole = graph()
    kinds = {k for _, _, k in whole.edges(keys=True)}
    assert (
        kinds
        == {json.loads(row)["kind"] for row in shell("relations", "--json").splitlines()}
        >= {"prerequisite", "broader"}
    )
    assert {k for _, _, k in graph("--kind", "broader").edges(keys=True)} == {"broader"}
    steps = graph("--kind", "prerequisite")
    about = graph("--kind", "prerequisite", "--about", "levain")
    own = (
        nx.ancestors(steps, "sourdough_starter")
        | nx.descendants(steps, "sourdough_starter")
        | {"sourdough_starter"}
    )
    assert set(about) == own
    assert set(about.edges) == set(steps.subgraph(own).edges)
    assert not all(kept for _, _, kept in graph("--all").edges(data="kept"))
    short = {(u, v) for u, v, _ in graph("--kind", "prerequisite", "--short").edges}
    assert short == {(u, v) for u, v, flag in steps.edges(data="shortcut") if not flag}


def test_nothing_is_written_over_unasked(shell: Shell, tmp_path: Path) -> None:
    """A file that exists stays without --force."""
    path = tmp_path / "graph.dot"
    path.write_text("mine")
    shell("export", "--out", path)
    assert shell.code == 1
    assert "exists; name another file, or write over it with --force" in shell.err
    assert path.read_text() == "mine"
    shell("export", "--out", path, "--force")
    assert path.read_text().startswith(BEGINS["dot"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["graph.dot"]
    shell("export", "--out", tmp_path / "none" / "graph.dot")
    assert shell.code == 1
    assert "cannot write" in shell.err


def test_an_imported_graph_serves_like_the_notes_own(imported: Shell, store_folder: Path) -> None:
    """Concepts, kept relations, study paths and what comes next are those of the notes' store."""
    asked = (
        ("concepts", "--json"),
        ("relations", "--json"),
        ("export", "--format", "graphml"),
        ("export", "--format", "canvas"),
    )
    here = [imported(*arguments) for arguments in asked]
    orders = [labels(imported(*a, "--json")) for a in (("path", "proofing"), ("next",))]
    imported.store = store_folder
    assert [imported(*arguments) for arguments in asked] == here
    assert [labels(imported(*a, "--json")) for a in (("path", "proofing"), ("next",))] == orders
    assert orders[0] == ["Flour", "Sourdough starter", "Proofing"]
    assert "Flour" in orders[1]


def labels(out: str) -> list[str]:
    return [step["label"] for step in json.loads(out)]


def test_import_counts_in_json(shell: Shell, tmp_path: Path) -> None:
    """One object: the file, how much it held, and what was dropped."""
    graph: dict[str, Any] = {"nodes": [{"id": n, "label": n} for n in "abc"], "edges": []}
    for u, v, score in (("a", "b", 0.9), ("b", "c", 0.8), ("c", "a", 0.1)):
        graph["edges"].append({"source": u, "target": v, "kind": "prerequisite", "score": score})
    (tmp_path / "ring.json").write_text(json.dumps(graph))
    shell.store = tmp_path / "store"
    said = json.loads(shell("import", tmp_path / "ring.json", "--json"))
    dropped = "'c' before 'a' (score 0.10) would close a cycle"
    assert said == {
        "file": str(tmp_path / "ring.json"),
        "concepts": 3,
        "relations": {"prerequisite": 2},
        "dropped": [dropped],
    }
    assert f"dropped: {dropped}" in shell.err
    shell("import", tmp_path / "ring.json", "--store", Path(shell.store).parent / "ring.json")
    assert shell.code == 1


def test_the_graph_page_shows_an_imported_graph(imported: Shell) -> None:
    """The map, the concept's surroundings and its path need no passages."""
    shelf = Shelf(imported.store)
    try:
        store = shelf.current()
        view = graph_view(store)
        assert {node["label"] for node in view["nodes"]} >= {
            "Flour",
            "Sourdough starter",
            "Proofing",
        }
        goal = next(c.id for c in store.concepts if c.label == "Proofing")
        assert graph_view(store, Wanted(goal))["edges"]
        assert [store.concepts[c].label for c in path_view(store, goal)["path"]][-1] == "Proofing"
    finally:
        shelf.close()


def test_asking_an_imported_graph_says_that_there_are_no_notes(imported: Shell) -> None:
    """What the graph itself tells is answered; of the rest is said why it is not."""
    said = json.loads(imported("ask", "what is a levain?", "--json"))
    assert said["status"] == "not_in_notes"
    assert said["answer"].startswith(
        "There are no notes to answer from: this graph was imported from graph.json."
    )
    said = json.loads(imported("ask", "what do I need before proofing?", "--json"))
    assert said["status"] == "answered"
    assert "Flour" in said["answer"]
    assert json.loads(imported("search", "levain", "--json"))["hits"] == []


def test_an_ingest_does_not_replace_an_imported_graph(imported: Shell, notes: Path) -> None:
    """It says where else to ingest, and the graph stays."""
    before = imported("export")
    imported("ingest", notes)
    assert imported.code == 1
    assert "holds an imported graph, which an ingest would replace" in imported.err
    assert imported("export") == before
