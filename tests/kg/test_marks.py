"""What is marked as known: kept as written, meant by name, there after every ingest."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ingest.build import ingest
from kg.encoder import Encoder
from kg.errors import NoStore, StoreBusy, UnknownConcept
from kg.linking import find_concept
from kg.marks import add_marks, known_ids, read_marks, remove_marks
from kg.schema import DATABASE
from kg.store import Store, open_store

NOTE = """# Maths

## Limit

A limit is the number that a sequence comes near.

## Slope | Derivative

A slope is a limit of quotients.
"""


@pytest.fixture
def folder(one_encoder: Encoder, tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "maths.md").write_text(NOTE, encoding="utf-8")
    ingest([tmp_path / "notes"], tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> Store:
    return open_store(folder)


def labels(store: Store) -> list[str]:
    return [mark.label for mark in read_marks(store)]


def test_nothing_is_marked_at_first_and_reading_leaves_the_store_as_it_is(store: Store) -> None:
    """A store without marks is read without being written."""
    before = (store.folder / DATABASE).read_bytes()
    assert read_marks(store) == () and known_ids(store) == frozenset()
    assert (store.folder / DATABASE).read_bytes() == before


def test_a_mark_is_kept_as_written_and_means_the_concept_of_that_name(store: Store) -> None:
    """By alias, case and plural aside; a concept is marked once, whatever it is called."""
    marks = add_marks(store, [" derivatives ", "Limit", "slope"])
    slope = find_concept(store.concepts, "Slope").id
    assert [(m.label, m.concept) for m in marks] == [
        ("derivatives", slope),
        ("Limit", find_concept(store.concepts, "limit").id),
    ]
    assert add_marks(store, ["SLOPE"]) == marks


def test_marks_are_seen_at_once_without_a_new_generation(store: Store, folder: Path) -> None:
    """A reader that was opened before sees them, and stays current."""
    writer = open_store(folder)
    add_marks(writer, ["Limit"])
    assert labels(store) == ["Limit"]
    assert store.is_current() and writer.is_current()
    remove_marks(store, ["limits"])
    assert labels(writer) == []


def test_marks_outlive_an_ingest_and_a_renaming(store: Store, folder: Path) -> None:
    """As long as the name that was marked is still one of the concept's.

    Else the mark waits for it to come back.
    """
    add_marks(store, ["Slope", "Limit"])
    note = folder.parent / "notes" / "maths.md"
    note.write_text(NOTE.replace("Slope | Derivative", "Derivative | Slope"), encoding="utf-8")
    ingest([note.parent], folder)
    renamed = open_store(folder)
    assert [(m.label, m.concept) for m in read_marks(renamed)] == [
        ("Slope", find_concept(renamed.concepts, "Derivative").id),
        ("Limit", find_concept(renamed.concepts, "Limit").id),
    ]
    note.write_text(
        NOTE.replace("Slope | Derivative", "Derivative").replace("slope", "derivative"),
        encoding="utf-8",
    )
    ingest([note.parent], folder)
    gone = open_store(folder)
    assert [m.concept is None for m in read_marks(gone)] == [True, False]
    assert known_ids(gone) == {find_concept(gone.concepts, "Limit").id}
    assert [m.label for m in remove_marks(gone, ["slope"])] == ["Limit"]


def test_an_unknown_label_marks_nothing_and_takes_nothing_back(store: Store) -> None:
    """All or nothing, and the closest labels are named."""
    with pytest.raises(UnknownConcept, match="no concept 'Slpe'; the closest are: Slope"):
        add_marks(store, ["Limit", "Slpe"])
    assert labels(store) == []
    add_marks(store, ["Limit"])
    with pytest.raises(UnknownConcept, match="no concept 'Limmit'"):
        remove_marks(store, ["Limit", "Limmit"])
    assert labels(store) == ["Limit"]
    assert labels(store) == [m.label for m in remove_marks(store, ["Slope"])]


def test_while_another_writes_the_store_is_busy(store: Store, folder: Path) -> None:
    """The mark is refused, not lost in silence, and can be set afterwards."""
    other = sqlite3.connect(folder / DATABASE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="try again when it is done"):
        add_marks(store, ["Limit"])
    other.close()
    assert [m.label for m in add_marks(store, ["Limit"])] == ["Limit"]


def test_a_store_that_is_gone_is_not_made_anew(store: Store, folder: Path) -> None:
    """Marking in a deleted store says that there is none, and leaves none behind."""
    add_marks(store, ["Limit"])
    for file in folder.glob(f"{DATABASE}*"):
        file.unlink()
    with pytest.raises(NoStore):
        remove_marks(store, ["Limit"])
    assert not (folder / DATABASE).exists()
