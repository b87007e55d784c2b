"""Properties in lines of their own, `key:: value`: what they say of a note, and no text of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.notes.sentences import ends_a_sentence

__all__ = ["is_property", "page_properties"]

_PROPERTY = re.compile(
    r"^[ \t]*(?:[-*+][ \t]+)?(?P<key>[A-Za-z][\w./-]*)::(?:[ \t](?P<value>.*))?$"
)
_LINK = re.compile(r"#?\[\[([^\[\]\n]+)\]\]")


def is_property(line: str) -> bool:
    """Whether a line holds a property alone; a sentence under a capital name is text.

    >>> is_property("- id:: 6f2c"), is_property("Definition:: A norm is a length.")
    (True, False)
    """
    match = _PROPERTY.match(line)
    return match is not None and (
        match["key"].islower() or not ends_a_sentence((match["value"] or "").strip())
    )


def page_properties(lines: Sequence[str], first: int = 0) -> tuple[dict[str, str], dict[str, int]]:
    """What a note says of itself before its text, and the 1-based line of each key.

    Keys are in lower case; links in values are their words.

    Parameters
    ----------
    first : int
        0-based line at which the note begins, behind its front matter.

    >>> page_properties(["title:: Adam", "alias:: [[AdamW]], Adam optimizer", "", "It is."])
    ({'title': 'Adam', 'alias': 'AdamW, Adam optimizer'}, {'title': 1, 'alias': 2})
    """
    values: dict[str, str] = {}
    places: dict[str, int] = {}
    for number, line in enumerate(lines[first:], first + 1):
        match = _PROPERTY.match(line)
        if match is not None and is_property(line):
            key, value = match["key"].lower(), (match["value"] or "").strip()
            if key == "title":
                value = value.rpartition("/")[2].strip()  # of a page in a namespace, its own name
            values.setdefault(key, _LINK.sub(r"\1", value))
            places.setdefault(key, number)
        elif line.strip():
            break
    return values, places
