"""What a reader has rejected stands on the card until it is taken back."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from app.pages.graph.card import card_markdown
from app.pages.graph.rejected_prerequisites import rejected_prerequisites
from ingest.build import ingest
from ingest.decide import decide_relation
from kg.errors import NoStore
from kg.linking import find_concept
from kg.store import Store, open_store

NOTES = {
    "lasso.md": "---\naliases: [L1]\n---\n# Lasso\n\nNeeds: Convexity\n",
    "convexity.md": "# Convexity\n\nNo dents.\n",
    "ridge.md": "# Ridge\n\nShrinks.\n",
    "wide.md": "# Wide\n\nWords.\n",
}
DECIDED = """remove = [
    ["Convexity", "l1"],
    ["Wide", "Lasso"],  # Ann
    ["Lasso", "Ridge"],
    ["Topology", "Lasso"],
]
add = [["Convexity", "Ridge"]]
rename = [["Wide", "<b>Wide</b> & *far*"]]
"""


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Notes with decisions beside them, and their store."""
    notes = tmp_path / "notes"
    notes.mkdir()
    for name, text in {**NOTES, "gradus.toml": DECIDED}.items():
        (notes / name).write_text(text, encoding="utf-8")
    ingest([notes], tmp_path / "store")
    return notes, tmp_path / "store"


def listed(store: Store, label: str) -> list[tuple[str, int]]:
    """What a concept's card must list: the concept rejected, and the line that says so."""
    found = rejected_prerequisites(store, find_concept(store.concepts, label))
    assert all(r.place.note == "gradus.toml" for r in found)
    return [(r.first, r.place.line) for r in found]


def test_what_is_removed_before_a_concept_is_found(folders: tuple[Path, Path]) -> None:
    """By label or alias, suggested or not; nothing that is added, unknown, or another's."""
    store = open_store(folders[1])
    assert listed(store, "Lasso") == [("Convexity", 2), ("<b>Wide</b> & *far*", 3)]
    assert listed(store, "Ridge") == [("Lasso", 4)]
    assert listed(store, "Convexity") == []
    store.close()


def test_the_card_lists_it_folded_with_a_link_to_take_it_back(folders: tuple[Path, Path]) -> None:
    """With its line; what others wrote is text."""
    store = open_store(folders[1])
    card = card_markdown(store, find_concept(store.concepts, "Lasso"))
    (block,) = re.findall(r'<details class="g-rejected">(.*?)</details>', card)
    assert block.startswith("<summary>Not needed first, as you decided: 2</summary>")
    items = re.findall(r"<li>.*?</li>", block)
    assert "<b>Convexity</b>" in items[0] and "gradus.toml, line 2" in items[0]
    assert (
        quote(urlencode({"first": "Convexity", "then": "Lasso"}), safe="") in items[0]
        and "#undo/" in items[0]
    )
    assert "<b>Wide" not in items[1] and "*far*" not in items[1]
    assert "g-rejected" not in card_markdown(store, find_concept(store.concepts, "Convexity"))
    store.close()


def test_taken_back_it_is_gone_from_card_and_file(folders: tuple[Path, Path]) -> None:
    """With the last one goes the list; the notes' own statement counts again."""
    notes, folder = folders
    (notes / "gradus.toml").write_text('remove = [["Convexity", "Lasso"]]\n', encoding="utf-8")
    ingest((), folder)
    decide_relation(folder, "Convexity", "Lasso", None)
    assert (notes / "gradus.toml").read_text(encoding="utf-8") == ""
    store = open_store(folder)
    lasso = find_concept(store.concepts, "Lasso")
    assert listed(store, "Lasso") == [] and "g-rejected" not in card_markdown(store, lasso)
    assert (find_concept(store.concepts, "Convexity").id, lasso.id) in store.prerequisites.edges
    store.close()


def test_a_store_that_is_gone_is_said(folders: tuple[Path, Path]) -> None:
    """As the pages say it, in one line."""
    store = open_store(folders[1])
    concept = find_concept(store.concepts, "Lasso")
    store.close()
    for file in folders[1].iterdir():
        file.unlink()
    with pytest.raises(NoStore, match=r"there is no store|holds no notes"):
        rejected_prerequisites(store, concept)
