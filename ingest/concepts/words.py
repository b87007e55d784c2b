"""What the words of a name tell of whether it is one: their meaning, their letters, their form.

Meaning is the default encoder's, whatever the notes are searched with.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ingest.concepts.places import KINDS, PlaceKind
from ingest.names.labels import BAR, Names
from kg.encoder import load_encoder

__all__ = [
    "FORM",
    "HASHED",
    "LETTERS",
    "Array",
    "Vectors",
    "Words",
    "form_of",
    "letters_of",
    "meaning_of",
]

Array = npt.NDArray[np.float64]
# Unit vectors of names by the default encoder, shape (n, d).
Vectors = Callable[[Sequence[str]], npt.NDArray[np.float32]]
HASHED, RUNS = 4096, (3, 4)  # sums that runs of so many letters are counted in
LETTERS = 3.0  # what a run counts beside the other columns
_TOKEN = re.compile(r"[^\W_]+")
_BEFORE = (":", "-–—", "(", "|/", ".)", ",")
_AFTER = (":", "-–—", "(", "|/", ")", ",", "?", "!", ".", "[")
_INSIDE = (":", "(", "|", "_", ".", ",", "=", '"', "/", "-")
FORM = (
    "whole", "starts", "ends", "share", "words_before", "words_after", "words", "words_of_text",
    "chars", *(f"before_{marks}" for marks in _BEFORE), *(f"after_{marks}" for marks in _AFTER),
    *(f"inside_{mark}" for mark in _INSIDE), "digit", "first_digit", "last_digit", "lower", "upper",
    "capital", "all_capital", "camel", "short", "text_asks", "text_calls", "text_lower",
    *(f"is_{kind}" for kind in KINDS),
    "uncommon_first", "uncommon_last", "uncommon_mean", "pieces_first", "pieces_last",
    "pieces_most",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """Logistic regression over a name's meaning, form and letters."""

    weights: Array  # (4 * d + FORM,)
    letters: Array  # (HASHED,)
    bias: float

    def odds(self, names: Sequence[str], form: Array, vectors: Vectors) -> Array:
        """Log-odds that each is a name, shape (n,)."""
        by_letters = [LETTERS * self.letters[letters_of(name)].sum() for name in names]
        return np.asarray(meaning_of(names, form, vectors) @ self.weights + by_letters + self.bias)


def meaning_of(names: Sequence[str], form: Array, vectors: Vectors) -> Array:
    """Vectors of names, of their first, last and mean word, and form: shape (n, 4 * d + FORM)."""
    words = np.array([_vectors_of_words(name) for name in names])
    return np.column_stack([vectors(names).astype(np.float64), words, form])


def letters_of(name: str) -> list[int]:
    """Which of HASHED sums a name's words count in: each whole, and by runs of letters in it."""
    runs = set()
    for word in _TOKEN.findall(name.casefold()) or [name]:
        marked = f"<{word}>"
        runs |= {marked[i : i + n] for n in RUNS for i in range(len(marked) - n + 1)} | {marked}
    return sorted({zlib.crc32(run.encode()) % HASHED for run in runs})


@lru_cache(maxsize=200_000)
def _piece(word: str) -> tuple[float, int, Array]:
    """How uncommon a word's first piece is, how many pieces it has, and their mean vector, (d,)."""
    ids, vectors = load_encoder().pieces(word)
    if not len(ids):
        return 0.0, 0, np.zeros(vectors.shape[1])
    return math.log1p(ids[0]), len(ids), vectors.mean(axis=0).astype(np.float64)


def _vectors_of_words(name: str) -> Array:
    of = [_piece(word)[2] for word in _TOKEN.findall(name) or [name]]
    return np.concatenate([of[0], of[-1], np.mean(of, axis=0)])


def _commonness(name: str) -> list[float]:
    """How common a name's words are, its first, last and mean word's, and in how many pieces."""
    of = [_piece(word)[:2] for word in _TOKEN.findall(name) or [name]]
    uncommon, pieces = [u for u, _ in of], [n for _, n in of]
    return [
        uncommon[0],
        uncommon[-1],
        float(np.mean(uncommon)),
        pieces[0],
        pieces[-1],
        max(pieces),
    ]


def form_of(text: str, names: Names, kind: PlaceKind) -> list[float]:
    """The form of a name and of the text that it is a part of, in the order of FORM.

    Other names for the same do not count as a part of the text.
    """
    label = names.label
    text = next((part for part in BAR.split(text) if label in part), text)
    if any(alias in text and alias not in label for alias in names.aliases):
        text = label
    at = text.find(label)
    before, after = (text[:at], text[at + len(label) :]) if at >= 0 else ("", "")
    words = _TOKEN.findall(label)
    left, right = _TOKEN.findall(before), _TOKEN.findall(after)
    # What stands between the name and the next word on either side.
    near_before = before[max((before.rfind(w) + len(w) for w in left[-1:]), default=0) :]
    near_after = after[: after.find(right[0])] if right else after
    return [
        float(not left and not right),
        float(not left),
        float(not right),
        len(label) / max(1, len(text)),
        min(len(left), 4),
        min(len(right), 4),
        len(words),
        min(len(_TOKEN.findall(text)), 12),
        math.log1p(len(label)),
        *(float(any(m in near_before for m in marks)) for marks in _BEFORE),
        *(float(any(m in near_after for m in marks)) for marks in _AFTER),
        *(float(mark in label) for mark in _INSIDE),
        float(any(c.isdigit() for c in label)),
        float(label[:1].isdigit()),
        float(label[-1:].isdigit()),
        float(label.islower()),
        float(label.isupper()),
        float(label[:1].isupper()),
        float(all(w[:1].isupper() for w in words)),
        float(any(a.islower() and b.isupper() for a, b in pairwise(label))),
        float(len(label) <= 2),
        float("?" in text or "？" in text),
        float("!" in text or "！" in text),
        float(text.islower()),
        *(float(kind == one) for one in KINDS),
        *_commonness(label),
    ]
