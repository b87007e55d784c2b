"""Vectors: nearest neighbours by cosine with FAISS and its checked file.

Vectors in bytes and in bits, best matches.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from kg.errors import IndexMismatch
from kg.packed import pack, unpack
from kg.whole_file import write_whole

__all__ = [
    "RAISED",
    "SLOPE",
    "PassageVectors",
    "StatementVectors",
    "WordVectors",
    "Words",
    "best_matches",
    "build_index",
    "build_shortlist",
    "check_bits",
    "in_bits",
    "in_bytes",
    "load_shortlist",
    "nearest",
    "of_bits",
    "of_bytes",
    "one_thread",
    "pack_owners",
    "save_shortlist",
    "shortlist",
    "still_turned",
    "turned",
    "unpack_owners",
]

# Of a number of a word's, and of a statement's vector.
WORD_BITS, STATEMENT_BITS = 1, 4
# The largest of many cosines that are each right on average is too large, the more so the smaller
# it is: for a passage's best word RAISED + SLOPE * c comes out where c is right, nearly alike in
# five vaults.
RAISED, SLOPE = 0.033, 0.94

SHORT_BITS, BLOCK = 2, 32  # of a number in the shortlist; vectors that are compared at once

_MAGIC = b"gradus vectors 4\n"


WordVectors = npt.NDArray[np.float32]  # unit vectors of the word pieces of a text, shape (t, d)


@dataclass(frozen=True, slots=True)
class Words:
    """The encoder's reading of each word piece of one text, in its context."""

    spans: npt.NDArray[np.int64]  # (t, 2) half-open offsets in the text
    vectors: npt.NDArray[np.float32]  # (t, d) unit length


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """A passage as vectors, as they are kept; stop words have none."""

    source: bytes  # a digest of what was encoded: equal ones have equal vectors
    texts: tuple[bytes, ...]  # of each text that stands for it, as `in_bytes` makes them
    words: bytes  # as `in_bits` makes them, in WORD_BITS
    statement_of: npt.NDArray[np.int16]  # (t,) the statement that each word stands in, -1 for none
    # The mean of a statement's words where it stands, as `in_bits` makes them, in STATEMENT_BITS.
    statements: bytes


@dataclass(frozen=True, slots=True)
class StatementVectors:
    """The statements of a passage as vectors, and the words in them, turned as `in_bits` does."""

    whole: npt.NDArray[np.float32]  # (statements, d)
    words: npt.NDArray[np.uint8]  # (t, d / 8) of the words that stand in a statement, as bits
    statement_of: npt.NDArray[np.int16]  # (t,) in order

    @classmethod
    def of(cls, words: bytes, statement_of: bytes, statements: bytes, d: int) -> StatementVectors:
        """From the bytes that a store keeps of `PassageVectors`."""
        owners = unpack_owners(statement_of)
        inside = owners >= 0
        read = _rows_of_bits(words, d)[inside]
        return cls(still_turned(statements, d, STATEMENT_BITS), read, owners[inside])

    def meet(self, question: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The cosine of each statement with a question's vector of shape (d,), `turned`."""
        cosines: npt.NDArray[np.float32] = self.whole @ question
        return cosines

    def matches(self, question: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """For each statement and word of a question the cosine of its best word.

        Shape (statements, q); 0 without words.

        Parameters
        ----------
        question : vectors of its words, shape (q, d), `turned`
        """
        out = np.zeros((len(self.whole), len(question)), dtype=np.float32)
        if len(question) and len(self.words):
            told, starts = np.unique(self.statement_of, return_index=True)
            cosines = _cosines(self.words, question)
            out[told] = np.maximum(np.maximum.reduceat(cosines, starts, axis=0), 0)
        return out


def pack_owners(statement_of: npt.NDArray[np.int16]) -> bytes:
    """The statements that words stand in, as a store keeps them."""
    return pack(np.diff(statement_of, prepend=np.int16(0)).tobytes())


def unpack_owners(packed: bytes) -> npt.NDArray[np.int16]:
    """What `pack_owners` took.

    Raises
    ------
    ValueError
        When it is damaged.
    """
    return np.cumsum(np.frombuffer(unpack(packed), dtype=np.int16), dtype=np.int16)


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
    _check_dimension(query, index.d)
    k = min(k, index.ntotal)
    if k == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    scores, rows = index.search(np.ascontiguousarray(query[None, :], dtype=np.float32), k)
    return rows[0], scores[0]


def build_shortlist(slabs: Iterable[npt.NDArray[np.float32]], d: int) -> Any:
    """An index of a few bits a number over unit vectors that come in slabs of shape (n, d)."""
    index = faiss.IndexRaBitQFastScan(d, faiss.METRIC_INNER_PRODUCT, BLOCK, SHORT_BITS)
    # Around zero, not the vectors' mean: what a vector becomes depends on it alone.
    index.train(np.zeros((1, d), dtype=np.float32))
    for vectors in slabs:
        if len(vectors):
            index.add(_turned(vectors))
    return index


def shortlist(index: Any, query: npt.NDArray[np.float32], k: int, d: int) -> npt.NDArray[np.int64]:
    """Row numbers of k vectors among which the nearest ones are, those of `build_shortlist`.

    Fewer when the index is smaller. Of each vector a few bits a number are compared with the whole
    query; which of them are nearest, their vectors tell.

    Raises
    ------
    IndexMismatch
        When the query's dimension is not d.

    References
    ----------
    Gao and Long (2024), RaBitQ: quantizing high-dimensional vectors with a theoretical error bound.
    """
    _check_dimension(query, d)
    _, rows = index.search(turned(query[None]), min(k, index.ntotal))
    return np.asarray(rows[0])


def _check_dimension(query: npt.NDArray[np.float32], d: int) -> None:
    if query.shape != (d,):
        raise IndexMismatch(
            f"the question's vector has shape {query.shape}, the index expects ({d},)"
        )


def save_shortlist(index: Any, path: Path, of: str) -> None:
    """Write it with what it is of and a checksum, replacing an older file at once."""
    payload = faiss.serialize_index(index).tobytes()
    head = {"of": of, "sha256": hashlib.sha256(payload).hexdigest()}
    write_whole(path, _MAGIC + json.dumps(head).encode() + b"\n" + payload)


def load_shortlist(path: Path, of: str) -> Any | None:
    """The index, or None when its file is missing, damaged or of something else."""
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
    if head != {"of": of, "sha256": hashlib.sha256(payload).hexdigest()}:
        return None
    return faiss.deserialize_index(np.frombuffer(payload, dtype=np.uint8))


def in_bytes(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
    """Vectors of shape (t, d) at a byte a number: each scaled so that its largest number is 127.

    Its length is lost.
    """
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=1e-9)
    return np.asarray(np.rint(vectors * (127 / largest)), dtype=np.int8)


def of_bytes(stored: bytes, d: int) -> npt.NDArray[np.float32]:
    """Unit vectors, shape (t, d), from bytes that `in_bytes` made."""
    rows = np.frombuffer(stored, dtype=np.int8).reshape(-1, d).astype(np.float32)
    return _unit(rows)


def in_bits(vectors: npt.NDArray[np.float32], bits: int) -> bytes:
    """The directions of vectors of shape (t, d) at some bits a number: each takes d * bits / 8
    bytes.

    Turned in a fixed, random way, the numbers of any unit vector are nearly normal, and FAISS
    rounds them to levels that are best for normal ones. Nothing is fitted, so that what a vector
    becomes depends on it alone.

    References
    ----------
    Zandieh et al. (2025), TurboQuant.
    """
    codes: npt.NDArray[np.uint8] = _coder(vectors.shape[1], bits).compute_codes(
        np.ascontiguousarray(_turned(_unit(vectors)))
    )
    return codes.tobytes()


def of_bits(stored: bytes, d: int, bits: int) -> npt.NDArray[np.float32]:
    """Vectors, shape (t, d), from bytes that `in_bits` made.

    They are a little longer than 1, so that their product with a unit vector is the cosine, on
    average; the fewer bits, the further from it a single one may be.
    """
    vectors: npt.NDArray[np.float32] = still_turned(stored, d, bits) @ _turn(d)
    return vectors


def check_bits(stored: bytes, d: int, bits: int) -> None:
    """Raise ValueError unless these are bytes of whole vectors, as `in_bits` makes them."""
    if len(stored) % int(_coder(d, bits).code_size):
        raise ValueError("vectors are cut off")


def still_turned(stored: bytes, d: int, bits: int) -> npt.NDArray[np.float32]:
    """The same as `of_bits`, but turned as `turned` does it: products are what they would be."""
    if bits != WORD_BITS:
        return _decoded(stored, d, bits)
    # Without FAISS's threads, which spin on after the little that there is to do for them.
    return np.asarray((2 * _ones(_rows_of_bits(stored, d), d) - 1) * np.float32(_size_of_ones(d)))


def _decoded(stored: bytes, d: int, bits: int) -> npt.NDArray[np.float32]:
    coder = _coder(d, bits)
    codes = np.frombuffer(stored, dtype=np.uint8).reshape(-1, coder.code_size)
    if not len(codes):
        return np.zeros((0, d), dtype=np.float32)
    # Rounded to the mean of what is rounded so, a vector's part along its rounded one is just that
    # one: what is left over stands at a right angle to it.
    rounded: npt.NDArray[np.float32] = coder.decode(codes)
    squares = np.einsum("nd,nd->n", rounded, rounded)[:, None]
    return np.asarray(rounded / np.maximum(squares, 1e-9))


def turned(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Vectors, shape (…, d), as `in_bits` turns those that it keeps."""
    with one_thread():
        return _turned(vectors)


def _turned(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(vectors @ _turn(vectors.shape[-1]).T)


@functools.cache
def _turn(d: int) -> npt.NDArray[np.float32]:
    """A rotation of d dimensions, always the same."""
    drawn = np.random.default_rng(d).standard_normal((d, d))
    return np.asarray(np.linalg.qr(drawn)[0], dtype=np.float32)


@functools.cache
def _coder(d: int, bits: int) -> Any:
    coder = faiss.ScalarQuantizer(d, getattr(faiss.ScalarQuantizer, f"QT_{bits}bit_tqmse"))
    coder.train(np.zeros((1, d), dtype=np.float32))
    return coder


def _unit(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
    unit: npt.NDArray[np.float32] = rows / np.maximum(lengths, 1e-9)
    return unit


def best_matches(
    question: npt.NDArray[np.float32], passages: Sequence[bytes]
) -> npt.NDArray[np.float32]:
    """For each passage and each word of the question the cosine of its best word, shape (n, q).

    In [0, 1]; 0 without words.

    Parameters
    ----------
    question : unit vectors of the question's words, shape (q, d)
    passages : what `in_bits` made of each passage's words
    """
    out = np.zeros((len(passages), len(question)), dtype=np.float32)
    filled = [i for i, words in enumerate(passages) if words]
    if filled and len(question):
        d = question.shape[1]
        words = _rows_of_bits(b"".join(passages[i] for i in filled), d)
        cosines = _cosines(words, turned(question))  # (all t, q)
        size = words.shape[1]
        starts = np.cumsum([0, *(len(passages[i]) // size for i in filled[:-1])])
        best = np.maximum.reduceat(cosines, starts, axis=0)
        out[filled] = np.clip((best - RAISED) / SLOPE, 0, 1)
    return out


def _rows_of_bits(stored: bytes, d: int) -> npt.NDArray[np.uint8]:
    """What `in_bits` made at WORD_BITS, a row for each word."""
    return np.frombuffer(stored, dtype=np.uint8).reshape(-1, _coder(d, WORD_BITS).code_size)


def _cosines(
    words: npt.NDArray[np.uint8], question: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """The cosine of each word, as a row of bits, with each of a question's, `turned`; shape (t, q).

    What `of_bits` makes of a word is one number with the signs that its bits tell: the sum of
    those of the question that it adds, twice, less the sum of all.
    """
    d = question.shape[1]
    scaled = question * _size_of_ones(d)
    with one_thread():
        added = _ones(words, d) @ scaled.T
    cosines: npt.NDArray[np.float32] = 2 * added - scaled.sum(axis=1)
    return cosines


@functools.cache
def _size_of_ones(d: int) -> float:
    """The size of each number of what `of_bits` makes of a word."""
    size = int(_coder(d, WORD_BITS).code_size)
    return abs(float(_decoded(bytes(size), d, WORD_BITS)[0, 0]))


def _ones(words: npt.NDArray[np.uint8], d: int) -> npt.NDArray[np.float32]:
    """The bits of words, each as a number; shape (t, d)."""
    return np.unpackbits(words, axis=1, count=d, bitorder="little").astype(np.float32)


def one_thread() -> AbstractContextManager[object]:
    """One thread for NumPy: several, beside the encoder's that still spin, cost up to 100 ms."""
    one: AbstractContextManager[object] = _threads().limit(limits=1, user_api="blas")
    return one


@functools.cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()
