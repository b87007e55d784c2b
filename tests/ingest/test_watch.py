"""Edits are told of as they are saved, however an editor saves; what is no edit is not."""

from __future__ import annotations

import queue
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest import watch as watching
from ingest.watch import follow, is_edit, watch

LIMIT_S = 120
Told = Callable[[Callable[[], object]], set[Path]]


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Callable[..., Told]]:
    """Watches places, and gives what is told after an edit; an edit is made until it is seen.

    The first may come before the watching has begun.
    """
    stop = threading.Event()

    def of(*places: Path) -> Told:
        edited: queue.SimpleQueue[set[Path]] = queue.SimpleQueue()
        watch(places, edited.put, stop)

        def after(edit: Callable[[], object]) -> set[Path]:
            for _ in range(LIMIT_S):
                edit()
                try:
                    return edited.get(timeout=1)
                except queue.Empty:
                    continue
            pytest.fail("the edit was not seen")

        return after

    yield of
    stop.set()


def saved_by_renaming(note: Path) -> None:
    """As vim does it: the old one moved aside, the new one written, the old one deleted."""
    aside = note.with_name(f"{note.name}~")
    if note.exists():
        note.rename(aside)
    note.write_text("# A\n\nNew.\n", encoding="utf-8")
    aside.unlink(missing_ok=True)


def saved_by_replacing(note: Path) -> None:
    """As many do it: written under a hidden name, then moved over the old one."""
    fresh = note.with_name(f".{note.name}.tmp")
    fresh.write_text("# A\n\nNewer.\n", encoding="utf-8")
    fresh.replace(note)


@pytest.mark.parametrize("save", [saved_by_renaming, saved_by_replacing])
@pytest.mark.parametrize("alone", [False, True])
def test_a_save_is_told(
    told: Callable[..., Told], tmp_path: Path, save: Callable[[Path], None], alone: bool
) -> None:
    """Of a folder, and of a note that was given by itself, in whose place another file comes."""
    folder = tmp_path / "notes" / "deep"
    folder.mkdir(parents=True)
    (folder / "a.md").write_text("# A\n", encoding="utf-8")
    place = folder / "a.md" if alone else tmp_path / "notes"
    after = told(place, *([] if alone else [tmp_path]))
    assert place in after(lambda: save(folder / "a.md"))


def test_of_several_places_the_edited_one_is_told(
    told: Callable[..., Told], tmp_path: Path
) -> None:
    """Another that was left alone is not."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    after = told(tmp_path / "one", tmp_path / "two")
    seen = after(lambda: (tmp_path / "two" / "a.md").write_text("# A\n", encoding="utf-8"))
    assert seen == {tmp_path / "two"}


def test_a_place_that_was_away_is_told_when_it_is_back(
    told: Callable[..., Told], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a drive that is mounted later; from then on it is watched."""
    monkeypatch.setattr(watching, "LOOK_MS", 50)
    after = told(tmp_path / "later")

    def mounted() -> None:
        shutil.rmtree(tmp_path / "later", ignore_errors=True)
        (tmp_path / "later").mkdir()

    assert after(mounted) == {tmp_path / "later"}
    note = tmp_path / "later" / "a.md"
    assert after(lambda: note.write_text("# A\n", encoding="utf-8")) == {tmp_path / "later"}


def test_edits_that_come_meanwhile_are_taken_up_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One by one, never two at a time; Ctrl-C ends it, and the watching with it."""
    stops: list[threading.Event] = []
    one, two, three = (tmp_path / name for name in "abc")

    def watched(
        paths: object, tell: Callable[[set[Path]], None], stop: threading.Event
    ) -> tuple[()]:
        stops.append(stop)
        tell({one})
        return ()

    taken: list[set[Path]] = []

    def take_up(edited: set[Path]) -> None:
        taken.append(edited)
        if len(taken) == 2:
            raise KeyboardInterrupt
        tell_more()

    def tell_more() -> None:
        edited.put({two})
        edited.put({three})

    edited: queue.SimpleQueue[set[Path]] = queue.SimpleQueue()
    monkeypatch.setattr(watching, "watch", watched)
    monkeypatch.setattr(queue, "SimpleQueue", lambda: edited)
    with pytest.raises(KeyboardInterrupt):
        follow([tmp_path], take_up)
    assert taken == [{one}, {two, three}]
    assert stops[0].is_set()


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("a.md", True),
        ("deep/er/b.ipynb", True),
        ("gradus.toml", True),
        ("sub/.gradusignore", True),
        ("a new folder", True),
        (".a.md.swp", False),
        ("a.md~", False),
        ("4913.tmp", False),
        ("#a.md#", False),
        (".obsidian/workspace.md", False),
        (".ipynb_checkpoints/a-checkpoint.ipynb", False),
        ("node_modules/x/readme.md", False),
        ("a.md___jb_tmp___", False),
        (".goutputstream-X1", False),
        ("picture.png", False),
    ],
)
def test_what_editors_leave_is_no_edit(name: str, is_one: bool) -> None:
    """Notes, decisions and folders are; temporary, hidden and other files are not."""
    home = Path("/home/notes")
    assert is_edit(home / name, home) == is_one
    assert not is_edit(Path("/home/other") / name, home)
