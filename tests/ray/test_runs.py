"""Runs on a real cluster: the same as here, ended there, and whole whatever breaks on the way."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from cluster import Cluster

Event = dict[str, Any]
SHORT = ("--task", "tabular", "--num-it", "30", "--seeds", "1", "--device", "cpu")


def run(cluster: Cluster, store: Path, *words: str, on: str | None = None) -> list[Event]:
    """All events of a run on the cluster, or where `on` says, the result last."""
    options = ("--store", str(store), "--on", cluster.address if on is None else on, "--json")
    told = cluster.gradus("run", *words, *options)
    assert told.stdout, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()]


def begin(cluster: Cluster, store: Path, *words: str) -> subprocess.Popen[bytes]:
    options = ("--store", str(store), "--on", cluster.address, "--json")
    return cluster.begin("run", *words, *options)


def events(program: subprocess.Popen[bytes]) -> Iterator[Event]:
    """The events that a program prints, as they come."""
    assert program.stdout is not None
    for line in program.stdout:
        if line.startswith(b"{"):
            yield json.loads(line)


def until(told: Iterator[Event], kind: str) -> Event:
    return next(event for event in told if event["event"] == kind)


def stop(program: subprocess.Popen[bytes], told: Iterator[Event]) -> Event:
    """The result of a run that is ended by Ctrl-C."""
    program.send_signal(signal.SIGINT)
    result = list(told)[-1]
    program.wait()
    return result


def untimed(value: Any) -> Any:
    """A value without what a clock said."""
    if isinstance(value, dict):
        return {name: untimed(one) for name, one in value.items() if name != "seconds"}
    return [untimed(one) for one in value] if isinstance(value, list) else value


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_it_finds_there_what_it_finds_here(cluster: Cluster, tmp_path: Path) -> None:
    """Values, code, table and sent file are the same; the result says which node it was."""
    table = tmp_path / "notes with 'marks'.csv"
    rows = (f"{i % 7},{(i * 37) % 11},{'yes' if (i % 7) > 3 else 'no'}" for i in range(300))
    table.write_text("a,b,answer\n" + "\n".join(rows))
    words = ("lr-find", *SHORT, "--data", str(table), "--target", "answer")
    here = run(cluster, tmp_path / "here", *words, on="here")
    there = run(cluster, tmp_path / "there", *words)
    mine, its = here[-1], there[-1]
    assert its["status"] == mine["status"] == "ok", (mine["message"], its["message"])
    assert untimed(its["values"]) == untimed(mine["values"]) and its["code"] == mine["code"]
    assert str(table) in its["code"] and its["said"] == mine["said"]
    assert mine["node"] == "" and cluster.head.ip[:5] in its["node"]
    for one, other in zip(mine["artifacts"], its["artifacts"], strict=True):
        assert Path(one).name == Path(other).name and Path(other).parent == Path(its["folder"])
        if one.endswith(".csv"):
            assert Path(one).read_bytes() == Path(other).read_bytes()
    kinds = [
        [e["event"] for e in told if e["event"] not in ("queued", "log")] for told in (here, there)
    ]
    assert kinds[0] == kinds[1]
    begins = next(event for event in there if event["event"] == "begins")
    assert begins["node"] == its["node"]


def test_no_word_of_the_clients_environment_leaves_it(cluster: Cluster, tmp_path: Path) -> None:
    """Neither the run's folder nor the cluster's logs have it."""
    secret = "not-for-anybody-7391"
    options = ("--store", str(tmp_path), "--on", cluster.address, "--json")
    told = cluster.gradus("run", "attack", *options, MY_TOKEN=secret, GRADUS_AUTH=secret)
    assert json.loads(told.stdout.splitlines()[-1])["status"] == "ok"
    logs = cluster.logs()
    assert logs
    for path in (*tmp_path.rglob("*"), *logs):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path


def test_cancel_ends_it_there_with_all_that_it_started(cluster: Cluster, tmp_path: Path) -> None:
    program = begin(cluster, tmp_path, "attack", "--do", "family")
    told = events(program)
    pids = until(told, "family")["pids"]
    assert not any(map(gone, pids))
    assert stop(program, told)["status"] == "cancelled"
    assert all(map(gone, pids))


def test_runs_wait_for_a_place(cluster: Cluster, tmp_path: Path) -> None:
    """Two cores take two runs; the third waits in Ray's line and begins when one has ended."""
    first, second = (begin(cluster, tmp_path, "attack", "--do", "hang") for _ in range(2))
    told = [events(first), events(second)]
    nodes = {until(one, "begins")["node"] for one in told}
    assert len(nodes) == 2
    third = begin(cluster, tmp_path, "attack")
    waits = events(third)
    assert until(waits, "queued")["ahead"] >= 1
    where = json.loads(cluster.gradus("where", "--on", cluster.address, "--json").stdout)
    assert sorted(run["state"] for run in where["runs"]) == ["running", "running", "waiting"]
    assert stop(first, told[0])["status"] == "cancelled"
    assert list(waits)[-1]["status"] == "ok"
    assert stop(second, told[1])["status"] == "cancelled"


def test_limits_hold_there(cluster: Cluster, tmp_path: Path) -> None:
    result = run(cluster, tmp_path, "attack", "--do", "hang", "--timeout-s", "2")[-1]
    assert result["status"] == "timeout" and "longer than its limit of 2 s" in result["message"]


def test_every_event_comes_once(cluster: Cluster, tmp_path: Path) -> None:
    told = run(cluster, tmp_path, "attack", "--count", "5000")
    numbers = [event["number"] for event in told if event["event"] == "number"]
    assert numbers == list(range(5000))
    made = Path(told[-1]["artifacts"][0])
    assert made.read_text() == "made" and made.parent == Path(told[-1]["folder"])


def test_a_lost_connection_is_taken_up(cluster: Cluster, tmp_path: Path) -> None:
    """The head's end of the connection is killed: no event is lost or comes twice."""
    program = begin(cluster, tmp_path, "attack", "--do", "talk")
    told = events(program)
    times = [until(told, "log")["t"]]
    assert cluster.cut_connections()
    lost, after = False, 0
    while after < 50:
        event = next(told)
        if "does not answer" in event.get("text", ""):
            lost = True
        elif event["event"] == "log":
            times.append(event["t"])
            after += lost
    assert stop(program, told)["status"] == "cancelled"
    assert times == sorted(set(times))
    talked_on = max(b - a for a, b in itertools.pairwise(times))
    assert talked_on < 2.0


def test_a_pulled_cable_is_waited_for(cluster: Cluster, tmp_path: Path) -> None:
    if not cluster.apart:
        pytest.skip("this machine makes no network namespaces")
    program = begin(cluster, tmp_path, "attack", "--do", "talk")
    told = events(program)
    until(told, "log")
    cluster.cable(cluster.client, "down")
    time.sleep(15)
    cluster.cable(cluster.client, "up")
    times = [
        event["t"] for _, event in zip(range(400), told, strict=False) if event["event"] == "log"
    ]
    assert stop(program, told)["status"] == "cancelled"
    assert max(times) > 15


def test_a_run_whose_starter_was_killed_is_fetched(cluster: Cluster, tmp_path: Path) -> None:
    """It goes on without it; `take-up` shows it from its first event and can end it."""
    program = begin(cluster, tmp_path, "attack", "--do", "family")
    told = events(program)
    pids = until(told, "family")["pids"]
    program.kill()
    program.wait()
    listed = cluster.gradus("runs", "--json", "--store", str(tmp_path))
    record = json.loads(listed.stdout)
    assert "take-up" in record["message"] and not any(map(gone, pids))
    again = cluster.begin("take-up", record["id"][-6:], "--json", "--store", str(tmp_path))
    told = events(again)
    assert until(told, "family")["pids"] == pids
    assert stop(again, told)["status"] == "cancelled"
    assert all(map(gone, pids))


def test_code_of_the_users_is_refused_unless_allowed(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("SIZE = 40\n")
    (tmp_path / "mine.py").write_text(LEARNER)
    words = ("lr-find", "--learner", f"{tmp_path / 'mine.py'}:make", "--num-it", "30")
    options = ("--seeds", "1", "--race", "false", "--on", cluster.address, "--store", str(tmp_path))
    refused = cluster.gradus("run", *words, *options)
    assert refused.returncode == 1 and "--allow-learner-files" in refused.stderr
    assert not list(tmp_path.glob("runs/*"))
    allowed = cluster.gradus("run", *words, *options, "--allow-learner-files", "--json")
    result = json.loads(allowed.stdout.splitlines()[-1])
    assert result["status"] == "ok", result["message"]


LEARNER = """
import torch
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.learner import Learner
from beside import SIZE

def make():
    xs = torch.randn(SIZE * 8, 4)
    pairs = [(x, x.sum()[None]) for x in xs]
    loaders = DataLoaders(DataLoader(pairs, bs=16, shuffle=True), DataLoader(pairs[:64], bs=16))
    return Learner(loaders, torch.nn.Linear(4, 1), torch.nn.functional.mse_loss)
"""


def test_a_node_that_is_killed_ends_its_run_with_words(cluster: Cluster, tmp_path: Path) -> None:
    """The run on it fails and says so, the other goes on; afterwards both places serve again."""
    pair = [begin(cluster, tmp_path, "attack", "--do", "talk") for _ in range(2)]
    told = [events(one) for one in pair]
    nodes = [until(one, "begins")["node"] for one in told]
    doomed = next((i for i, node in enumerate(nodes) if cluster.node.ip in node), 1)
    cluster.node.kill()
    result = list(told[doomed])[-1]
    assert result["status"] == "failed" and "is gone" in result["message"]
    assert nodes[doomed] in result["message"] or result["node"] == nodes[doomed]
    until(told[1 - doomed], "log")
    assert stop(pair[1 - doomed], told[1 - doomed])["status"] == "cancelled"
    pair[doomed].wait()
    cluster.start_node()
    assert run(cluster, tmp_path, "attack")[-1]["status"] == "ok"


def test_a_head_that_is_started_again_ends_its_runs_with_words(
    cluster: Cluster, tmp_path: Path
) -> None:
    program = begin(cluster, tmp_path, "attack", "--do", "talk")
    told = events(program)
    until(told, "log")
    cluster.node.kill()
    cluster.head.kill()
    cluster.start_head()
    cluster.start_node()
    result = list(told)[-1]
    program.wait()
    assert result["status"] == "failed" and "run it again" in result["message"]
    assert run(cluster, tmp_path, "attack")[-1]["status"] == "ok"


def test_without_a_cluster_a_line_says_so(cluster: Cluster, tmp_path: Path) -> None:
    nobody = f"ray://{cluster.head.ip}:1"
    result = run(cluster, tmp_path, "attack", on=nobody)[-1]
    assert result["status"] == "failed" and "no Ray cluster answers" in result["message"]
    assert os.environ.get("RAY_ADDRESS") is None
