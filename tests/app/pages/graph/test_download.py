"""The file that the Graph page gives: what the map draws, or what the command line writes."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

from app.commands.export import FORMATS, SUFFIXES, WHOLE
from app.exports.cards import cards
from app.exports.formats import FILES, FOLDER, WRITERS
from app.exports.selection import Choice
from app.pages.graph.download import download
from app.pages.graph.view import concepts_in, graph_view
from app.pages.graph.wanted import Wanted
from ingest.build import ingest
from kg.errors import GradusError
from kg.linking import find_concept
from kg.store import Store, open_store

NOTES = {
    "a.md": "# Tensor\n\nNumbers.\n\n# Apart\n\nAlone on an island.\n",
    "b.md": "# Gradient\n\nNeeds: Tensor\n",
    "c.md": "# Step\n\nNeeds: Gradient, Tensor\n",
    "d.md": "# Momentum\n\nNeeds: Step, Gradient\n",
    "e.md": "# Loss\n\nNeeds: Tensor\n",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    notes = tmp_path_factory.mktemp("notes")
    for name, text in NOTES.items():
        (notes / name).write_text(text, encoding="utf-8")
    folder = tmp_path_factory.mktemp("store")
    ingest([notes], folder)
    opened = open_store(folder)
    yield opened
    opened.close()


def unpacked(file: dict[str, str]) -> dict[str, str]:
    """Texts by name of an archive's files."""
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(file["base64"]))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.mark.parametrize("label", [None, "Gradient", "Loss"])
def test_a_file_of_the_map_holds_what_the_map_draws(store: Store, label: str | None) -> None:
    """The same concepts and the same arrows, also where only a part is drawn."""
    about = find_concept(store.concepts, label).id if label else None
    shown = concepts_in(store, Wanted(about))
    view = graph_view(store, Wanted(about))
    file = download(store, "json", shown, about)
    read: nx.Graph[str] = nx.node_link_graph(json.loads(file["text"]), edges="edges")
    names = nx.get_node_attributes(read, "label")
    assert set(names.values()) == {node["label"] for node in view["nodes"]}
    drawn = {(store.concepts[a].label, store.concepts[b].label) for a, b, _ in view["edges"]}
    assert {(names[a], names[b]) for a, b in read.edges()} == drawn
    assert file["name"] == ("gradus-map.json" if label is None else f"gradus-{label.lower()}.json")


@pytest.mark.parametrize("form", sorted(FILES))
def test_a_whole_graph_is_what_the_command_line_writes(store: Store, form: str) -> None:
    """In every format, by default; the file ends as the command line's does."""
    choice = Choice("all" if form in WHOLE else "prerequisite")
    file = download(store, form)
    if form == "cards":
        assert unpacked(file) == {
            f"{FOLDER}/{name}": text for name, text in cards(store, choice).items()
        }
        assert file["name"] == "gradus-graph-cards.zip"
    else:
        assert file["text"] == WRITERS[form](store, choice)
        assert (
            SUFFIXES[Path(file["name"]).suffix] == form
            and Path(file["name"]).stem == "gradus-graph"
        )
    assert download(store, form) == file, "the same graph gives the same file"


def test_every_format_can_be_downloaded() -> None:
    """None of the command line's is missing."""
    assert set(FILES) == set(FORMATS) and {
        form for form, kind in FILES.items() if kind.every_kind
    } == set(WHOLE)


def test_cards_of_the_map_are_its_concepts(store: Store) -> None:
    """A card each, and no other."""
    shown = concepts_in(store, Wanted())
    names = {name.removeprefix(f"{FOLDER}/") for name in unpacked(download(store, "cards", shown))}
    assert names == {f"{store.concepts[c].label}.md" for c in shown}


@pytest.mark.parametrize("form", ["", "pdf", "None", "../x", "json" * 100])
def test_an_unknown_format_is_named(store: Store, form: str) -> None:
    """With those that there are, and no more of it than a line holds."""
    with pytest.raises(GradusError, match=r"expected one of graphml, .*, cards, got '") as caught:
        download(store, form)
    assert len(str(caught.value)) < 130
