"""Trainings of one run that may be done at other places: files between its child and its starter.

A child that finds `SERVED` in its folder may lay orders there (`executors.apart`). Its starter,
which has other places (`executors.cluster.parts`), has each done by a child of its own there, which
finds `ORDER` and does it instead of its recipe, and brings back events and answer.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executors.runs.folder import ENVIRONMENT, read_json
from executors.runs.journal import Journal

__all__ = [
    "ANSWER",
    "AT",
    "ORDER",
    "SERVED",
    "SHARED",
    "Letter",
    "alike",
    "do_order",
    "new_call",
    "posted",
    "put",
]

SERVED = "orders-are-served"
ORDER, SHARED, ANSWER = "order.pickle", "shared.pickle", "answer.pickle"
AT = "at"  # the event that says on which `node` a training is
_FOLDER = "apart"


@dataclass(frozen=True, slots=True)
class Letter:
    """The files of one training: the child writes order and taken, its starter the others.

    All orders of a call share a file, the state of the learner. An order that is `taken` is none
    any more; one that is `returned` nobody else can do.
    """

    call: Path
    number: int

    @property
    def order(self) -> Path:
        """What is to be done: a pickled function of shared state, parameters and journal."""
        return self.call / f"{self.number}.order"

    @property
    def shared(self) -> Path:
        """What all orders of the call begin with."""
        return self.call / SHARED

    @property
    def taken(self) -> Path:
        """There when the child does it itself, or needs it no more."""
        return self.call / f"{self.number}.taken"

    @property
    def events(self) -> Path:
        """Lines of JSON that the training says, as they come."""
        return self.call / f"{self.number}.events"

    @property
    def answer(self) -> Path:
        """What the function returned, pickled."""
        return self.call / f"{self.number}.answer"

    @property
    def returned(self) -> Path:
        """There when it could not be done, with the reason in it."""
        return self.call / f"{self.number}.returned"


def put(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the whole of it or none."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def new_call(run: Path) -> Path:
    """A new folder for the orders of one call."""
    (run / _FOLDER).mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(dir=run / _FOLDER))


def posted(run: Path) -> list[Letter]:
    """The orders that lie in a run's folder, by their numbers."""
    found = (run / _FOLDER).glob("*/*.order")
    letters = (Letter(path.parent, int(path.stem)) for path in found)
    return sorted(letters, key=lambda letter: letter.number)


def do_order(params: Any, journal: Journal) -> None:
    """Do the order that lies in the journal's folder, and leave the answer there."""
    shared = pickle.loads((journal.folder / SHARED).read_bytes())
    work: Callable[..., Any] = pickle.loads((journal.folder / ORDER).read_bytes())
    put(journal.folder / ANSWER, pickle.dumps(work(shared, params, journal)))


def alike(run: Path) -> Mapping[str, object]:
    """What has to be the same at two places for the same numbers: versions, card or processor."""
    noted = read_json(run / ENVIRONMENT) or {}
    hardware = noted.get("card") or noted.get("cpu", "")
    return {"torch": noted.get("torch"), "fastai": noted.get("fastai"), "hardware": hardware}
