"""The store the pages read: opened once, and again when an ingest has committed."""

from __future__ import annotations

import threading
from pathlib import Path

from kg.encoder import Encoder, load_encoder
from kg.store import Store, open_store

__all__ = ["Shelf"]


class Shelf:
    """Hands out the current generation of one store; safe to use from several threads.

    Parameters
    ----------
    folder : Path
        The store's folder; it need not exist yet.
    encoder : Encoder or None
        When None, loaded on first use by the name that the store was made with.
    """

    def __init__(self, folder: Path, encoder: Encoder | None = None) -> None:
        self.folder = folder
        self._encoder = encoder
        self._store: Store | None = None
        self._before: Store | None = None
        self._lock = threading.Lock()

    def current(self) -> Store:
        """Open the store, or open it again when there is a newer generation.

        Raises
        ------
        NoStore
            Nothing was ingested here yet; the message says what to run.
        GradusError
            The store cannot be read.
        """
        with self._lock:
            if self._store is None or not self._store.is_current():
                store = open_store(self.folder)
                store.warm(words=True)
                if self._before is not None:
                    self._before.close()
                # one generation back stays open: another thread may be in the middle of reading it
                self._before, self._store = self._store, store
            return self._store

    def encoder(self, store: Store) -> Encoder:
        """The encoder of this store."""
        with self._lock:
            if self._encoder is None:
                self._encoder = load_encoder(store.encoder_name)
            return self._encoder

    def close(self) -> None:
        """Let go of the store's files."""
        with self._lock:
            for store in (self._before, self._store):
                if store is not None:
                    store.close()
            self._store = self._before = None
