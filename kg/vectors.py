"""Vectors: nearest neighbours by cosine with FAISS and its checked file.

Words' vectors in bytes, best matches.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from kg.errors import IndexMismatch
from kg.whole_file import write_whole

__all__ = [
    "PassageVectors",
    "StatementVectors",
    "WordVectors",
    "Words",
    "best_matches",
    "build_index",
    "in_bytes",
    "load_index",
    "nearest",
    "save_index",
]

_MAGIC = b"gradus vectors 1\n"


WordVectors = npt.NDArray[np.float32]  # unit vectors of the word pieces of a text, shape (t, d)


@dataclass(frozen=True, slots=True)
class Words:
    """The encoder's reading of each word piece of one text, in its context."""

    spans: npt.NDArray[np.int64]  # (t, 2) half-open offsets in the text
    vectors: npt.NDArray[np.float32]  # (t, d) unit length


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """A passage as vectors; words are kept at a byte a number, and stop words have none."""

    source: bytes  # a digest of what was encoded: equal ones have equal vectors
    texts: npt.NDArray[np.float32]  # (texts, d) unit length, of the texts that stand for it
    words: npt.NDArray[np.int8]  # (t, d) as `in_bytes` makes them
    statement_of: npt.NDArray[np.int16]  # (t,) the statement that each word stands in, -1 for none
    statements: npt.NDArray[np.int8]  # (statements, d) each the mean of its words where it stands

    @property
    def of_words(self) -> tuple[npt.NDArray[np.int8 | np.int16], ...]:
        """What is kept of its words and statements, in the order of the store's columns."""
        return self.words, self.statement_of, self.statements

    @classmethod
    def stored(
        cls,
        source: bytes,
        texts: Sequence[bytes],
        words: bytes,
        statement_of: bytes,
        statements: bytes,
    ) -> PassageVectors:
        """From the bytes that a store keeps of it."""
        whole = np.stack([np.frombuffer(text, dtype=np.float32) for text in texts])
        d = whole.shape[1]
        return cls(
            source,
            whole,
            np.frombuffer(words, dtype=np.int8).reshape(-1, d),
            np.frombuffer(statement_of, dtype=np.int16),
            np.frombuffer(statements, dtype=np.int8).reshape(-1, d),
        )


@dataclass(frozen=True, slots=True)
class StatementVectors:
    """The statements of a passage as vectors of unit length, and the words in them."""

    whole: npt.NDArray[np.float32]  # (statements, d)
    words: npt.NDArray[np.float32]  # (t, d) of the words that stand in a statement
    statement_of: npt.NDArray[np.int16]  # (t,) in order

    @classmethod
    def of(cls, words: bytes, statement_of: bytes, statements: bytes, d: int) -> StatementVectors:
        """From the bytes that a store keeps of `PassageVectors`."""
        owners = np.frombuffer(statement_of, dtype=np.int16)
        inside = owners >= 0
        return cls(_unit(statements, d), _unit(words, d)[inside], owners[inside])

    def matches(self, question: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """For each statement and word of a question, shape (q, d), the cosine of its best word.

        Shape (statements, q); 0 without words.
        """
        out = np.zeros((len(self.whole), len(question)), dtype=np.float32)
        if len(question) and len(self.words):
            told, starts = np.unique(self.statement_of, return_index=True)
            with _threads().limit(limits=1, user_api="blas"):
                cosines = self.words @ question.T  # (t, q)
            out[told] = np.maximum(np.maximum.reduceat(cosines, starts, axis=0), 0)
        return out


def _unit(stored: bytes, d: int) -> npt.NDArray[np.float32]:
    """Vectors of unit length, shape (n, d), from bytes that `in_bytes` made."""
    rows = np.frombuffer(stored, dtype=np.int8).reshape(-1, d).astype(np.float32)
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
    unit: npt.NDArray[np.float32] = rows / np.maximum(lengths, 1e-9)
    return unit


def build_index(vectors: npt.NDArray[np.float32]) -> Any:
    """An exact inner-product index over unit vectors of shape (n, d).

    Inner product is then the cosine.
    """
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    return index


def nearest(
    index: Any, query: npt.NDArray[np.float32], k: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Row numbers and cosines of the k nearest vectors, best first.

    Fewer when the index is smaller.

    Parameters
    ----------
    query : array of shape (d,)
        A unit vector.

    Raises
    ------
    IndexMismatch
        When the query's dimension is not the index's.
    """
    if query.shape != (index.d,):
        raise IndexMismatch(
            f"the question's vector has shape {query.shape}, the index expects ({index.d},)"
        )
    k = min(k, index.ntotal)
    if k == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    scores, rows = index.search(np.ascontiguousarray(query[None, :], dtype=np.float32), k)
    return rows[0], scores[0]


def save_index(index: Any, path: Path, generation: int) -> None:
    """Write the index with its generation and a checksum, replacing an older file at once."""
    payload = faiss.serialize_index(index).tobytes()
    head = {"generation": generation, "sha256": hashlib.sha256(payload).hexdigest()}
    write_whole(path, _MAGIC + json.dumps(head).encode() + b"\n" + payload)


def load_index(path: Path, generation: int) -> Any | None:
    """The index, or None when its file is missing, damaged or of another generation."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    if not raw.startswith(_MAGIC):
        return None
    head_line, _, payload = raw[len(_MAGIC) :].partition(b"\n")
    try:
        head = json.loads(head_line)
    except ValueError:
        return None
    if head != {"generation": generation, "sha256": hashlib.sha256(payload).hexdigest()}:
        return None
    return faiss.deserialize_index(np.frombuffer(payload, dtype=np.uint8))


def in_bytes(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
    """Vectors of shape (t, d) at a byte a number: each scaled so that its largest number is 127.

    Its length is lost.
    """
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=1e-9)
    return np.asarray(np.rint(vectors * (127 / largest)), dtype=np.int8)


def best_matches(
    question: npt.NDArray[np.float32], passages: Sequence[bytes]
) -> npt.NDArray[np.float32]:
    """For each passage and each word of the question the cosine of its best word, shape (n, q).

    0 without words.

    Parameters
    ----------
    question : unit vectors of the question's words, shape (q, d)
    passages : what `in_bytes` made of each passage's words
    """
    out = np.zeros((len(passages), len(question)), dtype=np.float32)
    filled = [i for i, words in enumerate(passages) if words]
    if filled and len(question):
        d = question.shape[1]
        words = (
            np.frombuffer(b"".join(passages[i] for i in filled), dtype=np.int8)
            .reshape(-1, d)
            .astype(np.float32)
        )
        lengths = np.sqrt(np.einsum("td,td->t", words, words))
        # NumPy's threads beside the encoder's, still spinning, cost up to 100 ms; one thread does
        # it in 5.
        with _threads().limit(limits=1, user_api="blas"):
            products = words @ question.T  # (all t, q)
        cosines = products / np.maximum(lengths, 1e-9)[:, None]
        starts = np.cumsum([0, *(len(passages[i]) // d for i in filled[:-1])])
        out[filled] = np.maximum(np.maximum.reduceat(cosines, starts, axis=0), 0)
    return out


@functools.cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()
