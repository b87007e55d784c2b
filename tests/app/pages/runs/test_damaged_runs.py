"""Folders of runs that something has damaged: every reader of them says so and goes on."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import random
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from app.answering.measured import measured as measuring
from app.answering.measured.findings import findings_of
from app.answering.offers.wishes import Wish
from app.commands import show
from app.commands.options import print_json
from app.commands.run import run_row
from app.commands.show_run import show_comparison, show_result
from app.pages.runs.compare_view import comparison_html, past_choices
from app.pages.runs.follow import reopen
from app.pages.runs.history_view import history_html
from app.visitors_runs import VisitorsRuns
from executors.runs.compare import compare
from executors.runs.folder import EVENTS, RESULT, SPEC
from executors.runs.history import history

RUNS = 200
FEW = 10  # in a folder where each is opened: the page reads all of a folder at every look
PHASE = {"recommended": [1e-4, 1e-3], "suggestions": {"steep": 0.01, "valley": None}}
VALUES = {
    "phases": {"frozen": PHASE},
    "plan": [
        {"size": 32, "recommended": 8, "largest": 64, "peak_bytes": 10**6, "rule_of_thumb": 4},
        {"size": 64, "recommended": 4, "largest": 32, "frozen": True, "bound": "memory"},
    ],
    "doubts": [{"file": "a.png", "label": "cat", "why": "loss"}],
    "notes": ["one", "two", "three"],
    "arch": "resnet18",
    "size": 64,
}
RESULT_JSON = {
    "event": "result",
    "status": "ok",
    "recipe": "lr-find",
    "task": "tabular",
    "device": "cpu",
    "values": VALUES,
    "artifacts": ["curve.png", "list.csv"],
    "code": "x = 1",
    "seconds": 12.5,
    "message": "A rate was found.",
    "notes": ["sent"],
    "said": [{"words": "1e-3", "figures": {"Rate": [1e-4, 1e-3]}, "values": {"lr": 1e-3}}],
}
SPEC_JSON = {
    "recipe": "lr-find",
    "task": "tabular",
    "params": {"data": "/x/y.csv", "arch": "200,100", "start_lr": 1e-7, "end_lr": 1.0},
    "started": "2026-11-28T10:00:00+00:00",
    "starter": {},
}
EVENTS_JSON: list[dict[str, Any]] = [
    {"event": "queued", "t": 0.0, "ahead": 1},
    {"event": "started", "t": 0.1, "params": {"start_lr": 1e-7, "end_lr": 1.0, "repeats": 2}},
    {"event": "device", "t": 0.2, "device": "cpu", "why": "no card"},
    {"event": "progress", "t": 1.0, "what": "sweep", "done": 1, "total": 2},
    {"event": "point", "t": 1.1, "phase": "frozen", "order": 0, "lr": 1e-5, "loss": 1.5},
    {"event": "point", "t": 1.2, "phase": "frozen", "order": 1, "lr": 1e-5, "loss": 1.4},
    {"event": "race", "t": 2.0, "phase": "frozen", "rate": [1e-4, 1e-3], "loss": 0.5, "batches": 9},
    {"event": "trial", "t": 3.0, "batch": 8, "size": 64, "ok": True, "peak_bytes": 9, "frozen": 1},
    {"event": "metric", "t": 3.1, "name": "error_rate", "value": 0.2},
    {"event": "row", "t": 3.2, "table": "ways", "way": "a", "loss": 0.1, "peak_bytes": 7},
    {"event": "layer", "t": 3.3, "way": "a", "mean": 0.0, "deviation": 1.0},
    {"event": "batch", "t": 3.4, "step": 1, "loss": 0.7},
    {"event": "log", "t": 3.5, "text": "so far"},
    {"event": "artifact", "t": 3.6, "path": "curve.png", "title": "A curve"},
]
EPOCH = {
    "event": "epoch", "t": 4.0, "epoch": 1, "train_loss": 0.5, "valid_loss": 0.6, "seconds": 1.0,
    "way": "a", "metrics": {"accuracy": 0.9},
}  # fmt: skip
ODD: list[Any] = [
    None, True, 0, -1, 1, 10**400, 1e308, float("nan"), float("inf"), "", "x", "\ud800", "1e400",
    [], [None], {}, {"a": {"a": []}}, [[[]]], "2026-13-45", "-", "\x00<b>", ["x", 1], {"": None},
]  # fmt: skip


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": [value]}
    return value


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a tree, with each of its keys."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(entries):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def damaged(whole: Any, chance: random.Random) -> bytes:
    """A file's content with some values replaced, taken out, or its bytes cut."""
    value = json.loads(json.dumps(whole))
    for _ in range(chance.choice((0, 1, 1, 2))):
        holder, key = chance.choice(list(places(value)))
        if chance.random() < 0.2 and isinstance(holder, dict):
            del holder[key]
        else:
            holder[key] = nested(300) if chance.random() < 0.05 else deepcopy(chance.choice(ODD))
    lines = value if isinstance(value, list) else [value]
    content = b"\n".join(json.dumps(line).encode() for line in lines)
    if chance.random() < 0.1:
        at = chance.randrange(len(content))
        content = (
            content[:at] + chance.choice((b"", b"\xff", b"\0", b"[" * 3000)) + content[at + 9 :]
        )
    return content


def make_run(runs: Path, number: int) -> None:
    chance = random.Random(number)
    folder = runs / f"20261128T1000{number % 60:02}Z-lr-find-{number:06x}"
    folder.mkdir(parents=True)
    kinds = chance.sample(EVENTS_JSON, chance.randrange(1, len(EVENTS_JSON)))
    events = [*EVENTS_JSON[:2], *kinds, *[EPOCH] * chance.choice((0, 0, 2))]
    (folder / SPEC).write_bytes(damaged(SPEC_JSON, chance))
    (folder / EVENTS).write_bytes(damaged(events, chance))
    (folder / RESULT).write_bytes(damaged(RESULT_JSON, chance))
    (folder / "curve.png").write_bytes(b"\x89PNG")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many runs, each damaged in its own way."""
    folder = tmp_path_factory.mktemp("runs")
    for number in range(RUNS):
        make_run(folder, number)
    return folder


@pytest.fixture(scope="module")
def parted_runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same runs, few in a folder."""
    folders = [tmp_path_factory.mktemp("few") for _ in range(0, RUNS, FEW)]
    for number in range(RUNS):
        make_run(folders[number // FEW], number)
    return folders


def test_each_damaged_run_is_listed(runs: Path) -> None:
    """In the page's list and in the command line's, whatever is wrong with it."""
    records = history(runs)
    assert len(records) == RUNS
    shown = history_html(runs, limit=RUNS)
    assert all(record.id in shown for record in records)
    assert len(past_choices(runs, limit=RUNS)) > RUNS // 2
    for record in records:
        assert record.id.endswith(run_row(record)[1])
        json.dumps(record.to_json(), allow_nan=False).encode()


def test_a_result_that_is_no_whole_one_is_named(tmp_path: Path) -> None:
    """In the list and where it is opened, while its neighbour is shown."""
    for name, result in (("one", {"status": "ok", "values": {}}), ("two", RESULT_JSON)):
        (tmp_path / name).mkdir()
        (tmp_path / name / SPEC).write_text(json.dumps(SPEC_JSON))
        (tmp_path / name / RESULT).write_text(json.dumps(result))
    assert {r.id: r.status for r in history(tmp_path)} == {"one": "failed", "two": "ok"}
    assert history_html(tmp_path).count("damaged: result.json holds no result") == 1


def test_each_damaged_run_can_be_opened(parted_runs: list[Path]) -> None:
    """Every part of the page is a text or JSON, and where something is lost a line says so."""
    visitors = VisitorsRuns()

    async def views(run: str, runs: Path) -> list[list[Any]]:
        return [shown async for shown in reopen(visitors, "a", run, runs)]

    told = 0
    parted = [(record.id, runs) for runs in parted_runs for record in history(runs)]
    for run, folder in parted:
        (view,) = asyncio.run(views(run, folder))
        curves, texts = view.pop(2), view[:7]
        assert all(isinstance(part, str) for part in texts)
        "".join(map(str, view)).encode() + json.dumps(curves, allow_nan=False).encode()
        told += any("cannot be shown" in part for part in (*texts, curves["fault"]))
    assert told > RUNS // 20


def test_damaged_runs_can_be_compared_and_told(
    runs: Path, parted_runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Side by side, in the terminal, and as what earlier runs measured."""
    monkeypatch.setattr(show, "out", Console(file=io.StringIO()))
    for few in parted_runs:
        compare_neighbours(few)
    monkeypatch.setattr(measuring, "asked_of", lambda wish, kind: ["lr-find"])
    monkeypatch.setattr(measuring, "MOST", RUNS)
    facts = measuring.measured(Wish(), "definition", runs, datetime(2026, 11, 29, tzinfo=UTC))
    assert facts and all("On your data" in fact.text or "built-in" in fact.text for fact in facts)


def compare_neighbours(runs: Path) -> None:
    """Show the first beside the second and so on, and each alone."""
    records = history(runs)
    for one, other in zip(records[::2], records[1::2], strict=True):
        comparison_html(runs, [one.id, other.id]).encode()
        comparison = compare([one, other])
        show_comparison(comparison)
        with contextlib.redirect_stdout(io.StringIO()):
            print_json(comparison.to_json())
        for record in (one, other):
            if record.result is not None:
                show_result(record.result)
                findings_of(record.result)
