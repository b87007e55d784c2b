"""Texts and concepts' names to vectors: whole ones, and those of their words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ingest.passages.embedded_text import Part, statement_parts, vector_texts
from kg.linking import STOP_WORDS
from kg.schema import told
from kg.types import Passage
from kg.vectors import (
    STATEMENT_BITS,
    WORD_BITS,
    PassageVectors,
    Words,
    WordVectors,
    in_bits,
    in_bytes,
    of_bits,
    of_bytes,
)
from kg.writing import Writer

__all__ = [
    "SLAB",
    "Progress",
    "ReadText",
    "Reads",
    "ToEncode",
    "Wanted",
    "encode",
    "encode_passages",
    "name_vectors",
    "of_passages",
    "read_texts",
    "wanted_of",
]

Progress = Callable[[str, int, int], None]  # what, done, total
Wanted = tuple[str, list[tuple[int, int]]]  # a text, and the parts that some passage finds in it
_DIGEST = 16  # bytes
EPSILON = 1e-6  # beside any sum of words' vectors it is nothing
NAME_WORD_BITS = 2  # a number of the vector of a name's word
SLAB = 1024  # texts whose words' vectors are held in full at once: about 100 MB


def encode(
    texts: Sequence[str], encoder: Reads, say: Progress, what: str = "encoding"
) -> dict[str, tuple[bytes, bytes]]:
    """The vector of each text in bytes, and those of its words in bits.

    Stop words have none. A text that stands in several places is encoded once.
    """
    out = {}
    for text, vector, words in _read(texts, encoder, say, what):
        own = words.vectors[_telling(text, words)]
        out[text] = in_bytes(vector[None]).tobytes(), in_bits(own, NAME_WORD_BITS)
    return out


class Reads(Protocol):
    """An encoder, here or elsewhere, as far as words are concerned: `kg.encoder.Encoder`."""

    def encode_notes(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> tuple[npt.NDArray[np.float32], list[Words]]:
        """Unit vectors of the texts, shape (n, d), and each text's words."""


@dataclass(frozen=True, slots=True)
class ToEncode:
    """A passage with the texts that stand for it, and where in them its statements stand."""

    passage: Passage
    texts: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def source(self) -> bytes:
        """A digest of all that its vectors depend on."""
        read = json.dumps([self.texts, self.parts, len(self.passage.statements)])
        return hashlib.sha256(read.encode()).digest()[:_DIGEST]

    @classmethod
    def of(cls, passage: Passage) -> ToEncode:
        """What an encoder will be given of a passage."""
        texts = vector_texts(passage)
        return cls(passage, tuple(texts), tuple(statement_parts(passage, texts)))


def encode_passages(
    passages: Sequence[ToEncode], encoder: Reads, say: Progress
) -> list[PassageVectors]:
    """The vectors of each passage, its words and its statements."""
    return of_passages(passages, read_texts(wanted_of(passages), encoder, say))


def wanted_of(passages: Sequence[ToEncode]) -> list[Wanted]:
    """Each text that stands for some passage, once, the shortest first: like ones share batches."""
    wanted: dict[str, dict[tuple[int, int], None]] = {}
    for p in passages:
        for text in p.texts:
            wanted.setdefault(text, {})
        for part in p.parts:
            wanted[p.texts[part.text]][part.start, part.end] = None
    return [(text, list(wanted[text])) for text in sorted(wanted, key=len)]


def read_texts(wanted: Sequence[Wanted], encoder: Reads, say: Progress) -> dict[str, ReadText]:
    """Each text as it was read."""
    parts = dict(wanted)
    return {
        text: ReadText(vector, *_pooled(text, words, parts[text]))
        for text, vector, words in _read(list(parts), encoder, say, "encoding")
    }


def of_passages(passages: Sequence[ToEncode], read: Mapping[str, ReadText]) -> list[PassageVectors]:
    """The vectors of each passage, from those of its texts."""
    return [_of_passage(p, read) for p in passages]


@dataclass(frozen=True, slots=True)
class ReadText:
    """One text as it was read, with the sums of its words over some of its parts."""

    vector: npt.NDArray[np.float32]
    words: bytes  # as `in_bits` makes them
    spans: npt.NDArray[np.int64]  # (t, 2) of these words
    sums: Mapping[tuple[int, int], npt.NDArray[np.float32]]  # (d,) by half-open offsets


def _pooled(
    text: str, words: Words, parts: Sequence[tuple[int, int]]
) -> tuple[bytes, npt.NDArray[np.int64], dict[tuple[int, int], npt.NDArray[np.float32]]]:
    telling = _telling(text, words)
    sums = {}
    for start, end in parts:
        inside = (words.spans[:, 0] >= start) & (words.spans[:, 0] < end)
        sums[start, end] = words.vectors[inside].sum(axis=0)
    return in_bits(words.vectors[telling], WORD_BITS), words.spans[telling], sums


def _of_passage(passage: ToEncode, read: Mapping[str, ReadText]) -> PassageVectors:
    texts, statements = passage.texts, len(passage.passage.statements)
    owners = [np.full(len(read[text].spans), -1, dtype=np.int16) for text in texts]
    sums = np.zeros((statements, len(read[texts[0]].vector)), dtype=np.float32)
    for part in passage.parts:
        text = read[texts[part.text]]
        inside = (text.spans[:, 0] >= part.start) & (text.spans[:, 0] < part.end)
        owners[part.text][inside] = part.statement
        own = text.sums[part.start, part.end]
        # Without vectors of words, or beyond what the encoder reads, the text stands for it.
        sums[part.statement] += own if own.any() else text.vector * EPSILON
    return PassageVectors(
        passage.source,
        tuple(in_bytes(read[text].vector[None]).tobytes() for text in texts),
        b"".join(read[text].words for text in texts),
        np.concatenate(owners),
        in_bits(sums, STATEMENT_BITS),
    )


def _read(
    texts: Sequence[str], encoder: Reads, say: Progress, what: str
) -> Iterator[tuple[str, npt.NDArray[np.float32], Words]]:
    """Each text once, with its vector and the encoder's reading of its words."""
    once = list(dict.fromkeys(texts))
    for first in range(0, len(once), SLAB):
        slab = once[first : first + SLAB]
        vectors, words = encoder.encode_notes(slab, partial(_after, say, what, first, len(once)))
        yield from zip(slab, vectors, words, strict=True)


def _telling(text: str, words: Words) -> npt.NDArray[np.bool_]:
    return np.array([_tells(text[start:end]) for start, end in words.spans], dtype=np.bool_)


def name_vectors(
    names: Sequence[str], writer: Writer, encoder: Callable[[], Reads], say: Progress
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
    with told(writer.folder):
        before = writer.names()
        read = _read_back(before)
    known = {name: vectors for name, vectors in before.items() if name in wanted}
    new = [name for name in wanted if name not in known]
    if new:
        fresh = encode(new, encoder(), say, "encoding names")
        known |= fresh
        read = {**read, **_read_back(fresh)}
    if known.keys() != before.keys():
        writer.put_names(known)
    return {name: read[name] for name in known}


def _read_back(
    stored: Mapping[str, tuple[bytes, bytes]],
) -> dict[str, tuple[npt.NDArray[np.float32], WordVectors]]:
    """What `encode` made of each text, read all at once."""
    d = len(next(iter(stored.values()))[0]) if stored else 1
    wholes = of_bytes(b"".join(whole for whole, _ in stored.values()), d)
    words = of_bits(b"".join(own for _, own in stored.values()), d, NAME_WORD_BITS)
    size = -(-d * NAME_WORD_BITS // 8)
    ends = np.cumsum([len(own) // size for _, own in stored.values()])
    apart = np.split(words, ends[:-1]) if stored else []
    return dict(zip(stored, zip(wholes, apart, strict=True), strict=True))


def _after(say: Progress, what: str, before: int, total: int, done: int, _: int) -> None:
    """Tell the progress of one slab as progress of all."""
    say(what, before + done, total)


def _tells(piece: str) -> bool:
    """Whether a piece of a word is worth keeping."""
    return any(c.isalnum() for c in piece) and piece.casefold() not in STOP_WORDS
