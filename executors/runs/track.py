"""Sends an ended run, with all that it measured and made, to MLflow or Trackio.

The packages are optional and heavy, so they are imported in a process of its own, `python -m
executors.runs.track`, which has a time limit; whatever goes wrong there is a note of the run's
result and nothing more. Both keep what they get on this machine unless the user's own settings
(MLFLOW_TRACKING_URI, TRACKIO_SPACE_ID, ...) say otherwise.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import re
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from executors.errors import BadParameter, one_line
from executors.leaving import leave
from executors.runs.flat import flat, series
from executors.runs.folder import ENVIRONMENT, EVENTS, LOG, RESULT, SPEC, read_json
from executors.runs.launch import child_environment, launch
from executors.runs.lifeline import end_tree, end_with_starter
from executors.runs.result import RunResult, result_from
from executors.runs.tail import Tail

__all__ = ["TRACKERS", "Tracker", "check_tracker", "installed_trackers", "track"]

Tracker = Literal["mlflow", "trackio"]
TRACKERS: tuple[str, ...] = get_args(Tracker)
PROJECT = "gradus"
LIMIT_S = 120.0  # a first MLflow database takes about ten
_LOOK_S = 0.1
_PRINTED_BYTES = 65_536
_BATCH = 900  # metrics and parameters that MLflow takes at once: 1000 and 100
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


def check_tracker(name: str) -> None:
    """Look whether runs can be sent there; "" is nowhere, and always can be.

    Raises
    ------
    BadParameter
        For another name than `TRACKERS`, and when its package is not installed.
    """
    if name and name not in TRACKERS:
        raise BadParameter(f"runs can be sent to {' or '.join(TRACKERS)}, not to '{name}'")
    if name and name not in installed_trackers():
        raise BadParameter(
            f"the package {name} is not installed; to send runs there: pip install {name}"
        )


def installed_trackers() -> tuple[str, ...]:
    """Those of `TRACKERS` whose package is there; none is imported."""
    return tuple(name for name in TRACKERS if importlib.util.find_spec(name) is not None)


def track(folder: Path, tracker: str, give_up: threading.Event, limit_s: float = LIMIT_S) -> str:
    """Send the ended run of `folder`; returns a line on what came of it, and raises nothing.

    Parameters
    ----------
    folder : Path
        The run's folder, with its result.
    tracker : {"mlflow", "trackio"}
    give_up : threading.Event
        When it is set, sending is given up.
    limit_s : float
        Seconds after which it is given up, too.
    """
    printed, deadline = b"", time.monotonic() + limit_s
    try:
        sender = launch(
            [tracker, str(folder)], folder, {**_QUIET, **child_environment()}, module="runs.track"
        )
    except OSError as error:
        return f"not sent to {tracker}: {error.strerror or error}"
    while not (gone := sender.gone()) and time.monotonic() < deadline and not give_up.is_set():
        printed = (printed + sender.printed(_LOOK_S))[-_PRINTED_BYTES:]
    end_tree(sender.popen.pid, 0.0)
    code = sender.popen.wait()
    printed = (printed + sender.printed(0.0))[-_PRINTED_BYTES:]
    sender.let_go()
    if not gone:
        reason = "it was cancelled" if give_up.is_set() else f"it took longer than {limit_s:g} s"
        return f"not sent to {tracker}: {reason}"
    lines = [
        line.strip() for line in printed.decode("utf-8", "replace").splitlines() if line.strip()
    ]
    last = lines[-1][:500] if lines else f"exit code {code}"
    return last if code == 0 else f"not sent to {tracker}: {last}"


@dataclass(frozen=True, slots=True)
class _Sent:
    """What is sent of a run."""

    id: str
    started_s: float  # since 1970
    parameters: dict[str, Any]
    labels: dict[str, str]
    points: dict[str, list[tuple[float, float]]]  # by name: seconds since the start, value
    artifacts: tuple[Path, ...]
    result: RunResult


def _read(folder: Path) -> _Sent:
    """The run as its folder tells it.

    Raises
    ------
    ValueError
        When the folder holds no ended run.
    """
    spec, environment = read_json(folder / SPEC) or {}, read_json(folder / ENVIRONMENT) or {}
    result = result_from(read_json(folder / RESULT) or {}, folder)
    started = datetime.fromisoformat(str(spec.get("started"))).timestamp()
    labels = {
        "recipe": result.recipe,
        "task": result.task,
        "device": result.device,
        "status": result.status,
    }
    labels |= {"message": result.message} | {
        f"environment.{key}": str(value) for key, value in environment.items()
    }
    points = series(Tail(folder / EVENTS).read())
    values = flat(result.values)
    numbers = series(
        [{"event": "metric", "name": name, "value": value} for name, value in values.items()]
    )
    points |= {f"result.{name}": [(result.seconds, pairs[0][1])] for name, pairs in numbers.items()}
    labels |= {
        f"result.{name}": str(value) for name, value in values.items() if name not in numbers
    }
    points["result.seconds"] = [(result.seconds, result.seconds)]
    files = [Path(path) for path in result.artifacts] + [folder / LOG]
    parameters = flat(spec.get("params") or {})
    here = tuple(path for path in files if path.is_file() and path.stat().st_size)
    return _Sent(folder.name, started, parameters, labels, points, here, result)


def _to_mlflow(sent: _Sent, folder: Path) -> str:
    """Log to the tracking server that the user set, else to a database beside the runs."""
    mlflow, entities = importlib.import_module("mlflow"), importlib.import_module("mlflow.entities")
    place = folder.parent / ".mlflow"
    address = os.environ.get("MLFLOW_TRACKING_URI", "")
    artifacts = None if address else (place / "artifacts").as_uri()
    if not address:
        place.mkdir(exist_ok=True)
        address = f"sqlite:///{place / 'mlflow.db'}"
    client = mlflow.MlflowClient(tracking_uri=address)
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
    known = client.get_experiment_by_name(name)
    experiment = (
        known.experiment_id
        if known
        else client.create_experiment(name, artifact_location=artifacts)
    )
    run = client.create_run(
        experiment, start_time=int(sent.started_s * 1000), run_name=sent.id
    ).info.run_id
    parameters = [
        entities.Param(_name(key), str(value)[:6000]) for key, value in sent.parameters.items()
    ]
    tags = [entities.RunTag(_name(key), value[:5000]) for key, value in sent.labels.items()]
    metrics = [
        entities.Metric(_name(key), value, int((sent.started_s + t) * 1000), step)
        for key, points in sent.points.items()
        for step, (t, value) in enumerate(points)
    ]
    for start in range(0, len(parameters), 100):
        client.log_batch(run, params=parameters[start : start + 100])
    for start in range(0, len(tags), 100):
        client.log_batch(run, tags=tags[start : start + 100])
    for start in range(0, len(metrics), _BATCH):
        client.log_batch(run, metrics=metrics[start : start + _BATCH])
    for path in sent.artifacts:
        client.log_artifact(run, str(path))
    if sent.result.code:
        client.log_text(run, sent.result.code, "code.py")
    ended = {"ok": "FINISHED", "cancelled": "KILLED", "timeout": "KILLED"}.get(
        sent.result.status, "FAILED"
    )
    client.set_terminated(run, ended, int((sent.started_s + sent.result.seconds) * 1000))
    return f"sent to mlflow as {run}; to look: mlflow ui --backend-store-uri {address}"


def _to_trackio(sent: _Sent, folder: Path) -> str:
    """Log to Trackio's own folder, or where the user's settings say."""
    trackio = importlib.import_module("trackio")
    config = {
        **sent.parameters,
        **{key: value for key, value in sent.labels.items() if not key.startswith("result.")},
    }
    trackio.init(
        PROJECT, name=sent.id, config=config, embed=False, auto_log_gpu=False, auto_log_cpu=False
    )
    rows: dict[int, dict[str, Any]] = {}
    for key, points in sent.points.items():
        for step, (_, value) in enumerate(points):
            rows.setdefault(step, {})[_name(key)] = value
    for step in sorted(rows):
        trackio.log(rows[step], step=step)
    for path in sent.artifacts:
        trackio.log_artifact(path, name=f"{sent.id}-{path.name}", type="run")
    if sent.result.code:
        code = folder / "code.py"
        code.write_text(sent.result.code, encoding="utf-8")
        trackio.log_artifact(code, name=f"{sent.id}-{code.name}", type="code")
    trackio.finish()
    return f'sent to trackio as {sent.id}; to look: trackio show --project "{PROJECT}"'


def _name(text: str) -> str:
    """As both take names: letters of ASCII, digits and a few signs."""
    return re.sub(r"[^A-Za-z0-9_\-. :/]", "_", text)[:250]


def main(arguments: Sequence[str] | None = None) -> int:
    """Send the run of a folder; the last line printed says where it went, or why not."""
    parser = argparse.ArgumentParser(prog="python -m executors.runs.track", description=__doc__)
    parser.add_argument("tracker", choices=TRACKERS)
    parser.add_argument("folder", type=Path, help="an ended run's folder")
    parser.add_argument(
        "--lifeline", type=int, required=True, help="pipe that the starter keeps open"
    )
    parser.add_argument("--starter", type=int, required=True, help="process id of the starter")
    options = parser.parse_args(arguments)
    end_with_starter(options.lifeline, options.starter)
    send = _to_mlflow if options.tracker == "mlflow" else _to_trackio
    try:
        line = send(_read(options.folder), options.folder)
    except Exception as error:  # noqa: BLE001 - other people's code may raise anything
        sys.stdout.write(one_line(error) + "\n")
        return 1
    sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    leave(main())
