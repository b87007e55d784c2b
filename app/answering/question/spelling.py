"""Mend what was mistyped in a question: a word that the notes lack becomes the one word of their
names that it means, or the one word that the notes hold.

A name written as one word is parted ("batchnorm" is "batch norm", or "batch normalization" where
that is a name), one slip of the keyboard is put right. Words that the notes hold stay as they are,
and so does whatever could be meant for two words, or for none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

from ingest.names.labels import is_clipped
from kg.linking import Lexicon, fold, one_slip

__all__ = ["speller"]

BY_FAR = 3  # times as many passages
SHORTEST = 6  # letters; a shorter word is too often one letter away from another
_WORD = re.compile(r"(?<![\w.`/\\$-])[^\W\d_]{4,}(?![\w`/\\$-]|\.\w)")
# Words that tell what sort of answer is asked for; see `app.answering.question.kinds`.
_FORMS = frozenset(
    {"which", "should", "difference", "different", "between", "explain", "compare", "prerequisite"}
)


def speller(
    lexicon: Lexicon,
    held: Callable[[str], int],
    vocabulary: Callable[[], Mapping[str, int]],
    known: Callable[[str], bool],
) -> Callable[[str], str]:
    """A function that gives a question without its slips.

    Parameters
    ----------
    held : callable
        In how many passages a word stands.
    vocabulary : callable
        Gives the words that the notes hold, with in how many passages each stands.
    known : callable
        Whether a word is one of the language: what it is a slip of is left to the concepts' names.
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
        near = {form for form in _FORMS if one_slip(word, form)} or _cut_short(word, lexicon)
        if len(word) >= SHORTEST:
            near |= {means for spelled, means in spellings().items() if one_slip(word, spelled)}
        if not near and typed.islower() and not known(typed):
            near = _near(word, vocabulary())
        return near.pop() if len(near) == 1 else typed

    return lambda question: _WORD.sub(mend, question)


def _cut_short(word: str, lexicon: Lexicon) -> set[str]:
    """The names that a word of words cut short may be of."""
    alike = (name for name in lexicon.names if len(name) > 1 and name[0][0] == word[0])
    return {name for name in map(" ".join, alike) if is_clipped(word, name)}


def _near(word: str, vocabulary: Mapping[str, int]) -> set[str]:
    """The word of the notes that is meant by one with a slip: of several by far the commonest."""
    found = [
        (count, other)
        for other, count in vocabulary.items()
        if abs(len(other) - len(word)) <= 1
        and (len(word) >= SHORTEST or sorted(other) == sorted(word))
        and one_slip(word, other)
    ]
    found.sort(reverse=True)
    clear = len(found) == 1 or (len(found) > 1 and found[0][0] >= BY_FAR * found[1][0])
    return {found[0][1]} if clear else set()
