"""What a run was is sent to MLflow and Trackio, and what goes wrong there leaves it alone."""

from __future__ import annotations

import importlib.util
import json
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from executors.errors import BadParameter
from executors.runs import track as tracking
from executors.runs.flat import MOST, flat, series
from executors.runs.history import history
from executors.runs.run import start

Until = Callable[[Callable[[], bool]], None]


def need(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip unless the package is there; else let children find it, whatever their path."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        pytest.skip(f"the optional package {name} is not installed")
    place = str(Path(found.origin).parent.parent)
    monkeypatch.setenv("PYTHONPATH", os.environ["PYTHONPATH"] + os.pathsep + place)
    for variable in (
        "MLFLOW_TRACKING_URI",
        "MLFLOW_EXPERIMENT_NAME",
        "TRACKIO_SPACE_ID",
        "TRACKIO_SERVER_URL",
    ):
        monkeypatch.delenv(variable, raising=False)


def broken(name: str, source: str) -> None:
    """A package of that name that misbehaves, where children look first."""
    (Path(os.environ["PYTHONPATH"].split(os.pathsep)[0]) / f"{name}.py").write_text(source)


def test_mlflow_holds_what_the_run_was(
    attack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parameters, labels, metrics by step, values, artifacts, code and status, in our database."""
    need("mlflow", monkeypatch)
    run = start(attack, {"do": "measure", "count": 4}, tmp_path / "runs", tracker="mlflow")
    result = run.wait()
    assert result.status == "ok"
    address = f"sqlite:///{tmp_path / 'runs' / '.mlflow' / 'mlflow.db'}"
    assert result.notes[0].startswith("sent to mlflow as ")
    assert result.notes[0].endswith(f"; to look: mlflow ui --backend-store-uri {address}")
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=address)
    sent = client.get_run(result.notes[0].split()[4].rstrip(";"))
    assert (sent.info.run_name, sent.info.status) == (run.id, "FINISHED")
    assert sent.data.params == {"do": "measure", "count": "4"}
    assert sent.data.metrics["result.lr"] == 0.04 and sent.data.metrics["result.plans.0.size"] == 32
    losses = [
        (point.step, point.value) for point in client.get_metric_history(sent.info.run_id, "loss")
    ]
    assert sorted(losses) == [(0, 1.0), (1, 0.5), (2, 1 / 3), (3, 0.25)]
    assert [p.value for p in client.get_metric_history(sent.info.run_id, "trial.batch")] == [
        1,
        2,
        4,
        8,
    ]
    assert sent.data.tags["recipe"] == "attack" and sent.data.tags["result.why"] == "steep"
    assert sent.data.tags["environment.torch"]
    assert {file.path for file in client.list_artifacts(sent.info.run_id)} == {
        "curve.csv",
        "code.py",
    }
    (record,) = history(tmp_path / "runs")
    assert record.result == result and record.to_json()["notes"] == list(result.notes)


def test_mlflow_goes_where_the_user_says(
    attack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME win; a failed run is sent as failed."""
    need("mlflow", monkeypatch)
    address = f"sqlite:///{tmp_path / 'mine.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "notes")
    monkeypatch.chdir(tmp_path)
    result = start(attack, {"do": "input"}, tmp_path / "runs", tracker="mlflow").wait()
    assert (result.status, result.message) == ("failed", "photos/cats: no images")
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=address)
    experiment = client.get_experiment_by_name("notes")
    assert experiment is not None
    (sent,) = client.search_runs([experiment.experiment_id])
    assert (sent.info.status, sent.data.tags["message"]) == ("FAILED", "photos/cats: no images")
    assert not (tmp_path / "runs" / ".mlflow").exists()


def test_trackio_holds_what_the_run_was(
    attack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parameters and every metric with its steps, in Trackio's own folder."""
    need("trackio", monkeypatch)
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    run = start(attack, {"do": "measure", "count": 3}, tmp_path / "runs", tracker="trackio")
    result = run.wait()
    assert result.status == "ok"
    assert result.notes == (
        f'sent to trackio as {run.id}; to look: trackio show --project "gradus"',
    )
    with sqlite3.connect(tmp_path / "trackio" / "gradus.db") as database:
        rows: list[tuple[Any, ...]] = database.execute(
            "select run_name, step, metrics from metrics"
        ).fetchall()
        configs = database.execute("select run_name, config from configs").fetchall()
    points = {step: json.loads(metrics) for name, step, metrics in rows if name == run.id}
    assert [points[step]["loss"] for step in range(3)] == [1.0, 0.5, 1 / 3]
    assert points[0]["result.lr"] == 0.03
    ((name, config),) = configs
    assert (
        name == run.id
        and json.loads(config)["count"] == 3
        and json.loads(config)["recipe"] == "attack"
    )


@pytest.mark.parametrize(
    ("source", "note"),
    [
        (
            "raise RuntimeError('the server\\nis down')",
            "not sent to trackio: RuntimeError: the server",
        ),
        (
            "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
            "not sent to trackio: exit code -9",
        ),
        (
            "import sys\nsys.stdout.buffer.write(b'\\xff' * 9)\nsys.stdout.flush()\nimport os\n"
            "os._exit(3)",
            "not sent",
        ),
        ("def init(*a, **k):\n    raise SystemExit(4)", "not sent to trackio: exit code 4"),
    ],
)
def test_a_tracker_that_breaks_breaks_no_run(
    attack: str, tmp_path: Path, source: str, note: str
) -> None:
    """The result is the run's own; what went wrong is a note."""
    broken("trackio", source)
    result = start(attack, {"count": 1}, tmp_path / "runs", tracker="trackio").wait()
    assert (result.status, result.values) == ("ok", {"done": "ok"})
    assert len(result.notes) == 1 and result.notes[0].startswith(note)
    (record,) = history(tmp_path / "runs")
    assert record.result == result


def test_a_tracker_that_hangs_is_given_up_in_time(attack: str, tmp_path: Path) -> None:
    """After its limit it is ended, with all it started."""
    broken("trackio", "import time\ntime.sleep(600)")
    run = start(attack, {}, tmp_path / "runs")
    run.wait()
    note = tracking.track(run.folder, "trackio", threading.Event(), limit_s=0.5)
    assert note == "not sent to trackio: it took longer than 0.5 s"


def test_sending_can_be_cancelled(attack: str, tmp_path: Path, until: Until) -> None:
    """Cancel while a run is sent ends the sending; the run ended well, and its device is free."""
    broken(
        "trackio", f"open({str(tmp_path / 'begun')!r}, 'w').close()\nimport time\ntime.sleep(600)"
    )
    run = start(attack, {}, tmp_path / "runs", queue=True, tracker="trackio")
    until((tmp_path / "begun").exists)
    assert run.result() is None and [record.status for record in history(tmp_path / "runs")] == [
        "ok"
    ]
    assert start(attack, {}, tmp_path / "runs", queue=True).wait().status == "ok"
    run.cancel()
    result = run.wait()
    assert (result.status, result.notes) == ("ok", ("not sent to trackio: it was cancelled",))


def test_trackers_are_known_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another name, and a package that is not there, are refused with what would do."""
    tracking.check_tracker("")
    with pytest.raises(BadParameter, match="runs can be sent to mlflow or trackio, not to 'wandb'"):
        tracking.check_tracker("wandb")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        BadParameter, match=r"the package trackio is not installed; .*: pip install trackio"
    ):
        tracking.check_tracker("trackio")


def test_nested_values_become_names() -> None:
    """Short lists are kept or taken apart, long ones, which are curves, left out."""
    curve = list(range(MOST + 1))
    assert flat({"a": {"b": {"c": 1}}, "curve": curve, "few": (1, "x"), "none": None}) == {
        "a.b.c": 1, "few": [1, "x"], "none": None,
    }  # fmt: skip
    assert flat({"deep": [[1, 2], {"x": 3}]}) == {"deep.0": [1, 2], "deep.1.x": 3}


def test_only_numbers_that_were_measured_are_series() -> None:
    """Truth values, text, what is not finite, and events of other kinds are none."""
    events: list[dict[str, Any]] = [
        {"event": "started", "t": 0, "lr": 1},
        {"event": "metric", "t": 1, "name": "loss", "value": 0.5},
        {"event": "metric", "t": 2, "name": "loss", "value": float("nan")},
        {"event": "metric", "t": "soon", "name": "loss", "value": 2},
        {"event": "trial", "t": 3, "ok": True, "batch": 4, "reason": "x", "rate": None},
        {"event": "progress", "t": 3, "done": 4},
    ]
    assert series(events) == {"loss": [(1.0, 0.5), (0.0, 2.0)], "trial.batch": [(3.0, 4.0)]}
