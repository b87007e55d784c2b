"""Parameters of a recipe that a question's words decide, read by what the parameters say of
themselves.

A parameter's type and unit choose its reader: a number beside its name, sides in px, an amount of
memory, a value by its everyday words, a switch, what is written out (a column, a file's function,
the widths of a network), or the file that is named. Nothing here knows a recipe; the words of tasks
are the tasks' own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path, PurePath

from app.answering.offers.figures import Marked, in_px, with_marks
from app.answering.offers.files import NamedFile
from app.answering.offers.numbers import (
    Preset,
    claims_of,
    numbers_of,
    pair_of,
    sides_of,
    takes,
    widths_of,
)
from app.answering.offers.phrases import alternatives, phrase, spaced, the_only
from executors.inputs.table_file import column_names
from executors.networks.networks import KNOWN_NETWORKS
from executors.parameters import Parameter
from executors.recipe import Recipe
from executors.tasks import IMAGE_TASKS, LEARNER, TASK_NAMES, TEXT_TASKS, find_task
from kg.linking import STOP_WORDS

__all__ = ["Preset", "presets", "spoken_words"]

_NOT = (
    r"\b(?:no|not|not with|non|without|skip|skipping|leave out|don'?t|isn't)[\s-]+"
    r"(?:(?:the|an?|any|to|need|for|of)\s+)*"
)
_WRITTEN = (
    r"\s?(?:is\s|=\s?|:\s?|called\s|named\s)?\s?"
    r"(?:[\"'`“‘]([^\"'`”’]{1,60})[\"'`”’]|([^\W\d][\w-]*\w|[^\W\d]))"
)
_PREDICTED = re.compile(r"\bpredict\w*\s(?:the\s|my\s)?()([^\W\d][\w-]*)\scolumn\b", re.I)
_NO_COLUMN = STOP_WORDS | {"called", "contains", "density", "each", "empty", "full", "headers"}
_NO_COLUMN |= {"holds", "looks", "missing", "name", "named", "names", "order", "says", "there"}
_NO_COLUMN |= {"type", "typed", "types", "values", "width"}
_SMALL = rf"\b(?:{'|'.join(map(re.escape, sorted(STOP_WORDS)))})\b"
_FUNCTION = re.compile(r"(?<![\w/.~\\-])((?:~?[\w.\\/-]*[\w-])\.py:[^\W\d]\w*)", re.I)


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A question, and what its words say of the parameters of any recipe, by their number."""

    question: str
    marked: Marked
    everyone: Sequence[Parameter]
    values: Mapping[int, Preset]
    claims: Sequence[tuple[int, tuple[int, int], int]]  # place of a number, weight, parameter
    file: str  # the one place that is named to be run on; "" for none or several
    columns: Sequence[str]  # those of the table there


def presets(
    known: Sequence[Recipe], question: str, files: Sequence[NamedFile] = ()
) -> dict[str, dict[str, Preset] | None]:
    """Of each recipe the parameters that a question's words decide; None of one that does not do
    the task.

    A number that another recipe's parameter is named for is not taken for one of this, nor is any
    within the path of a file that is named; of that its kind alone is read.

    >>> from executors.recipe import recipes
    >>> presets(recipes(), "what lr after unfreezing, with bs 32 at 128 px?")["lr-find"]
    {'size': 128, 'batch_size': 32, 'phase': 'unfrozen'}
    """
    for one in files:
        question = question.replace(one.said, PurePath(one.said).suffix)
    question = " ".join(question.replace("#", " ").replace("§", " ").split())
    places = [one.places for one in files if one.places]
    file = str(places[0][0]) if [*map(len, places)] == [1] else ""
    parameters = (parameter for recipe in known for parameter in recipe.parameters)
    everyone = tuple(dict.fromkeys(parameters))
    values, bare = _values(everyone, question)
    marked = with_marks(bare)
    claims = [
        (at, weight, n)
        for n, parameter in enumerate(everyone)
        if parameter.type in ("int", "float") and parameter.unit != "px"
        for at, weight in claims_of(parameter, marked.text)
    ]
    taken = {at for at, _, n in claims if takes(everyone[n], marked.figures[at].value)}
    columns = column_names(Path(file)) if file else ()
    spoken = _Spoken(question, in_px(marked, taken), everyone, values, claims, file, columns)
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
    given |= numbers_of(recipe.parameters, spoken.marked, owners)
    for parameter in recipe.parameters:
        value = _written(parameter, spoken, owners, task) or _file(parameter, spoken)
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
        and takes(parameter, given[name])
    }


def spoken_words(recipe: Recipe) -> Iterator[str]:
    """All phrases by which a recipe, its tasks, parameters and their values are spoken of."""
    yield from recipe.concepts
    for parameter in recipe.parameters:
        yield from (spaced(parameter.name), *parameter.said)
        for value in (*parameter.choices, *parameter.values_said):
            if parameter.name == "task":
                yield from (word for group in _task_words(parameter, value) for word in group)
            else:
                yield from parameter.values_said.get(value, ())


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
        names = [phrase(words) for words in (spaced(parameter.name), *parameter.said)]
        off = [phrase(words) for words in parameter.values_said.get("false", ())]
        on = [phrase(words) for words in parameter.values_said.get("true", ())]
        phrases += [(False, words) for words in (*(_NOT + name for name in names), *off)]
        phrases += [(True, words) for words in (*on, *names)]
    elif parameter.name != "task":
        values = dict.fromkeys((*parameter.choices, *parameter.values_said))
        told = [(v, w) for v in values for w in parameter.values_said.get(v, (spaced(v),))]
        told.sort(key=lambda pair: -len(pair[1]))
        phrases = [
            (value, phrase(words).replace("(?P<n>[#§])", r"\d{1,2}(?!\s?[gm]i?b)"))
            for value, words in told
        ]
    if parameter.unit == "network":
        phrases += _networks()
    pattern = alternatives(tuple(words for _, words in phrases))
    for match in pattern.finditer(question):
        yield phrases[int(str(match.lastgroup)[1:])][0], match


@cache
def _networks() -> list[tuple[Preset, str]]:
    """Networks for images, however they are spelled: "ResNet-34", "mobilenet v3 small"."""
    names = sorted(KNOWN_NETWORKS, key=len, reverse=True)
    return [(n, phrase(" ".join(re.findall(r"[a-z]+|\d+", n))).replace("s?", "")) for n in names]


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
    return ((spaced(task.replace("-", " ")), *parameter.values_said.get(task, ())),)


@lru_cache(maxsize=256)
def _longest(words: tuple[str, ...], question: str) -> int:
    pattern = alternatives(tuple(phrase(word) for word in words))
    return max((len(match.group()) for match in pattern.finditer(question)), default=0)


# What is written out


def _written(
    parameter: Parameter, spoken: _Spoken, owners: Mapping[int, str], task: str
) -> Preset | None:
    """What is said for a parameter that no name of a number or value gives, by its unit."""
    question, marked = spoken.question, spoken.marked
    if parameter.unit == "px":
        sides = sides_of(parameter, marked, owners)
        if parameter.type == "sizes":
            return ",".join(map(str, sides)) or None
        return sides[0] if len(sides) == 1 else None
    if parameter.unit == "bytes":  # "6 of 24 GB are taken" needs a calculation
        return the_only(figure.text for figure in marked.figures.values() if figure.unit == "bytes")
    if parameter.unit == "column":
        return _named_column(parameter, spoken) or _column(parameter, question)
    if parameter.unit == "file.py:function":
        return the_only(_FUNCTION.findall(question))
    if parameter.unit == "low,high":
        return pair_of(parameter, marked)
    named_by_widths = parameter.unit == "network" and task not in ("", *IMAGE_TASKS, *TEXT_TASKS)
    return widths_of(parameter, marked) if named_by_widths else None


def _named_column(parameter: Parameter, spoken: _Spoken) -> str | None:
    """The column of the named table that stands behind words for the parameter, as it is there."""
    words = "|".join((r"\bpredict\w*", *map(phrase, (parameter.name, *parameter.said))))
    before = rf"(?:{words})(?:[\s:='\"(]|{_SMALL})*"
    return the_only(
        c for c in spoken.columns if re.search(before + phrase(c), spoken.question, re.I)
    )


def _file(parameter: Parameter, spoken: _Spoken) -> str | None:
    """The file that a question names, for what is learned from."""
    return spoken.file if parameter.name == "data" and parameter.type == "path" else None


def _column(parameter: Parameter, question: str) -> str | None:
    """The column that a question names, with its letters as they are written."""
    names = [rf"\b{words.replace(' ', '[ _]')}{_WRITTEN}" for words in parameter.said]
    names.insert(0, rf"\b{parameter.name}\s?[=:]{_WRITTEN}")
    for pattern in (*(re.compile(rf"(?<!texts in ){name}", re.I) for name in names), _PREDICTED):
        columns = {match[1] or match[2] for match in pattern.finditer(question)}
        columns = {name for name in columns if name.lower() not in _NO_COLUMN}
        if columns:
            return the_only(columns)
    return None
