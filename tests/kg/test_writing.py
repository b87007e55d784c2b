"""One generation at a time: after any ingest, a store is as before or as after it."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from ingest.build import ingest
from ingest.notes.files import find_notes, read_note
from ingest.notes.kinds import parse_note
from ingest.passages.cut import cut
from ingest.passages.embedded_text import vector_texts
from kg.encoder import Encoder
from kg.errors import GradusError, NoStore, StoreBusy
from kg.schema import DATABASE
from kg.search import search
from kg.store import open_store
from kg.writing import NoteRecord, writing

pytestmark = pytest.mark.long
Everything = Callable[[Path], dict[str, object]]

# With GRADUS_SOAK=1 many kills and full disks, else a few.
SOAK = bool(os.environ.get("GRADUS_SOAK"))
KILLS, DISKS = (240, 96) if SOAK else (12, 12)

# Ingests in forked children that die where they are told to. The children take the real model's
# vectors, computed beforehand, by text, and know its words from their parent: none loads the model.
ATTACKER = """
import json, os, resource, signal, sys, time
from pathlib import Path
import numpy as np
from ingest import build
from kg.encoder import load_encoder
from kg.vectors import Words
from kg.errors import GradusError

load_encoder()
vectors = dict(zip(json.loads(Path(sys.argv[1]).read_text()), np.load(sys.argv[2]), strict=True))
any_vector = next(iter(vectors.values()))

class Looked:
    def encode_notes(self, texts, progress):
        found = []
        for i, text in enumerate(texts, 1):
            found.append(vectors.get(text, any_vector))  # names of concepts are not in the file
            progress(i, len(texts))
        words = [Words(np.array([[0, len(t)]]), v[None]) for t, v in zip(texts, found, strict=True)]
        return np.stack(found), words

build.load_encoder = lambda name: Looked()

def attacked(job):
    calls = 0
    def progress(*args):
        nonlocal calls
        calls += 1
        if calls == job.get("die_at_call"):
            os.kill(os.getpid(), signal.SIGKILL)
    if "file_bytes" in job:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_bytes"],) * 2)
    try:
        report = build.ingest([Path(job["notes"])], Path(job["store"]), None, progress)
    except GradusError as error:
        return {"error": str(error)}
    return {"calls": calls, "seconds": report.seconds, "notes": report.notes}

# One line for each job, when its child is gone: one that is killed after its last word was killed.
for line in sys.stdin:
    job = json.loads(line)
    heard, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(told, json.dumps(attacked(job)).encode())
        finally:
            os._exit(0)
    os.close(told)
    if "die_after_s" in job:
        time.sleep(job["die_after_s"])
        os.kill(child, signal.SIGKILL)  # it is there until it is waited for
    killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    said = os.read(heard, 1 << 16) or b'{"crash": "unexpected"}'
    os.close(heard)
    os.write(1, (b'{"killed": true}' if killed else said) + b"\\n")
"""


@dataclass
class Attacker:
    """The process that forks the ingests."""

    inner: subprocess.Popen[str]

    def ingest(self, notes: Path, store: Path, **job: float) -> dict[str, Any]:
        """What became of an ingest that was told where to die."""
        assert self.inner.stdin is not None and self.inner.stdout is not None
        self.inner.stdin.write(json.dumps({"notes": str(notes), "store": str(store), **job}) + "\n")
        self.inner.stdin.flush()
        return cast("dict[str, Any]", json.loads(self.inner.stdout.readline()))


@pytest.fixture(scope="module")
def edited(notes_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notes folder's copy, to be edited."""
    folder = tmp_path_factory.mktemp("edited") / "notes"
    shutil.copytree(notes_folder, folder)
    return folder


@pytest.fixture(scope="module")
def stages(
    edited: Path, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Attacker, Path, Path, Path]]:
    """The attacker, a store of the notes, the notes after an edit, and their store."""
    work = tmp_path_factory.mktemp("stages")
    texts = _texts(edited)
    old, new = work / "old", work / "new"
    original = work / "original"
    shutil.copytree(edited, original)
    (edited / "02-training.md").unlink()
    (edited / "03-regularisation.md").write_text(
        "# Early Stopping\n\nEarly stopping ends training with momentum.\n"
    )
    (edited / "06-more.md").write_text(
        "# Pruning\n\nPruning sets a parameter to zero for good, unlike dropout.\n"
    )
    both = sorted({*texts, *_texts(edited)})
    (work / "texts.json").write_text(json.dumps(both))
    np.save(work / "vectors.npy", encoder.encode(both))
    command = [sys.executable, "-c", ATTACKER, str(work / "texts.json"), str(work / "vectors.npy")]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True, cwd=root) as inner:
        attacker = Attacker(inner)
        # Both states come from one and the same folder, so that paths are the same too.
        after = work / "after"
        edited.rename(after)
        original.rename(edited)
        attacker.ingest(edited, old)
        shutil.rmtree(edited)
        after.rename(edited)
        shutil.copytree(old, new)
        attacker.ingest(edited, new)
        yield attacker, old, edited, new
        assert inner.stdin is not None
        inner.stdin.close()


def _texts(folder: Path) -> set[str]:
    parsed = [(parse_note(read_note(n.path), n.name), n.name) for n in find_notes([folder])]
    return {t for note, name in parsed for p in cut(note, name) for t in vector_texts(p)}


def test_an_ingest_killed_at_any_step_leaves_the_store_as_it_was(
    stages: tuple[Attacker, Path, Path, Path], everything: Everything, tmp_path: Path
) -> None:
    """Killed at the first, a middle or the last thing it says, before its commit.

    The next ingest then ends well.
    """
    attacker, old, notes, new = stages
    before, after = everything(old), everything(new)
    assert before != after
    shutil.copytree(old, tmp_path / "whole")
    calls = int(attacker.ingest(notes, tmp_path / "whole")["calls"])
    assert everything(tmp_path / "whole") == after
    for call in sorted({1, 2, *range(3, calls, max(1, calls // 6)), calls - 1, calls}):
        store = tmp_path / f"store{call}"
        shutil.copytree(old, store)
        assert attacker.ingest(notes, store, die_at_call=call) == {"killed": True}
        assert everything(store) == before
        assert "error" not in attacker.ingest(notes, store)
        assert everything(store) == after


def test_an_ingest_killed_at_any_instant_leaves_the_store_before_or_after(
    stages: tuple[Attacker, Path, Path, Path], everything: Everything, tmp_path: Path
) -> None:
    """Killed by SIGKILL, also within the commit: nothing between is ever seen.

    The next ingest then makes it what it should be.
    """
    attacker, old, notes, new = stages
    before, after = everything(old), everything(new)
    shutil.copytree(old, tmp_path / "whole")
    seconds = float(attacker.ingest(notes, tmp_path / "whole")["seconds"])
    chance, seen = random.Random(0), set()
    for i in range(KILLS):
        store = tmp_path / f"store{i}"
        shutil.copytree(old, store)
        # A part of the whole time for each, at random within its part.
        instant = seconds * 1.2 * (i + chance.random()) / KILLS
        attacker.ingest(notes, store, die_after_s=0.001 + instant)
        found = everything(store)
        assert found in (before, after), instant
        seen.add(found == after)
        assert "notes" in attacker.ingest(notes, store)
        assert everything(store) == after, instant
        shutil.rmtree(store)
    assert False in seen  # the earliest ones did come before the commit


def test_a_first_ingest_that_was_killed_leaves_no_store(
    stages: tuple[Attacker, Path, Path, Path], everything: Everything, tmp_path: Path
) -> None:
    """Asking then says what to run, and running it works."""
    attacker, _, notes, new = stages
    for call in (1, 9, 12):
        store = tmp_path / f"store{call}"
        assert attacker.ingest(notes, store, die_at_call=call) == {"killed": True}
        with pytest.raises(NoStore, match=rf"gradus ingest PATH --store {store}`"):
            open_store(store)
        attacker.ingest(notes, store)
        assert everything(store) == everything(new)


def test_a_full_disk_leaves_the_store_as_it_was(
    stages: tuple[Attacker, Path, Path, Path], everything: Everything, tmp_path: Path
) -> None:
    """Where a file may not grow any more, one line says so, and nothing has changed."""
    attacker, old, notes, new = stages
    before = everything(old)
    refused = 0
    # From nothing to room for all that an ingest writes, which are pages of one file after another.
    for share in [3.0 * i / (DISKS - 1) for i in range(DISKS)]:
        store = tmp_path / f"store{share}"
        shutil.copytree(old, store)
        limit = int(share * (old / DATABASE).stat().st_size)
        said = attacker.ingest(notes, store, file_bytes=limit)
        if "error" in said:
            refused += 1
            assert str(store) in said["error"] and "\n" not in said["error"]
            assert (
                "stays as it was" in said["error"] or "choose another with --store" in said["error"]
            )
            assert everything(store) == before
            said = attacker.ingest(notes, store)
        assert "notes" in said
        assert everything(store) == everything(new)
        shutil.rmtree(store)
    assert 2 <= refused < DISKS


def test_a_reader_keeps_its_generation_while_an_ingest_writes_and_after(
    store_folder: Path,
    notes_folder: Path,
    one_encoder: Encoder,
    everything: Everything,
    tmp_path: Path,
) -> None:
    """An open store answers the same during and after an ingest.

    It says that a newer one is there only after.
    """
    notes, folder = tmp_path / "notes", tmp_path / "store"
    shutil.copytree(notes_folder, notes)
    ingest([notes], folder)
    reader = open_store(folder)
    expected = search("how long is a step along the gradient?", reader, one_encoder, 5)
    before = everything(folder)
    during: list[bool] = []
    (notes / "02-training.md").unlink()

    def look(what: str, done: int, total: int) -> None:
        if what == "relating concepts":
            during.append(reader.is_current() and everything(folder) == before)

    ingest([notes], folder, None, look)
    assert during == [True, True]
    assert not reader.is_current()
    assert search("how long is a step along the gradient?", reader, one_encoder, 5) == expected
    assert "02-training.md" in {h.passage.note for h in expected}
    assert reader.note_text("02-training.md").startswith("# Training")
    reader.close()
    fresh = open_store(folder)
    assert fresh.is_current() and fresh.generation == 2
    assert "02-training.md" not in {
        h.passage.note for h in search("how long is a step?", fresh, one_encoder, 20)
    }
    fresh.close()


def test_an_ingest_that_changes_nothing_makes_no_generation(
    notes_folder: Path, one_encoder: Encoder, tmp_path: Path
) -> None:
    """Readers stay current."""
    ingest([notes_folder], tmp_path)
    reader = open_store(tmp_path)
    ingest([notes_folder], tmp_path)
    assert reader.is_current() and reader.generation == 1
    reader.close()


def test_a_store_made_anew_in_its_place_is_another_one(
    notes_folder: Path, one_encoder: Encoder, tmp_path: Path
) -> None:
    """A reader sees that its store is gone, though the new one counts from 1 again."""
    ingest([notes_folder / "01-foundations.md"], tmp_path)
    reader = open_store(tmp_path)
    for file in tmp_path.glob(f"{DATABASE}*"):
        file.unlink()
    assert not reader.is_current()
    ingest([notes_folder / "04-losses.md"], tmp_path)
    assert not reader.is_current()
    reader.close()
    fresh = open_store(tmp_path)
    assert fresh.generation == 1
    assert search("cross entropy", fresh, one_encoder, 1)[0].passage.note == "04-losses.md"
    fresh.close()


def test_a_second_ingest_at_the_same_time_is_told_so(
    notes_folder: Path, one_encoder: Encoder, everything: Everything, tmp_path: Path
) -> None:
    """It ends at once with one line, and does the other no harm."""
    ingest([notes_folder / "04-losses.md"], tmp_path)
    messages: list[str] = []

    def second(what: str, done: int, total: int) -> None:
        if what == "encoding" and done and not messages:
            with pytest.raises(StoreBusy) as caught:
                ingest([notes_folder / "02-training.md"], tmp_path)
            messages.append(str(caught.value))

    ingest([notes_folder], tmp_path, None, second)
    assert messages == [
        f"another ingest is writing to the store in {tmp_path}; try again when it is done"
    ]
    assert set(cast("dict[str, str]", everything(tmp_path)["notes"])) == {
        n.name for n in find_notes([notes_folder])
    }


def test_an_error_inside_a_transaction_undoes_all_of_it(
    store_folder: Path, everything: Everything, tmp_path: Path
) -> None:
    """Whatever was written before the error is gone, and the error goes on to the caller."""
    shutil.copy(store_folder / DATABASE, tmp_path)
    before = everything(tmp_path)
    with pytest.raises(ZeroDivisionError), writing(tmp_path) as writer:
        writer.remove_note(writer.notes()[0].path)
        writer.put_note(NoteRecord(0, "/x", "/", "x", ""), "{}", [], [])
        writer.put_derived([], [], [], [], [])
        1 / 0  # noqa: B018
    assert everything(tmp_path) == before


def test_a_place_where_no_store_can_be_is_named(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(
        GradusError, match=r"cannot write a store in .*file: .*; choose another with --store"
    ):
        writing(tmp_path / "file").__enter__()
    with pytest.raises(
        GradusError, match=r"cannot write a store in .*store: .*; choose another with --store"
    ):
        writing(tmp_path / "file" / "store").__enter__()
    assert (tmp_path / "file").read_text() == "mine"


def test_two_notes_may_swap_names(tmp_path: Path) -> None:
    """Names are changed together, so that neither is in the other's way."""
    with writing(tmp_path) as writer:
        for name in ("a", "b"):
            writer.put_note(NoteRecord(0, f"/{name}", "/", name, name), "{}", [], [])
    with writing(tmp_path) as writer:
        writer.rename_notes({"/a": ("/", "b"), "/b": ("/", "a")})
        assert {(n.path, n.name) for n in writer.notes()} == {("/a", "b"), ("/b", "a")}
