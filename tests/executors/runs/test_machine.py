"""What is said of a device is what holds it, what waits for it, and what the system measures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from executors import devices, memory
from executors.devices import Card
from executors.runs import machine as machines
from executors.runs.folder import PID, write_json
from executors.runs.identity import identity
from executors.runs.machine import machine
from executors.runs.turns import Turn

HOLDS = "x = bytearray(200_000_000); x[::4096] = b'1' * len(x[::4096]); print(flush=True); input()"


def turn(runs: Path, name: str, asked: str = "cpu") -> Turn:
    (runs / name).mkdir(parents=True)
    return Turn(runs / name, asked)


def test_who_holds_the_cpu_and_who_waits_for_it(tmp_path: Path) -> None:
    """In the order in which they came; once the first leaves, the next has it."""
    first, second, third = (turn(tmp_path, name) for name in ("a", "b", "c"))
    assert first.begin() and not second.begin() and not third.begin()
    (place,) = (place for place in machine(tmp_path) if place.name == "cpu")
    assert (place.run, place.waiting) == ("a", ("b", "c"))
    first.leave()
    assert second.begin()
    (place,) = (place for place in machine(tmp_path) if place.name == "cpu")
    assert (place.run, place.waiting) == ("b", ("c",))


def test_the_memory_of_a_run_is_that_of_all_its_processes(tmp_path: Path) -> None:
    """What a child of its child has taken counts, and is within what is used of the machine."""
    held = turn(tmp_path, "a")
    assert held.begin()
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLDS!r}])"
    child = subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None and child.stdout.readline() == b"\n"
        write_json(tmp_path / "a" / PID, identity(child.pid))
        (place,) = (place for place in machine(tmp_path) if place.name == "cpu")
    finally:
        child.communicate(b"\n")
    assert place.run_bytes is not None and 200_000_000 <= place.run_bytes < 300_000_000
    assert 0 < place.free_bytes < place.total_bytes <= psutil.virtual_memory().total


def test_a_container_has_its_own_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a limit is set, it is the whole, and what is free of it is free."""
    numbers = {"memory.max": 2_000_000_000, "memory.current": 1_500_000_000}
    monkeypatch.setattr(memory, "_container", lambda *names: numbers[names[0]])
    assert memory.machine_bytes() == (500_000_000, 2_000_000_000)


def test_a_card_has_its_own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each card that is seen, by torch's name for it; what the driver does not tell is not said."""
    seen = (Card("GPU-1", "Small", 3, 10), Card("GPU-0", "Large", 70, 80))
    for module in (devices, machines):
        monkeypatch.setattr(module, "visible_cards", lambda: seen)
    monkeypatch.setattr(machines, "held_bytes", lambda uuid, pids: None)
    assert turn(tmp_path, "a", "auto").begin()
    write_json(tmp_path / "a" / PID, identity(os.getpid()))
    small, large = machine(tmp_path)
    assert (small.name, small.hardware, small.run, small.free_bytes) == ("cuda:0", "Small", "", 3)
    assert (large.name, large.hardware, large.run, large.run_bytes) == (
        "cuda:1",
        "Large",
        "a",
        None,
    )
