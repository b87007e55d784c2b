"""Words of others as plain text in our Markdown: no heading, link or tag comes of a label."""

from __future__ import annotations

import re

from app.exports.selection import one_line

__all__ = ["escaped"]

_MEANT = re.compile(r"([\\`*_\[\]<>#|~$^{}%=&])")
_LIST = re.compile(r"^(\d{1,9})([.)])|^([-+])")


def escaped(text: str) -> str:
    r"""A text on one line that Markdown, also Obsidian's, shows as it is.

    >>> escaped("C# [[x]] <b>")
    'C\\# \\[\\[x\\]\\] \\<b\\>'
    """
    plain = _MEANT.sub(r"\\\1", one_line(text))
    return _LIST.sub(lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", plain)
