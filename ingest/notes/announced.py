"""Whether words announce what comes first: "Needs: …", a heading "Voraussetzungen", "Builds on …".

Told by a classifier learned from lines in five languages that announce it, announce what comes
after, or look alike and say neither (`announced.json`, written by
`benchmarks/prerequisites/train_announced.py`).
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Literal

from ingest.notes.parsed import ParsedNote
from kg.classifier import Classifier, terms
from kg.linking import STOP_WORDS

__all__ = [
    "AFTER_COLON", "MODEL", "ROOM", "SURE", "SURER", "Form", "announces_needs", "announcing",
    "before_name", "groups", "names_needs", "opens_with_needs",
]  # fmt: skip

# What the words are: a heading, a field's name, what stands before a colon or before a name.
Form = Literal["heading", "field", "colon", "opening"]
ROOM, MODEL = "ingest.notes", "announced.json"
MANY = 8  # words from which on a text is long
LONGEST = 60  # characters
# Of written lines .95 of those beyond it announce what comes first, of 9,300 lines of notes that
# nothing was learned from four are beyond it (benchmarks/README.md).
SURE = 0.85
# The same where a sentence goes on after the names: "Know the loss that …" is a goal.
SURER = 0.95
_MARKS = r"[ \t>*+-]*(?:\d+[.)]\s)?[*_]{0,2}"  # what a line's words stand after
# A line that something stands after a colon in, its marks aside.
AFTER_COLON = re.compile(
    rf"^{_MARKS}"
    r"(?P<words>[^\s:：*_>+-][^:：\n]{0,60}?)[*_]{0,2}"
    r"[ \t]*[:：][*_]{0,2}[ \t]*(?P<rest>.+)$",
    re.M,
)
_CUT = re.compile(r"[.:;!?](?!\w)")  # what ends a sentence or a clause
_BLANK = re.compile(r"[\s_-]+")


def groups(words: str, form: Form) -> tuple[set[str], set[str], set[str]]:
    """The terms that tell what words announce: their wording, what they are, how many they are."""
    spoken = _BLANK.sub(" ", words).strip()
    return (*terms(spoken), {f"#form {form}", f"#words {min(len(spoken.split()), MANY)}"})


def before_name(line: str, name: int) -> str:
    """What a line says up to the place of a name, its marks aside; "" where a sentence or a clause
    ends before it.

    >>> before_name("- Builds on [[Loss]]", 14)
    'Builds on'
    """
    marks = re.match(_MARKS, line)
    words = line[marks.end() if marks else 0 : name]
    return "" if _CUT.search(words) else words.strip(" *_[")


@lru_cache(maxsize=100_000)
def announces_needs(words: str, form: Form, sure: float = SURE) -> bool:
    """Whether what is named after these words comes before what a note is about.

    >>> announces_needs("Prerequisites", "heading"), announces_needs("See also", "heading")
    (True, False)
    >>> announces_needs("Setzt voraus", "colon")
    True
    """
    if len(words) > LONGEST or not re.search(r"\w", words):
        return False
    if _learned().chances(groups(words, form))["needs"] > sure:
        return True
    # "Builds on the convexity of norms": the name's article is no part of it.
    before, _, last = words.rpartition(" ")
    return form == "opening" and last in STOP_WORDS and announces_needs(before, form, sure)


def opens_with_needs(text: str) -> bool:
    """Whether a line or sentence opens with words that announce what comes first.

    >>> opens_with_needs("- Needs: the chain rule"), opens_with_needs("Needles are sharp.")
    (True, False)
    >>> opens_with_needs("You should already know the chain rule.")
    True
    """
    if names_needs(text):
        return True
    words = text.split()[:MANY]
    return any(announces_needs(" ".join(words[:n]), "opening") for n in range(1, len(words)))


def names_needs(line: str) -> bool:
    """Whether a line names what comes first after a colon: "Needs: the chain rule"."""
    found = AFTER_COLON.match(line)
    return found is not None and announces_needs(found["words"], "colon")


def announcing(parsed: ParsedNote) -> set[tuple[str, ...]]:
    """The paths of the headings, a note's own aside, below which it names what comes first."""
    return {
        heading.path
        for heading in parsed.headings
        if heading.level > 1 and announces_needs(heading.text, "heading")
    }


@cache
def _learned() -> Classifier:
    return Classifier.stored(ROOM, MODEL)
