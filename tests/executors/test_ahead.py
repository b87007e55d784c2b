"""What would end a run is known before it starts, from small files, by the run's own check."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from executors import ahead
from executors.ahead import Ahead, look_ahead
from executors.errors import BadInput
from executors.task import Settings
from executors.tasks import LEARNER, TASK_NAMES, find_task


def table(path: Path, gaps: int = 0) -> Path:
    rows = [f"{n % 3},{n},{'' if n < gaps else n * 1.5}" for n in range(60)]
    path.write_text("\n".join(["kind,size,price", *rows]))
    return path


@pytest.mark.parametrize(
    ("target", "gaps", "words"),
    [
        ("", 0, "which column is to be learned?"),
        ("prize", 0, "did you mean 'price'"),
        ("price", 2, "'price' is empty in 2 rows, the first at line 2"),
    ],
)
def test_what_is_wrong_with_the_target_is_known(
    tmp_path: Path, target: str, gaps: int, words: str
) -> None:
    """None, no such column, and empty cells; the file is called by its name."""
    found = look_ahead("tabular", str(table(tmp_path / "t.csv", gaps)), target)
    assert found.parameter == "target" and words in found.fault
    assert str(tmp_path) not in found.fault


def test_a_file_that_fits_has_no_fault_and_its_doubts(tmp_path: Path) -> None:
    """How whole numbers are learned is said, for they may be names of classes."""
    data = str(table(tmp_path / "t.csv"))
    assert look_ahead("tabular", data, "price").fault == ""
    (doubt,) = look_ahead("tabular", data, "size").doubts[:1]
    assert "60 different whole numbers, which are learned as a quantity" in doubt
    assert "learned as classes" in look_ahead("tabular", data, "kind").doubts[0]


def test_a_file_is_looked_at_again_when_it_has_changed(tmp_path: Path) -> None:
    """What was mended is mended."""
    data = table(tmp_path / "t.csv", gaps=1)
    assert look_ahead("tabular", str(data), "price").fault
    table(data)
    assert not look_ahead("tabular", str(data), "price").fault


@pytest.mark.parametrize("task", [name for name in TASK_NAMES if name != LEARNER])
def test_the_check_is_the_runs_own(task: str, tmp_path: Path) -> None:
    """Of each task; what is not there, and a folder of nothing, end its run in the same words."""
    for data in (tmp_path / "gone", tmp_path):
        with pytest.raises(BadInput) as raised:
            find_task(task).inspect(Settings(task, str(data)), verify=False)
        found = look_ahead(task, str(data), "")
        assert found.fault == str(raised.value).replace(str(data), data.name)
        assert found.parameter == "data"


def test_nothing_is_said_of_what_takes_long_or_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code is not run, nothing is unpacked, nothing large is read, no other place is gone into."""
    data = str(table(tmp_path / "t.csv"))
    packed = tmp_path / "t.csv.gz"
    packed.write_bytes(b"no archive")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "round").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.csv")
    for other in (packed, tmp_path / "here", tmp_path / "pipe.csv"):
        assert look_ahead("tabular", str(other), "") == Ahead()
    assert look_ahead(LEARNER, data, "") == look_ahead("", data, "") == Ahead()
    assert look_ahead("tabular", "", "") == Ahead()
    monkeypatch.setattr(ahead, "_BYTES", 10)
    assert look_ahead("tabular", data, "") == Ahead()


@pytest.mark.parametrize("data", ["a\0b", "~nobody-of-that-name/x", "x" * 5000])
def test_what_is_no_path_is_a_fault(data: str) -> None:
    """Whatever is typed."""
    assert look_ahead("tabular", data, "").fault
