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
