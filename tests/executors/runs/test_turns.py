"""Runs take turns at a device: one at a time, in order, and nobody waits for the dead."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executors.errors import RecipeError
from executors.runs import turns
from executors.runs.history import history
from executors.runs.run import start
from executors.runs.turns import ASLEEP_S, Turn, waiting

Until = Callable[[Callable[[], bool]], None]
CARDS = {"auto": ("GPU-a", "GPU-b"), "cuda:0": ("GPU-a",), "cuda:1": ("GPU-b",), "cpu": ("cpu",)}


@pytest.fixture
def two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two cards, the first with more memory free."""
    monkeypatch.setattr(turns, "places", CARDS.__getitem__)


@pytest.fixture(autouse=True)
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same on every machine; servers of their own read it from the environment."""
    monkeypatch.setattr(turns, "places", lambda asked: ("cpu",))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def dead() -> dict[str, float]:
    """The identity of a program that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as program:
        created = psutil.Process(program.pid).create_time()
    return {"pid": program.pid, "created": created}


def test_one_at_a_time_in_order(tmp_path: Path) -> None:
    """The first holds the device; each other is told how many are ahead, and comes up in order."""
    a, b, c = (Turn(tmp_path / name, "cpu") for name in "abc")
    assert [turn.begin() for turn in (a, b, c)] == [True, False, False]
    assert (a.device, b.ahead, c.ahead) == ("cpu", 1, 2)
    assert waiting(tmp_path) == {"b": 1, "c": 2}
    a.leave()
    assert not c.begin() and c.ahead == 2
    assert b.begin() and not c.begin() and c.ahead == 1
    b.leave()
    assert c.begin() and waiting(tmp_path) == {}


def test_each_card_takes_one_and_the_cpu_another(two_cards: None, tmp_path: Path) -> None:
    """Runs that take any card spread over them; one for the CPU waits for none of them."""
    runs = [
        Turn(tmp_path / name, asked)
        for name, asked in (("a", "auto"), ("b", "auto"), ("c", "cpu"), ("d", "auto"))
    ]
    assert [turn.begin() for turn in runs] == [True, True, True, False]
    assert [turn.device for turn in runs] == ["GPU-a", "GPU-b", "cpu", ""]
    assert [turn.card for turn in runs] == ["GPU-a", "GPU-b", "", ""]
    runs[1].leave()
    assert runs[3].begin() and runs[3].device == "GPU-b"


def test_who_waits_for_one_card_does_not_hold_up_another(two_cards: None, tmp_path: Path) -> None:
    """A later run passes where those before it could not take the device anyway."""
    holder, picky, other = (
        Turn(tmp_path / "a", "cuda:0"),
        Turn(tmp_path / "b", "cuda:0"),
        Turn(tmp_path / "c", "auto"),
    )
    assert holder.begin() and not picky.begin()
    assert other.begin() and other.device == "GPU-b"


def test_the_dead_hold_nothing_and_stand_in_nobodys_way(tmp_path: Path) -> None:
    """Files of owners that are gone, renumbered or without sense count for nothing and go."""
    turn = Turn(tmp_path / "mine", "cpu")
    line = tmp_path / ".queue"
    (line / "held").mkdir(parents=True)
    (line / "waiting").mkdir()
    anew = {"pid": os.getpid(), "created": 1000.0}
    for owner in (dead(), anew, None, {"pid": "x"}, {"pid": 10**30}):
        (line / "held" / "cpu.json").write_text(json.dumps({"run": "theirs", "owner": owner}))
        (line / "waiting" / "000000001-theirs.json").write_text(
            json.dumps({"run": "theirs", "wanted": ["cpu"], "owner": owner})
        )
        assert waiting(tmp_path) == {}
        assert turn.begin()
        assert list((line / "waiting").iterdir()) == []
        turn.leave()
    (line / "held" / "cpu.json").write_bytes(b"\xff no json")
    (line / "waiting" / "garbage.json").write_text("[]")
    assert turn.begin()


def test_a_device_is_held_until_the_child_of_a_killed_server_has_ended(tmp_path: Path) -> None:
    """Its memory is in use until then, though the server that held it is gone."""
    turn = Turn(tmp_path / "mine", "cpu")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (tmp_path / ".queue" / "held").mkdir(parents=True)
    (tmp_path / ".queue" / "held" / "cpu.json").write_text(
        json.dumps({"run": "theirs", "owner": dead()})
    )
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        created = psutil.Process(child.pid).create_time()
        (theirs / "pid.json").write_text(json.dumps({"pid": child.pid, "created": created}))
        assert not turn.begin()
        child.kill()
        child.wait()
    assert turn.begin()


def test_a_sleeper_lets_others_pass_and_keeps_its_place(tmp_path: Path) -> None:
    """A run whose server is stopped blocks nobody; awake again, it is where it was."""
    holder, sleeper, other = (Turn(tmp_path / name, "cpu") for name in "abc")
    assert holder.begin() and not sleeper.begin()
    (ticket,) = (tmp_path / ".queue" / "waiting").iterdir()
    long_ago = ticket.stat().st_mtime - ASLEEP_S - 1
    os.utime(ticket, (long_ago, long_ago))
    holder.leave()
    assert other.begin()
    assert not sleeper.begin() and sleeper.ahead == 1
    other.leave()
    assert sleeper.begin()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=25),
    st.lists(st.sampled_from(sorted(CARDS)), min_size=5, max_size=5),
)
def test_no_device_is_ever_held_twice(moves: list[tuple[int, bool]], asked: list[str]) -> None:
    """Whatever the order of looking and leaving, and whatever is asked for."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as place:
        patch.setattr(turns, "places", CARDS.__getitem__)
        runs = [Turn(Path(place) / f"run{i}", device) for i, device in enumerate(asked)]
        for i, leaves in moves:
            if leaves:
                runs[i].leave()
            elif not runs[i].device:
                runs[i].begin()
            held = [turn.device for turn in runs if turn.device]
            assert len(held) == len(set(held))
            assert all(
                turn.device in CARDS[device]
                for turn, device in zip(runs, asked, strict=True)
                if turn.device
            )
        for turn in runs:  # one after the other: each is let in once the others have left
            turn.leave()
        assert runs[0].begin()


def test_a_second_run_waits_and_then_begins(attack: str, runs: Path, until: Until) -> None:
    """It tells its place, is queued in the history, and starts when the first has ended."""
    one = start(attack, {"do": "wait for"}, runs, queue=True)
    two = start(attack, {"count": 1}, runs, queue=True)
    three = start(attack, {"count": 1}, runs, queue=True)
    assert [(run.ahead, run.pid > 0) for run in (one, two, three)] == [
        (0, True),
        (1, False),
        (2, False),
    ]
    told = {record.id: (record.status, record.message) for record in history(runs)}
    assert told == {
        one.id: ("running", ""),
        two.id: ("queued", "1 ahead"),
        three.id: ("queued", "2 ahead"),
    }
    (runs / "go").touch()
    events = list(three.events())
    places = [event["ahead"] for event in events if event["event"] == "queued"]
    assert places[0] == 2 and places == sorted(set(places), reverse=True)
    names = [event["event"] for event in events[len(places) :]]
    assert names == ["begins", "started", "number", "artifact", "result"]
    assert (events[len(places)]["device"], events[len(places)]["card"]) == ("cpu", "")
    assert [run.wait().status for run in (one, two, three)] == ["ok"] * 3
    assert {record.status for record in history(runs)} == {"ok"}


def test_waiting_in_line_costs_no_time_of_the_run(attack: str, runs: Path, until: Until) -> None:
    """Limits of time and silence, and the result's seconds, count from the run's beginning."""
    one = start(attack, {"do": "wait for"}, runs, queue=True)
    two = start(attack, {}, runs, queue=True, timeout_s=3.0, silence_s=3.0)
    since = time.monotonic()
    until(lambda: time.monotonic() - since > 3.0)
    assert two.result() is None and two.ahead == 1
    (runs / "go").touch()
    assert two.wait().status == "ok" and two.wait().seconds < 3.0
    one.wait()


def test_a_run_that_waits_can_be_cancelled(attack: str, runs: Path) -> None:
    """It ends at once, was never started, and those behind it move up."""
    one = start(attack, {"do": "hang"}, runs, queue=True)
    two = start(attack, {}, runs, queue=True)
    three = start(attack, {}, runs, queue=True)
    two.cancel()
    result = two.wait()
    assert (result.status, result.message) == ("cancelled", "the run was cancelled while it waited")
    assert two.pid == 0 and result.seconds == 0.0 and one.result() is None
    assert waiting(runs) == {three.id: 1}
    assert {record.status for record in history(runs)} == {"running", "queued", "cancelled"}
    one.cancel()
    assert three.wait().status == "ok"


@pytest.mark.parametrize("do", ["kill", "crash", "exit", "family"])
def test_however_a_run_ends_the_next_begins(attack: str, runs: Path, do: str) -> None:
    """A killed, crashed, vanished or cancelled run gives its device back."""
    one = start(attack, {"do": do}, runs, queue=True)
    two = start(attack, {}, runs, queue=True)
    if do == "family":
        one.cancel()
    assert two.wait().status == "ok" and one.wait().status in ("failed", "cancelled")


def test_servers_that_race_for_a_device_never_share_it(attack: str, runs: Path) -> None:
    """Several programs start runs at once: no two go on at the same time, and all of them run."""
    program = (
        "from pathlib import Path\nfrom executors.runs.run import start\n"
        f"runs = [start('attack', {{'do': 'alone'}}, Path({str(runs)!r}), "
        "queue=True) for _ in range(2)]\n"
        "print(*[run.wait().status for run in runs])\n"
    )
    servers = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [server.communicate()[0].split() for server in servers] == [["ok", "ok"]] * 3
    assert waiting(runs) == {}


def test_a_killed_server_leaves_the_line(attack: str, runs: Path, until: Until) -> None:
    """Its run ends, its waiting run is no more, and a run of another server begins."""
    program = (
        "import time\nfrom pathlib import Path\nfrom executors.runs.run import start\n"
        f"runs = [start('attack', {{'do': 'hang'}}, Path({str(runs)!r}), "
        "queue=True) for _ in range(2)]\n"
        "print(runs[0].pid, runs[1].ahead, flush=True)\ntime.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        child, ahead = map(int, server.stdout.readline().split())
        mine = start(attack, {}, runs, queue=True)
        assert (ahead, mine.ahead) == (1, 2)
        server.kill()
    assert mine.wait().status == "ok"
    until(
        lambda: (
            not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
        )
    )
    statuses = sorted(record.message for record in history(runs) if record.status == "failed")
    assert statuses == ["interrupted: it ended without a result; start it again"] * 2


def test_a_line_that_cannot_be_kept_is_one_clear_error(attack: str, runs: Path) -> None:
    """The folder and the reason are named, and nothing was started."""
    runs.mkdir()
    (runs / ".queue").write_text("in the way")
    with pytest.raises(
        RecipeError, match=r"the run cannot be written to .*; free some space there"
    ):
        start(attack, {}, runs, queue=True)


def test_the_card_of_the_turn_reaches_the_child(
    attack: str, two_cards: None, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its uuid in the environment, which means the same however torch numbers cards."""
    both = [start(attack, {"do": "modules"}, runs, queue=True) for _ in range(2)]
    assert [run.wait().values["card"] for run in both] == ["GPU-a", "GPU-b"]
    assert start(attack, {"do": "modules"}, runs).wait().values["card"] is None
