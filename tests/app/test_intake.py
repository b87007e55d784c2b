"""Notes are taken in and out while the store is read, one ingest at a time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from made import write_notes

from app.intake import READING, Intake, Stopped
from app.open_store import Shelf
from app.paths import uploads_folder
from ingest.build import ingest
from ingest.report import Report
from kg.encoder import Encoder
from kg.errors import GradusError, NoStore
from kg.writing import transaction

pytestmark = pytest.mark.usefixtures("one_encoder")
LIMIT_S = 120
NOTES = {
    "mixup.md": "# Mixup\n\nMixup blends two pictures and their labels.\n",
    "tensor.md": "# Tensor\n\nA tensor is a block of numbers.\n",
}


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return write_notes(tmp_path / "notes", NOTES)


@pytest.fixture
def shelf(tmp_path: Path, encoder: Encoder) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path / "store", encoder)
    yield shelf
    shelf.close()


@pytest.fixture
def intake(shelf: Shelf) -> Iterator[Intake]:
    intake = Intake(shelf, watching=False)
    yield intake
    intake.close()


def test_notes_arrive_step_by_step(
    intake: Intake, shelf: Shelf, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step is told with its counts, and what a reader waits for; then the store is there."""
    told: list[str] = []
    monkeypatch.setattr(shelf, "tell", told.append)
    report = intake.read([notes]).result(LIMIT_S)
    doing, waiting = intake.state()
    assert doing.ended and doing.report == report and waiting == 0
    assert {s.name: s.total for s in doing.stages}["reading notes"] == 2
    steps = [stage.name for stage in doing.stages]
    assert steps.index("encoding") < steps.index("finding concepts")
    assert steps[-1] == "relating concepts"
    assert told[0] == READING and f"{READING}: reading notes, 2 of 2" in told and told[-1] == ""
    assert f"{READING}: loading the model that reads them" in told  # not how many of one
    assert shelf.current().note_names == ("mixup.md", "tensor.md")


def test_what_is_there_is_read_on_while_notes_arrive(
    intake: Intake, shelf: Shelf, notes: Path
) -> None:
    """Whoever asks meanwhile gets the generation before, and the next one after."""
    intake.read([notes / "mixup.md"]).result(LIMIT_S)
    begun, go = threading.Event(), threading.Event()

    def slowly(say: Callable[[str, int, int], None]) -> Report:
        begun.set()
        go.wait(LIMIT_S)
        return ingest([notes], shelf.folder, progress=say)

    coming = intake.do(READING, slowly)
    assert begun.wait(LIMIT_S)
    assert shelf.current().note_names == ("mixup.md",)
    assert intake.is_busy()
    go.set()
    coming.result(LIMIT_S)
    assert shelf.current().note_names == ("mixup.md", "tensor.md")


def test_one_after_the_other(intake: Intake, notes: Path) -> None:
    """What is asked for while something is under way waits, and is counted."""
    begun, go = threading.Event(), threading.Event()

    def slowly(say: object) -> Report:
        begun.set()
        go.wait(LIMIT_S)
        raise GradusError("this one failed")

    first = intake.do(READING, slowly)
    assert begun.wait(LIMIT_S)
    second = intake.read([notes])
    assert intake.state()[1] == 1
    go.set()
    assert str(first.exception(LIMIT_S)) == "this one failed"
    assert second.result(LIMIT_S).notes == 2


def test_an_ingest_elsewhere_is_waited_for(
    intake: Intake, shelf: Shelf, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said that another is at work; when that is done, this goes on by itself."""
    seen = threading.Event()

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            seen.set()
            return super().wait(0.01)

    monkeypatch.setattr(intake, "_stop", Stop())
    with transaction(shelf.folder):
        coming = intake.read([notes])
        assert seen.wait(LIMIT_S)
        assert not coming.done()
        assert not intake.state()[0].ended
    assert coming.result(LIMIT_S).notes == 2
    assert not intake.state()[0].elsewhere


def test_what_is_under_way_can_be_stopped(intake: Intake, shelf: Shelf, notes: Path) -> None:
    """The store is then as before, and what comes next is done."""
    intake.read([notes / "mixup.md"]).result(LIMIT_S)
    begun, go = threading.Event(), threading.Event()

    def stopped(say: Callable[[str, int, int], None]) -> Report:
        begun.set()
        go.wait(LIMIT_S)
        return ingest([notes], shelf.folder, progress=say)

    coming = intake.do(READING, stopped)
    assert begun.wait(LIMIT_S)
    intake.stop()
    go.set()
    assert isinstance(coming.exception(LIMIT_S), Stopped)
    assert "as they were" in intake.state()[0].fault
    assert shelf.current().note_names == ("mixup.md",)
    assert intake.read([notes]).result(LIMIT_S).notes == 2


def test_a_failure_is_one_line(intake: Intake, tmp_path: Path) -> None:
    """A known one says what is wrong; of any other the log has the details."""
    failed = intake.read([tmp_path / "no\nwhere"]).exception(LIMIT_S)
    assert isinstance(failed, GradusError)
    assert "does not exist" in intake.state()[0].fault and "\n" not in intake.state()[0].fault

    def broken(say: object) -> Report:
        raise ZeroDivisionError

    intake.do(READING, broken).exception(LIMIT_S)
    assert "log" in intake.state()[0].fault
    with pytest.raises(NoStore):
        intake.shelf.awaited()


def test_removing_deletes_copies_and_nothing_of_people(
    intake: Intake, shelf: Shelf, notes: Path
) -> None:
    """A dropped note goes with its copy; a folder read where it lies stays as it is."""
    copies = write_notes(uploads_folder(shelf.folder) / "vault", NOTES)
    intake.read([notes, copies]).result(LIMIT_S)
    intake.remove(copies / "mixup.md").result(LIMIT_S)
    assert [file.name for file in copies.iterdir()] == ["tensor.md"]
    intake.remove(copies).result(LIMIT_S)
    assert not copies.exists()
    assert intake.remove(notes).result(LIMIT_S).notes == 0
    assert {f.name: f.read_text("utf-8") for f in notes.iterdir()} == NOTES
    assert intake.origins() == [] and not shelf.current().passages


def test_the_last_reader_keeps_his_generation(intake: Intake, shelf: Shelf, notes: Path) -> None:
    """However many newer ones there are, whoever reads an old one goes on with it."""
    intake.read([notes]).result(LIMIT_S)
    old = shelf.current()
    for n in range(3):
        (notes / "tensor.md").write_text(f"# Tensor\n\nTensor number {n}.\n", encoding="utf-8")
        intake.read([notes]).result(LIMIT_S)
    assert shelf.current().generation == old.generation + 3
    assert old.note_text("tensor.md") == NOTES["tensor.md"]


@pytest.fixture
def watched(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Intake, queue.SimpleQueue[Future[Report]]]]:
    """An intake that watches, and what it does by itself."""
    intake = Intake(shelf)
    does: queue.SimpleQueue[Future[Report]] = queue.SimpleQueue()
    do = intake.do

    def seen(what: str, job: Callable[..., Report]) -> Future[Report]:
        future = do(what, job)
        if what != READING:
            does.put(future)
        return future

    monkeypatch.setattr(intake, "do", seen)
    yield intake, does
    intake.close()


def test_edits_are_taken_up(
    watched: tuple[Intake, queue.SimpleQueue[Future[Report]]], shelf: Shelf, notes: Path
) -> None:
    """A saved note, a new one and a deleted one are in the store without anybody asking."""
    intake, does = watched
    intake.read([notes]).result(LIMIT_S)
    intake.follow()
    wanted = {"mixup.md": "# Mixup\n\nIt blends.\n", "new.md": "# New\n\nNew is not old.\n"}
    for n in range(LIMIT_S):
        # Again until it is seen: the first may come before the watching has begun.
        write_notes(notes, wanted | {"mixup.md": f"{wanted['mixup.md']}\n{n}\n"})
        (notes / "tensor.md").unlink(missing_ok=True)
        try:
            does.get(timeout=1).result(LIMIT_S)
        except queue.Empty:
            continue
        if shelf.current().note_names == ("mixup.md", "new.md"):
            break
    assert shelf.current().note_names == ("mixup.md", "new.md")
    assert "It blends." in shelf.current().note_text("mixup.md")


def test_what_was_edited_before_is_taken_up_at_the_start(
    watched: tuple[Intake, queue.SimpleQueue[Future[Report]]], shelf: Shelf, notes: Path
) -> None:
    """Where nothing was, nothing is done; a place that is not watched is left alone."""
    intake, does = watched
    ingest([notes], shelf.folder)
    intake.set_watched(notes, False)
    (notes / "mixup.md").write_text("# Mixup\n\nIt blends.\n", encoding="utf-8")
    intake.follow()
    assert does.empty()
    intake.set_watched(notes, True)
    assert does.get(timeout=LIMIT_S).result(LIMIT_S).changed == 1
    assert "It blends." in shelf.current().note_text("mixup.md")


def test_a_place_that_is_away_keeps_its_notes(
    watched: tuple[Intake, queue.SimpleQueue[Future[Report]]], shelf: Shelf, notes: Path
) -> None:
    """A drive that is unmounted takes nothing out of the store."""
    intake, does = watched
    intake.read([notes]).result(LIMIT_S)
    notes.rename(notes.with_name("away"))
    intake._take_up({notes})
    failed = does.get(timeout=LIMIT_S)
    assert "does not exist" in str(failed.exception(LIMIT_S))
    assert shelf.current().note_names == ("mixup.md", "tensor.md")
    ((origin, held),) = intake.origins()
    assert "does not exist" in intake.since(origin, held).fault
