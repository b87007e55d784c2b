"""A classifier of how something is worded: multinomial logistic regression over groups of terms.

Terms are runs of up to three words and of three to five letters, so that endings count and no
language is a special one. Fitted by `benchmarks/answers/wordings.py`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
import numpy.typing as npt

from kg.linking import EAST_ASIAN

__all__ = ["MOST_CHARS", "Classifier", "columns", "terms"]

_NAME = "xname"  # what stands for an acronym among the terms
_TOKEN = re.compile(rf"[{EAST_ASIAN}]|[^\W_{EAST_ASIAN}]+|[^\w\s]")
_ACRONYM = re.compile(r"\b[A-Z]{2,}s?\b")  # "GANs"; also SQL's WHERE, which asks for no place
_DIGIT = re.compile(r"\d")
_LONGEST_RUN = 3  # words
_LETTERS = (3, 4, 5)
MOST_CHARS = 400  # of a text; what follows is something pasted


@dataclass(frozen=True, slots=True)
class Classifier:
    """The coefficients; `weights` has a row for each term and a column for each class."""

    classes: tuple[str, ...]
    terms: Mapping[str, int]  # the row of each known term
    weights: npt.NDArray[np.float64]  # (terms, classes)
    bias: npt.NDArray[np.float64]  # (classes,)

    @classmethod
    def stored(cls, package: str, name: str) -> Classifier:
        """The one in a file of a package."""
        file = resources.files(package).joinpath(name)
        stored = json.loads(file.read_text(encoding="utf-8"))
        terms = stored["terms"]
        return cls(
            tuple(stored["classes"]),
            {term: i for i, term in enumerate(terms)},
            np.array(list(terms.values()), dtype=np.float64) / 100,
            np.array(stored["bias"], dtype=np.float64),
        )

    def chances(self, groups: Sequence[Collection[str]]) -> dict[str, float]:
        """The probability of each class, the likeliest first, by the groups of a text's terms."""
        rows, values = columns(groups, self.terms)
        odds = self.bias + (values @ self.weights[rows] if rows else 0.0)
        odds = np.exp(odds - odds.max())
        odds /= odds.sum()
        order = np.argsort(-odds, kind="stable")
        return {self.classes[i]: float(odds[i]) for i in order}


def columns(
    groups: Sequence[Collection[str]], known: Mapping[str, int]
) -> tuple[list[int], npt.NDArray[np.float64]]:
    """The rows of the known terms, and what each counts: each group has the length 1."""
    rows: list[int] = []
    values: list[float] = []
    for group in groups:
        own = sorted(known[term] for term in group if term in known)
        rows += own
        values += [1 / math.sqrt(max(1, len(own)))] * len(own)
    return rows, np.array(values)


def terms(text: str) -> tuple[set[str], set[str]]:
    """Runs of words, the text's begin and end among them, and runs of letters within words."""
    text = _DIGIT.sub("0", text[:MOST_CHARS])
    if not text.isupper():
        text = _ACRONYM.sub(_NAME, text)
    text = text.casefold()
    words = ["^", *_TOKEN.findall(text), "$"]
    runs = {
        " ".join(words[i : i + n])
        for n in range(1, _LONGEST_RUN + 1)
        for i in range(len(words) - n + 1)
    }
    letters = {
        f"_{marked[i : i + n]}"
        for marked in (f"<{word}>" for word in words)
        for n in _LETTERS
        for i in range(len(marked) - n + 1)
    }
    return runs, letters
