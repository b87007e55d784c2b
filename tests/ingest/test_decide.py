"""Deciding: written to gradus.toml with all else as it was, and the store follows."""

from __future__ import annotations

import os
import sys
import tempfile
import tomllib
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.build import ingest
from ingest.decide import decide, decide_relation, overrides_file
from kg.encoder import Encoder
from kg.errors import GradusError, NoStore, StoreBusy, UnknownConcept
from kg.store import open_store
from kg.writing import writing

MINE = """\
# What I know better.
remove = [
    # nobody needs this
    ["Dropout", "Convexity"],  # said Ann
    ["Lasso", "Ridge"],
]

ignore = ["Where"]  # a word

[notes]  # not Gradus' own
add = 1
"""


def file_of(folder: Path, text: str | bytes) -> Path:
    (folder / "gradus.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / "gradus.toml"


def test_the_first_decision_makes_the_file(tmp_path: Path) -> None:
    """With a line that says what it is; taking back what was never decided makes none."""
    decide(tmp_path, "Chain Rule", "Backpropagation", None)
    assert list(tmp_path.iterdir()) == []
    assert decide(tmp_path, "Chain Rule", "Backpropagation", True) == tmp_path / "gradus.toml"
    first, *rest = (tmp_path / "gradus.toml").read_text().splitlines()
    assert first.startswith("# What you decide about your notes")
    assert rest == ["add = [", '    ["Chain Rule", "Backpropagation"],', "]"]
    assert [p.name for p in tmp_path.iterdir()] == ["gradus.toml"], "nothing is left of the writing"


def test_a_later_decision_replaces_the_earlier(tmp_path: Path) -> None:
    """And the comment behind it comes along; every other character stays."""
    file = file_of(tmp_path, MINE)
    decide(tmp_path, "Dropout", "Convexity", True)
    assert file.read_text() == (
        MINE.replace('    ["Dropout", "Convexity"],  # said Ann\n', "").replace(
            '["Where"]  # a word\n',
            '["Where"]  # a word\nadd = [\n    ["Dropout", "Convexity"],  # said Ann\n]\n',
        )
    )
    decide(tmp_path, "Dropout", "Convexity", None)
    assert tomllib.loads(file.read_text()) == {
        "remove": [["Lasso", "Ridge"]], "ignore": ["Where"], "notes": {"add": 1},
    }  # fmt: skip


def test_a_list_goes_with_its_last_entry(tmp_path: Path) -> None:
    """Comments in it and behind it stay, with the line ends of the file.

    A list that was empty before stays as well.
    """
    text = (
        'add = []\r\nremove = [\r\n    # of Ann\r\n    ["A", "B"],\r\n] # mine\r\n\r\n[notes]\r\n'
    )
    file = file_of(tmp_path, text)
    decide(tmp_path, "A", "B", None)
    assert file.read_bytes().decode() == "add = []\r\n# of Ann\r\n# mine\r\n\r\n[notes]\r\n"
    file = file_of(tmp_path, 'remove = [["A", "B"]]')
    decide(tmp_path, "A", "B", None)
    assert file.read_text() == ""
    decide(tmp_path, "A", "B", False)
    decide(tmp_path, "A", "B", True)
    assert tomllib.loads(file.read_text()) == {"add": [["A", "B"]]}
    decide(tmp_path, "A", "B", None)
    assert tomllib.loads(file.read_text()) == {}


def test_deciding_the_same_again_changes_nothing(tmp_path: Path) -> None:
    """Not even the file's time; nor does it with other case, plural, or a further name."""
    file = file_of(tmp_path, MINE)
    os.utime(file, ns=(1, 1))
    decide(tmp_path, "Lasso", "Ridge", False)
    decide(tmp_path, "lassos", "ridge", False)
    decide(tmp_path, "L1", "Ridge", False, (["Lasso"], []))
    assert (file.read_text(), file.stat().st_mtime_ns) == (MINE, 1)


def test_an_added_edge_takes_its_reverse_out(tmp_path: Path) -> None:
    """For the two would be a cycle."""
    file = file_of(tmp_path, 'add = [["A", "B"], ["B", "C"]]')
    decide(tmp_path, "B", "A", True)
    assert tomllib.loads(file.read_text()) == {"add": [["B", "C"], ["B", "A"]]}


def test_the_files_own_ways_are_kept(tmp_path: Path) -> None:
    """Line endings, byte order mark, rights, and that it is a link."""
    file = file_of(tmp_path, '\ufeff# é\r\nadd = [\r\n  ["A", "B"],\r\n]\r\n'.encode())
    file.chmod(0o640)
    decide(tmp_path, "C", "D", True)
    decide(tmp_path, "E", "F", False)
    assert file.read_bytes().decode() == (
        '\ufeff# é\r\nadd = [\r\n  ["A", "B"],\r\n  ["C", "D"],\r\n]\r\nremove = [\r\n    ["E", '
        '"F"],\r\n]\r\n'
    )
    if sys.platform != "win32":
        assert file.stat().st_mode & 0o777 == 0o640
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere/gradus.toml").symlink_to(file)
        decide(tmp_path / "elsewhere", "G", "H", True)
        assert (
            tmp_path / "elsewhere/gradus.toml"
        ).is_symlink() and '["G", "H"]' in file.read_text()


labels = st.sampled_from(
    [
        "Chain Rule",
        'the "quoted"',
        "back\\slash",
        "a # b",
        "c] = [",
        "new\nline",
        "del\x7f",
        "é 𝔾",
        "'d'",
    ]
)


@settings(max_examples=80)
@given(st.lists(st.tuples(labels, labels, st.sampled_from([True, False, None])), max_size=8))
def test_the_last_decision_about_a_pair_is_the_one_in_the_file(
    made: list[tuple[str, str, bool | None]],
) -> None:
    """Whatever the labels hold; and only what is decided stands in the file."""
    decided: dict[tuple[str, str], bool] = {}
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "gradus.toml"
        for first, then, accept in made:
            decide(Path(name), first, then, accept)
            decided.pop((first, then), None)
            if accept is not None:
                decided[first, then] = accept
            if accept and first != then and decided.get((then, first)):
                decided.pop((then, first))
            values = tomllib.loads(file.read_bytes().decode()) if file.exists() else {}
            for key in ("add", "remove"):
                assert values.get(key) != [], "no empty list is left"
                assert sorted(values.get(key, [])) == sorted(
                    list(p) for p, v in decided.items() if v == (key == "add")
                )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            'ignore = []\nadd = [["A" "B"]]',
            r"gradus.toml:2: not valid TOML \(.*\); fix it, then decide",
        ),
        ("add = 'A'", "'add' in .*gradus.toml is not a list of pairs; fix it, then decide again"),
        ("[[remove]]\nfirst = 'A'", "'remove' in .*gradus.toml is not a list of pairs"),
        (b"add = ['\xff']", "cannot read .*gradus.toml"),
    ],
)
def test_a_file_that_is_not_valid_is_left_alone(
    tmp_path: Path, text: str | bytes, error: str
) -> None:
    """With its line and what to do."""
    file = file_of(tmp_path, text)
    before = file.read_bytes()
    with pytest.raises(GradusError, match=error):
        decide(tmp_path, "C", "D", True)
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that exists stays whole, and nothing else is left behind."""
    with pytest.raises(
        GradusError, match=r"cannot write .*gradus.toml .*, so nothing is decided; make the folder"
    ):
        decide(tmp_path / "gone", "A", "B", True)
    file_of(tmp_path, MINE)

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(
        GradusError, match=r"gradus.toml \(Permission denied\), so nothing is decided"
    ):
        decide(tmp_path, "A", "B", True)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("gradus.toml", MINE)]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="this user may write everywhere"
)
def test_a_read_only_folder_is_said(tmp_path: Path) -> None:
    """By the file system itself."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(GradusError, match="make the folder writable"):
            decide(tmp_path, "A", "B", True)
    finally:
        tmp_path.chmod(0o700)


@pytest.fixture
def stored(tmp_path: Path, one_encoder: Encoder) -> tuple[Path, Path]:
    """A folder of notes, and a store of one note of it and of another folder."""
    for name, text in {
        "notes/lasso.md": "# Lasso | L1\n\nThe lasso sets weights to zero.\n\nNeeds: Ridge.\n",
        "notes/unread.md": "# Unread\n\nNot ingested.\n",
        "more/ridge.md": "# Ridge\n\nRidge shrinks weights.\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    ingest([tmp_path / "notes/lasso.md", tmp_path / "more"], tmp_path / "store")
    return tmp_path, tmp_path / "store"


def kept(store_folder: Path) -> set[tuple[str, str]]:
    with closing(open_store(store_folder)) as store:
        return {
            (store.concepts[p].label, store.concepts[c].label) for p, c in store.prerequisites.edges
        }


def test_a_decision_is_written_beside_the_note_and_in_force_at_once(
    stored: tuple[Path, Path],
) -> None:
    """With the labels, whatever name was given.

    No note is touched, and none that was not ingested comes in.
    """
    folder, store = stored
    notes = {p: p.read_bytes() for p in folder.rglob("*.md")}
    assert overrides_file(store, "L1") == folder / "notes/gradus.toml"
    report = decide_relation(store, "ridge", "l1", False)
    assert (report.notes, report.encoded, report.warnings) == (2, 0, ())
    assert tomllib.loads((folder / "notes/gradus.toml").read_text()) == {
        "remove": [["Ridge", "Lasso"]]
    }
    assert kept(store) == set()
    decide_relation(store, "Ridge", "Lasso", True)
    assert kept(store) == {("Ridge", "Lasso")}
    decide_relation(store, "Lasso", "Ridge", True)
    assert kept(store) == {("Lasso", "Ridge")}
    assert decide_relation(store, "Lasso", "Ridge", None).relations["prerequisite"] == 1
    assert {p: p.read_bytes() for p in folder.rglob("*.md")} == notes


def test_a_decision_in_another_folder_is_taken_back(stored: tuple[Path, Path]) -> None:
    """Else a confirmed edge would stay removed.

    A file there that nobody can read does not stand in the way.
    """
    folder, store = stored
    (folder / "more/gradus.toml").write_text('remove = [["ridge", "L1"]]\n')
    ingest([folder / "more"], store)
    assert kept(store) == set()
    assert decide_relation(store, "Ridge", "Lasso", True).warnings == ()
    assert kept(store) == {("Ridge", "Lasso")}
    assert (folder / "more/gradus.toml").read_text() == ""
    (folder / "more/gradus.toml").write_text("remove = [\n")
    (warning,) = decide_relation(store, "Ridge", "Lasso", False).warnings
    assert warning.note == "more/gradus.toml" and kept(store) == set()


def test_what_cannot_be_decided_is_said(stored: tuple[Path, Path], tmp_path: Path) -> None:
    """A concept that there is not, one concept twice, no store; and nothing is written."""
    folder, store = stored
    with pytest.raises(UnknownConcept, match="no concept 'Lassoo'; the closest are: Lasso"):
        decide_relation(store, "Lassoo", "Ridge", True)
    with pytest.raises(
        GradusError, match="'Lasso' and 'L1' are the same concept, 'Lasso'; name two"
    ):
        decide_relation(store, "Lasso", "L1", True)
    with pytest.raises(NoStore):
        decide_relation(tmp_path / "nowhere", "Lasso", "Ridge", True)
    assert list(folder.rglob("gradus.toml")) == [] and not (tmp_path / "nowhere").exists()


def test_a_decision_during_an_ingest_is_written_and_counts_later(stored: tuple[Path, Path]) -> None:
    """The message says so."""
    folder, store = stored
    with (
        writing(store),
        pytest.raises(
            StoreBusy, match=r"the decision is in .*gradus.toml, and counts from the next"
        ),
    ):
        decide_relation(store, "Ridge", "Lasso", False)
    ingest([folder / "more"], store)
    assert kept(store) == set()
