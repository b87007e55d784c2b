"""Numbers in a text by value, with units: 0.001 is 1e-3, ten percent is 10 %."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["Quantity", "quantities"]

_SPOKEN = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_WORDS = {word: float(n) for n, word in enumerate(_SPOKEN.split(), 2)}
_WORDS |= {
    "twenty": 20.0,
    "thirty": 30.0,
    "forty": 40.0,
    "fifty": 50.0,
    "sixty": 60.0,
    "seventy": 70.0,
}
_WORDS |= {"eighty": 80.0, "ninety": 90.0, "hundred": 100.0, "thousand": 1000.0, "million": 1e6}
_UNITS = {
    spelling: unit
    for unit, spellings in {
        "%": "% percent",
        "B": "B byte bytes",
        "kB": "kB KB kilobyte kilobytes",
        "MB": "MB MiB megabyte megabytes",
        "GB": "GB GiB gigabyte gigabytes",
        "ms": "ms millisecond milliseconds",
        "s": "s sec second seconds",
        "min": "min minute minutes",
        "h": "h hour hours",
        "day": "day days",
        "°": "° °C degree degrees",
        "px": "px pixel pixels",
        "epoch": "epoch epochs",
        "layer": "layer layers",
        "mm": "mm",
        "cm": "cm",
        "m": "m metre metres meter meters",
        "km": "km",
        "g": "g gram grams",
        "kg": "kg",
        "Hz": "Hz",
        "kHz": "kHz",
    }.items()
    for spelling in spellings.split()
}
_FIGURE = r"\d{1,3}(?:[,’\u202f\u00a0]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(
    rf"(?P<sign>(?<![\w)\]}}.])[-−–+])?(?<![\w.])(?P<figure>{_FIGURE})"
    r"(?:[eE](?P<exponent>[-−+]?\d+)|\s*(?:\\times|\\cdot|×|\*)\s*10(?:\^\{?"
    r"|\*\*)(?P<power>[-−]?\d+)\}?"
    r"|(?P<raised>(?:\^\{?|\*\*)[-−]?\d+\}?))?"
    r"(?:[ \u00a0\u202f~]?(?:\\?(?P<unit>[%°]C?|[A-Za-z]+)(?![\w]))?)"
)
_RANGE = re.compile(r"\s*(?:to|and|or|–|—|-)\s*", re.I)
_SPELLED = re.compile(rf"\b(?P<word>{'|'.join(_WORDS)})\b(?:[ -](?P<unit>[A-Za-z%]+))?", re.I)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value, and its unit or ""."""

    value: float
    unit: str = ""

    def within(self, others: Collection[Quantity]) -> bool:
        """Whether it stands among these: the value, and its unit where it has one."""
        return any(
            math.isclose(self.value, o.value, rel_tol=1e-9) and self.unit in ("", o.unit)
            for o in others
        )


def quantities(text: str) -> frozenset[Quantity]:
    r"""All numbers of a text; those inside a word ("float32", "L2") are part of its name.

    The unit behind a range belongs to both of its ends.

    >>> quantities("0.001") == quantities("1e-3") == quantities("$10^{-3}$") == {Quantity(0.001)}
    True
    >>> sorted({q.value for q in quantities("1,024 or 10 to 20 %, L2")})
    [10.0, 20.0, 1024.0]
    >>> Quantity(10, "%") in quantities("10 to 20 %")
    True
    """
    numbers: list[tuple[Quantity, int, int]] = []
    for match in _NUMBER.finditer(text):
        numbers.append(
            (
                Quantity(_value(match), _UNITS.get(match["unit"] or "", "")),
                match.start(),
                match.end("figure"),
            )
        )
    whole = {quantity for quantity, _, _ in numbers}
    for (first, _, end), (last, start, _) in itertools.pairwise(numbers):
        if last.unit and not first.unit and _RANGE.fullmatch(text[end:start]):
            whole.add(Quantity(first.value, last.unit))
    for match in _SPELLED.finditer(text):
        whole.add(Quantity(_WORDS[match["word"].lower()], _UNITS.get(match["unit"] or "", "")))
    return frozenset(whole)


def _value(match: re.Match[str]) -> float:
    value = float(re.sub(r"[,’\u202f\u00a0]", "", match["figure"]))
    try:
        if match["raised"]:
            value **= _integer(match["raised"].strip("^{}*"))
        else:
            value *= 10.0 ** _integer(match["exponent"] or match["power"] or "0")
    except (OverflowError, ZeroDivisionError):
        value = math.inf
    return -value if match["sign"] in ("-", "−", "–") else value


def _integer(text: str) -> int:
    return int(text.replace("−", "-"))
