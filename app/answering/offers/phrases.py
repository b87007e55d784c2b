"""How words that a parameter or a value is spoken of by are looked for, as patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

__all__ = ["alternatives", "phrase", "spaced", "the_only"]

# What may stand within a phrase that a number stands in.
_FILL = (
    r"(?:[\s,:=(_-]|\b(?:of|the|an?|on|for|with|in|over|only|just|my|it|its|more|further|last|first"
    r"|about|each)\b)*?"
)


def spaced(name: str) -> str:
    """A parameter's name as people write it."""
    return name.replace("_", " ")


@cache
def phrase(words: str) -> str:
    """A pattern for words, however they are joined, also in the plural; "#" is a number, "~"
    another.
    """
    if "#" in words:
        marks = {"#": r"(?P<n>[#§])", "~": "#"}
        pieces = re.findall(r"[#~]|[^\s#~]+", words)
        return _FILL.join(marks.get(piece) or phrase(piece) for piece in pieces)
    escaped = re.escape(words).replace("_", r"[\s_]?")
    joined = re.sub(r"(?:\\[ -])+", lambda _: r"[\s_.-]{0,2}", escaped)
    plural = r"s?(?![^\W_])" if words[-1:].isalnum() else ""
    return rf"(?<![^\W_]){joined}{plural}"


@cache
def alternatives(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Any of these patterns; the group "p3" tells that it was the one of number 3."""
    return re.compile("|".join(f"(?P<p{n}>{p})" for n, p in enumerate(phrases)) or r"(?!)", re.I)


def the_only(found: Iterable[str]) -> str | None:
    """What was found, where it is one thing."""
    different = set(found)
    return different.pop() if len(different) == 1 else None
