"""Numbers that a question gives to parameters: beside their names, as sides, pairs and widths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from app.answering.offers.figures import CHAIN, Marked
from app.answering.offers.phrases import phrase, spaced, the_only
from executors.parameters import Parameter, check_value

__all__ = ["Preset", "claims_of", "numbers_of", "pair_of", "sides_of", "takes", "widths_of"]

Preset = str | int | float | bool

# What may stand between a name and its number.
_LINK = r"(?:[\s:=(~]|\b(?:is|of|to|at|set|value|rate|probability|strength|ps?|eps|about)\b){1,9}?"
_WENT_BY = "".join(
    f"(?<!{w} )" for w in ("every", "each", "last", "past", "previous", "than", "after", "per")
)
_LATER = r"(?!\s(?:ago|takes?|took|lasts?|already|later)\b)"
# "wd 0.1 or 0.01?" asks which, and "lr 0.1 is too high" gives none.
_OR = r"\s*(?:,\s*)?(?:\b(?:or|and|vs\.?|versus|to)\b|->|→|/|-|–)\s*"
_ALTERNATIVES = re.compile(rf"[#§](?:\s*,\s*#)*(?:{_OR}[#§])+", re.I)
_TOO_MUCH = re.compile(r"#\s*(?:(?:is|was|seems)\s+)?(?:far )?too\b", re.I)
_RISING = re.compile(r"→|->|=>|\b(?:then|to)\b", re.I)
# "a unet at 256, bs 8" and "resnet50, 224, bs 128": a side as networks take it, said of nothing
# else
_ALONE = re.compile(
    r"(?:\bat |,\s*)(#)(?=\s*(?:$|[,;?!)]|\.(?!\d)"
    r"|(?:with|in|on|for|using|first|all|without|when|if)\b))",
    re.I,
)
_SIDES = frozenset((112, 160, 192, 224, 240, 260, 288, 299, 300, 320, 331, 336, 380, 384, 448))
_ROW = r"(#(?:\s?(?:[,/]|,?\s(?:and|then)\b)\s?#)+)"


def takes(parameter: Parameter, value: Preset) -> bool:
    """Whether a value lies within a parameter's bounds."""
    try:
        check_value(parameter, value)
    except (ValueError, OverflowError):
        return False
    return True


def claims_of(parameter: Parameter, text: str) -> Iterator[tuple[int, tuple[int, int]]]:
    """Places of numbers beside a parameter's names, and how much speaks for it."""
    for words in (spaced(parameter.name), *parameter.said):
        for rank, pattern in enumerate(_beside(words)):
            for match in pattern.finditer(text):
                yield match.start("n"), (rank, len(words))


@cache
def _beside(words: str) -> tuple[re.Pattern[str], ...]:
    """Where a name's number may stand: behind it, "5 epochs", after it, "lr of 1e-3", within."""
    name = phrase(words)
    if "#" in words:
        nowhere = re.compile(r"(?!)")
        told = re.compile(name, re.I)
        return (nowhere, nowhere, told) if words.count(" ") > 1 else (nowhere, told)
    before = (
        rf"{_WENT_BY}(?P<n>[#§])[\s-]?(?:of )?(?:(?!and|or)\w+ )?{name}{_LATER}(?!\s*[=:]|\s+#)"
    )
    return re.compile(before, re.I), re.compile(rf"{name}{_LINK}(?P<n>#)", re.I)


def numbers_of(
    parameters: Iterable[Parameter], marked: Marked, owners: Mapping[int, str]
) -> dict[str, Preset]:
    """Numbers by the names beside them; one out of bounds, or of two for one, is not taken."""
    unsure = _undecided(marked, owners)
    given: dict[str, Preset] = {}
    for parameter in parameters:
        if parameter.type not in ("int", "float") or parameter.unit == "px":
            continue
        units = ("", parameter.unit, "%" if parameter.type == "float" else "")
        mine = [at for at, name in owners.items() if name == parameter.name]
        figures = [marked.figures[at] for at in mine]
        values = {f.value for f in figures if f.unit in units and takes(parameter, f.value)}
        if len(values) == 1 and not unsure & {*mine}:
            value = values.pop()
            given[parameter.name] = int(value) if parameter.type == "int" else value
    return given


def _undecided(marked: Marked, owners: Mapping[int, str]) -> set[int]:
    """Places of numbers of which one is asked for, or that are called too much."""
    unsure = {match.start() for match in _TOO_MUCH.finditer(marked.text)}
    for match in _ALTERNATIVES.finditer(marked.text):
        alike = [at for at in marked.within(match) if not marked.figures[at].unit]
        if len(alike) > 1 and len({owners[at] for at in alike if at in owners}) == 1:
            unsure |= {*alike}
    return unsure


def sides_of(parameter: Parameter, marked: Marked, owners: Mapping[int, str]) -> list[int]:
    """Sides in px, smallest first: with their unit, by name, and where only a side can be meant."""
    figures = marked.figures
    free = {at for at, figure in figures.items() if not figure.unit}
    free -= {at for at, name in owners.items() if name != parameter.name}
    named = {at for at, _ in claims_of(parameter, marked.text)} & free
    found = named | {at for at, figure in figures.items() if figure.unit == "px"}
    for chain in CHAIN.finditer(marked.text):
        places = {*marked.within(chain)}
        rising = _RISING.search(chain.group()) and all(figures[at].value % 16 == 0 for at in places)
        if places <= free | found and (rising or named & places):
            found |= places
    for match in _ALONE.finditer(marked.text):
        value = figures[match.start(1)].value
        if value in _SIDES or (value % 32 == 0 and not match.group().startswith(",")):
            found |= {match.start(1)} & free
    sides = {figures[at].value for at in found if takes(parameter, figures[at].value)}
    return sorted(map(int, sides))


def pair_of(parameter: Parameter, marked: Marked) -> str | None:
    """The lowest and the highest of a range, "0.5,5.5"."""
    for words in (spaced(parameter.name), *parameter.said):
        sides = r"(?P<low>-?)#\s?(?:,|\bto\b|\band\b|-|–)\s?(?P<high>-?)#"
        match = re.search(rf"{phrase(words)}[^.;?!#]{{0,25}}?{sides}", marked.text, re.I)
        if match:
            low, high = (marked.figures[at] for at in marked.within(match))
            pair = f"{match['low']}{low.text}", f"{match['high']}{high.text}"
            return ",".join(pair) if float(pair[0]) < float(pair[1]) else None
    return None


def widths_of(parameter: Parameter, marked: Marked) -> str | None:
    """Widths of layers, "200,100", or the one number that a name has."""
    rows: set[str] = set()
    for words in sorted(parameter.said, key=lambda words: "#" in words):
        name = phrase(words)
        nouns = rf"(?:{name}|\bnet(?:work)?\b|\bmlp\b|\btabular\b)"
        listed = rf"{name}(?:[\s:=([]|\b(?:of|with|are)\b)*{_ROW}|{_ROW}[)\]]?\s(?:\w+ )?{nouns}"
        if "#" in words and rows:
            break
        for match in re.finditer(name if "#" in words else listed, marked.text, re.I):
            rows.add(",".join(marked.figures[at].text for at in marked.within(match)))
    return the_only(rows)
