"""Passages read when they are asked for are those that are read all at once."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kg.errors import StoreVersion
from kg.schema import DATABASE
from kg.store import Store, open_store


def test_one_alone_is_as_among_all(store: Store) -> None:
    """By its number, from the end, and in a slice; with its statements."""
    every = tuple(store.passages)
    assert len(store.passages) == len(every) > 20
    assert [store.passages[p.id] for p in every] == list(every)
    assert store.passages[-1] == every[-1] and store.passages[3:9:2] == every[3:9:2]
    assert any(p.statements for p in every)
    with pytest.raises(IndexError):
        store.passages[len(every)]


def test_a_section_is_what_stands_under_the_same_headings_of_a_note(store: Store) -> None:
    """In order, for every passage of it."""
    for passage in store.passages:
        where = passage.note, passage.heading_path
        same = tuple(p.id for p in store.passages if (p.note, p.heading_path) == where)
        assert store.passages.section(passage.id) == same


def test_mentions_of_a_passage_are_those_among_all(store: Store) -> None:
    """In their order."""
    for passage in store.passages:
        found = [m for m in store.mentions if m.passage == passage.id]
        assert list(store.mentions_in(passage.id)) == found


@pytest.mark.parametrize("damage", ["text = x'37'", "heading_path = '['", "line_start = 'x'"])
def test_a_damaged_row_is_said_when_it_is_read(
    store_folder: Path, tmp_path: Path, damage: str
) -> None:
    """The others are read as before."""
    shutil.copytree(store_folder, tmp_path / "store")
    with closing(sqlite3.connect(tmp_path / "store" / DATABASE, isolation_level=None)) as changed:
        changed.execute(f"UPDATE passages SET {damage} WHERE rowid = 1")
    opened = open_store(tmp_path / "store")
    with pytest.raises(StoreVersion, match="is not a store of Gradus, or is damaged"):
        list(opened.passages)
    assert opened.passages[-1].text
    opened.close()
