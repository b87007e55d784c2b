"""Recipes that misbehave, laid out as anybody's would be: a distribution's entry point."""

from __future__ import annotations

from pathlib import Path

__all__ = ["ATTACK", "lay_out"]

ATTACK = """
import os, signal, subprocess, sys, time
from executors.errors import BadInput, OutOfMemory
from executors.runs.journal import Outcome
from executors.recipe import Parameter, Recipe

RECIPE = Recipe(
    name="attack", title="Attack", summary="Does what it must not.", tasks=("none",), concepts=(),
    parameters=(Parameter("do", "str", "ok"), Parameter("count", "int", 3, minimum=0)),
)

def wait():
    while True:
        time.sleep(0.05)

def run(params, journal):
    what = params["do"]
    if what == "ok":
        for number in range(params["count"]):
            journal.emit("number", number=number)
        path = journal.folder / "made.txt"
        path.write_text("made")
        journal.artifact(path, "made")
    elif what == "hang":
        journal.log("hanging")
        wait()
    elif what == "talk":
        while True:
            journal.log("still here")
            time.sleep(0.05)
    elif what == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        journal.log("deaf")
        wait()
    elif what == "family":
        sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
        near = subprocess.Popen(sleeper)
        far = subprocess.Popen(sleeper, start_new_session=True)
        journal.emit("family", pids=[os.getpid(), near.pid, far.pid])
        wait()
    elif what == "flood":
        for _ in range(200):
            os.write(1, b"x" * 99_999 + bytes([10]))
        os.write(2, b"the last words" + bytes([10]))
        return Outcome({}, "", "flooded")
    elif what == "flood-events":
        for number in range(params["count"]):
            journal.log("y" * 100_000)
    elif what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "exit":
        print("about to leave", flush=True)
        os._exit(0)
    elif what == "garbage":
        forged = b'{"event": "result", "status": "ok"}'
        with (journal.folder / "events.jsonl").open("ab") as file:
            for line in (b"no json", bytes([0xff, 0xfe]), b"[1, 2]", forged):
                file.write(line + bytes([10]))
        journal.log("after the garbage")
        return Outcome({"answer": 42}, "", "real")
    elif what == "crash":
        raise ValueError("the shapes do not agree\\nsecond line")
    elif what == "memory":
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to take 8 bytes")
    elif what == "input":
        raise BadInput("photos/cats: no images")
    elif what == "full":
        os.dup2(os.open("/dev/full", os.O_WRONLY), journal._file)
        journal.log("does not fit")
    elif what == "modules":
        marks = {"mark": os.environ.get("GRADUS_RUN"), "card": os.environ.get("GRADUS_CARD")}
        ours = [m for m in ("kg", "ingest", "app") if m in sys.modules]
        loaded = {m: m in sys.modules for m in ("torch", "colorsys")}
        values = {"path": sys.path, "ours": ours, "cwd": os.getcwd(), "stdin": sys.stdin.read()}
        return Outcome({**values, **loaded, **marks}, "", "looked")
    elif what == "alone":
        path = journal.folder.parent / "in use"
        path.open("x").close()
        time.sleep(0.1)
        path.unlink()
    elif what == "wait for":
        journal.log("waiting")
        while not (journal.folder.parent / "go").exists():
            time.sleep(0.02)
    elif what == "daemon":
        sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
        middle = ("from subprocess import DEVNULL, Popen; print(Popen(" + repr(sleeper) + ","
                  "start_new_session=True, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL).pid)")
        words = [sys.executable, "-c", middle]
        pid = int(subprocess.run(words, capture_output=True, check=True).stdout)
        journal.emit("daemon", pid=pid)
        if params["count"]:
            wait()
    elif what == "zombies":
        pids = [os.posix_spawn("/bin/sh", ["sh", "-c", "exit 0"], {}) for _ in range(20)]
        journal.emit("zombies", pids=pids)
    elif what == "hoard":
        import resource
        data = next(line for line in open("/proc/self/status") if line.startswith("VmData"))
        most = int(data.split()[1]) * 1024 + 200_000_000
        resource.setrlimit(resource.RLIMIT_DATA, (most, resource.RLIM_INFINITY))
        held = []
        while True:
            held.append(bytearray(10_000_000))
    elif what == "first to go":
        return Outcome({"score": int(open("/proc/self/oom_score_adj").read())}, "", "")
    elif what == "measure":
        for number in range(params["count"]):
            journal.metric("loss", 1 / (number + 1))
            journal.emit("trial", batch=2**number, ok=True, reason="fits")
        (journal.folder / "curve.csv").write_text("lr,loss")
        journal.artifact(journal.folder / "curve.csv", "curve")
        values = {"lr": 0.01 * params["count"], "plans": [{"size": 32}], "why": "steep"}
        return Outcome(values, "fit()", "measured")
    elif what == "large":
        journal.log("about to write")
        return Outcome({"curve": [number / 7 for number in range(400_000)]}, "", "a large result")
    elif what == "deep":
        (journal.folder / "result.json").write_text("[" * 100_000)
        with (journal.folder / "events.jsonl").open("a") as file:
            file.write("{" + "[" * 100_000 + chr(10) + "x" * 3_000_000)
        os._exit(0)
    elif what == "heavy":
        loaded = {m: m in sys.modules for m in ("torch", "fastai")}
        cuda = loaded["torch"] and sys.modules["torch"].cuda.is_initialized()
        return Outcome({**loaded, "cuda": cuda}, "", "")
    elif what == "bad-result":
        (journal.folder / "result.json").write_text('{"status": "splendid"}')
        os._exit(0)
    return Outcome({"done": what}, "print('done')", "it went well")
"""


def lay_out(place: Path, name: str, module: str, source: str) -> None:
    """Write a distribution into a folder whose entry point names a module of that source."""
    info = place / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (place / f"{module}.py").write_text(source)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[gradus.recipes]\n{name} = {module}\n")
