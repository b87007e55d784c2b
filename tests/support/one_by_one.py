"""The real encoder, which tells what it was asked and encodes no text twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kg.encoder import Encoder
from kg.vectors import Words

__all__ = ["OneByOne"]


@dataclass
class OneByOne:
    """The real encoder with what it knows already, and the texts it was given."""

    inner: Encoder
    known: dict[str, tuple[npt.NDArray[np.float32], Words]] = field(default_factory=dict)
    encoded: list[str] = field(default_factory=list)

    def encode_notes(
        self, texts: Sequence[str], progress: Callable[[int, int], None]
    ) -> tuple[npt.NDArray[np.float32], list[Words]]:
        """Vectors of shape (n, d), and those of each text's words; no text is encoded twice."""
        for i, text in enumerate(texts, 1):
            if text not in self.known:
                vectors, words = self.inner.encode_notes([text])
                self.known[text] = vectors[0], words[0]
            progress(i, len(texts))
        self.encoded += texts
        return np.stack([self.known[t][0] for t in texts]), [self.known[t][1] for t in texts]
