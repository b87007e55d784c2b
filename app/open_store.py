"""The store that pages and programs read: opened once, and again when an ingest has committed."""

from __future__ import annotations

import threading
from pathlib import Path

from kg.encoder import Encoder, load_encoder
from kg.errors import GradusError, NoStore
from kg.store import Store, open_store

__all__ = ["Shelf", "StillReading"]


WAIT_S = 0.5  # how often who waits for a store looks for it


class StillReading(GradusError):
    """There is no store yet, but notes are being read into it; the message says how far."""


class Shelf:
    """Hands out the current generation of one store; safe to use from several threads.

    Parameters
    ----------
    folder : Path
        The store's folder; it need not exist yet.
    encoder : Encoder or None
        When None, loaded on first use by the name that the store was made with.

    Attributes
    ----------
    doing : str
        What a reader waits for, in a few words: "Reading your notes"; "" for nothing.
    """

    def __init__(self, folder: Path, encoder: Encoder | None = None) -> None:
        self.folder = folder
        self._encoder = encoder
        self._store: Store | None = None
        self._opening = threading.Lock()
        self._loading = threading.Lock()  # its own: the store is there while the encoder loads
        self._idle = threading.Event()
        self.doing = ""
        self._idle.set()

    def tell(self, doing: str) -> None:
        """Say what a reader waits for; "" when it is done."""
        self.doing = doing
        (self._idle.clear if doing else self._idle.set)()

    def awaited(self) -> Store:
        """The current store; waits for one that is being made.

        Raises
        ------
        GradusError
            As `current`, when nothing is being read any more.
        """
        try:
            return self.current()
        except StillReading:
            while not self._idle.wait(WAIT_S):
                try:
                    return self.current()
                except StillReading:
                    continue
            return self.current()

    def current(self) -> Store:
        """Open the store, or open it again when there is a newer generation.

        Raises
        ------
        NoStore
            Nothing was ingested here yet; the message says what to run.
        StillReading
            Nothing is here yet, but it is coming.
        GradusError
            The store cannot be read.
        """
        store = self._store
        if store is not None and store.is_current():
            return store
        # While one thread opens a newer generation, others go on with the one there is.
        if not self._opening.acquire(blocking=store is None) and store is not None:
            return store
        try:
            if self._store is None or not self._store.is_current():
                fresh = self._opened()
                fresh.warm(words=True)
                # Whoever reads the one before goes on with it: it is closed when nobody has it.
                self._store = fresh
            return self._store
        finally:
            self._opening.release()

    def _opened(self) -> Store:
        try:
            return open_store(self.folder)
        except NoStore:
            if self.doing:
                raise StillReading(f"{self.doing} …") from None
            raise

    def encoder(self, store: Store) -> Encoder:
        """The encoder of this store."""
        with self._loading:
            if self._encoder is None:
                self._encoder = load_encoder(store.encoder_name)
            return self._encoder

    def close(self) -> None:
        """Let go of the store's files."""
        with self._opening:
            if self._store is not None:
                self._store.close()
            self._store = None
