"""Ingest as a whole: only changes cost, and the way notes arrived leaves no trace."""

from __future__ import annotations

import functools
import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made import counts, write_notes
from one_by_one import OneByOne
from remembered import afresh

from ingest import build, changes
from ingest.build import ingest
from ingest.notes.kinds import parse_note
from ingest.notes.parsed import ParsedNote
from kg.encoder import DEFAULT_ENCODER, Encoder, check_weights, default_encoder_folder
from kg.errors import GradusError, IndexMismatch
from kg.marks import add_marks, read_marks
from kg.schema import connect, read_meta
from kg.search import search
from kg.store import open_store

Everything = Callable[[Path], dict[str, object]]
NOTES = {
    "01-tensor.md": "# Tensor\n\nA tensor is a block of numbers.\n\n## Goals\n\nTo know it.\n",
    "02-gradient.md": "# Gradient\n\nThe gradient of a tensor tells its change. A **slope** is a "
    "steepness.\n",
    "10-dropout.md": "---\nprerequisites: [Tensor]\n---\n# Dropout\n\nIt zeroes parts of a tensor. "
    "See [[U-Net]].\n",
    "unet.md": "# UNet\n\nThe U-Net has skip connections.\n\n## Goals\n\nMasks.\n",
    "sub/momentum.md": "# Momentum\n\nMomentum is an exponentially weighted moving average (EWMA) "
    "of the gradient.\n",
    "sub/ewma.md": "# Exponentially Weighted Moving Average\n\nIt forgets slowly.\n\n## Goals\n\n"
    "Means.\n",
}


sum_of_weights = functools.cache(check_weights)  # 90 MB are read once, not for every store


@pytest.fixture(scope="module")
def one_by_one(encoder: Encoder) -> OneByOne:
    return OneByOne(encoder)


@pytest.fixture(autouse=True)
def exact(one_by_one: OneByOne, monkeypatch: pytest.MonkeyPatch) -> OneByOne:
    one_by_one.encoded.clear()
    monkeypatch.setattr(build, "load_encoder", lambda name: one_by_one)
    monkeypatch.setattr(build, "check_weights", sum_of_weights)
    return one_by_one


def forbid(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """These steps of an ingest must not be taken any more."""

    def never(*args: object) -> None:
        raise AssertionError("an unchanged note was taken up again")

    for name in names:
        monkeypatch.setattr(changes if name in ("parse_note", "cut") else build, name, never)


def test_a_first_ingest_reports_what_it_found(
    notes: Path, tmp_path: Path, everything: Everything
) -> None:
    """Notes, passages, concepts and kept relations are those of the store."""
    report = ingest([notes], tmp_path / "store")
    assert counts(report) == (6, 6, 0, 0, 0) and report.failed == ()
    store = open_store(tmp_path / "store")
    assert store.note_names == (
        "01-tensor.md", "02-gradient.md", "10-dropout.md", "sub/ewma.md", "sub/momentum.md",
        "unet.md",
    )  # fmt: skip
    assert (report.passages, report.encoded, report.concepts) == (len(store.passages),) * 2 + (
        len(store.concepts),
    )
    for kind, n in report.relations.items():
        assert n == sum(r.kept and r.kind == kind for r in store.relations)
    meta = read_meta(connect(tmp_path / "store", writable=False), tmp_path)
    assert (meta["encoder"], meta["encoder_sha256"]) == (
        DEFAULT_ENCODER,
        check_weights(DEFAULT_ENCODER),
    )
    store.close()


def test_unchanged_notes_cost_neither_parsing_nor_encoding(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, everything: Everything
) -> None:
    """A second ingest parses and derives nothing, loads no encoder, leaves the store alone."""
    ingest([notes], tmp_path / "store")
    before = everything(tmp_path / "store")
    forbid(monkeypatch, "load_encoder", "parse_note", "cut", "derive", "check_weights")
    report = ingest([notes], tmp_path / "store")
    assert counts(report) == (6, 0, 0, 0, 6) and report.encoded == 0
    assert everything(tmp_path / "store") == before


def test_touching_a_file_changes_nothing(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contents count, not times."""
    ingest([notes], tmp_path / "store")
    (notes / "unet.md").write_bytes((notes / "unet.md").read_bytes())
    forbid(monkeypatch, "load_encoder", "parse_note")
    assert ingest([notes], tmp_path / "store").unchanged == 6


def test_a_changed_note_costs_its_own_passages_only(
    notes: Path, tmp_path: Path, exact: OneByOne, everything: Everything
) -> None:
    """And the names of its new concepts.

    And the store is then what a fresh ingest of the changed folder makes.
    """
    ingest([notes], tmp_path / "store")
    exact.encoded.clear()
    write_notes(
        notes,
        {"unet.md": "# UNet\n\nThe U-Net was changed.\n\n## Pruning\n\nPruning of a tensor.\n"},
    )
    report = ingest([notes], tmp_path / "store")
    assert counts(report) == (6, 0, 1, 0, 5) and report.encoded == 2
    assert [t.splitlines()[0] for t in exact.encoded] == ["UNet", "UNet: Pruning", "Pruning"]
    ingest([notes], tmp_path / "fresh")
    assert everything(tmp_path / "store") == everything(tmp_path / "fresh")


def test_a_removed_note_is_gone_everywhere(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From every table, from full text and vectors; nothing is encoded for it."""
    ingest([notes], tmp_path / "store")
    (notes / "sub/momentum.md").unlink()
    forbid(monkeypatch, "load_encoder", "parse_note")
    report = ingest([notes], tmp_path / "store")
    assert counts(report) == (5, 0, 0, 1, 5)
    raw = connect(tmp_path / "store", writable=False)
    for (table,) in raw.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%fts_%'"
    ):
        rows = raw.execute(f"SELECT * FROM {table}").fetchall()
        assert "momentum" not in repr(rows).casefold(), table
    raw.close()


def test_a_folder_that_lost_all_its_notes_leaves_an_empty_store(
    notes: Path, tmp_path: Path
) -> None:
    """The last note goes like the others; a folder that never held notes is still named as such."""
    ingest([notes], tmp_path / "store")
    shutil.rmtree(notes)
    (notes / "nothing").mkdir(parents=True)
    report = ingest([notes], tmp_path / "store")
    assert (report.notes, report.removed, report.passages, report.concepts) == (0, len(NOTES), 0, 0)
    with pytest.raises(GradusError, match="nothing' holds no notes"):
        ingest([notes / "nothing"], tmp_path / "store")
    store = open_store(tmp_path / "store")
    assert (tuple(store.passages), store.concepts, tuple(store.relations)) == ((), (), ())
    store.close()


def test_a_store_after_a_removal_is_that_of_a_fresh_ingest(
    notes: Path, tmp_path: Path, everything: Everything
) -> None:
    """By value, whole."""
    ingest([notes], tmp_path / "store")
    (notes / "01-tensor.md").unlink()
    (notes / "sub/ewma.md").unlink()
    ingest([notes], tmp_path / "store")
    ingest([notes], tmp_path / "fresh")
    assert everything(tmp_path / "store") == everything(tmp_path / "fresh")


ORDERS = {
    "backwards": list(NOTES)[::-1],
    "subfolder first": [
        "sub/momentum.md", "sub/ewma.md", "02-gradient.md", "unet.md", "10-dropout.md",
        "01-tensor.md",
    ],
}  # fmt: skip


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS.keys())
def test_notes_one_at_a_time_make_the_same_store_as_all_at_once(
    notes: Path, tmp_path: Path, everything: Everything, encoder: Encoder, order: list[str]
) -> None:
    """Notes, concepts, relations, vectors, full text, what search finds: equal by value."""
    for name in order:
        report = ingest([notes / name], tmp_path / "store")
        assert report.added == 1
    ingest([notes], tmp_path / "fresh")
    assert everything(tmp_path / "store") == everything(tmp_path / "fresh")
    one, all_at_once = open_store(tmp_path / "store"), open_store(tmp_path / "fresh")
    for question in ("what is a moving average?", "unet", "how does a tensor change", "EWMA"):
        assert search(question, one, encoder, 9) == search(question, all_at_once, encoder, 9)
    one.close()
    all_at_once.close()


def test_any_order_of_flat_notes_makes_the_same_store(
    tmp_path: Path, everything: Everything
) -> None:
    """Permutations of four notes, some differing in a name's case or leading zero only."""
    texts = {
        "a1.md": "# Tensor\n\nA block. See [[Gradient]].\n", "A1.md": "# Tensors\n\nBlocks.\n",
        "a01.md": "# Gradient\n\nThe slope of a tensor.\n",
        "b.md": "# Dropout\n\nNeeds: Tensor.\n\nZeroes.\n",
    }  # fmt: skip
    folder = tmp_path / "notes"
    write_notes(folder, texts)
    if len(list(folder.iterdir())) < len(texts):
        pytest.skip("this file system does not tell a.md from A.md")
    ingest([folder], tmp_path / "fresh")
    expected = everything(tmp_path / "fresh")
    for i, order in enumerate(list(itertools.permutations(texts))[::4]):
        for name in order:
            ingest([folder / name], tmp_path / f"store{i}")
        assert everything(tmp_path / f"store{i}") == expected


def test_the_real_encoder_makes_the_same_store_in_any_company(
    notes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    encoder: Encoder,
    everything: Everything,
) -> None:
    """Vectors, scores and all, to the last bit, whatever other notes a note is encoded with."""
    monkeypatch.setattr(build, "load_encoder", lambda name: encoder)
    with afresh():
        for name in NOTES:
            ingest([notes / name], tmp_path / "store")
        ingest([notes], tmp_path / "fresh")
    assert everything(tmp_path / "store") == everything(tmp_path / "fresh")


def test_a_renamed_note_is_the_same_under_its_new_name(
    notes: Path, tmp_path: Path, everything: Everything
) -> None:
    """As in a fresh ingest; nothing stays of the old name."""
    ingest([notes], tmp_path / "store")
    (notes / "unet.md").rename(notes / "00-unet.md")
    report = ingest([notes], tmp_path / "store")
    assert counts(report) == (6, 1, 0, 1, 5)
    ingest([notes], tmp_path / "fresh")
    assert everything(tmp_path / "store") == everything(tmp_path / "fresh")


MOVES = {
    "a note": ("unet.md", "00-unet.md"),
    "a note, into a folder": ("unet.md", "sub/unet.md"),
    "a folder": ("sub", "later"),
}


@pytest.mark.parametrize(("old", "new"), MOVES.values(), ids=MOVES.keys())
def test_what_is_moved_is_not_encoded_again(
    notes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    everything: Everything,
    old: str,
    new: str,
) -> None:
    """Its vectors go with it: no encoder is loaded, and all is as in a fresh ingest."""
    ingest([notes], tmp_path / "store")
    (notes / old).rename(notes / new)
    with monkeypatch.context() as patch:
        patch.setattr(build, "load_encoder", lambda name: pytest.fail("nothing is new"))
        assert ingest([notes], tmp_path / "store").encoded == 0
    ingest([notes], tmp_path / "fresh")
    assert everything(tmp_path / "store") == everything(tmp_path / "fresh")


def test_a_passage_keeps_its_vectors_while_its_note_changes_around_it(
    notes: Path, tmp_path: Path, exact: OneByOne, everything: Everything
) -> None:
    """Moved within its note, or into another one; only what is new is encoded."""
    write_notes(
        notes, {"two.md": "# Two\n\n## Pooling\n\nIt takes means.\n\n## Stride\n\nA step.\n"}
    )
    ingest([notes], tmp_path / "store")
    exact.encoded.clear()
    write_notes(
        notes, {"two.md": "# Two\n\n## Stride\n\nA long step.\n\n## Pooling\n\nIt takes means.\n"}
    )
    assert ingest([notes], tmp_path / "store").encoded == 1
    assert [text for text in exact.encoded if "\n" in text] == ["Two: Stride\nA long step."]
    exact.encoded.clear()
    shutil.copy(notes / "two.md", notes / "copy.md")
    assert ingest([notes], tmp_path / "store").encoded == 0
    assert exact.encoded == ["copy"]  # the name of the file alone is new
    ingest([notes], tmp_path / "fresh")
    assert everything(tmp_path / "store") == everything(tmp_path / "fresh")


def older(store: Path) -> None:
    """Make a store look as an older Gradus left it: other tables, another version."""
    connection = connect(store, writable=True)
    connection.execute("UPDATE meta SET value = '5' WHERE key = 'version'")
    connection.execute("DROP TABLE candidates")
    connection.execute("CREATE TABLE hubs (concept INTEGER)")
    connection.execute("DELETE FROM words")
    connection.close()


def test_a_store_of_an_older_version_is_made_anew_and_keeps_what_people_said(
    notes: Path, tmp_path: Path, everything: Everything
) -> None:
    """Marks and decisions stay, notes outside the given path come along, all else is as fresh.

    A note whose file is away is named.
    """
    write_notes(notes, {"gradus.toml": 'ignore = ["Masks"]\n'})
    write_notes(tmp_path / "away", {"pooling.md": "# Pooling\n\nPooling takes means.\n"})
    store = tmp_path / "store"
    ingest([notes, tmp_path / "away"], store)
    opened = open_store(store)
    generation = opened.generation
    add_marks(opened, ["Tensor", "gradients"])
    opened.close()
    older(store)
    shutil.rmtree(tmp_path / "away")
    report = ingest([notes / "sub"], store)
    assert counts(report) == (6, 0, 6, 1, 0) and report.encoded == report.passages
    assert [f.note for f in report.failed] == ["pooling.md"]
    ingest([notes], tmp_path / "fresh")
    assert everything(store) == everything(tmp_path / "fresh")
    opened = open_store(store)
    assert [mark.label for mark in read_marks(opened)] == ["Tensor", "gradients"]
    assert opened.generation == generation + 1
    opened.close()
    assert ingest([notes], store).unchanged == 6


def test_an_older_store_stays_as_it_is_when_its_ingest_fails(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change of version is undone with the rest, marks and all."""
    store = tmp_path / "store"
    ingest([notes], store)
    opened = open_store(store)
    add_marks(opened, ["Tensor"])
    opened.close()
    older(store)

    def dump() -> list[str]:
        connection = connect(store, writable=False)
        lines = list(connection.iterdump())
        connection.close()
        return lines

    before = dump()
    with monkeypatch.context() as patch:
        patch.setattr(build, "derive", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ingest([notes], store)
    assert dump() == before


def test_notes_that_swap_their_contents_are_both_changed(
    notes: Path, tmp_path: Path, everything: Everything
) -> None:
    """Two files that exchange names."""
    ingest([notes], tmp_path / "store")
    (notes / "unet.md").rename(notes / "spare")
    (notes / "01-tensor.md").rename(notes / "unet.md")
    (notes / "spare").rename(notes / "01-tensor.md")
    assert ingest([notes], tmp_path / "store").changed == 2
    ingest([notes], tmp_path / "fresh")
    assert everything(tmp_path / "store") == everything(tmp_path / "fresh")


def test_a_wider_folder_renames_without_parsing(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, everything: Everything
) -> None:
    """Notes of a subfolder get the names that the whole folder gives, at no cost."""
    ingest([notes / "sub"], tmp_path / "store")
    for name in NOTES:
        if not name.startswith("sub/"):
            (notes / name).unlink()
    # The name that one of them had until now.
    write_notes(notes, {"momentum.md": "# Weight Decay\n\nIt shrinks.\n"})
    taken: list[str] = []

    def taking(text: str, name: str) -> ParsedNote:
        taken.append(name)
        return parse_note(text, name)

    monkeypatch.setattr(changes, "parse_note", taking)
    report = ingest([notes], tmp_path / "store")
    assert counts(report) == (3, 1, 0, 0, 2) and taken == ["momentum.md"]
    ingest([notes], tmp_path / "fresh")
    assert everything(tmp_path / "store") == everything(tmp_path / "fresh")


def test_the_same_name_in_several_roots_stays_apart(tmp_path: Path) -> None:
    """Together or in turn, each note keeps its own name, and a second look is idle."""
    roots = [tmp_path / n / "notes" for n in ("x", "y", "z")]
    for root in roots:
        write_notes(root, {"a.md": f"# Thing {root.parent.name}\n\nIt is {root.parent.name}.\n"})
    ingest(roots, tmp_path / "together")
    for root in roots:
        ingest([root], tmp_path / "apart")
    for folder in ("together", "apart"):
        store = open_store(tmp_path / folder)
        assert len(set(store.note_names)) == 3 and "a.md" in store.note_names
        assert {store.note_text(n).split("\n")[0] for n in store.note_names} == {
            "# Thing x",
            "# Thing y",
            "# Thing z",
        }
        names = store.note_names
        store.close()
        for again in ([r] for r in roots):
            assert ingest(again, tmp_path / folder).unchanged == 1
        store = open_store(tmp_path / folder)
        assert store.note_names == names
        store.close()


def test_another_encoder_encodes_everything_anew(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: Encoder
) -> None:
    """Notes outside the given path too; search then wants the new one.

    The next ingest stays with it.
    """
    monkeypatch.undo()  # the real loading of encoders
    other = tmp_path / "other-encoder"
    shutil.copytree(default_encoder_folder(), other)
    store_folder = tmp_path / "store"
    ingest([notes], store_folder)
    passages = len(open_store(store_folder).passages)
    monkeypatch.chdir(tmp_path)
    report = ingest([notes / "sub"], store_folder, "other-encoder")
    assert report.encoded == passages == report.passages and report.notes == 6
    store = open_store(store_folder)
    assert store.encoder_name == str(other)  # in full: it is found from anywhere
    with pytest.raises(
        IndexMismatch, match=r"was made with the encoder '.*other-encoder', got 'all-MiniLM-L6-v2'"
    ):
        search("dropout", store, encoder)
    store.close()
    forbid(monkeypatch, "load_encoder", "parse_note")
    assert ingest([notes], store_folder).encoded == 0
    meta = read_meta(connect(store_folder, writable=False), store_folder)
    # The same weights in another place.
    assert meta["encoder_sha256"] == check_weights(DEFAULT_ENCODER)


def test_progress_is_told_in_order(notes: Path, tmp_path: Path) -> None:
    """Each step counts up to its end, one step after the other."""
    calls: list[tuple[str, int, int]] = []
    ingest([notes], tmp_path / "store", None, lambda *call: calls.append(call))
    steps = [what for what, _ in itertools.groupby(calls, key=lambda c: c[0])]
    assert steps == [
        "reading notes",
        "loading the model that reads them",
        "encoding",
        "finding concepts",
        "encoding names",
        "finding concepts",
        "relating concepts",
    ]
    for step in steps:
        done = [(d, n) for what, d, n in calls if what == step]
        assert done == sorted(done) and done[-1][0] == done[-1][1]


def test_notebooks_are_incremental_too(
    tmp_path: Path, everything: Everything, exact: OneByOne
) -> None:
    """A changed cell changes its note; passages slice from their cell."""
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": f"# Part {n}\n\nSaying {n}."}
        for n in "ab"
    ]
    book: dict[str, Any] = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    folder = tmp_path / "notes"
    write_notes(folder, {"n.ipynb": json.dumps(book)})
    ingest([folder], tmp_path / "store")
    cells[1]["source"] = "# Part c\n\nSaying c."
    write_notes(folder, {"n.ipynb": json.dumps(book)})
    assert ingest([folder], tmp_path / "store").changed == 1
    store = open_store(tmp_path / "store")
    assert [(p.cell, p.text) for p in store.passages] == [
        (0, "# Part a\n\nSaying a."),
        (1, "# Part c\n\nSaying c."),
    ]
    assert all(store.note_text(p.note, p.cell)[p.start : p.end] == p.text for p in store.passages)
    store.close()
