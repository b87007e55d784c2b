"""From the words of a heading or a marked term to the names of a concept.

Knows nothing of notes.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ingest.notes.structure_words import LINKS, NEEDS_ALONE, SEE_ALSO
from kg.linking import key, length_in_words

__all__ = [
    "MAX_WORDS",
    "Names",
    "heading_names",
    "is_generic",
    "is_initials",
    "merge_key",
    "term_name",
]

MAX_WORDS = 6  # a longer heading is a sentence, not a name

# Headings that structure a note and name no concept, beside those of `structure_words`.
_GENERIC_LABELS = (
    "about|abstract|acknowledgements|advantages|answers|appendix|applications|background|"
    "benefits|changelog|code|conclusion|conclusions|content|context|definition|definitions|"
    "description|details|discussion|disadvantages|draft|example|examples|exercise|exercises|"
    "extras|faq|final words|further research|getting started|goal|goals|home|idea|ideas|"
    "implementation|intro|introduction|key points|learning goals|learn more|misc|"
    "miscellaneous|more|motivation|note|notes|objectives|other|outline|output|outputs|"
    "overview|papers|part|preface|problem|problems|pros|cons|pros and cons|question|"
    "questions|questionnaire|quick links|readme|recap|related work|reading|resources|result|"
    "results|setup|solution|solutions|sources|statement|statements|step|steps|summary|"
    "table of contents|takeaways|task|tasks|test|theory|tips|tips and tricks|title|toc|"
    "tricks|tutorial|tutorials|untitled|usage|use cases|video|videos|warning|wrap up|"
    "assumptions|limitations|conventions|notation|history|achtung|hinweis|wichtig|merke|"
    "beispiel|beispiele|einleitung|einführung|übersicht|zusammenfassung|fazit|quellen|"
    "aufgaben|übungen|inhalt|literatur|attention|remarque|exemple|exemples|résumé|exercices|"
    "sommaire|atención|nota|notas|ejemplo|ejemplos|introducción|resumen|ejercicios|"
    "conclusión|tip|trick|important|remember|caution|hint|rule of thumb|jargon|data|input|a|"
    "b|c|i|it|this|that|these|those|yes|no|not|all|any|first|second|third|true|false|none|"
    "key|only|same|never|always"
)
_GENERIC = frozenset(key(label) for label in _GENERIC_LABELS.split("|"))
_STRUCTURE = re.compile(rf"\W*(?:{NEEDS_ALONE}|{SEE_ALSO}|{LINKS})\W*", re.I)
_NUMBERING = re.compile(
    r"^\s*(?:(?:chapter|lesson|part|section|week|lecture|unit|day"
    r"|step)\s+)?\d+(?:\.\d+)*[a-z]?\s*[.):–—-]*\s+",
    re.I,
)
_SPLIT = re.compile(r"\s+\|\s+|\s+/\s+")
_ASIDE = re.compile(r"\s+[-–—]+\s+|:\s+")
_PARENTHESIS = re.compile(r"^(?P<outer>.+?)\s*\((?P<inner>[^()]+)\)\s*$")
# Categories of pictographs and what joins or tints them.
_ORNAMENT = frozenset({"So", "Sk", "Cs", "Cf", "Mn"})
_ASKED = re.compile(r"^(?:q|question|frage)\s*\d*\s*[:.)]\s+", re.I)
_SHOUTED = re.compile(r"\b[A-Z]{2,}\b")  # a keyword, "IS NULL", where the rest is not in capitals
_QUESTION = re.compile(
    r"^(?:what(?:'s| is| are)|whats)\s+(?:an?\s+|the\s+)?(?P<name>.+?)\s*\??$", re.I
)
_SENTENCE = re.compile(
    r"\b(?:is|are|was|were|has|have|does|do|did|can|should|will|would|must|let's|i|you|we|my|your"
    r"|our|us)\b|\?|!|\.\.\.",
    re.I,
)
_ASKING = re.compile(r"^(?:how|why|when|where|which|who|what|whether|if)\b", re.I)
_TRAILING = re.compile(
    r"\s+(?:foundations?|basics?|overview|introduction|tutorial|explained|from scratch)$", re.I
)
_LEADING = re.compile(
    r"^(?:an?|the|introduction to|intro to|understanding|about|more on|using)\s+", re.I
)
_QUALIFIED = re.compile(r"^(?P<name>[^|]+?)\s+(?:in|for)\s+\S.*$", re.I)
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
    """The concept a heading names, or None when it is a sentence or names a part of the note.

    >>> heading_names("PCA - Principal Components Analysis")
    Names(label='Principal Components Analysis', aliases=('PCA',), weak=())
    >>> heading_names("Momentum - Keep track of EWMA of step").label
    'Momentum'
    >>> heading_names("Deep Learning Is for Everyone") is None
    True
    >>> [heading_names(h).label for h in ("🎲 Random Variable", "Q: What is a detached HEAD?")]
    ['Random Variable', 'detached HEAD']
    """
    text = _unadorned(heading)
    text = _ASKED.sub("", _NUMBERING.sub("", text)) or text
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
        initials = is_initials(other.label, first.label) or is_initials(first.label, other.label)
        (aliases if initials else weak).append(other.label)
        weak.extend([*other.aliases, *other.weak])
    return Names(first.label, _unique(aliases, first.label), _unique(weak, first.label, *aliases))


def _unadorned(heading: str) -> str:
    """A heading without the pictographs before and after its words."""
    text = heading.strip()
    while text and (text[0].isspace() or unicodedata.category(text[0]) in _ORNAMENT):
        text = text[1:]
    while text and (text[-1].isspace() or unicodedata.category(text[-1]) in _ORNAMENT - {"Mn"}):
        text = text[:-1]
    return text or heading.strip()


def _part_names(part: str) -> Names | None:
    """Names of one part of a heading."""
    question = _QUESTION.match(part)
    label, aliases, weak = _names_of_sides(question["name"] if question else part)
    inside = _PARENTHESIS.match(label)
    if inside and is_initials(inside["inner"], inside["outer"]):
        label = inside["outer"]
        aliases.append(inside["inner"])
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
    if ": " not in part or length_in_words(part) > MAX_WORDS or is_generic(second):
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
    """The name of a marked term in running text, or None when it cannot be one."""
    name = _without_leading(term.strip()).strip(" .,;:!?*_\"'“”")
    return (
        name
        if name and _names_something(name) and len(key(name)) <= 4 and len(name) <= 60
        else None
    )


def is_initials(short: str, long: str) -> bool:
    """Whether `short` is the acronym of `long`.

    >>> is_initials("RNN", "Recurrent Neural Network"), is_initials("data", "Data Notes")
    (True, False)
    >>> is_initials("SGD", "Stochastic gradient descent with restarts")
    False
    """
    letters = re.sub(r"[^A-Za-z0-9]", "", short)
    if not 2 <= len(letters) <= 8 or sum(c.isupper() for c in letters) < 2 or " " in short.strip():
        return False
    parts = re.findall(r"[A-Za-z0-9]+", long)
    if len(parts) < 2:
        return False
    initials = "".join(p[0] for p in parts).casefold()
    spoken = "".join(
        p[0] for p in parts if p.lower() not in {"of", "and", "the", "for", "in", "to", "a"}
    ).casefold()
    return letters.casefold().removesuffix("s") in {
        initials.removesuffix("s"),
        spoken.removesuffix("s"),
    }


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


def is_generic(label: str) -> bool:
    """Whether a heading structures a note and names no concept: "Goals", "See also"."""
    return key(label) in _GENERIC or _STRUCTURE.fullmatch(label) is not None


def _names_something(label: str) -> bool:
    """Whether a text can be a concept's name: short, no sentence, no generic word."""
    k = key(label)
    if not k or length_in_words(label) > MAX_WORDS or len(label) < 2 or is_generic(label):
        return False
    if not any(c.isalpha() for c in label) or label.startswith(("http://", "https://", "www.")):
        return False
    spoken = label if label.isupper() else _SHOUTED.sub("KEYWORD", label)
    return not (_SENTENCE.search(spoken) or _ASKING.match(spoken))


def _unique(names: list[str], *taken: str) -> tuple[str, ...]:
    seen = {key(t) for t in taken}
    out = []
    for name in names:
        if key(name) and key(name) not in seen:
            seen.add(key(name))
            out.append(name)
    return tuple(out)
