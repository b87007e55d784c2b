"""The store that the pages read, while it is made and while its encoder loads."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from app import open_store
from app.open_store import Shelf, StillReading
from app.pages.beginning import get_ready
from ingest.build import ingest
from kg.encoder import Encoder
from kg.errors import GradusError, NoStore


@pytest.fixture
def note(tmp_path: Path) -> Path:
    (tmp_path / "mixup.md").write_text("# Mixup\n\nMixup blends pictures.\n", encoding="utf-8")
    return tmp_path / "mixup.md"


def test_what_is_coming_is_not_missing(tmp_path: Path) -> None:
    """While notes are read, that is said, and how far; when nothing came, what to run."""
    shelf = Shelf(tmp_path / "store")
    shelf.tell("Reading your notes: encoding, 2 of 7")
    with pytest.raises(StillReading, match="2 of 7"):
        shelf.current()
    shelf.tell("")
    for look in (shelf.current, shelf.awaited):
        with pytest.raises(NoStore, match="gradus ingest"):
            look()


def test_who_waits_for_a_store_gets_it(tmp_path: Path, note: Path, one_encoder: Encoder) -> None:
    """As soon as it is there, also when something else is still being loaded."""
    shelf, found = Shelf(tmp_path / "store"), []
    shelf.tell("Reading your notes")
    waiting = threading.Thread(target=lambda: found.append(shelf.awaited()))
    waiting.start()
    assert found == []
    ingest([note], tmp_path / "store")
    waiting.join(60)
    assert [store.note_names for store in found] == [("mixup.md",)]
    shelf.close()


def test_the_store_is_there_while_the_encoder_loads(
    tmp_path: Path, note: Path, one_encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages that need no encoder do not wait for it."""
    ingest([note], tmp_path / "store")
    begun, go = threading.Event(), threading.Event()

    def slowly(name: str) -> Encoder:
        begun.set()
        go.wait(60)
        return one_encoder

    monkeypatch.setattr(open_store, "load_encoder", slowly)
    shelf = Shelf(tmp_path / "store")
    told: list[str] = []
    monkeypatch.setattr(shelf, "tell", told.append)
    loading = threading.Thread(target=get_ready, args=(shelf, None))
    loading.start()
    assert begun.wait(60)
    assert shelf.current().note_names == ("mixup.md",)
    go.set()
    loading.join(60)
    assert told[-1] == "" and any("model" in doing for doing in told)
    assert shelf.encoder(shelf.current()) is one_encoder
    shelf.close()


def test_reading_that_fails_is_not_waited_for(tmp_path: Path) -> None:
    """The error comes out, and nobody is told to wait any more."""

    def read() -> None:
        raise GradusError("no such folder")

    shelf = Shelf(tmp_path / "store")
    with pytest.raises(GradusError, match="no such folder"):
        get_ready(shelf, read)
    assert shelf.doing == ""


def test_where_there_are_no_notes_nothing_is_waited_for(tmp_path: Path) -> None:
    """Pages without a store go on, and say what to run."""
    shelf = Shelf(tmp_path / "store")
    shelf.tell("Loading")
    get_ready(shelf, None)
    with pytest.raises(NoStore, match="gradus ingest"):
        shelf.awaited()
