"""Mend what was mistyped in a question: a word that the notes lack becomes the one word of their
names that it means.

A name written as one word is parted ("batchnorm" is "batch norm"), one slip of the keyboard is put
right. Words that the notes hold stay as they are, and so does whatever could be meant for two
words, or for none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from kg.linking import Lexicon, fold

__all__ = ["speller"]

SHORTEST = 6  # letters; a shorter word is too often one letter away from another
_WORD = re.compile(r"(?<![\w.`/\\$-])[^\W\d_]{4,}(?![\w`/\\$-])")
# Words that tell what sort of answer is asked for; see `app.answering.question.kinds`.
_FORMS = frozenset(
    {"which", "should", "difference", "different", "between", "explain", "compare", "prerequisite"}
)


def speller(lexicon: Lexicon, held: Callable[[str], int]) -> Callable[[str], str]:
    """A function that gives a question without its slips.

    Parameters
    ----------
    held : callable
        In how many passages a word stands.
    """

    @cache
    def spellings() -> dict[str, str]:
        """Each word of a name that is long enough, and each name written as one word, with what it
        means.
        """
        alone = {w: w for name in lexicon.names for w in name if len(w) >= SHORTEST - 1}
        return alone | {"".join(name): " ".join(name) for name in lexicon.names if len(name) > 1}

    def mend(match: re.Match[str]) -> str:
        typed = match.group()
        word = fold(typed)
        if (
            typed[1:] != typed[1:].lower()
            or word in _FORMS
            or (word,) in lexicon.names
            or held(typed)
        ):
            return typed
        if word in spellings():
            return spellings()[word]
        near = {form for form in _FORMS if _one_slip(word, form)}
        if len(word) >= SHORTEST:
            near |= {means for spelled, means in spellings().items() if _one_slip(word, spelled)}
        return near.pop() if len(near) == 1 else typed

    return lambda question: _WORD.sub(mend, question)


def _one_slip(word: str, other: str) -> bool:
    """Whether one letter is missing, added or wrong, or two are exchanged; never the first.

    >>> [_one_slip(w, "dropout") for w in ("dropuot", "dropot", "dropoutt", "dropaut", "dropout", "cropout", "drpuot")]
    [True, True, True, True, False, False, False]
    """
    if word[:1] != other[:1] or abs(len(word) - len(other)) > 1 or word == other:
        return False
    at = next(
        (i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b),
        min(len(word), len(other)),
    )
    one, two = word[at:], other[at:]
    exchanged = one[:2] == two[:2][::-1] and one[2:] == two[2:]
    return exchanged or one[1:] == two[1:] or one[1:] == two or one == two[1:]
