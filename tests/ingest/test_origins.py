"""What an ingest remembers of where notes come from, and what is taken out stays out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from made import write_notes

from ingest.build import ingest, take_out
from ingest.origins import FILE, origins_of, read_origins, since
from kg.store import note_roots, open_store

pytestmark = pytest.mark.usefixtures("one_encoder")
Everything = Callable[[Path], dict[str, object]]
NOTES = {
    "mixup.md": "# Mixup\n\nMixup blends two pictures and their labels.\n",
    "sub/cutout.md": "# Cutout\n\nCutout hides a square of a picture. See [[Mixup]].\n",
    "tensor.md": "# Tensor\n\nA tensor is a block of numbers.\n",
}


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return write_notes(tmp_path / "notes", NOTES)


def test_an_origin_knows_what_was_wrong(notes: Path, tmp_path: Path) -> None:
    """Each place has its own failures, files left out, and the time it was last read."""
    other = write_notes(tmp_path / "other", {"a.md": "# A\n\nA is a letter.\n", "b.pdf": ""})
    (notes / "bad.md").write_bytes(b"# Bad\n\n\xff\n")
    ingest([notes, other], tmp_path / "store")
    first, second = read_origins(tmp_path / "store")
    assert (first.path, second.path) == (str(notes), str(other))
    assert [(f.note, f.line) for f in first.failed.values()] == [("bad.md", 3)]
    assert second.left_out == {".pdf": 1} and not first.left_out and not second.failed
    assert first.read and first.watched
    (notes / "bad.md").unlink()
    ingest([notes], tmp_path / "store")
    again, same = read_origins(tmp_path / "store")
    assert not again.failed and again.read > first.read and same == second


def test_reading_again_makes_no_new_generation(notes: Path, tmp_path: Path) -> None:
    """What is remembered of an ingest is no change of the notes."""
    ingest([notes], tmp_path / "store")
    before = open_store(tmp_path / "store")
    ingest([notes], tmp_path / "store")
    assert before.is_current()
    before.close()


def test_a_place_within_another_is_part_of_it(notes: Path, tmp_path: Path) -> None:
    """A folder read after its parent, or before, is no origin of its own."""
    for order in ([notes / "sub", notes], [notes, notes / "sub"]):
        store = tmp_path / f"{order[0].name}-first"
        for path in order:
            ingest([path], store)
        assert [o.path for o in read_origins(store)] == [str(notes)]


@pytest.mark.parametrize("record", [None, b"", b"[{]", b'[{"path": 3}]', b'"\xff"', b"[" * 9999])
def test_a_lost_record_costs_no_note(notes: Path, tmp_path: Path, record: bytes | None) -> None:
    """The folders that notes were read from stand in its place, and the next ingest makes it."""
    store = tmp_path / "store"
    ingest([notes], store)
    (store / FILE).unlink()
    if record is not None:
        (store / FILE).write_bytes(record)
    opened = open_store(store)
    roots = {str(opened.note_paths[name]): str(r) for name, r in note_roots(store).items()}
    opened.close()
    ((origin, own),) = origins_of(store, roots)
    assert (origin.path, origin.read) == (str(notes), "")
    assert own == tuple(sorted(roots))
    ingest([notes], store)
    assert [o.path for o in read_origins(store)] == [str(notes)]


def test_a_note_taken_out_leaves_no_trace(
    notes: Path, tmp_path: Path, everything: Everything
) -> None:
    """The store is that of a fresh ingest without it; its file stays, and later ingests skip it."""
    ingest([notes], tmp_path / "store")
    report = take_out(notes / "mixup.md", tmp_path / "store")
    assert (report.removed, report.notes) == (1, 2)
    assert (notes / "mixup.md").read_text("utf-8") == NOTES["mixup.md"]
    assert ingest([notes], tmp_path / "store").added == 0
    held = everything(tmp_path / "store")
    (notes / "mixup.md").rename(tmp_path / "mixup.md")
    ingest([notes], tmp_path / "fresh")
    assert held == everything(tmp_path / "fresh")


def test_a_note_given_by_itself_comes_back(notes: Path, tmp_path: Path) -> None:
    """Whoever names it wants it; from then on it is read with its folder again."""
    ingest([notes], tmp_path / "store")
    take_out(notes / "mixup.md", tmp_path / "store")
    assert ingest([notes / "mixup.md"], tmp_path / "store").notes == 3
    (notes / "mixup.md").write_text("# Mixup\n\nIt blends.\n", encoding="utf-8")
    assert ingest([notes], tmp_path / "store").changed == 1


def test_all_of_a_place_can_be_taken_out(
    notes: Path, tmp_path: Path, everything: Everything
) -> None:
    """What other places hold stays as a fresh ingest of them has it."""
    other = write_notes(tmp_path / "other", {"a.md": "# A\n\nA is a letter.\n"})
    ingest([notes, other], tmp_path / "store")
    take_out(notes, tmp_path / "store")
    ingest([other], tmp_path / "fresh")
    assert everything(tmp_path / "store") == everything(tmp_path / "fresh")
    assert [o.path for o in read_origins(tmp_path / "store")] == [str(other)]
    assert ingest([notes], tmp_path / "store").added == 3


def test_what_became_of_a_place_is_seen(notes: Path, tmp_path: Path) -> None:
    """Changed, gone and new notes, but not one that was only touched, or is left out."""
    ingest([notes], tmp_path / "store")
    take_out(notes / "sub" / "cutout.md", tmp_path / "store")
    (origin,) = read_origins(tmp_path / "store")
    held = [str(notes / "mixup.md"), str(notes / "tensor.md")]
    nothing = since(origin, held, lambda path: True)
    assert (nothing.changed, nothing.gone, nothing.new, nothing.fault) == ((), (), (), "")
    (notes / "mixup.md").touch()
    (notes / "tensor.md").unlink()
    (notes / "new.md").write_text("# New\n", encoding="utf-8")
    seen = since(origin, held, lambda path: False)
    assert seen.changed == (str(notes / "mixup.md"),)
    assert seen.gone == (str(notes / "tensor.md"),)
    assert seen.new == (str(notes / "new.md"),)
    assert since(origin, held, lambda path: True).changed == ()
    notes.rename(tmp_path / "away")
    assert "does not exist" in since(origin, held, lambda path: True).fault
