"""Parameters of a recipe that a question's words decide, read by what the parameters say of
themselves.

A parameter's type and unit choose its reader: a number beside its name, sides in px, an amount of
memory, a value by its everyday words, a switch, or what is written out (a column, a file's
function, the widths of a network). Nothing here knows a recipe; the words of tasks are the tasks'
own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from app.answering.offers.figures import CHAIN, Marked, in_px, with_marks
from executors.networks.networks import KNOWN_NETWORKS
from executors.parameters import Parameter, check_value
from executors.recipe import Recipe
from executors.tasks import IMAGE_TASKS, LEARNER, TASK_NAMES, TEXT_TASKS, find_task
from kg.linking import STOP_WORDS

__all__ = ["Preset", "presets", "spoken_words"]

Preset = str | int | float | bool
# What may stand between a name and its number, and within a phrase that a number stands in.
_LINK = r"(?:[\s:=(~]|\b(?:is|of|to|at|set|value|rate|probability|strength|ps?|eps|about)\b){1,9}?"
_FILL = (
    r"(?:[\s,:=(_-]|\b(?:of|the|an?|on|for|with|in|over|only|just|my|it|its|more|further|last|first"
    r"|about|each)\b)*?"
)
_WENT_BY = "".join(
    f"(?<!{w} )" for w in ("every", "each", "last", "past", "previous", "than", "after", "per")
)
_LATER = r"(?!\s(?:ago|takes?|took|lasts?|already|later)\b)"
# "wd 0.1 or 0.01?" asks which, and "lr 0.1 is too high" gives none.
_OR = r"\s*(?:,\s*)?(?:\b(?:or|and|vs\.?|versus|to)\b|->|→|/|-|–)\s*"
_ALTERNATIVES = re.compile(rf"[#§](?:\s*,\s*#)*(?:{_OR}[#§])+", re.I)
_TOO_MUCH = re.compile(r"#\s*(?:(?:is|was|seems)\s+)?(?:far )?too\b", re.I)
_NOT = (
    r"\b(?:no|not|not with|non|without|skip|skipping|leave out|don'?t|isn't)[\s-]+"
    r"(?:(?:the|an?|any|to|need|for|of)\s+)*"
)
_RISING = re.compile(r"→|->|=>|\b(?:then|to)\b", re.I)
# "a unet at 256, bs 8" and "resnet50, 224, bs 128": a side as networks take it, said of nothing
# else
_ALONE = re.compile(
    r"(?:\bat |,\s*)(#)(?=\s*(?:$|[,;?!)]|\.(?!\d)"
    r"|(?:with|in|on|for|using|first|all|without|when|if)\b))",
    re.I,
)
_SIDES = frozenset((112, 160, 192, 224, 240, 260, 288, 299, 300, 320, 331, 336, 380, 384, 448))
_WRITTEN = (
    r"\s?(?:is\s|=\s?|:\s?|called\s|named\s)?\s?"
    r"(?:[\"'`“‘]([^\"'`”’]{1,60})[\"'`”’]|([^\W\d][\w-]*\w|[^\W\d]))"
)
_PREDICTED = re.compile(r"\bpredict\w*\s(?:the\s|my\s)?()([^\W\d][\w-]*)\scolumn\b", re.I)
_NO_COLUMN = STOP_WORDS | {"called", "contains", "density", "each", "empty", "full", "headers"}
_NO_COLUMN |= {"holds", "looks", "missing", "name", "named", "names", "order", "says", "there"}
_NO_COLUMN |= {"type", "typed", "types", "values", "width"}
_FUNCTION = re.compile(r"(?<![\w/.~\\-])((?:~?[\w.\\/-]*[\w-])\.py:[^\W\d]\w*)", re.I)
_ROW = r"(#(?:\s?(?:[,/]|,?\s(?:and|then)\b)\s?#)+)"


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A question, and what its words say of the parameters of any recipe, by their number."""

    question: str
    marked: Marked
    everyone: Sequence[Parameter]
    values: Mapping[int, Preset]
    claims: Sequence[tuple[int, tuple[int, int], int]]  # place of a number, weight, parameter


def presets(known: Sequence[Recipe], question: str) -> dict[str, dict[str, Preset] | None]:
    """Of each recipe the parameters that a question's words decide; None of one that does not do
    the task.

    A number that another recipe's parameter is named for is not taken for one of this.

    >>> from executors.recipe import recipes
    >>> presets(recipes(), "what lr after unfreezing, with bs 32 at 128 px?")["lr-find"]
    {'size': 128, 'batch_size': 32, 'phase': 'unfrozen'}
    """
    question = " ".join(question.replace("#", " ").replace("§", " ").split())
    parameters = (parameter for recipe in known for parameter in recipe.parameters)
    everyone = tuple(dict.fromkeys(parameters))
    values, bare = _values(everyone, question)
    marked = with_marks(bare)
    claims = [
        (at, weight, n)
        for n, parameter in enumerate(everyone)
        if parameter.type in ("int", "float") and parameter.unit != "px"
        for at, weight in _claims(parameter, marked.text)
    ]
    taken = {at for at, _, n in claims if _takes(everyone[n], marked.figures[at].value)}
    spoken = _Spoken(question, in_px(marked, taken), everyone, values, claims)
    return {recipe.name: _preset(recipe, spoken) for recipe in known}


def _preset(recipe: Recipe, spoken: _Spoken) -> dict[str, Preset] | None:
    named = {parameter.name: parameter for parameter in recipe.parameters}
    mine = frozenset(recipe.parameters)
    own = {n for n, parameter in enumerate(spoken.everyone) if parameter in mine}
    given = {spoken.everyone[n].name: v for n, v in spoken.values.items() if n in own}
    task = ""
    if "task" in named:
        asked = _task(named["task"], spoken.question, given.get("arch"))
        if asked is None:
            return None
        task = given["task"] = asked
    owners = {
        at: spoken.everyone[n].name
        for at, _, _, n in sorted((a, w, n in own, n) for a, w, n in spoken.claims)
    }
    given |= _numbers(recipe.parameters, spoken.marked, owners)
    for parameter in recipe.parameters:
        value = _written(parameter, spoken, owners, task)
        if value is not None:
            given[parameter.name] = value
    if given.get("learner"):
        given["task"] = LEARNER
    about = given.get("task") or (named["task"].default if "task" in named else "")
    return {
        name: given[name]
        for name, parameter in named.items()
        if given.get(name, "") != ""
        and about in (parameter.tasks or (about,))
        and _takes(parameter, given[name])
    }


def spoken_words(recipe: Recipe) -> Iterator[str]:
    """All phrases by which a recipe, its tasks, parameters and their values are spoken of."""
    yield from recipe.concepts
    for parameter in recipe.parameters:
        yield from (_spaced(parameter.name), *parameter.said)
        for value in (*parameter.choices, *parameter.values_said):
            if parameter.name == "task":
                yield from (word for group in _task_words(parameter, value) for word in group)
            else:
                yield from parameter.values_said.get(value, ())


def _spaced(name: str) -> str:
    return name.replace("_", " ")


@cache
def _phrase(words: str) -> str:
    """A pattern for words, however they are joined, also in the plural; "#" is a number, "~"
    another.
    """
    if "#" in words:
        marks = {"#": r"(?P<n>[#§])", "~": "#"}
        pieces = re.findall(r"[#~]|[^\s#~]+", words)
        return _FILL.join(marks.get(piece) or _phrase(piece) for piece in pieces)
    escaped = re.escape(words).replace("_", r"[\s_]?")
    joined = re.sub(r"(?:\\[ -])+", lambda _: r"[\s_.-]{0,2}", escaped)
    plural = r"s?(?![^\W_])" if words[-1:].isalnum() else ""
    return rf"(?<![^\W_]){joined}{plural}"


def _takes(parameter: Parameter, value: Preset) -> bool:
    try:
        check_value(parameter, value)
    except (ValueError, OverflowError):
        return False
    return True


def _only(found: Iterable[str]) -> str | None:
    different = set(found)
    return different.pop() if len(different) == 1 else None


# Values and switches


def _values(parameters: Sequence[Parameter], question: str) -> tuple[dict[int, Preset], str]:
    """Values that are said by their words, and the question without the numbers in these."""
    given: dict[int, Preset] = {}
    bare = question
    for n, parameter in enumerate(parameters):
        found: set[Preset] = set()
        for value, match in _named(parameter, question):
            number = re.search(r"\d+", match.group())
            if number:
                bare = bare[: match.start()] + " " * len(match.group()) + bare[match.end() :]
                value = value.replace("#", number.group()) if isinstance(value, str) else value
            found.add(value)
        if len(found) > 1 and "both" in parameter.choices:
            found = {"both"}
        if len(found) == 1:
            given[n] = found.pop()
    return given, bare


def _named(parameter: Parameter, question: str) -> Iterator[tuple[Preset, re.Match[str]]]:
    phrases: list[tuple[Preset, str]] = []
    if parameter.type == "bool":
        names = [_phrase(words) for words in (_spaced(parameter.name), *parameter.said)]
        off = [_phrase(words) for words in parameter.values_said.get("false", ())]
        on = [_phrase(words) for words in parameter.values_said.get("true", ())]
        phrases += [(False, words) for words in (*(_NOT + name for name in names), *off)]
        phrases += [(True, words) for words in (*on, *names)]
    elif parameter.name != "task":
        values = dict.fromkeys((*parameter.choices, *parameter.values_said))
        told = [(v, w) for v in values for w in parameter.values_said.get(v, (_spaced(v),))]
        told.sort(key=lambda pair: -len(pair[1]))
        phrases = [
            (value, _phrase(words).replace("(?P<n>[#§])", r"\d{1,2}(?!\s?[gm]i?b)"))
            for value, words in told
        ]
    if parameter.unit == "network":
        phrases += _networks()
    pattern = _alternatives(tuple(words for _, words in phrases))
    for match in pattern.finditer(question):
        yield phrases[int(str(match.lastgroup)[1:])][0], match


@cache
def _networks() -> list[tuple[Preset, str]]:
    """Networks for images, however they are spelled: "ResNet-34", "mobilenet v3 small"."""
    names = sorted(KNOWN_NETWORKS, key=len, reverse=True)
    return [(n, _phrase(" ".join(re.findall(r"[a-z]+|\d+", n))).replace("s?", "")) for n in names]


@cache
def _alternatives(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<p{n}>{p})" for n, p in enumerate(phrases)) or r"(?!)", re.I)


# Tasks


def _task(parameter: Parameter, question: str, network: Preset | None) -> str | None:
    """The task that the words are about; "" where they do not say or mean the default, None for
    one that is not among the choices.
    """
    names = dict.fromkeys((*TASK_NAMES, *parameter.choices))
    groups = {name: _task_words(parameter, name) for name in names}
    for rank in range(max(map(len, groups.values()))):
        said = {
            name: _longest(groups[name][rank], question) for name in names if groups[name][rank:]
        }
        best = max(said, key=lambda name: said[name])
        if said[best]:
            break
    else:
        return ""
    if network in KNOWN_NETWORKS and best not in IMAGE_TASKS:
        return ""  # the labels of images may well stand in a CSV file
    if best not in parameter.choices:
        return None
    return "" if best == parameter.default else best


def _task_words(parameter: Parameter, task: str) -> tuple[tuple[str, ...], ...]:
    if task in TASK_NAMES and task not in parameter.values_said:
        return find_task(task).SAID
    return ((_spaced(task.replace("-", " ")), *parameter.values_said.get(task, ())),)


@lru_cache(maxsize=256)
def _longest(words: tuple[str, ...], question: str) -> int:
    pattern = _alternatives(tuple(_phrase(word) for word in words))
    return max((len(match.group()) for match in pattern.finditer(question)), default=0)


# Numbers


def _claims(parameter: Parameter, text: str) -> Iterator[tuple[int, tuple[int, int]]]:
    """Places of numbers beside a parameter's names, and how much speaks for it."""
    for words in (_spaced(parameter.name), *parameter.said):
        for rank, pattern in enumerate(_beside(words)):
            for match in pattern.finditer(text):
                yield match.start("n"), (rank, len(words))


@cache
def _beside(words: str) -> tuple[re.Pattern[str], ...]:
    """Where a name's number may stand: behind it, "5 epochs", after it, "lr of 1e-3", within."""
    name = _phrase(words)
    if "#" in words:
        nowhere = re.compile(r"(?!)")
        told = re.compile(name, re.I)
        return (nowhere, nowhere, told) if words.count(" ") > 1 else (nowhere, told)
    before = (
        rf"{_WENT_BY}(?P<n>[#§])[\s-]?(?:of )?(?:(?!and|or)\w+ )?{name}{_LATER}(?!\s*[=:]|\s+#)"
    )
    return re.compile(before, re.I), re.compile(rf"{name}{_LINK}(?P<n>#)", re.I)


def _numbers(
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
        values = {f.value for f in figures if f.unit in units and _takes(parameter, f.value)}
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


def _sides(parameter: Parameter, marked: Marked, owners: Mapping[int, str]) -> list[int]:
    """Sides in px, smallest first: with their unit, by name, and where only a side can be meant."""
    figures = marked.figures
    free = {at for at, figure in figures.items() if not figure.unit}
    free -= {at for at, name in owners.items() if name != parameter.name}
    named = {at for at, _ in _claims(parameter, marked.text)} & free
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
    sides = {figures[at].value for at in found if _takes(parameter, figures[at].value)}
    return sorted(map(int, sides))


# What is written out


def _written(
    parameter: Parameter, spoken: _Spoken, owners: Mapping[int, str], task: str
) -> Preset | None:
    """What is said for a parameter that no name of a number or value gives, by its unit."""
    question, marked = spoken.question, spoken.marked
    if parameter.unit == "px":
        sides = _sides(parameter, marked, owners)
        if parameter.type == "sizes":
            return ",".join(map(str, sides)) or None
        return sides[0] if len(sides) == 1 else None
    if parameter.unit == "bytes":  # "6 of 24 GB are taken" needs a calculation
        return _only(figure.text for figure in marked.figures.values() if figure.unit == "bytes")
    if parameter.unit == "column":
        return _column(parameter, question)
    if parameter.unit == "file.py:function":
        return _only(_FUNCTION.findall(question))
    if parameter.unit == "low,high":
        return _pair(parameter, marked)
    named_by_widths = parameter.unit == "network" and task not in ("", *IMAGE_TASKS, *TEXT_TASKS)
    return _widths(parameter, marked) if named_by_widths else None


def _column(parameter: Parameter, question: str) -> str | None:
    """The column that a question names, with its letters as they are written."""
    names = [rf"\b{words.replace(' ', '[ _]')}{_WRITTEN}" for words in parameter.said]
    names.insert(0, rf"\b{parameter.name}\s?[=:]{_WRITTEN}")
    for pattern in (*(re.compile(rf"(?<!texts in ){name}", re.I) for name in names), _PREDICTED):
        columns = {match[1] or match[2] for match in pattern.finditer(question)}
        columns = {name for name in columns if name.lower() not in _NO_COLUMN}
        if columns:
            return _only(columns)
    return None


def _pair(parameter: Parameter, marked: Marked) -> str | None:
    """The lowest and the highest of a range, "0.5,5.5"."""
    for words in (_spaced(parameter.name), *parameter.said):
        sides = r"(?P<low>-?)#\s?(?:,|\bto\b|\band\b|-|–)\s?(?P<high>-?)#"
        match = re.search(rf"{_phrase(words)}[^.;?!#]{{0,25}}?{sides}", marked.text, re.I)
        if match:
            low, high = (marked.figures[at] for at in marked.within(match))
            pair = f"{match['low']}{low.text}", f"{match['high']}{high.text}"
            return ",".join(pair) if float(pair[0]) < float(pair[1]) else None
    return None


def _widths(parameter: Parameter, marked: Marked) -> str | None:
    """Widths of layers, "200,100", or the one number that a name has."""
    rows: set[str] = set()
    for words in sorted(parameter.said, key=lambda words: "#" in words):
        name = _phrase(words)
        nouns = rf"(?:{name}|\bnet(?:work)?\b|\bmlp\b|\btabular\b)"
        listed = rf"{name}(?:[\s:=([]|\b(?:of|with|are)\b)*{_ROW}|{_ROW}[)\]]?\s(?:\w+ )?{nouns}"
        if "#" in words and rows:
            break
        for match in re.finditer(name if "#" in words else listed, marked.text, re.I):
            rows.add(",".join(marked.figures[at].text for at in marked.within(match)))
    return _only(rows)
