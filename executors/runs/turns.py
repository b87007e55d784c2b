"""Whose turn it is: each card and the CPU take one run at a time, in order, on one machine.

Runs that share a folder share the line, which lies in its `.queue`: a ticket for each run that
waits, a file for each device that is held, both with the identity of their owner. Files of owners
that are gone count for nothing, so a killed server blocks nobody. They are read and changed under
one lock, which the system lets go when its holder ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executors.devices import places
from executors.runs.folder import PID, read_json, write_json
from executors.runs.identity import identity, lives

__all__ = ["ASLEEP_S", "Turn", "holders", "waiting", "wanted"]

ASLEEP_S = (
    30.0  # a ticket whose owner has not looked for so long (stopped, suspended) lets others pass
)
_QUEUE = ".queue"


class Turn:
    """One run's place in the line.

    Parameters
    ----------
    folder : Path
        The run's folder; its parent is where the line is kept.
    asked : str
        The device that the run asks for, such as "auto", "cpu", "cuda:1".

    Attributes
    ----------
    ahead : int
        How many runs have to end, at the least, before this one begins.
    device : str
        What the run holds: "cpu", "mps" or a card's uuid; "" while it waits.
    """

    def __init__(self, folder: Path, asked: str) -> None:
        self._line, self._run = folder.parent / _QUEUE, folder.name
        self._wanted = places(asked)
        self._asked = asked
        self.ahead, self.device = 0, ""

    @property
    def card(self) -> str:
        """Uuid of the card that the run holds; "" for other devices, and while it waits."""
        return "" if self.device in ("cpu", "mps") else self.device

    def begin(self) -> bool:
        """Hold a device if it is the run's turn, else stand in the line; whether it may begin.

        Raises
        ------
        OSError
            When the folder cannot be written.
        """
        with _locked(self._line):
            tickets, held = _tickets(self._line, tidy=True), _held(self._line)
            mine = next((ticket for ticket in tickets if ticket.run == self._run), None)
            before = [ticket for ticket in tickets if mine is None or ticket.number < mine.number]
            free = _left(before, self._wanted, held)
            if free:
                self._hold(free)
                if mine is not None:
                    mine.path.unlink(missing_ok=True)
                return True
            self.ahead = 1 + sum(bool(set(ticket.wanted) & set(self._wanted)) for ticket in before)
            if mine is not None:
                os.utime(mine.path)
            else:
                self._stand(1 + max((ticket.number for ticket in tickets), default=0))
            return False

    def leave(self) -> None:
        """Let go of the device, or of the place in the line."""
        with _locked(self._line):
            for ticket in _tickets(self._line):
                if ticket.run == self._run:
                    ticket.path.unlink(missing_ok=True)
            for device, stored in _held(self._line).items():
                if stored.get("run") == self._run:
                    (self._line / "held" / f"{device}.json").unlink(missing_ok=True)
        self.device = ""

    def _hold(self, free: list[str]) -> None:
        """Take the best of the free devices; among several, memory is asked for anew."""
        best = (
            next((place for place in places(self._asked) if place in free), free[0])
            if len(free) > 1
            else free[0]
        )
        write_json(
            self._line / "held" / f"{best}.json", {"run": self._run, "owner": identity(os.getpid())}
        )
        self.ahead, self.device = 0, best

    def _stand(self, number: int) -> None:
        ticket = {"run": self._run, "wanted": list(self._wanted), "owner": identity(os.getpid())}
        write_json(self._line / "waiting" / f"{number:09d}-{self._run}.json", ticket)


def waiting(runs_dir: Path) -> dict[str, int]:
    """The runs that wait in the folder's line, in order, each with how many are ahead of it."""
    tickets = _tickets(runs_dir.absolute() / _QUEUE)
    return {
        ticket.run: 1 + sum(bool(set(before.wanted) & set(ticket.wanted)) for before in tickets[:i])
        for i, ticket in enumerate(tickets)
    }


def wanted(runs_dir: Path) -> dict[str, tuple[str, ...]]:
    """The runs that wait in the folder's line, in order, each with the devices that would do."""
    return {ticket.run: ticket.wanted for ticket in _tickets(runs_dir.absolute() / _QUEUE)}


def holders(runs_dir: Path) -> dict[str, str]:
    """The devices that are held, each with the run that holds it."""
    held = _held(runs_dir.absolute() / _QUEUE)
    return {device: str(stored.get("run", "")) for device, stored in held.items()}


@dataclass(frozen=True, slots=True)
class _Ticket:
    number: int
    run: str
    wanted: tuple[str, ...]
    awake: bool
    path: Path


@contextmanager
def _locked(line: Path) -> Iterator[None]:
    """Alone with the line, also among processes."""
    for part in ("waiting", "held"):
        (line / part).mkdir(parents=True, exist_ok=True)
    with (line / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _tickets(line: Path, *, tidy: bool = False) -> list[_Ticket]:
    """The tickets of runs whose owner lives, in order; to tidy, one must be alone with the line."""
    tickets = []
    for path in sorted((line / "waiting").glob("*.json")):
        stored = read_json(path) or {}
        number, _, run = path.stem.partition("-")
        wanted = stored.get("wanted")
        if number.isdigit() and isinstance(wanted, list) and lives(stored.get("owner")):
            try:
                awake = time.time() - path.stat().st_mtime < ASLEEP_S
            except OSError:  # its run has begun or left just now
                continue
            tickets.append(_Ticket(int(number), run, tuple(map(str, wanted)), awake, path))
        elif tidy:
            path.unlink(missing_ok=True)
    return tickets


def _held(line: Path) -> dict[str, dict[str, Any]]:
    """The devices that are held: by a run whose starter lives, or whose child is still ending."""
    held = {}
    for path in (line / "held").glob("*.json"):
        stored = read_json(path) or {}
        child = line.parent / str(stored.get("run", "")) / PID
        if lives(stored.get("owner")) or lives(read_json(child)):
            held[path.stem] = stored
    return held


def _left(
    before: list[_Ticket], wanted: tuple[str, ...], held: dict[str, dict[str, Any]]
) -> list[str]:
    """What is free of `wanted` once everyone before has taken the first that is free of theirs."""
    taken = set(held)
    for ticket in before:
        free = [place for place in ticket.wanted if place not in taken]
        if free and ticket.awake:
            taken.add(free[0])
    return [place for place in wanted if place not in taken]
