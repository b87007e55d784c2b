"""Runs side by side and in the history: differences are marked, nothing becomes markup."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from app.pages.runs.compare_view import MOST, comparison_html, past_choices
from app.pages.runs.history_view import history_html


def kept(
    runs_dir: Path, name: str, values: dict[str, Any], status: str = "ok", **params: Any
) -> str:
    """A run's folder as the runner leaves it; its id."""
    folder = runs_dir / name
    folder.mkdir(parents=True)
    recipe = name.partition("-")[2].rpartition("-")[0]
    spec = {
        "recipe": recipe,
        "task": "tabular",
        "params": params,
        "started": f"2026-01-02T03:0{name[0]}:00+00:00",
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    ended = {
        "event": "result",
        "status": status,
        "recipe": recipe,
        "task": "tabular",
        "device": "cpu",
    }
    figures = values.get("findings", {})
    said = [{"words": "so", "figures": {label: value}} for label, value in figures.items()]
    (folder / "result.json").write_text(
        json.dumps(ended | {"values": values, "seconds": 4.0, "message": "so", "said": said})
    )
    metric = {"event": "metric", "t": 1.0, "name": "accuracy", "value": values.get("accuracy", 0.5)}
    (folder / "events.jsonl").write_text(json.dumps(metric) + "\n")
    return name


def table_of(shown: str) -> dict[str, list[str]]:
    """The cells by the row's name."""
    found = re.findall(r'<tr class="[^"]*"><th scope="row">(.*?)</th>(.*?)</tr>', shown)
    return {
        re.sub("<[^>]*>", "", name): re.findall(r"<td>(.*?)</td>", cells) for name, cells in found
    }


def test_two_runs_are_columns_in_the_order_chosen(tmp_path: Path) -> None:
    """What was asked differently, what was found and measured; equal parameters are left out."""
    one = kept(
        tmp_path, "1-lr-find-aa", {"recommended": 0.003, "accuracy": 0.75}, batch_size=16, seed=1
    )
    two = kept(
        tmp_path, "2-lr-find-bb", {"recommended": 0.02, "accuracy": 0.5}, batch_size=64, seed=1
    )
    shown = table_of(comparison_html(tmp_path, [two, one]))
    assert shown["batch size asked"] == ["64", "16"]
    assert shown["recommended found"] == ["0.02", "0.003"]
    assert shown["accuracy measured"] == ["0.5", "0.75"]
    assert "seed asked" not in shown


def test_what_differs_is_marked(tmp_path: Path) -> None:
    """A row whose values are the same is not."""
    ids = [kept(tmp_path, f"{n}-lr-find-aa", {"a": n, "b": 1}) for n in (1, 2)]
    rows = re.findall(
        r'<tr class="([^"]*)"><th scope="row">([ab]) ', comparison_html(tmp_path, ids)
    )
    assert rows == [("g-differs", "a"), ("", "b")]


def test_fewer_than_two_ask_for_more(tmp_path: Path) -> None:
    """One run, or names that no run has, make no table."""
    one = kept(tmp_path, "1-lr-find-aa", {})
    for ids in ([], [one], [one, "../../etc", "gone"]):
        assert comparison_html(tmp_path, ids) == '<p class="g-quiet">Choose two runs or more.</p>'


def test_at_most_so_many_as_can_be_read(tmp_path: Path) -> None:
    """More columns than that are left out."""
    ids = [kept(tmp_path, f"{n}-lr-find-aa", {}) for n in range(MOST + 2)]
    assert comparison_html(tmp_path, ids).count('<th scope="col">') == MOST + 1


def test_only_runs_that_ended_can_be_chosen_newest_first(tmp_path: Path) -> None:
    """A folder without a result is not among them."""
    for n in (1, 2):
        kept(tmp_path, f"{n}-lr-find-aa", {})
    (tmp_path / "3-lr-find-aa").mkdir()
    kept(tmp_path, "4-batch-size-aa", {"findings": {"Recommended batch": 48}}, status="ok")
    assert past_choices(tmp_path) == [
        ("Find my batch size · Tabular · Recommended batch: 48 · 01-02 03:04", "4-batch-size-aa"),
        ("Find my learning rate · Tabular · 01-02 03:02", "2-lr-find-aa"),
        ("Find my learning rate · Tabular · 01-02 03:01", "1-lr-find-aa"),
    ]


def test_the_history_says_what_was_found_and_on_what(tmp_path: Path) -> None:
    """Status in words, the recipe's title as a link, the first finding, the files by their name."""
    kept(
        tmp_path,
        "1-lr-find-aa",
        {"findings": {"Learning rate, frozen": 0.003}},
        data="/homes/me/houses.csv",
    )
    kept(tmp_path, "2-batch-size-bb", {}, status="out_of_memory")
    newest, oldest = re.findall(r"<tr><td>(.*?)</tr>", history_html(tmp_path))
    assert "Out of memory" in newest and "Find my batch size" in newest
    cells = [re.sub("<[^>]*>", "", cell) for cell in oldest.split("</td><td>")]
    assert cells[:3] == ["Done", "Find my learning rate", "Learning rate, frozen: 0.003"]
    assert cells[3:5] == ["Tabular · houses.csv", "cpu"] and "/homes/me" not in oldest


def test_hostile_values_are_text(tmp_path: Path) -> None:
    """What a run wrote becomes no markup, beside another or in the history."""
    bad = "<img src=x onerror=alert(1)>"
    ids = [
        kept(tmp_path, f"{n}-{bad[:4]}-a", {bad: f"{bad}{n}", "findings": {bad: bad}}, arch=bad)
        for n in (1, 2)
    ]
    for shown in (comparison_html(tmp_path, ids), history_html(tmp_path)):
        assert "&lt;img" in shown and "<img" not in shown
