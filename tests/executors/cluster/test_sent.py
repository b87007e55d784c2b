"""What is sent along with a run: whole, named as it was, and nothing beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from executors.cluster import sent
from executors.cluster.sent import as_here, packed, unpacked
from executors.recipe import check_params, find_recipe

RECIPE = find_recipe("lr-find")


def params(**given: object) -> dict[str, object]:
    return check_params(RECIPE, given)


def test_a_folder_arrives_as_it_was(tmp_path: Path) -> None:
    here = tmp_path / "my 'pets'"
    (here / "cats").mkdir(parents=True)
    (here / "cats" / "one.png").write_bytes(b"\x00picture")
    (here / "labels.csv").write_text("name,label\n")
    archives, said = packed(RECIPE, params(data=here))
    there, names = unpacked(archives, params(data=here), tmp_path / "node")
    copied = Path(str(there["data"]))
    assert {p.relative_to(copied): p.read_bytes() for p in copied.rglob("*") if p.is_file()} == {
        p.relative_to(here): p.read_bytes() for p in here.rglob("*") if p.is_file()
    }
    assert names[str(copied)] == str(here) and "is sent along" in said[0]


def test_a_learners_file_comes_with_what_it_may_import_alone(tmp_path: Path) -> None:
    """Modules and packages beside it; not data, nor folders that are no package."""
    for name in ("mine.py", "beside.py", "package/__init__.py", "package/deep/part.py"):
        (tmp_path / "code" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "code" / name).write_text(f"# {name}\n")
    (tmp_path / "code" / ".env").write_text("PASSWORD=1")
    (tmp_path / "code" / "venv").mkdir()
    (tmp_path / "code" / "venv" / "large.py").write_text("")
    given = params(learner=f"{tmp_path / 'code' / 'mine.py'}:make")
    there, _ = unpacked(packed(RECIPE, given)[0], given, tmp_path / "node")
    file, _, function = str(there["learner"]).rpartition(":")
    folder = Path(file).parent
    assert function == "make" and Path(file).read_text() == "# mine.py\n"
    assert {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} == {
        "mine.py",
        "beside.py",
        "package/__init__.py",
        "package/deep/part.py",
    }


def test_what_is_large_or_not_here_is_a_path_of_the_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent, "SENT_BYTES", 10)
    (tmp_path / "large.csv").write_bytes(b"x" * 11)
    for path in (tmp_path / "large.csv", tmp_path / "elsewhere"):
        given = params(data=path)
        archives, (line,) = packed(RECIPE, given)
        assert archives == {} and "looked for on the cluster" in line
        assert unpacked(archives, given, tmp_path / "node")[0] == given


def test_places_are_called_as_they_were_also_in_json(tmp_path: Path) -> None:
    names = {"/tmp/g/data": 'C:\\"my" pets', "/tmp/g": "/home/me"}
    text = json.dumps({"code": "path = '/tmp/g/data/one.csv'", "of": "/tmp/g/x"}).encode()
    told = json.loads(as_here(text, names, in_json=True))
    assert told == {"code": "path = 'C:\\\"my\" pets/one.csv'", "of": "/home/me/x"}
    assert as_here(b"/tmp/g/data", names, in_json=False) == b'C:\\"my" pets'
