"""The numbers of a question with their units, and its text with marks in their places."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

__all__ = ["CHAIN", "Figure", "Marked", "in_px", "with_marks"]

_NUMERALS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_NUMERALS |= {"eight": 8, "nine": 9, "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20}
_NUMERALS |= {"thirty": 30, "forty": 40, "fifty": 50, "hundred": 100}
_UNITS = {"%": ("%", 0.01), "percent": ("%", 0.01), "px": ("px", 1), "pix": ("px", 1)}
_UNITS |= {"pixel": ("px", 1), "pixels": ("px", 1), "min": ("s", 60), "minute": ("s", 60)}
_UNITS |= {"minutes": ("s", 60), "hour": ("s", 3600), "hours": ("s", 3600)}
_FIGURE = re.compile(
    r"(?<![\w.])(?P<side>\d{2,4})\s?[x×*]\s?\d{2,4}(?!\w|\.\d)"
    r"|(?<![\w.])(?P<number>(?:\d{1,12}(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?)(?!\.?\d)(?:[\s-]?"
    rf"(?:(?P<unit>{'|'.join(_UNITS)})(?!\w)|(?P<giga>g|m)(?:i?b|igs?|igabytes?|egabytes?)\b)"
    rf"|(?!\w))|\b(?P<word>{'|'.join(_NUMERALS)})"
    r"(?:\s(?P<long>minutes?|hours?|percent)\b|(?=[\s-]\w))",
    re.I,
)
_STORED = re.compile(r"\s+(?:of )?(?:data|images|pictures|texts?|files?|csv|dataset)\b", re.I)
_STEP = (
    r"(?:\s|,|/|→|->|=>|–|-|\b(?:and|then|go|going|grow|growing|up|on|to|via|over|or|before|after"
    r"|that|at|first)\b)"
)
CHAIN = re.compile(rf"#(?:(?!\s#){_STEP}+#)+", re.I)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in a question; its unit is "px", "%", "s", "bytes", or "" where none is said."""

    value: float
    unit: str
    text: str


@dataclass(frozen=True, slots=True)
class Marked:
    """A question with "#" for each number, "§" for each numeral, and the numbers by place."""

    text: str
    figures: Mapping[int, Figure]

    def within(self, match: re.Match[str]) -> list[int]:
        """Places of the numbers in a match."""
        return [at for at in self.figures if match.start() <= at < match.end()]


def with_marks(text: str) -> Marked:
    """A text with its numbers as marks."""
    figures: dict[int, Figure] = {}
    pieces, end, place = [], 0, 0
    for match in _FIGURE.finditer(text):
        place += match.start() - end
        figures[place] = _figure(match)
        pieces += [text[end : match.start()], "§" if match["word"] else "#"]
        place, end = place + 1, match.end()
    return Marked("".join([*pieces, text[end:]]), figures)


def in_px(question: Marked, taken: Collection[int]) -> Marked:
    """Numbers in px where the last of their list is; those at `taken` are another parameter's."""
    figures = dict(question.figures)
    for chain in CHAIN.finditer(question.text):
        places = question.within(chain)
        if figures[places[-1]].unit == "px":
            for at in {*places} - {*taken}:
                figures[at] = replace(figures[at], unit=figures[at].unit or "px")
    return Marked(question.text, figures)


def _figure(match: re.Match[str]) -> Figure:
    if match["side"]:
        return Figure(float(match["side"]), "px", match["side"])
    text, giga = match["number"] or match["word"], match["giga"]
    value = _NUMERALS.get(text.lower()) or float(text)
    if giga:
        unit = "stored" if _STORED.match(match.string, match.end()) else "bytes"
        return Figure(value, unit, f"{text}{giga.upper()}B")
    unit, scale = _UNITS.get((match["unit"] or match["long"] or "").lower(), ("", 1))
    return Figure(round(value * scale, 15), unit, text)
