"""Texts through a model in bfloat16, in batches of few shapes: what a text gives depends on it
alone.

How a sum is cut up depends on a batch's shape and on the cores that share it, not on the row that a
text stands in nor on what stands in the others. So a text's length alone chooses its batch's shape,
rows to spare are filled, and a batch is of one core. What a CPU without bfloat16 does is left to
`kg.alone`.
"""

from __future__ import annotations

import contextlib
import copy
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from kg.alone import decodable, on_cores

__all__ = ["Piece", "has_bfloat16", "in_shapes"]

STEP = 16  # tokens by which the lengths of batches differ
TOKENS = 512  # of a batch

_tokenizing = threading.Lock()
_made: weakref.WeakKeyDictionary[Any, _Halved] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Piece:
    """A text as the model reads it."""

    vector: npt.NDArray[np.float32]  # (d,) unit length
    spans: npt.NDArray[np.int64]  # (t, 2) half-open offsets of tokens in the text
    tokens: npt.NDArray[np.float32]  # (t, d)


@cache
def has_bfloat16() -> bool:
    """Whether the CPU multiplies in bfloat16; one that does not is slower with it."""
    import torch

    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def in_shapes(
    model: Any, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
) -> list[Piece]:
    """Each text as a SentenceTransformer with a fast tokenizer reads it, in their order.

    `progress(done, n)` is called as texts are done.
    """
    halved = _halved(model)
    with _tokenizing:  # a tokenizer is of one thread
        read = halved.tokenizer(
            [decodable(text) for text in texts],
            truncation=True,
            max_length=model.get_max_seq_length(),
            return_offsets_mapping=True,
        )
    ids, spans = read["input_ids"], read["offset_mapping"]
    batches = list(_batches([len(own) for own in ids]))
    passes = [partial(_pass, halved, length, [ids[i] for i in rows]) for length, rows in batches]
    found: dict[int, Piece] = {}
    with contextlib.closing(on_cores(passes)) as outcomes:
        for (_, rows), outcome in zip(batches, outcomes, strict=True):
            for i, (vector, tokens) in zip(rows, outcome, strict=True):
                found[i] = Piece(vector, np.array(spans[i], dtype=np.int64), tokens)
            if progress is not None:
                progress(len(found), len(texts))
    return [found[i] for i in range(len(texts))]


@dataclass(frozen=True, slots=True)
class _Halved:
    """A model's parts: its network in bfloat16, what follows on it as it is."""

    tokenizer: Any
    network: Any
    rest: tuple[Any, ...]


def _halved(model: Any) -> _Halved:
    """Made once for a model, and gone with it."""
    with _tokenizing:
        if model not in _made:
            network = copy.deepcopy(model[0]).bfloat16()
            _made[model] = _Halved(copy.deepcopy(model.tokenizer), network, tuple(model)[1:])
        return _made[model]


def _batches(lengths: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """Length of each batch and the numbers of the texts in it, the longest first."""
    by_length: dict[int, list[int]] = {}
    for i, n in enumerate(lengths):
        by_length.setdefault(-(-n // STEP) * STEP, []).append(i)
    for length, rows in sorted(by_length.items(), reverse=True):
        size = _rows(length)
        yield from ((length, rows[i : i + size]) for i in range(0, len(rows), size))


def _rows(length: int) -> int:
    return max(1, TOKENS // length)


def _pass(
    halved: _Halved, length: int, texts: Sequence[Sequence[int]]
) -> list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Vector and tokens' vectors of each text, given as its tokens' numbers."""
    import torch

    ids = torch.full((_rows(length), length), halved.tokenizer.pad_token_id)
    mask = torch.zeros_like(ids)
    mask[:, 0] = 1  # a row without any would have no mean
    for row, own in enumerate(texts):
        ids[row, : len(own)] = torch.tensor(own)
        mask[row, : len(own)] = 1
    features = {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}
    with torch.inference_mode():
        features = halved.network(features)
        features["token_embeddings"] = features["token_embeddings"].float()
        for module in halved.rest:
            features = module(features)
    vectors, tokens = (features[k].numpy() for k in ("sentence_embedding", "token_embeddings"))
    return [(vectors[row], tokens[row, : len(own)]) for row, own in enumerate(texts)]
