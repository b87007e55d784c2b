"""Spreads an ingest's work over a Ray cluster: what is done with each note and text, not the store.

Each core of the cluster, or each card where there are cards, gets an actor that holds the encoder.
Pieces of the work go to whoever is free, and results stand in the order of the work, so that
nothing depends on who did what. A piece whose actor dies, with its node or alone, is done again in
single items by others; an item that brings down one actor after another is given up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from ingest.passages.encode import SLAB, ReadText, Wanted, read_texts
from kg.encoder import load_encoder
from kg.errors import EncoderError, GradusError
from kg.vectors import Words

__all__ = ["Lost", "SpreadEncoder", "Workers"]

In = TypeVar("In")
Out = TypeVar("Out")
Tell = Callable[[int, int], None]  # done, of all
Read = tuple[npt.NDArray[np.float32], Words]  # a text's vector and its words

_DEATHS = 2  # of its actors that an item is given, alone
_STARTS = 20  # of actors that may fail one after the other
_TEXTS = 64  # of a piece, for a core: a second or so; a card gets what it gets on one machine
_NOTES, _LETTERS = 16, 200_000  # of a piece, at most
_LOOK_S = 10.0


class Lost:
    """In place of a result: the item brought down whoever worked on it."""


class Workers:
    """The cores or cards of a cluster, for one ingest; given back with the block.

    Parameters
    ----------
    ray : module
        Connected.
    """

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        has = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        cards = int(sum(one.get("GPU", 0) for one in has))
        cores = int(sum(one.get("CPU", 0) for one in has))
        self._texts = SLAB if cards else _TEXTS
        self._slots = cards or max(1, cores)
        needs = {"num_cpus": 0, "num_gpus": 1} if cards else {"num_cpus": 1}
        self._kind = ray.remote(_Worker).options(max_restarts=0, max_task_retries=0, **needs)
        self._actors: list[Any] = []  # all that live
        self._free: list[Any] = []
        self._coming: dict[Any, Any] = {}  # actors that start, by the answer that tells it
        self._failed = 0  # starts, one after the other

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for actor in self._actors:
            self._ray.kill(actor)

    def notes(
        self, step: Callable[[In], Out], notes: Sequence[In], letters: Sequence[int]
    ) -> list[Out | Lost]:
        """What `step`, a function of a module, makes of each note of so many letters."""
        return self._each(_Step(step), list(_cut(notes, letters)), _silent)

    def texts(self, wanted: Sequence[Wanted], encoder: str, tell: Tell) -> list[ReadText | Lost]:
        """`read_texts` by the encoder of that name, for each text."""
        return self._each(_Texts(encoder), _pieces(wanted, self._texts), tell)

    def words(self, texts: Sequence[str], encoder: str, tell: Tell) -> list[Read | Lost]:
        """`Encoder.encode_notes` by the encoder of that name, for each text."""
        return self._each(_Words(encoder), _pieces(texts, self._texts), tell)

    def _each(
        self, step: Callable[[list[In]], list[Out]], pieces: Sequence[list[In]], tell: Tell
    ) -> list[Out | Lost]:
        """The step's result for each item, in the order of the items.

        Raises
        ------
        GradusError
            What the step raises, or when no actor can be started.
        """
        waiting, total = list[_Piece[In]](), 0
        for items in pieces:
            waiting.append(_Piece(total, items))
            total += len(items)
        waiting.reverse()
        found: list[Out | Lost] = [Lost() for _ in range(total)]
        busy: dict[Any, tuple[Any, _Piece[In]]] = {}
        done = 0
        while waiting or busy:
            self._keep_up(len(waiting) + len(busy))
            while waiting and self._free:
                actor, piece = self._free.pop(), waiting.pop()
                busy[actor.do.remote(step, piece.items)] = actor, piece
            ready, _ = self._ray.wait([*busy, *self._coming], num_returns=1, timeout=_LOOK_S)
            for answer in ready:
                if answer in self._coming:
                    self._arrived(answer)
                    continue
                actor, piece = busy.pop(answer)
                results = self._results(answer, actor)
                if results is None:
                    again = piece.again()
                    waiting += again
                    done += 0 if again else 1  # given up
                else:
                    found[piece.at : piece.at + len(results)] = results
                    done += len(results)
                tell(done, total)
        return found

    def _keep_up(self, pieces: int) -> None:
        """Have as many actors as there is room for, or work."""
        while len(self._actors) < min(self._slots, pieces):
            actor = self._kind.remote()
            self._actors.append(actor)
            self._coming[actor.source.remote()] = actor

    def _arrived(self, answer: Any) -> None:
        """Take an actor that has started; one that could not is tried again."""
        actor = self._coming.pop(answer)
        try:
            source = self._ray.get(answer)
        except self._ray.exceptions.RayActorError as error:
            self._actors.remove(actor)
            self._failed += 1
            if "ModuleNotFoundError" in str(error):
                raise GradusError(
                    'Gradus is not installed on the cluster; pip install "gradus[ray]" on its nodes'
                ) from error
            if self._failed >= _STARTS:
                raise GradusError(f"no worker starts on the cluster: {error}") from error
            return
        if source != _source():
            raise GradusError(
                "a node of the cluster has another version of Gradus, which might parse notes in "
                "other ways; install this version there"
            )
        self._failed = 0
        self._free.append(actor)

    def _results(self, answer: Any, actor: Any) -> list[Any] | None:
        """What an actor answers; None when it died over it."""
        try:
            results: list[Any] = self._ray.get(answer)
        except self._ray.exceptions.RayActorError:
            self._actors.remove(actor)
            return None
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, GradusError):
                raise error.cause from error
            raise
        self._free.append(actor)
        return results


@dataclass(frozen=True, slots=True)
class SpreadEncoder:
    """An encoder on a cluster, for those that ask a `kg.encoder.Encoder` for words."""

    name: str
    workers: Workers

    def encode_notes(
        self, texts: Sequence[str], progress: Tell | None = None
    ) -> tuple[npt.NDArray[np.float32], list[Words]]:
        """As `Encoder.encode_notes`.

        Raises
        ------
        EncoderError
            When a text brings down its worker.
        """
        vectors, words = [], []
        read = self.workers.words(texts, self.name, progress or _silent)
        for text, one in zip(texts, read, strict=True):
            if isinstance(one, Lost):
                raise EncoderError(f"the encoder '{self.name}' crashes workers on '{text}'")
            vectors.append(one[0])
            words.append(one[1])
        return np.stack(vectors), words


@dataclass(frozen=True, slots=True)
class _Piece(Generic[In]):
    """Items that go to one actor, the first of them at a place among all; `deaths` of actors."""

    at: int
    items: list[In]
    deaths: int = 0

    def again(self) -> list[_Piece[In]]:
        """What is tried once more after an actor died over it: single items, some times."""
        if len(self.items) > 1:
            return [_Piece(self.at + i, [item]) for i, item in enumerate(self.items)][::-1]
        deaths = self.deaths + 1
        return [_Piece(self.at, self.items, deaths)] if deaths < _DEATHS else []


class _Worker:
    """The actor."""

    def source(self) -> str:
        """Which version of our code it has."""
        return _source()

    def do(self, step: Callable[[list[Any]], list[Any]], items: list[Any]) -> list[Any]:
        """A step of the ingest."""
        return step(items)


@dataclass(frozen=True, slots=True)
class _Step(Generic[In, Out]):
    """What a function makes of each item."""

    function: Callable[[In], Out]

    def __call__(self, items: list[In]) -> list[Out]:
        return [self.function(item) for item in items]


@dataclass(frozen=True, slots=True)
class _Texts:
    """Texts as an encoder reads them, pooled."""

    encoder: str

    def __call__(self, wanted: list[Wanted]) -> list[ReadText]:
        read = read_texts(wanted, _encoder(self.encoder), lambda what, done, total: None)
        return [read[text] for text, _ in wanted]


@dataclass(frozen=True, slots=True)
class _Words:
    """Texts as an encoder reads them."""

    encoder: str

    def __call__(self, texts: list[str]) -> list[Read]:
        vectors, words = _encoder(self.encoder).encode_notes(texts)
        return list(zip(vectors, words, strict=True))


_encoder = cache(load_encoder)


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


@cache
def _source() -> str:
    """A digest of the code that decides what an ingest makes of notes."""
    digest, home = hashlib.sha256(), Path(__file__).parents[1]
    for package in ("ingest", "kg"):
        for path in sorted((home / package).rglob("*")):
            if path.suffix in (".py", ".json"):
                digest.update(path.relative_to(home).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _pieces(items: Sequence[In], size: int) -> list[list[In]]:
    return [list(items[first : first + size]) for first in range(0, len(items), size)]


def _cut(notes: Sequence[In], letters: Sequence[int]) -> Iterator[list[In]]:
    """Pieces of a few notes, or of one that is long."""
    piece, held = list[In](), 0
    for note, length in zip(notes, letters, strict=True):
        if piece and (len(piece) >= _NOTES or held + length > _LETTERS):
            yield piece
            piece, held = [], 0
        piece.append(note)
        held += length
    if piece:
        yield piece
