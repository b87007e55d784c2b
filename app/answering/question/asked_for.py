"""What a question asks for beside its kind: marks of statements, sorts of link, the subject."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Literal

from app.answering.question.kinds import asks_for
from kg.linking import fold, key
from kg.types import AnswerKind, Concept

__all__ = [
    "LinkSort",
    "is_bare",
    "marks_of",
    "sort_of_link",
    "subject_of",
]

LinkSort = Literal["", "video", "notebook"]

# What a list is of, when the notes mark it so: "[TRICK] …", "Rule of thumb: …".
_MARKS = {"trick": "trick", "tip": "tip", "rule": "rule of thumb", "thumb": "rule of thumb"}
_VIDEO = re.compile(r"\bvideos?\b|\bfilms?\b|\bwatch\b|\blectures?\b|\blessons?\b", re.I)
_NOTEBOOK = re.compile(r"\bnotebooks?\b", re.I)
# Folded words that only say that a list is wished.
_LIST = (
    "list name enumerate all every each give show exist kind type sort statement note say rule "
    "thumb tip trick way technique method option"
)
_OF_A_LIST = frozenset(_LIST.split())


def marks_of(question: str) -> tuple[str, ...]:
    """What the statements that are asked for are called in the notes, such as "trick"."""
    return tuple(dict.fromkeys(_MARKS[word] for word in key(question) if word in _MARKS))


def sort_of_link(question: str) -> LinkSort:
    """Which links are asked for; "" when any will do."""
    video, notebook = bool(_VIDEO.search(question)), bool(_NOTEBOOK.search(question))
    if video == notebook:
        return ""
    return "video" if video else "notebook"


def subject_of(words: Mapping[str, float]) -> dict[str, float]:
    """Of a question's words those that say what a list is about."""
    return {word: w for word, w in words.items() if fold(word) not in _OF_A_LIST}


def is_bare(words: Collection[str], kind: AnswerKind, named: Collection[Concept]) -> bool:
    """Whether a question's words say no more than the names of concepts and its kind."""
    names = {w for concept in named for n in (concept.label, *concept.aliases) for w in key(n)}
    of_form = _OF_A_LIST if kind == "list" else frozenset[str]()
    return all(fold(w) in names or fold(w) in of_form or asks_for(w, kind) for w in words)
