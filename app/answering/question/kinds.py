"""What kind of question is asked, by a classifier learned from written questions.

The coefficients are `kinds.json`, written by `benchmarks/answers/train_kinds.py` from questions in
English, German, Spanish, French and Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from itertools import pairwise
from typing import Literal, cast

from app.answering.question.sides import without_courtesy
from kg.classifier import MOST_CHARS, Classifier, terms
from kg.linking import Lexicon, key
from kg.linking import words as spoken_words
from kg.types import AnswerKind

__all__ = [
    "MODEL",
    "ROOM",
    "Kind",
    "asks_for",
    "goals_of",
    "kind_of",
    "read_kind",
    "searched",
    "spelled_out",
    "wants_code",
    "wording",
]

# What a question may want; "all" gathers every statement, "now" asks what can be learned at all.
Kind = Literal[
    "definition", "fact", "how", "why", "list", "all", "yesno", "comparison", "where", "path",
    "next", "now",
]  # fmt: skip
ROOM = "app.answering.question"  # the package with the coefficients
MODEL = "kinds.json"
BARE = 2  # words, a concept's name among them, that ask for nothing but it
# A kind whose answer has a form of its own is taken from this chance on, or where it is twice as
# likely as the next.
SURE, TWICE = 0.5, 2.0
ASKS = 0.5  # weight from which a word asks for a kind by itself
_OF_ITS_OWN = frozenset({"all", "comparison", "where", "path", "next", "now"})
_ANSWERED_AS: Mapping[Kind, AnswerKind] = {"why": "fact", "all": "list", "now": "next"}

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


@cache
def learned() -> Classifier:
    """The classifier that comes with Gradus."""
    return Classifier.stored(ROOM, MODEL)


def wording(question: str) -> tuple[set[str], set[str]]:
    """The terms of a question, without what only opens it."""
    return terms(without_courtesy(question[:MOST_CHARS]))


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
    chances = cast(dict[Kind, float], learned().chances(wording(question)))
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


def asks_for(word: str, kind: AnswerKind) -> bool:
    """Whether a word by itself asks for a kind of answer, in any language that was learned.

    >>> [asks_for(word, "definition") for word in ("meaning", "bedeutet", "price")]
    [True, True, False]
    """
    row = learned().terms.get(word.casefold())
    if row is None or kind not in learned().classes:
        return False
    return bool(learned().weights[row, learned().classes.index(kind)] >= ASKS)


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
