"""One parameter of a recipe: what it takes, and the check that turns a form's or a command line's
text into it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from executors.amounts import parse_bytes

__all__ = [
    "Parameter",
    "ParameterType",
    "both",
    "bounds",
    "check_value",
    "expected",
    "title",
]

ParameterType = Literal["int", "float", "str", "bool", "choice", "sizes", "path"]

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named value that a recipe takes.

    Parameters
    ----------
    name : str
        Lower case with underscores; a command line shows it with dashes.
    type : {"int", "float", "str", "bool", "choice", "sizes", "path"}
        "sizes" is one or several whole numbers, "path" a file or folder.
    default : object
        Taken when the value is missing or empty; None or "" stands for "decided by the run".
    unit : str
        "px", "samples", ...; text in "bytes" is an amount such as "2GB". Of text it also says how
        a question is read for it: "column", "file.py:function", "low,high", "widths".
    minimum, maximum : float or None
        Bounds, both inclusive.
    choices : tuple of str
        For "choice".
    tasks : tuple of str
        Tasks that the parameter is for; empty: all.
    said : tuple of str
        Everyday names beside its own: "wd". "#" in one stands where the number does, "~" where
        another number does: "# epochs frozen". Words of counting and joining may stand between.
    values_said : mapping of str to tuple of str
        Everyday words of its values, "true" and "false" of a switch; a choice without is known by
        its own name. "#" in value and words is a number: {"cuda:#": ("card #",)}.
    """

    name: str
    type: ParameterType
    default: object = field(default=None, hash=False)
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""
    tasks: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    values_said: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


def expected(parameter: Parameter) -> str:
    """What the parameter takes, in words: "a whole number of at least 1"."""
    noun = {
        "int": "a whole number",
        "float": "a number",
        "str": "text",
        "bool": "true or false",
        "choice": "one of " + ", ".join(parameter.choices),
        "sizes": "one or several whole numbers such as 128,224",
        "path": "a path",
    }[parameter.type]
    if parameter.type == "str" and parameter.unit == "bytes":
        noun = "an amount of memory such as 500MB or 2GB"
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None:
        return f"{noun} from {_shown(low)} to {_shown(high)}"
    if low is not None:
        return f"{noun} of at least {_shown(low)}"
    return f"{noun} of at most {_shown(high)}" if high is not None else noun


def bounds(parameter: Parameter) -> str:
    """The bounds of a number in a few words, "" where it has none.

    Examples
    --------
    >>> bounds(Parameter("lr", "float", minimum=1e-9, maximum=10))
    '1e-9 to 10'
    >>> bounds(Parameter("steps", "int", minimum=1)), bounds(Parameter("arch", "str"))
    ('at least 1', '')
    """
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None:
        return f"{_shown(low)} to {_shown(high)}"
    if low is not None:
        return f"at least {_shown(low)}"
    return f"at most {_shown(high)}" if high is not None else ""


def _shown(bound: float) -> str:
    return str(int(bound)) if bound == int(bound) else f"{bound:g}".replace("e-0", "e-")


def check_value(parameter: Parameter, raw: object) -> object:
    """The value of `raw` in the parameter's type, or its default when `raw` is None or empty.

    Raises
    ------
    ValueError
        When `raw` is no such value, or out of bounds; its text says nothing, `expected` does.
    """
    if (
        raw is None
        or (isinstance(raw, str) and not raw.strip())
        or (isinstance(raw, list | tuple) and not raw)
    ):
        return parameter.default
    return _READERS[parameter.type](parameter, raw)


def _number(parameter: Parameter, raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise ValueError
    value = float(raw)
    low, high = parameter.minimum, parameter.maximum
    if (
        not math.isfinite(value)
        or (low is not None and value < low)
        or (high is not None and value > high)
    ):
        raise ValueError
    return value


def _integer(parameter: Parameter, raw: object) -> int:
    value = _number(parameter, raw)
    if value != int(value):
        raise ValueError
    return int(value)


def _text(parameter: Parameter, raw: object) -> str:
    if not isinstance(raw, str | int | float) or isinstance(raw, bool):
        raise ValueError
    text = str(raw).strip()
    if parameter.unit == "bytes":
        parse_bytes(text)
    return text


def _boolean(parameter: Parameter, raw: object) -> bool:
    word = str(raw).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE


def _choice(parameter: Parameter, raw: object) -> str:
    word = str(raw).strip()
    numbered_card = parameter.name == "device" and re.fullmatch(r"cuda:\d{1,3}", word)
    if word not in parameter.choices and not numbered_card:
        raise ValueError
    return word


def _sizes(parameter: Parameter, raw: object) -> tuple[int, ...]:
    pieces = (
        raw.replace(",", " ").split()
        if isinstance(raw, str)
        else raw
        if isinstance(raw, list | tuple)
        else [raw]
    )
    sizes = {_integer(parameter, piece) for piece in pieces}
    if not sizes:
        raise ValueError
    return tuple(sorted(sizes))


def _path(parameter: Parameter, raw: object) -> str:
    if not isinstance(raw, str | Path) or "\0" in str(raw):
        raise ValueError
    return str(Path(str(raw).strip()).expanduser().absolute())


_READERS: dict[ParameterType, Callable[[Parameter, object], object]] = {
    "int": _integer,
    "float": _number,
    "str": _text,
    "bool": _boolean,
    "choice": _choice,
    "sizes": _sizes,
    "path": _path,
}


_TITLES = {
    "arch": "Architecture (arch)",
    "lr": "Learning rate (lr)",
    "num_it": "Length of the sweep (num_it)",
    "start_lr": "Lowest rate (start_lr)",
    "end_lr": "Highest rate (end_lr)",
    "y_range": "Range of predictions (y_range)",
    "worst": "Samples to list (worst)",
    "max_batch": "Largest batch to try (max_batch)",
    "trial_timeout": "Time for a trial (trial_timeout)",
    "train_batches": "Training before (train_batches)",
}


def title(name: str) -> str:
    """The title of the parameter's field on a form, without its unit.

    Examples
    --------
    >>> title("log_target"), title("arch")
    ('Log target', 'Architecture (arch)')
    """
    return _TITLES.get(name) or name.replace("_", " ").capitalize()


def both(name: str) -> str:
    """The parameter in a sentence that is read on the page and on the command line.

    A page leaves out what is in parentheses, as all words that are the command line's alone, see
    `app.wording.on_a_page`.

    Examples
    --------
    >>> both("download"), both("batch_size"), both("arch")
    ('Download (--download)', 'Batch size (--batch-size)', 'Architecture (--arch)')
    """
    return f"{title(name).removesuffix(f' ({name})')} (--{name.replace('_', '-')})"
