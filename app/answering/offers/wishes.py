"""Which recipe a question's wording wishes for, by a classifier that was learned from written
questions.

Multinomial logistic regression over the encoder's vector of the question, its words and its pairs
of neighbours. The coefficients are `wishes.json`, written by `benchmarks/answers/train_offers.py`
from `benchmarks/questions/`; they hold for the encoder named there. A recipe that does not come
with Gradus is none of its classes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from kg.encoder import Encoder

__all__ = ["NONE", "Wishes", "columns", "learned", "terms", "wished"]

NONE = ""  # the class of questions that wish for no run
_DENSE = 1.5  # the length of the encoder's vector beside that of the words', which is 1

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Wishes:
    """The classifier; `weights` has a row for each dimension of the encoder, then for each term,
    and a column a class.

    Parameters
    ----------
    rarity : mapping of str to float
        Of each known term its inverse document frequency, in the order of the rows.
    """

    encoder: str
    names: tuple[str, ...]  # recipes, and NONE
    rarity: Mapping[str, float]
    weights: Floats  # (d + t, k)
    bias: Floats  # (k,)

    def __call__(self, rows: Floats) -> Floats:
        """Probabilities of the classes, shape (n, k), of rows from `columns`."""
        odds = rows @ self.weights + self.bias
        odds = np.exp(odds - odds.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def terms(asked: str) -> list[str]:
    """Words and question marks of a question, in lower case, and pairs of neighbours.

    >>> terms("Which lr?")
    ['which', 'lr', '?', 'which lr', 'lr ?']
    """
    words = re.findall(r"[\w'-]+|\?", asked.lower())
    return words + [f"{one} {other}" for one, other in pairwise(words)]


def columns(
    asked: Sequence[str], vectors: npt.NDArray[np.floating[Any]], rarity: Mapping[str, float]
) -> Floats:
    """What the classifier sees of questions, shape (n, d + t): their vectors (n, d), and their
    terms by rarity.
    """
    place = {term: column for column, term in enumerate(rarity)}
    told = np.zeros((len(asked), len(rarity)))
    for row, question in zip(told, asked, strict=True):
        for term in terms(question):
            if term in place:
                row[place[term]] += 1
        row[:] = np.where(row > 0, 1 + np.log(np.maximum(row, 1)), 0) * np.fromiter(
            rarity.values(), float, len(rarity)
        )
        row /= max(float(np.linalg.norm(row)), 1e-12)
    return np.hstack([_DENSE * np.asarray(vectors, dtype=float), told])


@cache
def learned() -> Wishes:
    """The classifier that comes with Gradus."""
    read = json.loads(
        resources.files("app.answering.offers").joinpath("wishes.json").read_text(encoding="utf-8")
    )
    weights = np.array(read["dense"] + list(read["terms"].values()), dtype=float)
    rarity = dict(zip(read["terms"], read["rarity"], strict=True))
    return Wishes(
        read["encoder"], tuple(read["names"]), rarity, weights, np.array(read["bias"], dtype=float)
    )


def wished(asked: str, encoder: Encoder) -> dict[str, float] | None:
    """The probability of each recipe that the question wishes for it; None with another encoder
    than learned with.
    """
    known = learned()
    if encoder.name != known.encoder:
        return None
    chances = known(columns([asked], encoder.encode([asked]), known.rarity))[0]
    return {
        name: float(chance)
        for name, chance in zip(known.names, chances, strict=True)
        if name != NONE
    }
