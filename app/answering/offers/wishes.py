"""Which recipes a question's wording wishes for, by a classifier that was learned from written
questions, and what its words say of their parameters.

Multinomial logistic regression over the default encoder's vector of the question, its words and its
pairs of neighbours. The coefficients are `wishes.json`, written by
`benchmarks/answers/train_offers.py` from `benchmarks/questions/`. A question may wish for two runs
("which learning rate and which batch size?"): then its parts are read alone too. A recipe that does
not come with Gradus is none of the classes: a question that names one of its concepts wishes for it
where it would wish for the learning rate with these words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from app.answering.offers.files import NamedFile
from app.answering.offers.presets import Preset, presets, spoken_words
from executors.recipe import Recipe, recipes
from kg.encoder import load_encoder
from kg.linking import STOP_WORDS, fold, key, one_slip, words

__all__ = [
    "NONE",
    "Wish",
    "Wishes",
    "as_asked",
    "columns",
    "joint_wishes",
    "learned",
    "parts",
    "read_wish",
    "terms",
]

NONE = ""  # the class of questions that wish for no run
PART_FROM = 0.9  # the chance of a part of a question from which it wishes for a run of its own
MOST_PARTS = 8  # more are a list
MOST_CHARS = 2000  # of a question; what follows is something pasted
HINTED_FROM = 0.01  # what the whole question must leave to the wish of a part
_DENSE = 0.8  # the length of the encoder's vector beside that of the words', which is 1

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

    def chances(
        self, asked: Sequence[str], vectors: npt.NDArray[np.floating[Any]]
    ) -> list[dict[str, float]]:
        """Of each question the probability of each recipe that it is wished for."""
        return [
            {n: float(c) for n, c in zip(self.names, row, strict=True) if n != NONE}
            for row in self(columns(asked, vectors, self.rarity))
        ]


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


_JOINT = re.compile(r"\s*(?:[,;:?&]|\b(?:and|or|plus)\b)\s*")
_A_SUBJECT = "learning rate"  # stands for the subject of a recipe that is none of the classes
_LONG = 6  # letters of a word whose slips are mended
# Words that ask for something else than what a thing is, or speak of the asker's own.
_ASKING = STOP_WORDS - {"i", "if", "me", "my", "our", "we", "when", "where", "who", "whom", "whose"}
_ASKING = (_ASKING - {"not", "why"}) | {"define", "definition", "exactly"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a question's wording says of runs.

    Parameters
    ----------
    chances : mapping of str to float
        Of each recipe how likely the question wishes for it.
    params : mapping of str to (mapping or None)
        Of each recipe the parameters that the words decide; None where it does not do the task.
    words : frozenset of str
        The folded words that say more than that something is asked.
    files : tuple of NamedFile
        What is named to be run on.
    """

    chances: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, Mapping[str, Preset] | None] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    files: Sequence[NamedFile] = ()


def read_wish(
    text: str,
    vector: npt.NDArray[np.float32] | None = None,
    files: Sequence[NamedFile] = (),
    last: str = "",
) -> Wish:
    """What a question, as it would be asked alone, says of runs; nothing else reads its text for
    that.

    Parameters
    ----------
    vector : array of shape (d,) or None
        The default encoder's unit vector of the text; None: made here.
    files : sequence of NamedFile
        The files and folders that it names.
    last : str
        What of it was asked after the rest: its parameters stand instead of earlier ones.
    """
    known = recipes()
    mended = _tidied(text[:MOST_CHARS], known)
    asked = mended.lower()
    if vector is None or asked != " ".join(text.lower().split()):
        vector = load_encoder().encode([asked])[0]
    (chance,) = learned().chances([asked], vector[None])
    alone = parts(asked)
    if alone:
        chance |= joint_wishes(chance, learned().chances(alone, load_encoder().encode(alone)))
    chance |= _of_others(asked, known)
    there = {recipe.name for recipe in known}
    chance = {name: sure for name, sure in chance.items() if name in there}
    told = frozenset(word for word, _, _ in words(mended)) - _ASKING
    joined = {fold(word.replace("-", "")) for word in re.findall(r"\w+-\w+", asked)}
    params = presets(known, mended, files)
    if last:
        own = presets(known, _tidied(last, known), files)
        params = {
            name: None if earlier is None else {**earlier, **(own.get(name) or {})}
            for name, earlier in params.items()
        }
    return Wish(chance, params, told | joined, files)


def as_asked(text: str) -> str:
    """A question as the classifier reads it: on one line, without slips, in lower case."""
    return _tidied(text, recipes()).lower()


def parts(asked: str) -> list[str]:
    """What a question joins by "and", commas and the like, where each may be a wish of its own.

    What holds a number is a circumstance: "which lr, at 224 px?".
    """
    pieces = [piece for piece in _JOINT.split(asked) if re.search(r"[a-z]", piece)]
    wordy = [piece for piece in pieces if not re.search(r"\d", piece)]
    return wordy if 1 < len(wordy) <= MOST_PARTS else []


def joint_wishes(
    whole: Mapping[str, float], alone: Sequence[Mapping[str, float]]
) -> dict[str, float]:
    """The chances of the recipes that different parts of a question wish for, where these are
    several.

    Parameters
    ----------
    whole : mapping of str to float
        The chances of the question.
    alone : sequence of mapping of str to float
        The chances of each of its parts.
    """
    surest: dict[str, float] = {}
    for chance in alone:
        name = max(chance, key=lambda recipe: chance[recipe])
        if chance[name] >= PART_FROM and whole[name] >= HINTED_FROM:
            surest[name] = max(chance[name], surest.get(name, 0.0))
    return surest if len(surest) > 1 else {}


def _of_others(asked: str, known: Sequence[Recipe]) -> dict[str, float]:
    """The chances of recipes from elsewhere that are named."""
    surest: dict[str, float] = {}
    for recipe in known:
        for name in recipe.concepts if recipe.name not in learned().names else ():
            spoken = r"\W+".join(re.escape(word) for word in name.lower().split())
            standing_in = re.sub(rf"\b{spoken}s?\b", _A_SUBJECT, asked) if spoken else asked
            if standing_in != asked:
                vectors = load_encoder().encode([standing_in])
                (chance,) = learned().chances([standing_in], vectors)
                surest[recipe.name] = max(*chance.values(), surest.get(recipe.name, 0.0))
    return surest


def _tidied(text: str, known: tuple[Recipe, ...]) -> str:
    """A question on one line, without slips in the words of recipes, its capitals kept: a column's
    name has them.
    """
    vocabulary = _vocabulary(known)

    def mend(match: re.Match[str]) -> str:
        word = match.group().lower()
        if word in learned().rarity or fold(word) in STOP_WORDS or fold(word) in vocabulary:
            return match.group()
        near = {spelled for spelled in vocabulary if one_slip(fold(word), spelled)}
        return near.pop() if len(near) == 1 else match.group()

    mended = re.sub(rf"(?<![\w/.\"'=-])[A-Za-z]{{{_LONG - 1},}}(?![\w/.-]\w|[\"'])", mend, text)
    return " ".join(re.sub(r"\bw/o\b", "without", mended).replace("’", "'").split())


@lru_cache(maxsize=8)
def _vocabulary(known: tuple[Recipe, ...]) -> frozenset[str]:
    """The long words by which recipes and their parameters are spoken of, folded."""
    phrases = {phrase for recipe in known for phrase in spoken_words(recipe)}
    told = {word for phrase in phrases for word in key(phrase)}
    return frozenset(word for word in told if len(word) >= _LONG and word.isalpha())
