"""What a question asks for beside its kind: sorts of statement, all of a list, sorts of link."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Literal

from kg.linking import fold, key
from kg.types import AnswerKind, Concept

__all__ = [
    "LinkSort",
    "Sort",
    "is_bare",
    "lists_all",
    "marks_of",
    "sort_of_link",
    "sorts_of",
    "subject_of",
]

Sort = Literal[
    "reason", "number", "usual value", "condition", "origin", "sign", "verdict", "remedy",
    "formula", "code",
]  # fmt: skip
LinkSort = Literal["", "video", "notebook"]

_SORTS: dict[Sort, str] = {
    "reason": (r"\bwhy\b|\breasons?\b|\bwhat for\b"),
    "number": (
        r"\bhow (?:many|much|large|big|small|wide|long|deep|often|far|high|low|fast|old)\b"
        r"|\bdefaults?\b|\b(?:what|which)\b.*"
        r"\b(?:number|size|value|range|rate|percentage|share|should|shall|start|take|use)\b"
    ),
    "usual value": (
        r"\b(?:which|what|how (?:much|many|large|big|small|high|long))\b.*"
        r"\bshould\b.*\b(?:use|take|pick|be)\b"
        r"|\b(?:good|typical|usual|recommended|best)\b.*\b(?:value|size|rate|number)"
    ),
    "condition": (r"\bwhen\b|\bhow long\b|\bat which point\b"),
    "origin": (r"\bwho\b|\binvent(?:ed|or)\b|\bintroduced\b|\bproposed\b|\bwhich year\b"),
    "sign": (
        r"\bhow (?:(?:can|do|could|would|to|should|will) )?(?:(?:i|you|we|one) )?"
        r"(?:(?:can|could) )?(?:tell|know|see|notice|recogni[sz]e|spot|detect|find out)\b"
        r"|\bsigns?\b|\bsymptoms?\b"
    ),
    "verdict": (
        r"^(?:and |so |but |or )?(?:is|are|was|were|can|could|do|does|did|should|shall|must|may"
        r"|will|would|has|have|need|am)\b|\bshould i\b"
    ),
    "remedy": (
        r"\b(?:fight|prevent|avoid|reduce|cure|combat|fix|remedy|remedies|against|get rid of"
        r"|deal with|solve)\b"
    ),
    "formula": (r"\bformula\b|\bequation\b|\bderiv"),
    "code": (r"\bcode\b|\bsnippet\b|\bimplement\w*\b"),
}
_SORT_WORDS = {sort: re.compile(words, re.I) for sort, words in _SORTS.items()}
_ALL = re.compile(
    r"\b(?:all|every|each|list|name|enumerate|tips?|tricks?|rules of thumb|statements?)\b", re.I
)
# What a list is of, when the notes mark it so: "[TRICK] …", "Rule of thumb: …".
_MARKS = {"trick": "trick", "tip": "tip", "rule": "rule of thumb", "thumb": "rule of thumb"}
_VIDEO = re.compile(r"\bvideos?\b|\bfilms?\b|\bwatch\b|\blectures?\b|\blessons?\b", re.I)
_NOTEBOOK = re.compile(r"\bnotebooks?\b", re.I)
# Folded words that only say that an answer of a kind is wished.
_LIST = (
    "list name enumerate all every each give show exist kind type sort statement note say rule "
    "thumb "
    "tip trick way technique method option"
)
_WHERE = (
    "where find read reading learn explain explained described describe defined define note source "
    "link paper article lecture video notebook post blog url further written covered discussed "
    "watch"
)
_DEFINITION = (
    "what is are a an the define definition meaning mean of explain describe tell me about doe do "
    "please you can exactly"
)
_FORM_WORDS: Mapping[AnswerKind, frozenset[str]] = {
    "list": frozenset(_LIST.split()),
    "where": frozenset(_WHERE.split()),
    "definition": frozenset(_DEFINITION.split()),
}


def sorts_of(question: str) -> frozenset[Sort]:
    """Which sorts of statement would answer a question.

    >>> sorted(sorts_of("why is the loss so high?")), sorted(sorts_of("how many epochs?"))
    (['reason'], ['number'])
    """
    return frozenset(sort for sort, words in _SORT_WORDS.items() if words.search(question))


def lists_all(question: str) -> bool:
    """Whether every statement is asked for, not an enumeration that the notes may hold."""
    return bool(_ALL.search(question))


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
    return {word: w for word, w in words.items() if fold(word) not in _FORM_WORDS["list"]}


def is_bare(words: Collection[str], kind: AnswerKind, named: Collection[Concept]) -> bool:
    """Whether a question's words say no more than the names of concepts and its kind."""
    names = {w for concept in named for n in (concept.label, *concept.aliases) for w in key(n)}
    known = names | _FORM_WORDS.get(kind, frozenset())
    return all(fold(word) in known for word in words)
