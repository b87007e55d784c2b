"""The concepts of notes on which nobody has decided anything, with the default encoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ingest.concepts.candidates import NoteParts
from ingest.concepts.find import concepts_as_decided
from kg.encoder import load_encoder
from kg.types import Concept
from kg.vectors import in_bytes, of_bytes

__all__ = ["find_concepts"]


def find_concepts(notes: Sequence[NoteParts]) -> tuple[Concept, ...]:
    """Concepts of all notes, in the order of their first definition; ids are positions.

    The result depends on the notes' contents and order only, not on when each was ingested.
    """
    return concepts_as_decided(notes, (), _as_kept)[0]


def _as_kept(names: Sequence[str]) -> npt.NDArray[np.float32]:
    """Vectors of names as a store gives them back, shape (n, d)."""
    encoder = load_encoder()
    return of_bytes(in_bytes(encoder.encode(names)).tobytes(), encoder.dimension)
