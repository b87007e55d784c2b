"""Cards: safe files anywhere, that nobody's files are lost to, and that an ingest reads."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from app.exports.cards import cards
from app.exports.files import write_cards
from app.exports.selection import Choice
from ingest.build import ingest
from ingest.decisions.settle import NOTHING_DECIDED, settle
from ingest.notes.kinds import parse_note
from kg.encoder import Encoder
from kg.errors import GradusError
from kg.store import Store, open_store
from kg.types import Concept, Evidence, Relation

DEVICES = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))}
_LINK = re.compile(r"\[\[([^\[\]|]+)(?:\|[^\[\]|]+)?\]\]")


def front_matter(card: str) -> dict[str, list[str]]:
    block = card.split("\n---\n", 1)[0].removeprefix("---\n")
    read = yaml.safe_load(block)
    assert set(read) == {"gradus", "aliases", "prerequisites"}
    return {name: read[name] for name in ("aliases", "prerequisites")}


def body(card: str) -> str:
    return card.split("\n---\n", 1)[1]


def joined(n: int) -> tuple[Relation, ...]:
    return tuple(Relation("prerequisite", i, i + 1, 0.9, True, ()) for i in range(n - 1))


def is_safe(name: str) -> bool:
    """Whether Windows, macOS and Linux take a file's name as it is, and Obsidian links to it."""
    stem = name.removesuffix(".md")
    return (
        name.endswith(".md")
        and stem == stem.strip(" .")
        and bool(stem)
        and stem.split(".")[0].strip().casefold() not in DEVICES
        and not set(name) & set('<>:"/\\|?*[]#^')
        and not any(unicodedata.category(c).startswith("C") for c in name)
        and len(name.encode()) <= 255
        and unicodedata.is_normalized("NFC", name)
    )


def test_a_card_says_what_comes_before_and_after(several: Store) -> None:
    """As front matter for programs, and as links for readers; with where the notes say it."""
    written = cards(several)
    assert list(written) == [
        "Tensor.md",
        "Gradient.md",
        "Loss.md",
        "Learning Rate.md",
        "Left alone.md",
    ]
    assert written["Gradient.md"] == (
        "---\n"
        "gradus: card\n"
        "aliases: []\n"
        "prerequisites:\n"
        "- '[[Tensor]]'\n"
        "---\n"
        "# Gradient\n\n"
        "What it is, in 1.\n\n"
        "> [!info] Know first\n"
        '> - [[Tensor]] — “Needs: \\<Tensor\\> \\& "more"” (note.md, line 3)\n\n'
        "> [!info] Needed by\n"
        "> - [[Learning Rate]]\n\n"
        "> [!info] In the notes\n"
        "> - note.md, line 2\n"
    )
    assert front_matter(written["Tensor.md"]) == {
        "aliases": ["Array", "Block"],
        "prerequisites": [],
    }
    every = cards(several, Choice())
    assert "> [!info] Part of\n> - [[Tensor]]\n" in every["Gradient.md"]
    assert "> [!info] Related\n> - [[Loss]]\n" in every["Gradient.md"]


@settings(max_examples=80)
@given(st.lists(st.text(st.characters(), min_size=1, max_size=14), min_size=1, max_size=8))
def test_any_labels_give_safe_files_of_their_own(
    make_store: Callable[..., Store], labels: list[str]
) -> None:
    """One file each, told apart also where case does not count, and every link leads to one."""
    written = cards(make_store(labels, joined(len(labels))))
    assert len(written) == len(labels)
    assert all(map(is_safe, written)), list(written)
    assert len({unicodedata.normalize("NFKD", name).casefold() for name in written}) == len(labels)
    for text in written.values():
        text.encode()
        read = parse_note(text, "card.md")
        assert len(read.headings) == 1
        for entry in front_matter(text)["prerequisites"]:
            match = _LINK.fullmatch(entry)
            assert match
            assert f"{match[1]}.md" in written
        assert {f"{m[1]}.md" for m in _LINK.finditer(body(text))} <= set(written)


def test_hostile_labels_give_safe_files(hostile: Store, tmp_path: Path) -> None:
    """Devices, paths upwards, dots and long names: all are in the folder and nowhere else."""
    written = cards(hostile)
    assert all(map(is_safe, written)), [n for n in written if not is_safe(n)]
    write_cards(tmp_path / "deep" / "cards", written)
    assert sorted(p.name for p in (tmp_path / "deep" / "cards").iterdir()) == sorted(written)
    assert [p.name for p in tmp_path.rglob("*.md") if p.parent.name != "cards"] == []
    for text in written.values():
        assert not re.search(r"(?<!\\)<[A-Za-z!/]", body(text))


def test_names_that_differ_in_case_alone_get_files_of_their_own(
    make_store: Callable[..., Store],
) -> None:
    """The second card's file name is an alias of its own, so that a link to it means it."""
    written = cards(make_store(["C", "C#", "c*", "Ca/fe\u0301", "CA/FÉ"], joined(5)))
    assert list(written) == ["C.md", "C 2.md", "c 3.md", "Ca-fé.md", "CA-FÉ 2.md"]
    assert front_matter(written["C 2.md"]) == {"aliases": ["C 2"], "prerequisites": ["[[C]]"]}
    assert "[[C 2|C#]]" in body(written["c 3.md"])


def edges(folder: Path) -> set[tuple[str, str]]:
    """Kept prerequisites of a store, by labels."""
    store = open_store(folder)
    try:
        kept = (r for r in store.relations if r.kind == "prerequisite" and r.kept)
        return {(store.concepts[r.source].label, store.concepts[r.target].label) for r in kept}
    finally:
        store.close()


def ingested(written: dict[str, str], folder: Path) -> Path:
    write_cards(folder / "cards", written)
    ingest([folder / "cards"], folder / "store")
    return folder / "store"


def test_ingested_cards_give_the_same_prerequisites(
    make_store: Callable[..., Store], one_encoder: Encoder, tmp_path: Path
) -> None:
    """Also where labels need another file name, share words or differ in a mark only."""
    labels = [
        "Batch",
        "Norm",
        "Batch Norm",
        "F",
        "F++",
        "F#",
        "A/B testing",
        "U-Net",
        "Loss: mean",
        "A* search",
        "日本語",
    ]
    summaries = [f"It is number {i} of the list." for i in range(len(labels))]
    pairs = {
        (0, 2),
        (1, 2),
        (3, 4),
        (3, 5),
        (4, 6),
        (5, 6),
        (2, 7),
        (6, 7),
        (7, 8),
        (8, 9),
        (9, 10),
        (0, 10),
    }
    relations = [Relation("prerequisite", *p, 0.9, True, ()) for p in sorted(pairs)]
    store = make_store(labels, relations, summaries=summaries)
    again = ingested(cards(store), tmp_path)
    assert edges(again) == {(labels[p], labels[c]) for p, c in pairs}
    opened = open_store(again)
    assert {c.label for c in opened.concepts} == set(labels)
    assert {c.label: c.summary for c in opened.concepts} == dict(
        zip(labels, summaries, strict=True)
    )
    opened.close()


def test_cards_of_ingested_notes_give_the_same_graph(
    starter: Store, one_encoder: Encoder, tmp_path: Path
) -> None:
    """No concept and no prerequisite is lost or new, whatever the cards' sentences name."""
    again = ingested(cards(starter), tmp_path)
    kept = [r for r in starter.relations if r.kind == "prerequisite" and r.kept]
    assert edges(again) == {
        (starter.concepts[r.source].label, starter.concepts[r.target].label) for r in kept
    }
    opened = open_store(again)
    assert {c.label for c in opened.concepts} == {c.label for c in starter.concepts}
    opened.close()


def test_a_card_that_states_nothing_needs_nothing(
    make_store: Callable[..., Store], one_encoder: Encoder, tmp_path: Path
) -> None:
    """Whatever its words would have an ingest infer of a note that is no card."""
    long = "why the gradients of very deep plain networks vanish"
    labels = ["Gradient", "Gradient descent", long]
    summaries = [
        "The gradient says how the loss changes with each parameter.",
        "Gradient descent needs the gradient: it takes a step against the gradient, and the "
        "gradient again.",
        "They are products of many factors.",
    ]
    store = make_store(labels, [Relation("prerequisite", 0, 2, 0.9, True, ())], summaries=summaries)
    written = cards(store)
    assert edges(ingested(written, tmp_path / "as cards")) == {("Gradient", long)}


def test_what_lists_nothing_has_nothing_inferred() -> None:
    """The pair of a concept with itself is no prerequisite; it tells that all is listed."""
    place = Evidence("card.md", None, 3, "prerequisites: []", "front matter")
    concepts = [Concept(i, label, (), ("card.md",), "", ()) for i, label in enumerate("AB")]
    settled = settle({(1, 1): place}, NOTHING_DECIDED, concepts)
    assert settled.listing == frozenset({1})
    assert not (settled.kept or settled.lines or settled.warnings)


def test_a_folder_that_is_not_empty_is_left_alone(several: Store, tmp_path: Path) -> None:
    """Without --force nothing is written; with it only over cards."""
    folder = tmp_path / "vault"
    folder.mkdir()
    (folder / "Diary.md").write_text("mine")
    with pytest.raises(GradusError, match=r"is not empty; name another folder, or .* with --force"):
        write_cards(folder, cards(several))
    assert [p.name for p in folder.iterdir()] == ["Diary.md"]
    assert write_cards(folder, cards(several), force=True) == ()
    assert (folder / "Diary.md").read_text() == "mine"
    assert len(list(folder.iterdir())) == 6


def test_force_writes_over_cards_only(
    several: Store, make_store: Callable[..., Store], tmp_path: Path
) -> None:
    """A note with a card's name stops the export; cards of gone concepts stay, named."""
    write_cards(tmp_path, cards(several))
    fewer = cards(make_store(["Tensor", "Loss"]))
    assert write_cards(tmp_path, fewer, force=True) == (
        "Gradient.md",
        "Learning Rate.md",
        "Left alone.md",
    )
    assert (tmp_path / "Tensor.md").read_text(encoding="utf-8") == fewer["Tensor.md"]
    (tmp_path / "loss.md" if sys.platform == "win32" else tmp_path / "Loss.md").write_text(
        "# my own words"
    )
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(
        GradusError, match=r"Loss\.md is not a card of Gradus and would be written over"
    ):
        write_cards(tmp_path, cards(several), force=True)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_link_out_of_the_folder_is_not_followed(several: Store, tmp_path: Path) -> None:
    """Even when it leads to a card."""
    outside = tmp_path / "outside.md"
    outside.write_text(cards(several)["Tensor.md"], encoding="utf-8")
    folder = tmp_path / "cards"
    folder.mkdir()
    (folder / "Tensor.md").symlink_to(outside)
    with pytest.raises(GradusError, match=r"Tensor\.md is not a card of Gradus"):
        write_cards(folder, cards(several), force=True)
    assert [p.name for p in folder.iterdir()] == ["Tensor.md"]


def test_a_folder_that_is_a_file_is_said(several: Store, tmp_path: Path) -> None:
    """In one line, as a known error."""
    (tmp_path / "cards").write_text("")
    with pytest.raises(GradusError, match="cannot write cards to"):
        write_cards(tmp_path / "cards", cards(several))
