"""The line above the runs says the numbers it is given, and nothing in them becomes markup."""

from __future__ import annotations

import re
from pathlib import Path

from app.pages.runs.machine_view import is_busy, machine_html
from executors.runs.folder import SPEC, write_json
from executors.runs.machine import Place

GB = 10**9


def test_the_bar_adds_up(tmp_path: Path) -> None:
    """Used by others, by the run, and free are the whole, in words and in widths."""
    place = Place("cuda:0", "A card", 80 * GB, 50 * GB, "run", 10 * GB)
    shown = machine_html(tmp_path, [place])
    assert "20 GB used, 10 GB by this run, 50 GB free of 80 GB" in shown
    assert re.findall(r"width: ([\d.]+)%", shown) == ["25.0", "12.5"]
    alone = machine_html(tmp_path, [Place("cpu", "", 80 * GB, 50 * GB)])
    assert "30 GB used, 50 GB free" in alone and "by this run" not in alone
    assert "no run" in alone and not is_busy([Place("cpu", "", 1, 1)])


def test_a_run_that_has_taken_more_than_is_said_to_be_used(tmp_path: Path) -> None:
    """Two measurements at two moments never make a bar longer than the whole."""
    shown = machine_html(tmp_path, [Place("cpu", "", 10 * GB, 9 * GB, "run", 3 * GB)])
    widths = [float(width) for width in re.findall(r"width: ([\d.]+)%", shown)]
    assert sum(widths) <= 10.0


def test_runs_are_named_and_lead_to_themselves(tmp_path: Path) -> None:
    """The one that has the device, and those that wait, in order; names of others are text."""
    for name, recipe in (("one", "lr-find"), ("two", "<b>"), ("three", "batch-size")):
        (tmp_path / name).mkdir()
        write_json(tmp_path / name / SPEC, {"recipe": recipe})
    place = Place("cpu", "<i>", 2, 1, "one", None, ("two", "three"))
    shown = machine_html(tmp_path, [place])
    assert re.findall(r'href="#past/([^"]*)"', shown) == ["one", "two", "three"]
    words = re.sub("<[^>]*>", "", shown)
    assert "taken by Find my learning rate; then &lt;b&gt;, Find my batch size" in words
    assert "<b>&lt;" in shown and not re.search("<b><|<i>&|<i></b>", shown)
    assert is_busy([place])
