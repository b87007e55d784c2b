"""What a Ray cluster costs and gives: an ingest on 1 and 2 nodes, a run's start, events a second, a
run's trainings side by side.

`python -m benchmarks.ray_cluster [--passages 5000] [--compared]` starts a head and a node of one
core each on this machine, ingests made-up notes locally on one core and on the cluster, and times
runs. The client's own work needs a core too, so on a machine with two, two nodes share what they
have with it: the share of a core that was to be had, and the load, stand beside each time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from benchmarks.record import save

ROOT = Path(__file__).parents[1]
STARTER = ROOT / "ingest" / "starter"
SECTION_SENTENCES = 4
NOTE_SECTIONS = 20
COMPARED = "regularise --task tabular --device cpu --lr 0.01 --dropout 0 --label-smoothing 0"
COMPARED += " --batch-size 8 --repeats 4 --epochs"  # eight trainings
RECIPE = """
from executors.recipe import Parameter, Recipe
from executors.runs.journal import Outcome
RECIPE = Recipe(
    name="say", title="Say", summary="Says so many events.", tasks=(), concepts=(),
    parameters=(Parameter("count", "int", 0, minimum=0),),
)
def run(params, journal):
    for number in range(params["count"]):
        journal.emit("number", number=number)
    return Outcome({}, "", "said")
"""


def main() -> None:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=5000, help="about so many are ingested")
    parser.add_argument("--starts", type=int, default=5, help="runs whose start is timed")
    parser.add_argument("--events", type=int, default=20_000, help="of the run that says many")
    parser.add_argument("--epochs", type=int, default=25, help="of each training side by side")
    parser.add_argument("--compared", action="store_true", help="only those, side by side")
    asked = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="gradus-bench-"))
    _lay_out(place / "site")
    try:
        found = {"cores": os.cpu_count(), "side by side": _side_by_side(place, asked.epochs)}
        if not asked.compared:
            found |= _measured(place, asked.passages, asked.starts, asked.events)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    print(json.dumps(found, indent=1))
    print(save("ray_side_by_side" if asked.compared else "ray_cluster", found))


def _measured(place: Path, passages: int, starts: int, events: int) -> dict[str, Any]:
    notes = _notes(place / "notes", passages)
    local = _ingest(place, notes, "local", "here")
    with _cluster(place, 1) as address:
        one = _ingest(place, notes, "one", address)
        runs = _runs(place, address, starts, events)
    with _cluster(place, 2) as address:
        two = _ingest(place, notes, "two", address)
    for nodes, row in ((1, one), (2, two)):
        row["efficiency"] = round(local["seconds"] / (nodes * row["seconds"]), 3)
        shared = (local["stages"].get(s, 0) for s in ("encoding", "encoding names"))
        there = (row["stages"].get(s, 0) for s in ("encoding", "encoding names"))
        row["efficiency_encoding"] = round(sum(shared) / (nodes * sum(there)), 3)
    return {
        "ingest": {"local": local, "one node": one, "two nodes": two},
        "runs": runs | {"local": _runs(place, "here", starts, events)},
    }


def _notes(folder: Path, passages: int) -> Path:
    """Made-up notes: sentences of the starter notes in new orders, under headings of their own."""
    folder.mkdir()
    chance = random.Random(7)
    sentences = [
        line.strip()
        for path in sorted(STARTER.rglob("*.md"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if len(line) > 60 and line[0].isalpha()
    ]
    for number in range(-(-passages // NOTE_SECTIONS)):
        parts = [f"# Lesson {number}\n"]
        for section in range(NOTE_SECTIONS):
            text = " ".join(chance.sample(sentences, SECTION_SENTENCES))
            parts.append(f"## Topic {number * NOTE_SECTIONS + section}\n\n{text}\n")
        (folder / f"{number:05}.md").write_text("\n".join(parts), encoding="utf-8")
    return folder


def _ingest(place: Path, notes: Path, name: str, on: str) -> dict[str, Any]:
    """Seconds of the whole and of its stages, with the load and the share of a core to be had."""
    begun, spare = time.monotonic(), _spare_core()
    code = (
        "import json, sys, time\nfrom pathlib import Path\n"
        "from app.spread_ingest import ingest_on\nseen = {}\n"
        "def say(what, done, total):\n"
        "    seen.setdefault(what, [time.monotonic(), 0])[1] = time.monotonic()\n"
        "begun = time.monotonic()\n"
        "report = ingest_on(sys.argv[1], [Path(sys.argv[2])], Path(sys.argv[3]), None, say)\n"
        "print(json.dumps([report.seconds, report.passages, time.process_time(),\n"
        "    {what: last - first for what, (first, last) in seen.items()}]))"
    )
    words = [sys.executable, "-c", code, on, str(notes), str(place / name)]
    told = subprocess.run(
        words, env=_environment(place), capture_output=True, text=True, check=False
    )
    if told.returncode:
        raise RuntimeError(told.stderr)
    seconds, passages, own, stages = json.loads(told.stdout.splitlines()[-1])
    return {
        "seconds": seconds,
        "with start": round(time.monotonic() - begun, 2),
        "passages": passages,
        "passages a second": round(passages / seconds, 2),
        "stages": {what: round(taken, 2) for what, taken in stages.items()},
        "client's processor seconds": round(own, 2),
        "load": os.getloadavg()[0],
        "share of a core to be had": spare,
    }


def _spare_core() -> float:
    """How much of a second of wall time a program that counts gets of a core."""
    wall, own = time.monotonic(), time.process_time()
    while time.monotonic() - wall < 1.0:
        pass
    return round((time.process_time() - own) / (time.monotonic() - wall), 2)


def _runs(place: Path, on: str, starts: int, events: int) -> dict[str, Any]:
    """Median seconds to the first event and the end of an empty run; events a second."""
    first, whole = [], []
    for _ in range(starts):
        times = _run(place, on, 0)
        first.append(times[0])
        whole.append(times[-1])
    many = _run(place, on, events)
    return {
        "to the first event, s": round(sorted(first)[starts // 2], 2),
        "whole run, s": round(sorted(whole)[starts // 2], 2),
        "events a second": round(events / (many[-2] - many[0])),
        "load": os.getloadavg()[0],
    }


def _run(place: Path, on: str, count: int) -> list[float]:
    """Seconds from the start to each event that came: "started" first, the result last."""
    main = "from app.commands.ingest_and_ask import program; program()"
    words = ["run", "say", "--count", str(count), "--on", on, "--json", "--store", str(place / "s")]
    begun = time.monotonic()
    program = subprocess.Popen(
        [sys.executable, "-c", main, *words], env=_environment(place), stdout=subprocess.PIPE
    )
    assert program.stdout is not None
    times, last = list[float](), b""
    for line in program.stdout:
        last = line
        if b'"event": "started"' in line or b'"number"' in line or b'"result"' in line:
            times.append(time.monotonic() - begun)
    program.wait()
    if json.loads(last)["status"] != "ok":
        raise RuntimeError(last.decode())
    return times


def _side_by_side(place: Path, epochs: int) -> dict[str, Any]:
    """The same comparison here, on one node, and on two with a training each."""
    found = {"local": _compared(place, "here", epochs)}
    for nodes in (1, 2):
        with _cluster(place, nodes) as address:
            found[f"{nodes} nodes"] = _compared(place, address, epochs)
    return found


def _compared(place: Path, on: str, epochs: int) -> dict[str, Any]:
    main, spare = "from app.commands.ingest_and_ask import program; program()", _spare_core()
    words = [*COMPARED.split(), str(epochs), "--on", on, "--json", "--store", str(place / "s")]
    told = subprocess.run(
        [sys.executable, "-c", main, "run", *words],
        env=_environment(place),
        capture_output=True,
        text=True,
        check=True,
    )
    events = [json.loads(line) for line in told.stdout.splitlines()]
    elsewhere = [e for e in events if e["event"] == "log" and " is done on " in e["text"]]
    return {
        "seconds": events[-1]["seconds"],
        "trainings elsewhere": len(elsewhere),
        "first of them after, s": elsewhere[0]["t"] if elsewhere else None,
        "rows": [row["score"] for row in events[-1]["values"]["rows"]],
        "load": os.getloadavg()[0],
        "share of a core to be had": spare,
    }


@contextmanager
def _cluster(place: Path, nodes: int) -> Iterator[str]:
    """A head and further nodes with one core each, on this machine; its address."""
    port, client = _free(), _free()
    words = ["--head", "--port", str(port), "--ray-client-server-port", str(client)]
    words += ["--include-dashboard=false", "--temp-dir", tempfile.mkdtemp(prefix="gr")]
    started = [_start(place, words)]
    address = f"ray://127.0.0.1:{client}"
    try:
        _wait(lambda: _nodes(place, address) == 1, lambda: None)
        if nodes == 2:
            more = ["--address", f"{socket.gethostbyname(socket.gethostname())}:{port}"]
            started.append(_start(place, more))
            _wait(lambda: _nodes(place, address) == 2, lambda: _again(place, started, more))
        yield address
    finally:
        for process in reversed(started):
            _end(process)


def _start(place: Path, words: Sequence[str]) -> subprocess.Popen[bytes]:
    limits = ["--num-cpus", "1", "--num-gpus", "0", "--object-store-memory", "200000000"]
    ports = ["--min-worker-port", "0", "--max-worker-port", "0", "--disable-usage-stats"]
    ray = [str(Path(sys.executable).with_name("ray")), "start", "--block"]
    with (place / "ray.log").open("ab") as log:
        return subprocess.Popen(
            [*ray, *limits, *ports, *words],
            env=_environment(place),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _again(place: Path, started: list[subprocess.Popen[bytes]], words: Sequence[str]) -> None:
    """Start a node once more that gave up, as Ray's do on a busy machine."""
    if started[-1].poll() is not None:
        started[-1] = _start(place, words)


def _end(process: subprocess.Popen[bytes]) -> None:
    top = psutil.Process(process.pid)
    for one in [top, *top.children(recursive=True)]:
        with suppress(psutil.Error):
            one.kill()
    process.wait()


def _nodes(place: Path, address: str) -> int:
    code = (
        "import sys\nfrom executors.cluster.where import at_hand\n"
        "print(sum(not node.fault for node in at_hand(sys.argv[1]).nodes))"
    )
    words = [sys.executable, "-c", code, address]
    told = subprocess.run(
        words, env=_environment(place), capture_output=True, text=True, check=False
    )
    return int(told.stdout) if told.returncode == 0 else 0


def _wait(condition: Callable[[], bool], meanwhile: Callable[[], None]) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("the cluster does not come up")
        meanwhile()
        time.sleep(1)


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _lay_out(site: Path) -> None:
    """A distribution whose entry point is the recipe "say"."""
    info = site / "gradus_say-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "gradus_say.py").write_text(RECIPE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gradus_say\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gradus.recipes]\nsay = gradus_say\n")


def _environment(place: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(place / "site"))),
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "GRPC_ENABLE_FORK_SUPPORT": "0",
    }


if __name__ == "__main__":
    main()
