"""What this machine has for runs: each device's memory, the run that holds it, those that wait."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

from executors.devices import held_bytes, places, visible_cards
from executors.memory import machine_bytes, tree_bytes
from executors.runs.folder import PID, read_json
from executors.runs.turns import holders, wanted

__all__ = ["Place", "machine"]


@dataclass(frozen=True, slots=True)
class Place:
    """A device with its memory, which of the CPU and of Apple's GPU is the machine's."""

    name: str  # as torch has it: "cpu", "mps", "cuda:0"
    hardware: str  # "" of the CPU
    total_bytes: int
    free_bytes: int
    run: str = ""  # id of the run that holds it
    run_bytes: int | None = None  # what that run has taken of it, where the system tells
    waiting: tuple[str, ...] = ()  # ids of the runs that wait for it, in order


def machine(runs_dir: Path) -> tuple[Place, ...]:
    """The devices that runs of a folder take where none is asked for, and those they hold or await.

    Nothing here opens a card.
    """
    held, line = holders(runs_dir), wanted(runs_dir)
    cards = {card.uuid: (index, card) for index, card in enumerate(visible_cards())}
    others = [place for asked in line.values() for place in asked]
    found = []
    for place in sorted({*places(), *held, *others}, key=lambda place: cards.get(place, (-1,))[0]):
        run = held.get(place, "")
        waiting = tuple(run for run, asked in line.items() if place in asked)
        if place in cards:
            index, card = cards[place]
            name, hardware, memory = f"cuda:{index}", card.name, (card.free_bytes, card.total_bytes)
        else:
            name, hardware, memory = place, "", machine_bytes()
        taken = _taken(place, runs_dir / run, place in cards) if run else None
        found.append(Place(name, hardware, memory[1], memory[0], run, taken, waiting))
    return tuple(found)


def _taken(place: str, folder: Path, is_card: bool) -> int | None:
    """Bytes that a run's processes hold; None before it has one, or where nobody tells."""
    pid = (read_json(folder / PID) or {}).get("pid")
    if not isinstance(pid, int):
        return None
    if not is_card:
        return tree_bytes(pid) or None
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return None
    return held_bytes(place, {pid, *(child.pid for child in children)})
