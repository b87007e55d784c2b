"""From the words of a heading or a marked term to the names of a concept.

Knows nothing of notes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kg.linking import key, length_in_words

__all__ = [
    "BAR",
    "CLIPPED",
    "MAX_WORDS",
    "Names",
    "heading_names",
    "is_clipped",
    "is_initials",
    "merge_key",
    "named_by",
    "namings",
    "term_name",
]

CLIPPED = 3  # letters that a word keeps at least where it is cut short
MAX_WORDS = 16  # a longer heading is a sentence, not a name
MAX_CHARS = 500  # a longer one is not even looked at
KEPT = 65_536  # headings and names that are looked at again and again

_PART_NUMBER = re.compile(
    r"^\s*(?:(?:chapter|lesson|part|section|week|lecture|unit|day|step)\s+\d+(?:\.\d+)*[a-z]?"
    r"|\d+(?:\.\d+)+\.?(?=\s)|\d+[a-z]?(?=\s*[.):–—-]))\s*[.):–—-]*\s+",
    re.I,
)
_NUMBER = re.compile(r"^\s*\d+\s+")
_DAY = re.compile(r"^\s*(?:19|20)\d\d([-._/ ])[01]\d\1[0-3]\d(?!\d)[\s,.:;_–—-]*")
_STAMP = re.compile(r"\s*[\[(]\d{1,2}(?::\d{2}){1,2}[\])]\s*$")  # a place in a video
BAR = re.compile(r"\s+\|\s+")  # stands between two names of one thing
_SPLIT = re.compile(r"\s+\|\s+|\s+/\s+")
_ASIDE = re.compile(r"\s+[-–—]+\s+|:\s+")
_PARENTHESIS = re.compile(r"^(?P<outer>.+?)\s*\((?P<inner>[^()]+)\)\s*$")
# Categories of pictographs and what joins or tints them.
_ORNAMENT = frozenset({"So", "Sk", "Cs", "Cf", "Mn"})
_ASKED = re.compile(r"^(?:q|question|frage)\s*\d*\s*[:.)]\s+", re.I)
_QUESTION = re.compile(
    r"^(?:what(?:'s| is| are)|whats)\s+(?:an?\s+|the\s+)?(?P<name>.+?)\s*\??$", re.I
)
_TRAILING = re.compile(
    r"\s+(?:foundations?|basics?|overview|introduction|tutorial|explained|from scratch)$", re.I
)
_LEADING = re.compile(
    r"^(?:an?|the|introduction to|intro to|understanding|about|more on|using)\s+", re.I
)
_QUALIFIED = re.compile(r"^(?P<name>[^|]+?)\s+(?:in|for)\s+\S.*$", re.I)
_SMALL = frozenset({"of", "and", "the", "for", "in", "to", "a"})  # left out of initials
_SPELLING = (
    (re.compile(r"is(e|es|ed|ing|ation|er|ers)$"), r"iz\1"),
    (re.compile(r"iz(?:ation|ing|e|ed)$"), "iz"),
)


@dataclass(frozen=True, slots=True)
class Names:
    """The names a heading gives.

    `label` and `aliases` are sure; `weak` ones hold only where nothing else owns them.
    """

    label: str
    aliases: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()


def heading_names(heading: str) -> Names | None:
    """What a heading would be called as a concept, None when it holds no name at all.

    Whether it is one is left to `ingest.concepts.termhood`.

    >>> heading_names("PCA - Principal Components Analysis")
    Names(label='Principal Components Analysis', aliases=('PCA',), weak=())
    >>> heading_names("Momentum - Keep track of EWMA of step").label
    'Momentum'
    >>> [heading_names(h).label for h in ("🎲 Random Variable", "Q: What is a detached HEAD?")]
    ['Random Variable', 'detached HEAD']
    >>> heading_names("2024") is None
    True
    >>> heading_names("2024-03-05 Learning rate finder").label
    'Learning rate finder'
    """
    if len(heading) > MAX_CHARS:
        return None
    text = _unadorned(heading)
    parts = [p.strip() for p in _SPLIT.split(text) if p.strip()]
    named = [n for n in (_part_names(p) for p in parts) if n is not None]
    if not named:
        return None
    # A later part of a single word is seldom the concept itself ("Batching | Text Data"): it stays
    # weak unless it is spelled like a name of the first.
    first, later = named[0], named[1:]
    aliases = [*first.aliases]
    weak = [*first.weak]
    for other in later:
        (aliases if _same(other.label, first.label) else weak).append(other.label)
        weak.extend([*other.aliases, *other.weak])
    return Names(first.label, _unique(aliases, first.label), _unique(weak, first.label, *aliases))


@lru_cache(KEPT)
def namings(text: str) -> tuple[Names, ...]:
    """All that a text might be called as a concept, what `heading_names` says first.

    Its parts around dashes, colons and brackets, and the whole; a number before it may be one of a
    list or belong to the name.

    >>> [n.label for n in namings("Old school: Cookies")]
    ['Old school: Cookies', 'Old school', 'Cookies']
    >>> [n.label for n in namings("2 x 2 pooling")]
    ['2 x 2 pooling', 'x 2 pooling']
    """
    if len(text) > MAX_CHARS:
        return ()
    clean = BAR.split(_unadorned(text))[0]
    parts = [clean, *_ASIDE.split(clean, maxsplit=1)]
    bracket = _PARENTHESIS.match(clean)
    if bracket is not None and not _same(bracket["outer"], bracket["inner"]):
        parts += [bracket["outer"], bracket["inner"]]
    parts += [_NUMBER.sub("", part) for part in parts]
    found = [heading_names(text), *(_part_names(part) for part in parts if part.strip())]
    sure = [names for names in found if names is not None]
    sure += [
        Names(shorter) for names in sure for shorter in names.aliases if shorter in names.label
    ]
    by_key = {key(names.label): names for names in reversed(sure)}
    ordered = dict.fromkeys(key(names.label) for names in sure)
    return tuple(by_key[k] for k in ordered)


def named_by(heading: str, named: Mapping[str, int]) -> int | None:
    """The concept of those in `named`, by `merge_key`, that a heading names, None when none."""
    keys = (merge_key(names.label) for names in namings(heading))
    return next((named[k] for k in keys if k in named), None)


def _unadorned(heading: str) -> str:
    """A heading without its number, and without what else adorns its words on either side."""
    text = heading.strip()
    while text and (text[0].isspace() or unicodedata.category(text[0]) in _ORNAMENT):
        text = text[1:]
    while text and (text[-1].isspace() or unicodedata.category(text[-1]) in _ORNAMENT - {"Mn"}):
        text = text[:-1]
    for adornment in (_DAY, _STAMP, _PART_NUMBER, _ASKED):
        text = adornment.sub("", text) or text
    return text or heading.strip()


def _part_names(part: str) -> Names | None:
    """Names of one part of a heading."""
    question = _QUESTION.match(part)
    label, aliases, weak = _names_of_sides(question["name"] if question else part)
    inside = _PARENTHESIS.match(label)
    if inside and is_initials(inside["inner"], inside["outer"]):
        label = inside["outer"]
        aliases.append(inside["inner"])
    elif inside and is_initials(inside["outer"], inside["inner"]):
        label = inside["inner"]
        aliases.append(inside["outer"])
    elif inside:
        # "principal component analysis (proof)" is narrower than the name before it.
        weak.extend((inside["outer"], inside["inner"]))
    label = _without_leading(label).strip(" .,;:!*_`\"'“”") or label
    if not _names_something(label):
        return None
    shorter = _TRAILING.sub("", label)
    if shorter != label and _names_something(shorter):
        aliases.append(shorter)
    weak.extend(_names_within(label))
    sure_enough = [name for name in weak if _names_something(name)]
    return Names(label, _unique(aliases, label), _unique(sure_enough, label))


def _names_of_sides(part: str) -> tuple[str, list[str], list[str]]:
    """Label, aliases and weak names of what stands on both sides of a dash or colon."""
    sides = [s.strip() for s in _ASIDE.split(part, maxsplit=1) if s.strip()]
    if len(sides) < 2:
        return sides[0] if sides else part, [], []
    first, second = sides
    if is_initials(first, second):
        label, aliases = second, [first]
    else:
        label, aliases = first, [second] if is_initials(second, first) else []
    if ": " not in part:
        return label, aliases, []
    # "maximum likelihood: Gaussians" is narrower than "maximum likelihood", no other word for it.
    return second if is_initials(first, second) else part, aliases, [first]


def _names_within(label: str) -> list[str]:
    """Names that a longer one holds: "A in B" that of A, "A and B" both."""
    names = []
    qualified = _QUALIFIED.match(label)
    if qualified and len(key(qualified["name"])) <= 3 and _names_something(qualified["name"]):
        names.append(qualified["name"])
    if " and " in label and len(key(label)) == 3:
        names.extend(label.split(" and "))
    return names


def _without_leading(label: str) -> str:
    """A label without what stands before the name, as in "Using the Learner"."""
    shorter = _LEADING.sub("", label)
    return label if shorter == label else _without_leading(shorter)


def term_name(term: str) -> str | None:
    """The name of a term that a glossary explains, None when it holds none."""
    if len(term) > MAX_CHARS:
        return None
    name = _without_leading(term.strip()).strip(" .,;:!?*_\"'“”")
    return name if _names_something(name) else None


def is_initials(short: str, long: str) -> bool:
    """Whether `short` is made of the beginnings of the words of `long`, in capitals.

    >>> is_initials("RNN", "Recurrent Neural Network"), is_initials("data", "Data Notes")
    (True, False)
    >>> is_initials("ResNets", "Residual networks")
    True
    >>> is_initials("SGD", "Stochastic gradient descent with restarts")
    False
    """
    letters = re.sub(r"[^A-Za-z0-9]", "", short)
    if not 2 <= len(letters) <= 8 or sum(c.isupper() for c in letters) < 2 or " " in short.strip():
        return False
    parts = [part.casefold() for part in re.findall(r"[A-Za-z0-9]+", long)]
    spoken = [part for part in parts if part not in _SMALL]
    wanted = letters.casefold()
    wanted = wanted if any(p.startswith("s") for p in parts[-1:]) else wanted.removesuffix("s")
    return any(len(p) > 1 and _begins(wanted, p) for p in (parts, spoken))


def is_clipped(short: str, long: str) -> bool:
    """Whether `short` is one word made of the beginnings of all words of `long`, none very short.

    >>> is_clipped("batchnorm", "Batch Normalization"), is_clipped("RegExp", "regular expressions")
    (True, True)
    >>> is_clipped("normalization", "Norm Alignment"), is_clipped("batch", "Batch Normalization")
    (False, False)
    """
    letters, parts = key(short), key(long)
    return len(letters) == 1 < len(parts) and _begins(letters[0], parts, CLIPPED)


def _same(one: str, other: str) -> bool:
    return is_initials(one, other) or is_initials(other, one)


def _begins(letters: str, parts: Sequence[str], least: int = 1) -> bool:
    """Whether letters are the beginnings of all parts, of so many letters, in their order."""
    if not parts:
        return not letters
    return any(
        parts[0].startswith(letters[:n]) and _begins(letters[n:], parts[1:], least)
        for n in range(least, len(letters) - least * (len(parts) - 1) + 1)
    )


@lru_cache(KEPT)
def merge_key(label: str) -> str:
    """What two spellings of one name share.

    Plural, case, hyphens, spaces and -ise/-ize/-ing/-ation are put aside.

    >>> len({merge_key(n) for n in ("Tokenising", "tokenization", "Tokenizing")})
    1
    >>> merge_key("mini-batches") == merge_key("Minibatch")
    True
    >>> merge_key("optimizer") == merge_key("optimization")
    False
    """
    folded = []
    for word in key(label):
        if len(word) > 6:
            for pattern, replacement in _SPELLING:
                word = pattern.sub(replacement, word)
        folded.append(word)
    return "".join(folded)


def _names_something(label: str) -> bool:
    """Whether a text can be a name at all: words, not too many of them, and no address."""
    return (
        bool(key(label))
        and length_in_words(label) <= MAX_WORDS
        and len(label) >= 2
        and any(c.isalpha() for c in label)
        and not label.startswith(("http://", "https://", "www."))
    )


def _unique(names: list[str], *taken: str) -> tuple[str, ...]:
    seen = {key(t) for t in taken}
    out = []
    for name in names:
        if key(name) and key(name) not in seen:
            seen.add(key(name))
            out.append(name)
    return tuple(out)
