"""Where one block that is too long may be broken: blank lines, items, sentences, lines.

Never inside a formula, and in text never inside a fence, inline code, a link or a tag.
"""

from __future__ import annotations

import re
from itertools import pairwise

from ingest.notes.dialect import FENCED
from ingest.notes.lines import line_spans
from ingest.notes.parsed import Block
from ingest.notes.sentences import sentence_spans

__all__ = ["pieces"]

# Costs of a break, in the measure of ingest.passages.cut: an empty passage costs 1
_AT_BLANK_LINE = 0.2
_AT_NESTED_ITEM = 0.3
_AT_SENTENCE = 0.4
_AT_LINE = 1.0
_AT_INDENTED = 0.5  # added where code goes on inside a definition

_ANY = ".{0,5000}?"  # bounded, so that marks which nothing closes do not cost quadratic time
_FORMULA = "|".join(
    (
        rf"\$\${_ANY}\$\$",
        rf"\\\[{_ANY}\\\]",
        rf"\\begin\{{(?P<environment>[A-Za-z]+\*?)\}}{_ANY}\\end\{{(?P=environment)\}}",
    )
)
_WHOLE_IN_TEXT = re.compile(
    rf"{FENCED}|{_FORMULA}"
    r"|`[^`]*`|\$[^$\n]+\$|!?\[[^\]]{0,2000}\]\([^)\s]{0,2000}\)|<[^<>]*>",
    re.DOTALL | re.MULTILINE,
)
_ITEM_START = re.compile(r"\s*(?:[-+*]|\d+[.)])\s")


def pieces(block: Block, text: str) -> list[tuple[int, int, float]]:
    """Pieces of a block in order, as (start, end, cost of a cut before it).

    One piece where nothing may be broken.

    Together they cover the block but for white space between them; `text[start:end]` neither begins
    nor ends with a newline.
    """
    if block.kind == "math":
        return [(block.start, block.end, 0.0)]
    in_text = block.kind in ("paragraph", "item", "html")
    costs = _line_costs(block, text, in_text)
    if in_text:
        source = text[block.start : block.end]
        for start, _ in sentence_spans(source)[1:]:
            place = block.start + start
            costs[place] = min(costs.get(place, _AT_SENTENCE), _AT_SENTENCE)
        whole = [(match.start(), match.end()) for match in _WHOLE_IN_TEXT.finditer(source)]
        costs = _outside(costs, [(block.start + start, block.start + end) for start, end in whole])
    cuts = sorted(costs)
    bounds = [block.start, *cuts, block.end]
    spans = []
    for start, after in pairwise(bounds):
        end = start + len(text[start:after].rstrip())
        if end > start:
            spans.append((start, end, costs.get(start, 0.0)))
    return spans or [(block.start, block.end, 0.0)]  # control characters alone


def _line_costs(block: Block, text: str, in_text: bool) -> dict[int, float]:
    """Offsets of lines at which the block may be broken, with their costs."""
    costs = {}
    blank_before = False
    source = text[block.start : block.end]
    for start, end in line_spans(source)[1:]:
        line = source[start:end]
        if not line.strip():
            blank_before = True
            continue
        if blank_before:
            cost = _AT_BLANK_LINE
        elif in_text and _ITEM_START.match(line):
            cost = _AT_NESTED_ITEM
        else:
            cost = _AT_LINE
        costs[block.start + start] = cost + (
            _AT_INDENTED if block.kind == "code" and line[0] in " \t" else 0.0
        )
        blank_before = False
    return costs


def _outside(costs: dict[int, float], spans: list[tuple[int, int]]) -> dict[int, float]:
    """The places that lie inside none of the spans, which are in order and disjoint."""
    kept = {}
    at = 0
    for place in sorted(costs):
        while at < len(spans) and spans[at][1] <= place:
            at += 1
        if at == len(spans) or place <= spans[at][0]:
            kept[place] = costs[place]
    return kept
