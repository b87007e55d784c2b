"""What kind of question is asked, by a classifier learned from written questions.

Multinomial logistic regression over runs of up to three words and of three to five letters, so that
endings and other languages than English count. The coefficients are `kinds.json`, written by
`benchmarks/answers/train_kinds.py` from questions in English, German, Spanish, French and Chinese.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from app.answering.question.sides import without_courtesy
from kg.linking import EAST_ASIAN, Lexicon, key
from kg.linking import words as spoken_words
from kg.types import AnswerKind

__all__ = [
    "MODEL",
    "Kind",
    "Kinds",
    "columns",
    "goals_of",
    "kind_of",
    "read_kind",
    "searched",
    "spelled_out",
    "terms",
    "wants_code",
]

# What a question may want; "all" gathers every statement, "now" asks what can be learned at all.
Kind = Literal[
    "definition", "fact", "how", "why", "list", "all", "yesno", "comparison", "where", "path",
    "next", "now",
]  # fmt: skip
MODEL = "kinds.json"
BARE = 2  # words, a concept's name among them, that ask for nothing but it
# A kind whose answer has a form of its own is taken from this chance on, or where it is twice as
# likely as the next.
SURE, TWICE = 0.5, 2.0
_OF_ITS_OWN = frozenset({"all", "comparison", "where", "path", "next", "now"})
MOST_CHARS = 400  # of a question; what follows is something pasted
_ANSWERED_AS: Mapping[Kind, AnswerKind] = {"why": "fact", "all": "list", "now": "next"}

_TOKEN = re.compile(rf"[{EAST_ASIAN}]|[^\W_{EAST_ASIAN}]+|[^\w\s]")
_ACRONYM = re.compile(r"\b[A-Z]{2,}s?\b")  # "GANs"; also SQL's WHERE, which asks for no place
NAME = "xname"  # what stands for one among the terms
_DIGIT = re.compile(r"\d")
_LONGEST_RUN = 3  # words
_LETTERS = (3, 4, 5)
_BETWEEN_GOALS = re.compile(r"[\s,&]*(?:(?:and|or|then|as well as|the|an?)\b[\s,&]*)*", re.I)
# "Show me the code for X": notes hold X, and seldom the word "code".
_FORM = re.compile(
    r"^\s*(?:(?:please |can you |could you )*(?:show|give)(?: me)? )?(?:the |an? |some |its )?"
    r"(?:code(?: snippet)?|snippet|example|formula|equation|lecture, video or notebook) (?:for|of"
    r"|about|on)\s+",
    re.I,
)
_SHARED_WORD = re.compile(
    r"([\w'-]+)(\s+(?:and|or|vs\.?|versus|from|to|with)\s+(?:an?\s+|the\s+)?)([\w'-]+)\s+([\w'-]+)"
)


@dataclass(frozen=True, slots=True)
class Kinds:
    """The classifier; `weights` has a row for each term and a column for each kind."""

    kinds: tuple[Kind, ...]
    terms: Mapping[str, int]  # the row of each known term
    weights: npt.NDArray[np.float64]  # (terms, kinds)
    bias: npt.NDArray[np.float64]  # (kinds,)

    def chances(self, question: str) -> dict[Kind, float]:
        """The probability of each kind, the likeliest first."""
        rows, values = columns(question, self.terms)
        odds = self.bias + (values @ self.weights[rows] if rows else 0.0)
        odds = np.exp(odds - odds.max())
        odds /= odds.sum()
        order = np.argsort(-odds, kind="stable")
        return {self.kinds[i]: float(odds[i]) for i in order}


def columns(question: str, known: Mapping[str, int]) -> tuple[list[int], npt.NDArray[np.float64]]:
    """The rows of a question's known terms, and what each counts.

    Runs of words and runs of letters have the length 1 each, whatever their number.
    """
    rows: list[int] = []
    values: list[float] = []
    for own_terms in terms(question):
        own = sorted(known[term] for term in own_terms if term in known)
        rows += own
        values += [1 / math.sqrt(len(own))] * len(own)
    return rows, np.array(values)


def terms(question: str) -> tuple[set[str], set[str]]:
    """Runs of words, the question's begin and end among them, and runs of letters within words."""
    text = _DIGIT.sub("0", without_courtesy(question[:MOST_CHARS]))
    if not text.isupper():
        text = _ACRONYM.sub(NAME, text)
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


@cache
def learned() -> Kinds:
    """The classifier that comes with Gradus."""
    stored = json.loads(
        resources.files("app.answering.question").joinpath(MODEL).read_text(encoding="utf-8")
    )
    terms = stored["terms"]
    return Kinds(
        tuple(stored["kinds"]),
        {term: i for i, term in enumerate(terms)},
        np.array(list(terms.values()), dtype=np.float64) / 100,
        np.array(stored["bias"], dtype=np.float64),
    )


@lru_cache(maxsize=256)
def read_kind(question: str, linked: int) -> Kind | Literal["empty"]:
    """The kind of a question; `linked` is the number of concepts it names.

    >>> [read_kind(q, 1) for q in ("why is the loss high?", "all tricks on dropout")]
    ['why', 'all']
    """
    if not re.search(r"\w", question):
        return "empty"
    if linked and len(spoken_words(question)) <= BARE:
        return "definition"
    if wants_code(question):
        return "how"
    chances = learned().chances(question)
    # Nothing comes after what the notes do not have, and after a concept comes no "now".
    now, then = chances["now"], chances.pop("next")
    if linked:
        chances |= {"now": 0.0, "next": now + then}
    total = sum(chances.values())
    likely = sorted(chances, key=lambda kind: -chances[kind])
    for kind, next_best in pairwise(likely):
        clear = chances[kind] >= min(SURE * total, TWICE * chances[next_best])
        if clear or kind not in _OF_ITS_OWN:
            return kind
    return likely[-1]


def kind_of(question: str, linked: int) -> AnswerKind:
    """The form of answer that a question wants; `linked` is the number of concepts it names.

    >>> kind_of("What do I need to know before U-Net?", 1)
    'path'
    >>> [kind_of(q, 1) for q in ("what is dropout", "how do I free memory?", "Was ist Dropout?")]
    ['definition', 'how', 'definition']
    """
    kind = read_kind(question, linked)
    if kind == "empty":
        return kind
    return _ANSWERED_AS.get(kind, cast(AnswerKind, kind))


def goals_of(question: str, lexicon: Lexicon) -> tuple[int, ...]:
    """What a question for a path wants to reach: the last concept it names, with those listed right
    before it.
    """
    named = lexicon.find(question, strict_case=False)
    goals = named[-1:]
    for one in reversed(named[:-1]):
        if not _BETWEEN_GOALS.fullmatch(question[one.end : goals[0].start]):
            break
        goals.insert(0, one)
    return tuple(dict.fromkeys(f.concept for f in goals))


def searched(question: str) -> str:
    """What to search for: the question without the words that only say in which form the answer is
    wished.

    >>> searched("show me the code for mixup"), searched("the code")
    ('mixup', 'the code')
    >>> searched("lecture, video or notebook about U-Net")
    'U-Net'
    """
    return _FORM.sub("", question) or question


def wants_code(question: str) -> bool:
    """Whether a question asks to see code.

    >>> wants_code("show me the code for mixup"), wants_code("what is a gray code")
    (True, False)
    """
    form = _FORM.match(question)
    return form is not None and (
        "code" in form.group().lower() or "snippet" in form.group().lower()
    )


def spelled_out(question: str, lexicon: Lexicon) -> str:
    """The question with a shared last word said twice: "inner and left join" is "inner join and
    left join".

    Only where both are names of concepts.
    """

    def both(match: re.Match[str]) -> str:
        first, between, second, shared = match.groups()
        names = (key(f"{first} {shared}"), key(f"{second} {shared}"))
        known = all(n in lexicon.names for n in names) and key(first) not in lexicon.names
        return f"{first} {shared}{between}{second} {shared}" if known else match.group()

    return _SHARED_WORD.sub(both, question)
