"""What Start would do is said before it does, and how long it took is no guess."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from app.pages.runs import plan
from app.pages.runs.plan import plan_html
from executors.recipe import find_recipe
from executors.runs.history import RunRecord

FINDER = find_recipe("lr-find")
DONE = RunRecord(
    "r1", Path("r1"), "lr-find", "tabular", {"data": ""}, "2026", "ok", "cpu", seconds=41.2
)


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "places", lambda asked: ("cpu",))


def said(values: dict[str, object], *records: RunRecord) -> str:
    """The sentence without markup."""
    return re.sub(r"<[^>]+>", "", plan_html(FINDER, values, records))


def test_recipe_task_files_and_device_are_told() -> None:
    """The sample by its name, files by theirs, the device that would be taken."""
    assert "Find my learning rate, Tabular, on the built-in sample, with the CPU." in said(
        {"task": "tabular"}
    )
    told = said({"task": "tabular", "data": "~/my <b>.csv", "device": "cuda:1"})
    assert "on ~/my &lt;b&gt;.csv, with cuda:1." in told


def test_the_columns_of_a_table_are_told(tmp_path: Path) -> None:
    """Where one is to be named, and of files that runs may read only."""
    table = tmp_path / "houses.csv"
    table.write_text("\ufeffTown;Area (m²);<Price>\nBonn;80;1,5\nKöln;90;2,5\n", encoding="utf-8")

    def told(task: str, folder: Path) -> str:
        values = {"task": task, "data": str(table)}
        return plan_html(FINDER, values, (), readable=(folder,))

    columns = "<code>Town</code>, <code>Area (m²)</code>, <code>&lt;Price&gt;</code>."
    assert f"The table has the columns {columns}" in told("tabular", tmp_path)
    assert "has the columns" not in told("image-classification", tmp_path)
    assert "has the columns" not in told("tabular", tmp_path / "elsewhere")
    for nowhere in ("~nobody-of-that-name/a.csv", "a\0.csv", str(tmp_path)):
        values = {"task": "tabular", "data": nowhere}
        assert "has the columns" not in plan_html(FINDER, values, (), readable=(tmp_path,))
    table.write_bytes(b"\x89PNG\r\n\x1a\n\x00,\x00")
    assert "has the columns" not in told("tabular", tmp_path)


@pytest.mark.parametrize("names", [1, 20, 22])
def test_a_table_wider_than_a_sentence_is_told_in_part(tmp_path: Path, names: int) -> None:
    """Twenty names, and how many more; a list of single words has none to choose."""
    table = tmp_path / "wide.csv"
    head = ",".join(f"c{n}" for n in range(names))
    table.write_text(f"{head}\n{head.replace('c', '')}\n")
    told = plan_html(FINDER, {"task": "tabular", "data": str(table)}, (), readable=(tmp_path,))
    assert ("c19" in told) == (names > 1)
    assert ("and 2 more" in told) == (names == 22) and "c20" not in told


def test_the_last_run_like_it_tells_how_long() -> None:
    """The newest with the same recipe, task, files and device that ended well; else no figure."""
    older = replace(DONE, seconds=90.0)
    assert "took 41 s" in said({"task": "tabular"}, DONE, older)
    others = (
        replace(DONE, status="failed"),
        replace(DONE, recipe="batch-size"),
        replace(DONE, task="gan"),
        replace(DONE, params={"data": "/home/me/a.csv"}),
        replace(DONE, device="cuda:0"),
    )
    for other in others:
        assert "not known" in said({"task": "tabular"}, other)
    mine = replace(DONE, params={"data": str(Path("a.csv").absolute())})
    assert "took 41 s" in said({"task": "tabular", "data": "a.csv"}, mine)
