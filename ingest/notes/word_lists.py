"""The words with which notes structure themselves: "See also", "Further reading".

This is their only table: a word that is added here is known to all that read notes. Each name holds
alternatives of a regular expression, to be matched without case.
"""

from __future__ import annotations

import re

__all__ = [
    "LINKS",
    "MARKS",
    "PART",
    "SEE_ALSO",
    "links_only",
]

# What else there is: it opens a line with a colon, "See also: [[Loss]]", or is a heading.
SEE_ALSO = r"see also|related(?: notes?)?|read (?:more|on|next)|further reading"
# The same for what may also be a word that the notes define ("Index: a number …").
LINKS = r"index|contents|links?|references?|to-?do|what next|next(?: steps)?"
# A part of a course, by its number: "after lesson 3".
PART = r"lesson|chapter|part|note|lecture|week"
# What stands before such words on their line: marks of quotes, lists and emphasis.
MARKS = r"[\s>*_+-]*"

_INSIDE = r"(?:[^\[\]!]|!(?!\[)|!\[[^\[\]]*+\]\([^()]*+\))*+"  # a link's words and pictures
_TAGS = r"<a\b[^<>]*+>(?:[^<]|<(?!/?a\b))*+</a>|</?(?!a\b)[a-z][^<>]*+>"  # HTML's links, other tags
_LINKS_ONLY = re.compile(
    rf"^(?:[-*+>]\s|\d+[.)]\s)?\s*(?:(?:{SEE_ALSO}|{LINKS}):)?"
    rf"(?:!?\[{_INSIDE}\]\(++[^)]*+\)++|!?\[\[[^\[\]]*+\]\]|{_TAGS}|https?://\S++"
    # Between them what is no word and no formula: commas, dashes, arrows, pictographs.
    r"|[^\w!#<>=+$`\[\]])*$",
    re.I,
)


def links_only(text: str) -> bool:
    """Whether a block holds links and pictures alone, the words that announce them aside.

    >>> links_only("- See also: [[Loss]], [[Gradient|gradients]]"), links_only("[[Loss]] falls.")
    (True, False)
    >>> links_only("- [[Boosting]] — [[SHAP]] ⚠️"), links_only("[[Profit]] = [[Sales]] - [[Cost]]")
    (True, False)
    >>> links_only('<a href="https://example.org"><img src="badge.svg"/>Open in Colab</a>')
    True
    """
    return _LINKS_ONLY.match(" ".join(text.split())) is not None
