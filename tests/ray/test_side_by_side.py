"""A run's trainings on two nodes of a real cluster: what one node comes to, whatever breaks."""

from __future__ import annotations

import json
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
TABLE = ("--task", "tabular", "--device", "cpu", "--lr", "0.01", "--dropout", "0")
WAYS = (*TABLE, "--label-smoothing", "0", "--batch-size", "8")  # and none, and weight decay
IMAGES = ("--task", "image-classification", "--device", "cpu", "--arch", "resnet18")
RUNS = {
    "regularise": (*WAYS, "--epochs", "25"),
    "lr-find": (*IMAGES, "--num-it", "30"),
    "progressive-resizing": (*IMAGES, "--sizes", "32,48", "--epochs", "1", "--lr", "0.01"),
}


def begin(cluster: Cluster, store: Path, *words: str, on: str) -> subprocess.Popen[bytes]:
    return cluster.begin("run", *words, "--store", str(store), "--on", on, "--json")


def events(program: subprocess.Popen[bytes]) -> Iterator[Event]:
    assert program.stdout is not None
    for line in program.stdout:
        if line.startswith(b"{"):
            yield json.loads(line)


def elsewhere(event: Event) -> bool:
    """Whether it says that a training has begun on another node."""
    return event["event"] == "log" and " is done on " in event["text"]


def untimed(value: Any) -> Any:
    """A value without what a clock said."""
    if isinstance(value, dict):
        return {name: untimed(one) for name, one in value.items() if name not in ("seconds", "t")}
    return [untimed(one) for one in value] if isinstance(value, list) else value


def told(run: list[Event]) -> list[Any]:
    """What the trainings said."""
    kinds = ("point", "race", "batch", "epoch", "progress")
    return [untimed(event) for event in run if event["event"] in kinds]


def parts() -> list[psutil.Process]:
    """The processes of trainings that are done for a run on another node."""
    found = []
    for one in psutil.process_iter(["cmdline"]):
        if any("gradus-part-" in word for word in one.info["cmdline"] or ()):
            found.append(one)
    return found


@pytest.mark.parametrize("recipe", RUNS)
def test_two_nodes_come_to_what_one_does(cluster: Cluster, recipe: str, tmp_path: Path) -> None:
    """Values, code and events, one training after another; at least one was done elsewhere."""
    here = list(events(begin(cluster, tmp_path / "here", recipe, *RUNS[recipe], on="here")))
    there = list(
        events(begin(cluster, tmp_path / "there", recipe, *RUNS[recipe], on=cluster.address))
    )
    mine, its = here[-1], there[-1]
    assert mine["status"] == its["status"] == "ok", (mine["message"], its["message"])
    assert any(map(elsewhere, there)), [e["text"] for e in there if e["event"] == "log"]
    assert untimed(its["values"]) == untimed(mine["values"]) and its["code"] == mine["code"]
    assert told(there) == told(here)
    assert not parts()


def test_cancel_ends_the_trainings_on_other_nodes(cluster: Cluster, tmp_path: Path) -> None:
    program = begin(cluster, tmp_path, "regularise", *WAYS, "--epochs", "1000", on=cluster.address)
    run = events(program)
    next(event for event in run if elsewhere(event))
    assert parts()
    program.send_signal(signal.SIGINT)
    assert list(run)[-1]["status"] == "cancelled"
    deadline = time.monotonic() + 15
    while parts():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_node_that_is_killed_gives_its_training_back(cluster: Cluster, tmp_path: Path) -> None:
    """The run does it itself, from its beginning, and comes to the same."""
    words = ("regularise", *RUNS["regularise"])
    here = list(events(begin(cluster, tmp_path / "here", *words, on="here")))
    program = begin(cluster, tmp_path / "there", *words, on=cluster.address)
    there = []
    for event in events(program):
        there.append(event)
        if elsewhere(event):
            if cluster.node.ip not in event["text"]:
                program.send_signal(signal.SIGINT)
                program.wait()
                pytest.skip("the run itself is on the node, the training on the head")
            cluster.node.kill()
    cluster.start_node()
    assert there[-1]["status"] == "ok", there[-1]["message"]
    assert any(" is done here after all: " in event.get("text", "") for event in there)
    assert untimed(there[-1]["values"]) == untimed(here[-1]["values"])
    assert told(there) == told(here)
