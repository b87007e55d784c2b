"""What the Runs page shows of a run follows from its events, and none can become markup."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.pages.runs.chart import Guide
from app.pages.runs.numbers import amount, duration, number
from app.pages.runs.result_view import doubts_html, files_html, read_html, result_html
from app.pages.runs.trials_view import plan_html, trials_html
from app.pages.runs.view import charts, log_html, race_html, state_html
from executors.runs.result import RunResult
from executors.runs.stored_findings import Finding

HOSTILE = "<img src=x onerror=alert(1)>"


def result(**fields: Any) -> dict[str, Any]:
    blank = {
        "event": "result",
        "status": "ok",
        "device": "cpu",
        "values": {},
        "artifacts": [],
        "message": "",
        "seconds": 1,
    }
    return blank | fields


def said_of(*figures: dict[str, object]) -> list[dict[str, Any]]:
    """What a result says, as it travels."""
    findings = tuple(Finding("words", one) for one in figures)
    event = RunResult("ok", "lr-find", "tabular", "cpu", said=findings).to_event()
    return json.loads(json.dumps(event["said"]))


def trial(batch: int, **fields: Any) -> dict[str, Any]:
    blank = {
        "event": "trial",
        "batch": batch,
        "size": 32,
        "peak_bytes": batch * 1_000_000,
        "samples_per_s": 50.0,
    }
    return blank | {"ok": True, "reason": "", "purpose": "search", "t": 1.0} | fields


def test_a_run_that_goes_on_shows_device_and_progress() -> None:
    """The head names the device with its reason, and how far the run is."""
    events = [
        {"event": "device", "device": "cpu", "why": "there is no card", "t": 1.5},
        {"event": "progress", "done": 3, "total": 12, "what": "batches", "t": 7.2},
    ]
    shown = state_html("Find my batch size", events, 7.2)
    assert "Running" in shown
    assert "on cpu, 7 s" in shown
    assert "there is no card" in shown
    assert 'value="3" max="12"' in shown


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("ok", "Done"),
        ("failed", "Failed"),
        ("timeout", "time limit"),
        ("out_of_memory", "Out of memory"),
        ("cancelled", "Stopped"),
    ],
)
def test_every_end_is_named(status: str, words: str) -> None:
    """Each status has its words, and no progress bar is left."""
    shown = state_html("x", [result(status=status, seconds=41.6)])
    assert words in shown
    assert "42 s" in shown
    assert "<progress" not in shown


def test_a_dead_child_shows_why() -> None:
    """A run without a finding shows its one line and no number in large."""
    shown = result_html(result(status="failed", message="the run was killed by signal 9 (SIGKILL)"))
    assert "killed by signal 9 (SIGKILL)" in shown
    assert "g-value" not in shown


def test_learning_rates_stand_in_large_one_for_each_phase() -> None:
    """A single rate is a number, a pair of rates is fastai's slice."""
    said = said_of({"Learning rate, frozen": 0.006}, {"Learning rate, unfrozen": (1e-5, 6e-4)})
    shown = result_html(result(said=said, message="because of the curve"))
    assert re.findall(r'g-value">([^<]*)<', shown) == ["0.006", "slice(1e-05, 6e-04)"]
    assert "because of the curve" in shown


def test_figures_stand_in_large_with_their_labels() -> None:
    """Those of every finding, in order; a metric's name without underscores, a gap in words."""
    said = said_of({"Verdict": "fits", "Best error_rate": 0.12345}, {"Rate": None})
    shown = result_html(result(said=said))
    assert re.findall(r'g-label">([^<]*)<', shown) == ["Verdict", "Best error rate", "Rate"]
    assert re.findall(r'g-value">([^<]*)<', shown) == ["fits", "0.123", "none found"]


def test_a_result_that_says_nothing_has_its_message() -> None:
    """As one that was written before recipes said anything, or is damaged."""
    for said in ([], None, 3, [{"figures": {"Rate": 0.1}}], [{"words": "x", "figures": [1]}]):
        shown = result_html(result(said=said, message="Take 0.1.", values={"recommended": 0.1}))
        assert "g-value" not in shown and "Take 0.1." in shown


def test_the_curve_grows_with_its_points() -> None:
    """Each point so far is in the chart; a second phase has a chart of its own."""
    points = [
        {"event": "point", "lr": 10.0**-i, "loss": 1.0 + i, "phase": "frozen"}
        for i in range(6, 1, -1)
    ]
    for n in (2, 5):
        assert [len(chart.lines[0].points) for chart in charts(points[:n])] == [n]
    assert len(charts([*points, {**points[0], "phase": "unfrozen"}])) == 2
    assert charts([]) == []


def test_sweeps_in_other_orders_are_a_band_around_the_first() -> None:
    """One line, the first sweep's; the band reaches as far as a second one came."""
    first = [
        {"event": "point", "lr": 10.0**-k, "loss": 2.0 + k, "phase": "frozen", "order": 0}
        for k in (5, 4, 3, 2)
    ]
    second = [{**point, "loss": 9.0 - k, "order": 1} for k, point in enumerate(first[:3])]
    (drawn,) = charts([*first, *second])
    (line,) = drawn.lines
    assert line.points == tuple((point["lr"], point["loss"]) for point in first)
    assert drawn.band == ((1e-5, 7.0, 9.0), (1e-4, 6.0, 8.0), (1e-3, 5.0, 7.0))
    assert charts(first)[0].band == ()


def test_short_trainings_are_a_table_with_the_best_in_strong() -> None:
    """In the order they were made; what diverged is said to have; a pair of rates is a slice."""
    point = {"event": "point", "lr": 1e-3, "loss": 2.0, "phase": "unfrozen"}
    trial = {"event": "race", "phase": "unfrozen", "batches": 50, "ended": "done"}
    drawn = race_html(
        [
            point,
            {**trial, "rate": 0.003, "loss": 0.75},
            {**trial, "rate": [0.001, 0.03], "loss": 0.5},
            {**trial, "rate": 0.3, "loss": None, "ended": "exploded"},
        ]
    )
    _, *rows = re.findall("<tr.*?</tr>", drawn)
    assert [re.sub("<[^>]*>", " ", row).split()[-1] for row in rows] == ["0.75", "0.5", "diverges"]
    assert "<strong>slice(0.001, 0.03)</strong>" in rows[1] and "<strong>" not in rows[0] + rows[2]
    assert race_html([point]) == ""


def test_suggestions_are_marked_once_there_is_a_result() -> None:
    """Those there are appear by name, and the recommended rate is the strong one."""
    points = [
        {"event": "point", "lr": 10.0**-i, "loss": 1.0 + i, "phase": "frozen"}
        for i in range(6, 0, -1)
    ]
    found = {"frozen": {"recommended": 1e-3, "suggestions": {"valley": 1e-4, "slide": None}}}
    (shown,) = charts([*points, result(values={"phases": found})])
    assert shown.guides == (Guide("recommended", 1e-3, strong=True), Guide("valley", 1e-4))
    assert charts(points)[0].guides == ()


def test_trials_are_a_table_in_order_with_what_failed() -> None:
    """Every trial has a row; one that did not fit says why and has no speed."""
    shown = trials_html([trial(4), trial(4096, ok=False, reason="out of memory", peak_bytes=0)])
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", shown)
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in rows[1:]]
    assert cells[0] == ["4", "32", "find the limit", "4 MB", "50", "fits"]
    assert cells[1][0] == "4096"
    assert cells[1][-2:] == ["", "out of memory"]


def test_the_speed_chart_takes_timed_trials_only() -> None:
    """Trials that only looked for the limit do not bend the curve of speeds."""
    events = [
        trial(4, samples_per_s=1.0),
        trial(8, purpose="rate"),
        trial(16, purpose="rate", samples_per_s=60.0),
    ]
    memory, speed = charts(events)
    assert (len(memory.lines[0].points), len(speed.lines[0].points)) == (3, 2)


def test_only_files_of_the_runs_own_folder_are_shown(tmp_path: Path) -> None:
    """A picture is shown with its title; a path elsewhere, or through a link, is not read."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "curve.png").write_bytes(b"PNG")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    paths = [
        str(folder / "curve.png"),
        str(tmp_path / "secret.txt"),
        str(folder / "link.txt"),
        str(folder / "gone.csv"),
    ]
    titles = [{"event": "artifact", "path": paths[0], "title": "the curve"}]
    shown = files_html([*titles, result(artifacts=paths)], folder)
    assert base64.b64encode(b"PNG").decode() in shown
    assert "the curve" in shown
    assert base64.b64encode(b"secret").decode() not in shown
    assert "<summary>1 picture</summary>" in shown


def test_nothing_a_run_says_becomes_markup() -> None:
    """Messages, reasons, devices and log lines are text, whatever they hold."""
    events = [
        {"event": "device", "device": HOSTILE, "why": HOSTILE, "t": 0},
        {"event": "log", "text": HOSTILE, "t": 0},
        {"event": "progress", "done": 1, "total": 2, "what": HOSTILE, "t": 0},
        trial(4, ok=False, reason=HOSTILE),
        result(status="failed", message=HOSTILE, values={"notes": [HOSTILE]}),
        result(said=said_of({HOSTILE: HOSTILE})),
    ]
    for html in (
        state_html(HOSTILE, events),
        *map(result_html, events[-2:]),
        trials_html(events),
        log_html(events),
    ):
        assert "&lt;img" in html
        assert "<img" not in html


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.006, "0.006"),
        (1.7e-5, "1.7e-05"),
        (0.25, "0.25"),
        (1438, "1438"),
        (0, "0"),
        (333.333, "333"),
        (None, ""),
    ],
)
def test_numbers_for_people(value: object, shown: str) -> None:
    """Few digits, no needless zeros."""
    assert number(value) == shown


@pytest.mark.parametrize(
    ("n", "shown"),
    [(950, "950 B"), (279_000_000, "279 MB"), (10_600_000_000, "10.6 GB"), (None, "")],
)
def test_bytes_for_people(n: object, shown: str) -> None:
    """Bytes in the unit that fits."""
    assert amount(n) == shown


def test_a_plan_over_precisions_is_a_table_and_lines_of_its_own() -> None:
    """Each precision has a row with what bounds it, and a line of its own in charts."""
    plan = [
        {
            "size": 64,
            "precision": p,
            "phase": "unfrozen",
            "recommended": 8 * k,
            "largest": 32 * k,
            "bound": "memory",
        }
        for k, p in enumerate(("float32", "bfloat16"), start=1)
    ]
    table = plan_html(result(values={"plan": plan}))
    cells = [re.findall("<td>(.*?)</td>", row) for row in re.findall("<tr>(.*?)</tr>", table)][1:]
    assert [row[:4] for row in cells] == [
        ["64", "float32", "8", "32"],
        ["64", "bfloat16", "16", "64"],
    ]
    assert "Phase" not in table and plan_html(result(values={"plan": plan[:1]})) == ""
    tried = [
        trial(batch, precision=p, frozen=False) for p in ("float32", "bfloat16") for batch in (4, 8)
    ]
    names = ["32 px float32", "32 px bfloat16"]
    assert [[line.name for line in chart.lines] for chart in charts(tried)] == [names, names]


def test_large_files_are_named_where_they_lie(tmp_path: Path) -> None:
    """A model is not part of the page, its path and size are; a table can be downloaded from it."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"0" * 2_500_000)
    (folder / "decisions.csv").write_text("file,decision\n")
    shown = files_html([result(artifacts=[str(path) for path in sorted(folder.iterdir())])], folder)
    assert f"<code>{folder / 'model.safetensors'}</code>" in shown and "2.5 MB" in shown
    assert 'download="decisions.csv"' in shown and "<summary>2 files</summary>" in shown


def test_doubted_samples_are_a_table_and_their_pictures_stand_open(tmp_path: Path) -> None:
    """What cleaning found is seen without a click; other runs' files are folded."""
    (tmp_path / "hardest.png").write_bytes(b"PNG")
    doubt = {
        "file": "blue/19.png",
        "label": "blue",
        "predicted": "red",
        "proposal": "keep",
        "why": "66% red",
    }
    cleaned = result(values={"doubts": [doubt] * 30}, artifacts=[str(tmp_path / "hardest.png")])
    table = doubts_html(cleaned)
    assert table.count("<td>blue/19.png</td>") == 12 and "The first 12 of 30" in table
    assert "<details" in files_html([cleaned], tmp_path) and " open>" in files_html(
        [cleaned], tmp_path
    )
    assert " open>" not in files_html([result(artifacts=cleaned["artifacts"])], tmp_path)
    assert doubts_html(result()) == ""


def test_many_notes_are_folded_and_what_came_of_sending_is_said() -> None:
    """Two notes stand open, three are counted; the tracker's is always seen, also if it failed."""
    two, three = (
        result_html(result(values={"notes": [f"note {i}" for i in range(n)]})) for n in (2, 3)
    )
    assert "<details" not in two and "3 notes on this run" in three
    for status in ("ok", "failed"):
        assert "sent to mlflow" in result_html(result(status=status, notes=["sent to mlflow"]))


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.42, "0.4 s"), (7.2, "7 s"), (99.0, "99 s"), (459, "7 min 39 s"), (7325, "2 h 2 min")],
)
def test_times_for_people(seconds: float, shown: str) -> None:
    """Lengths of time in the units that fit."""
    assert duration(seconds) == shown


def test_what_may_have_been_meant_otherwise_stands_open_and_once() -> None:
    """Above what was found; the notes that are folded do not have it again."""
    events = [{"event": "doubt", "text": "<b> is learned as classes"}] * 2
    assert read_html(events).count("&lt;b&gt; is learned as classes") == 1
    assert read_html([]) == read_html([{"event": "doubt"}]) == ""
    notes = ["<b> is learned as classes", "one", "two", "three"]
    shown = result_html(result(values={"notes": notes}), events)
    assert "3 notes on this run" in shown and "learned as classes" not in shown
    assert "learned as classes" in log_html(events)
