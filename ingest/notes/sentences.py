"""The one place that says where a sentence ends."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

__all__ = ["MASKED", "ends_a_sentence", "sentence_spans", "sentences"]

# Formulas, code and links: what stands in them ends no sentence. Bounded, so that marks which
# nothing closes do not cost quadratic time.
MASKED = re.compile(
    r"\$\$.{0,5000}?\$\$|\$[^$\n]+\$|`[^`\n]+`|\]\([^)\s]{0,2000}\)|https?://\S+", re.S
)
# What a full stop belongs to: an abbreviation, an initial, the number of a list's item.
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|cf|vs|ca|approx|resp|fig|eq|eqs|sec|no|dr|mr|mrs|prof|st|ex|al"
    r"|z\.b|d\.h|bzw|usw)|(?-i:\b[A-Z])|^[ \t]*\d{1,3})\.$",
    re.I | re.M,
)
_CLOSED = r"[.!?…。！？][\"'”’»)\]*_]*"
_END = re.compile(rf"{_CLOSED}(?:\s+|(?<=[。！？])|\Z)")
_SIGN = re.compile(r"[+=→]|-{1,2}>")  # "w1 + ... + wn", "Unsure? -> Try it."
_IN_BOLD = re.compile(r"[ \t]*(?:\*\*|__)\S")
_AT_END = re.compile(rf"{_CLOSED}$")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Half-open offsets of the sentences of a paragraph, white space between them left out.

    Full stops in formulas, code, links, numbers and after abbreviations end none. Where every line
    begins in bold, as entries of a log do with their dates, each line ends one.

    >>> text = "It is 0.5, e.g. for `a. B`. Take $x. Y$ next! *Then* rest."
    >>> [text[a:b] for a, b in sentence_spans(text)]
    ['It is 0.5, e.g. for `a. B`.', 'Take $x. Y$ next!', '*Then* rest.']
    """
    lines = text.splitlines(keepends=True)
    if len(lines) < 2 or not all(_IN_BOLD.match(line) for line in lines):
        return _spans(text)
    begins = accumulate(map(len, lines), initial=0)
    return [
        (at + start, at + end)
        for at, line in zip(begins, lines, strict=False)
        for start, end in _spans(line)
    ]


def _spans(text: str) -> list[tuple[int, int]]:
    """The same of a text whose lines belong together."""
    hidden = [m.span() for m in MASKED.finditer(text)]  # in order, disjoint
    spans = []
    start = seen = bold = (
        0  # bold: marks since the start, of which `seen` is the last place counted
    )
    for match in _END.finditer(text):
        at = bisect_right(hidden, match.start(), key=lambda span: span[0]) - 1
        inside = at >= 0 and match.start() < hidden[at][1]
        bold += text.count("**", seen, match.end())
        seen = match.end()
        # Half of what is bold would show its marks.
        if inside or bold % 2 or _goes_on(text, match):
            continue
        spans.append((start, start + len(text[start : match.end()].rstrip())))
        start, bold = match.end(), 0
    if text[start:].strip():
        spans.append((start, start + len(text[start:].rstrip())))
    return spans


def _goes_on(text: str, end: re.Match[str]) -> bool:
    """Whether a sentence goes on behind what looks like its end."""
    if text[end.end() : end.end() + 1].islower():
        return True
    if _ABBREVIATION.search(text[max(0, end.start() - 10) : end.start() + 1]):
        return True
    return "\n" not in end.group() and _SIGN.match(text, end.end()) is not None


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph, without white space around them."""
    return [text[start:end].strip() for start, end in sentence_spans(text)]


def ends_a_sentence(text: str) -> bool:
    """Whether a text ends as a sentence does, its closing quotes and marks aside."""
    return _AT_END.search(text) is not None
