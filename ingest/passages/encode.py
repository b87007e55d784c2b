"""Texts and concepts' names to vectors: whole ones, and those of their words in bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from kg.encoder import Encoder
from kg.linking import STOP_WORDS
from kg.vectors import WordVectors, in_bytes
from kg.writing import Writer

__all__ = ["Progress", "encode", "name_vectors"]

Progress = Callable[[str, int, int], None]  # what, done, total
SLAB = 1024  # texts whose words' vectors are held in full at once: about 100 MB


def encode(
    texts: Sequence[str], encoder: Encoder, say: Progress, what: str = "encoding"
) -> dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]]:
    """The vector of each text, shape (d,), and those of its words in bytes, shape (t, d).

    Stop words have none.

    A text that stands in several places is encoded once.
    """
    once = list(dict.fromkeys(texts))
    out: dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]] = {}
    for first in range(0, len(once), SLAB):
        slab = once[first : first + SLAB]
        vectors, words = encoder.encode_words(slab, partial(_after, say, what, first, len(once)))
        for text, vector, read in zip(slab, vectors, words, strict=True):
            out[text] = (
                vector,
                in_bytes(read.vectors[[_tells(text[start:end]) for start, end in read.spans]]),
            )
    return out


def name_vectors(
    names: Sequence[str], writer: Writer, encoder: Callable[[], Encoder], say: Progress
) -> Mapping[str, tuple[npt.NDArray[np.float32], WordVectors]]:
    """The vector of each name and the unit vectors of its words, known or new.

    Names that the store has are not encoded again.

    Names that are not asked for any more leave the store.

    Parameters
    ----------
    encoder : function
        Gives the encoder, loaded when a name is new.
    """
    wanted = dict.fromkeys(names)
    before = writer.names()
    known = {name: vectors for name, vectors in before.items() if name in wanted}
    new = [name for name in wanted if name not in known]
    if new:
        fresh = encode(new, encoder(), say, "encoding names")
        known |= {
            name: (v.astype(np.float32).tobytes(), words.tobytes())
            for name, (v, words) in fresh.items()
        }
    if known.keys() != before.keys():
        writer.put_names(known)
    return {name: _read(*vectors) for name, vectors in known.items()}


def _read(vector: bytes, words: bytes) -> tuple[npt.NDArray[np.float32], WordVectors]:
    whole = np.frombuffer(vector, dtype=np.float32)
    pieces = np.frombuffer(words, dtype=np.int8).reshape(-1, len(whole)).astype(np.float32)
    return whole, pieces / np.maximum(np.linalg.norm(pieces, axis=1, keepdims=True), 1e-9)


def _after(say: Progress, what: str, before: int, total: int, done: int, _: int) -> None:
    """Tell the progress of one slab as progress of all."""
    say(what, before + done, total)


def _tells(piece: str) -> bool:
    """Whether a piece of a word is worth keeping."""
    return any(c.isalnum() for c in piece) and piece.casefold() not in STOP_WORDS
