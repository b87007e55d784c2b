"""Take a text apart into clauses: what each speaks of, denies, counts and conditions.

Which clauses contradict each other is left to `app.answering.reading.contradictions`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from app.answering.reading.quantities import Quantity, quantities
from app.answering.reading.words import stem
from ingest.notes.plain_text import plain
from ingest.notes.sentences import sentences

__all__ = ["CLAUSE_CHARS", "Clause", "clauses_of", "content_of"]

CLAUSE_CHARS = 300
CONDITION_WORDS = 3  # content words after "when", "for", …

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[,;:()]")
_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMERAL = re.compile(r"\d[\d.,e−+-]*")
_FUNCTION_WORDS = (
    "a about all also am an and any are as at be been being but by can could did do does doing "
    "each either else even ever every for from get gets give gives go goes had has have having "
    "here how i in into is it its just kind let like made make makes many may me might most much "
    "must my need needs of on one ones onto or other our out over own per quite rather really same "
    "shall she should since so some such than that the their them then there these they this those "
    "through thus to too until upon us very via want was we well were what when where whether "
    "which while who whose why will with within would yet you your always usually typically "
    "normally generally often mostly definitely simply still use uses used using take takes taken "
    "set sets choose pick try best good fine value default rule rules thumb tip trick note notes "
    "statement statements recommend recommended work works ok okay around roughly nearly almost "
    "exactly bit little lot something thing things only become becomes keep keeps switch switched "
    "turn turned stay stays last lasts lasting enough suffice suffices sufficient anything "
    "everything two three four five six seven eight nine ten eleven twelve twenty hundred thousand "
    "million percent"
)
_CONDITION_WORDS = (
    "after among as at before during for if in inside on once under unless until using when "
    "whenever where while with"
)
_CONDITION = frozenset(_CONDITION_WORDS.split())
_FUNCTION = frozenset(_FUNCTION_WORDS.split()) | _CONDITION
_ARTICLES = frozenset({"a", "an", "the"})
_NEGATION_WORDS = (
    "not never no cannot avoid avoids avoided without seldom rarely hardly neither nor none "
    "nothing unnecessary needless useless forbidden don't doesn't didn't isn't aren't wasn't won't "
    "can't shouldn't mustn't needn't wouldn't couldn't"
)
_NEGATORS = frozenset(_NEGATION_WORDS.split())
# Words of negation that negate nothing of what is claimed.
_NO_NEGATION = re.compile(
    r"\bnot (?:only|just|necessarily|yet|always|every|all|so much)\b|\bwhether or not\b"
    r"|\bno matter\b|\bif not\b"
    r"|\bwhy not\b|\bno (?:more|less|fewer|later|sooner) than\b|\bno longer\b|\bno one\b"
    r"|\bor not\b",
    re.I,
)
_OPPOSITES = (
    "higher high larger large bigger big more greater great increase increases increased "
    "increasing raise raises raised raising rise rises rising grow grows growing wider longer "
    "deeper above up maximum enlarge|lower low smaller small less fewer decrease decreases "
    "decreased decreasing reduce reduces reduced reducing fall falls falling shrink shrinks "
    "shrinking narrower shorter shallower below down minimum lowers lowered drop drops",
    "faster fast quicker quick quickly speed speeds|slower slow slowly slows",
    "before earlier early beginning|after later late afterwards",
    "better improve improves improved help helps helpful helped benefit benefits useful"
    "|worse worsen worsens hurt hurts harm harms harmful damages damage degrade degrades",
    "start starts begin begins|end ends finish finishes",
    "on enable enabled enables|off disable disabled disables",
    "easier easy simpler simple|harder hard difficult",
    "cheap cheaper|expensive costly dear dearer",
    "stronger strong|weaker weak",
    "true correct right|false incorrect wrong",
    "allow allowed allows permit permitted possible|forbid forbids prevent prevents impossible",
    "safe|unsafe dangerous risky",
    "warm hot|cold cool",
    "wet moist|dry",
    "open opened|closed shut",
    "necessary required essential mandatory|optional superfluous",
    "add adds adding|remove removes removing",
    "sensitive|robust insensitive",
)
_SIDES = {
    word: (pair, side)
    for pair, sides in enumerate(_OPPOSITES)
    for side, spelled in zip((1, -1), sides.split("|"), strict=True)
    for word in spelled.split()
}
# "On" is the opposite of "off" only where no noun follows it.
_AFTER_ON = frozenset({",", ";", "in", "during", "at", "for", "while", "when", "and", "but"})
_HEDGED = re.compile(
    r"\b(?:at least|at most|up to|more than|less than|fewer than|below|above|over|under|e\.g"
    r"|for example|for instance"
    r"|such as|in this case|ex|sometimes|may|might|could|can be|try)\b",
    re.I,
)
_Sort = Literal["break", "negator", "opposite", "function", "content"]


@dataclass(frozen=True, slots=True)
class Clause:
    """What one clause speaks of; content words are stems."""

    content: frozenset[str]
    context: frozenset[str]  # content words that stand in a condition
    before: Mapping[str, str]  # content word or opposite -> the content word right after it
    # For each negation, the content words and opposites behind it.
    negated: tuple[frozenset[str], ...]
    opposites: tuple[str, ...]  # words that have an opposite, in order
    values: frozenset[Quantity]
    hedged: bool

    @property
    def sides(self) -> tuple[tuple[int, int], ...]:
        """Of each word that has an opposite, which pair it is of, and which of its two sides."""
        return tuple(_SIDES[word] for word in self.opposites)

    def beyond(self, other: Clause) -> frozenset[str]:
        """Its words of pairs of opposites that another clause has no word of."""
        pairs = {pair for pair, _ in other.sides}
        return frozenset(word for word in self.opposites if _SIDES[word][0] not in pairs)


@lru_cache(maxsize=4096)
def clauses_of(text: str) -> tuple[Clause, ...]:
    """The clauses of Markdown that claim something: no questions, none too long to tell."""
    parts = [p for s in sentences(plain(text)) for p in re.split(r";\s+|\s--?>\s|\s→\s", s)]
    return tuple(
        _clause(p) for p in parts if len(p) <= CLAUSE_CHARS and not p.rstrip().endswith("?")
    )


@lru_cache(maxsize=4096)
def content_of(heading: str) -> frozenset[str]:
    """The content words of a heading, as stems.

    Its numbers are among them, they tell "ResNet 18" from others.
    """
    words = (t.lower() for t in _WORD.findall(plain(heading)) if t[0].isalnum())
    return frozenset(
        stem(t) for t in words if t not in _FUNCTION and t not in _SIDES and t not in _NEGATORS
    )


def _clause(text: str) -> Clause:
    claimed = _NO_NEGATION.sub(" ", text)
    tokens = _tokens(claimed)
    return Clause(
        content=frozenset(word for word, sort in tokens if sort == "content"),
        context=_conditions(tokens),
        before=_neighbours(tokens),
        negated=_scopes(tokens),
        opposites=tuple(word for word, sort in tokens if sort == "opposite"),
        values=frozenset(
            q for q in quantities(claimed) if not (q.unit == "" and 1900 <= q.value < 2100)
        ),
        hedged=bool(_HEDGED.search(text)),
    )


def _tokens(text: str) -> list[tuple[str, _Sort]]:
    """Words and breaks in order, each with what it is for; content words as stems."""
    spelled = [t.lower().replace("’", "'") for t in _WORD.findall(text)]
    return [_token(word, following) for word, following in pairwise([*spelled, ","])]


def _token(word: str, following: str) -> tuple[str, _Sort]:
    if word in ",;:()":
        return word, "break"
    if word in _NEGATORS:
        return word, "negator"
    if word in _SIDES and (word != "on" or following in _AFTER_ON):
        return word, "opposite"
    if _YEAR.fullmatch(word):
        return word, "content"
    if word in _FUNCTION or _NUMERAL.fullmatch(word):
        return word, "function"
    return stem(word), "content"


def _conditions(tokens: Sequence[tuple[str, _Sort]]) -> frozenset[str]:
    """The first content words behind "when", "for" and the like.

    Behind "only when" stands what is claimed.
    """
    words: set[str] = set()
    left = 0
    for (earlier, _), (word, sort) in pairwise([("", "break"), *tokens]):
        if sort == "break":
            left = 0
        elif sort == "content" and left:
            words.add(word)
            left -= 1
        elif sort in ("opposite", "function") and word in _CONDITION and earlier != "only":
            left = CONDITION_WORDS
    return frozenset(words)


def _neighbours(tokens: Sequence[tuple[str, _Sort]]) -> dict[str, str]:
    """Which content word comes right after which word, articles apart."""
    spoken = [token for token in tokens if token[0] not in _ARTICLES]
    return {
        one: other
        for (one, sort), (other, following) in pairwise(spoken)
        if sort in ("content", "opposite") and following == "content"
    }


def _scopes(tokens: Sequence[tuple[str, _Sort]]) -> tuple[frozenset[str], ...]:
    """What stands behind each negation, up to the next one or a break."""
    scopes: list[set[str]] = []
    inside = False
    for word, sort in tokens:
        if sort == "negator":
            scopes.append(set())
        if sort in ("negator", "break"):
            inside = sort == "negator"
        elif inside and sort != "function":
            scopes[-1].add(word)
    return tuple(frozenset(scope) for scope in scopes)
