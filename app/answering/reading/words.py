"""The words of a text, as far as texts are compared by them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from ingest.notes.plain_text import plain
from kg.linking import fold, key, terms

__all__ = ["folded", "repeats", "spoken", "stem", "stems"]

SAME_WORDS = 0.8  # share of their words that two texts have in common when they say the same
_SUFFIX = re.compile(
    r"(?:i[sz]ations?|i[sz]ing|i[sz]ed|i[sz]e|ations?|ing|edly|ed|ers?|est|ly|ments?|ness|ies|es|e"
    r"|(?<![aeiou])y|s)$"
)


def stem(word: str) -> str:
    """A folded word without its ending, so that "normalise" meets "normalisation".

    >>> [stem(w) for w in ("normalise", "Normalisation", "shuffled", "fitting", "use", "decays")]
    ['normal', 'normal', 'shuffl', 'fit', 'use', 'decay']
    """
    folded = fold(word)
    short = _SUFFIX.sub("", folded) if len(folded) >= 5 else folded
    if short != folded and len(short) > 3 and short[-1] == short[-2] and short[-1] not in "aeiousl":
        short = short[:-1]
    return short if len(short) >= 3 else folded


@lru_cache(maxsize=4096)
def stems(text: str) -> frozenset[str]:
    """The words of a piece of Markdown without their endings."""
    return frozenset(stem(w) for w in key(plain(text)))


@lru_cache(maxsize=4096)
def folded(text: str) -> frozenset[str]:
    """The folded words of a text as it stands, marks and addresses taken for words, too.

    >>> sorted(folded("The *learning  rates*"))
    ['learning', 'rate', 'the']
    """
    return frozenset(fold(term) for term, _, _ in terms(text))


def spoken(text: str) -> str:
    """A piece of Markdown as its folded words alone, in order.

    >>> spoken("The *learning  rate*, too.")
    'the learning rate too'
    """
    return " ".join(key(plain(text)))


def repeats(words: frozenset[str], others: Iterable[frozenset[str]]) -> bool:
    """Whether the words of a text are nearly those of another one that was told."""
    return any(len(words & other) > SAME_WORDS * max(1, len(words | other)) for other in others)
