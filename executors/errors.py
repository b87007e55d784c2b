"""Errors of recipes and runs, named for their meaning, and how errors are told in one line.

What ordinary runs meet is a status, not an exception.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

__all__ = [
    "BadInput",
    "BadParameter",
    "BadTarget",
    "OutOfMemory",
    "RecipeError",
    "UnknownRecipe",
    "closest",
    "listed",
    "name_hint",
    "one_line",
    "reason",
]


class RecipeError(Exception):
    """Base of every known error of a recipe or its run; its message is one line for the user."""


class UnknownRecipe(RecipeError):
    """No recipe has this name; the message carries the closest names."""


class BadParameter(RecipeError):
    """A parameter that the recipe does not have, or a value it cannot take."""


class BadInput(RecipeError):
    """The user's own files do not fit the task; the message names file, row or column."""


class BadTarget(BadInput):
    """The column to learn is not said, not there, or holds nothing that can be learned."""


class OutOfMemory(RecipeError):
    """Not even the smallest piece of the work fits the memory that it may take."""


def closest(name: str, known: Sequence[str]) -> list[str]:
    """At most two of the known names, the closest first; small and capital letters are the same.

    Examples
    --------
    >>> closest("PRIZE", ["area", "price"])
    ['price']
    """
    folded = {one.lower(): one for one in known}
    close = difflib.get_close_matches(name.lower(), folded, n=2, cutoff=0.5)
    return [folded[one] for one in close]


def listed(names: Sequence[str], most: int = 8) -> str:
    """The first names in quotes.

    Examples
    --------
    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b', ..."
    """
    shown = [f"'{name}'" for name in names[:most]]
    return ", ".join(shown) + (", ..." if len(names) > most else "")


def name_hint(name: str, known: Sequence[str], most: int = 8) -> str:
    """What to say of a name that is not known: the closest, or the first of all.

    Examples
    --------
    >>> name_hint("prize", ["area", "price"])
    "did you mean 'price'?"
    >>> name_hint("colour", ["area", "price"])
    "there are 'area', 'price'"
    """
    close = closest(name, known)
    if close:
        return "did you mean " + " or ".join(f"'{one}'" for one in close) + "?"
    return f"there are {listed(known, most) or 'none'}"


def reason(error: BaseException) -> str:
    """The first line of an error's text, or the name of its type when it has no text."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def one_line(error: BaseException, most: int | None = None) -> str:
    """The error's type and the first line of its text.

    Examples
    --------
    >>> one_line(ValueError("no shape fits\\nlook there")), one_line(KeyboardInterrupt())
    ('ValueError: no shape fits', 'KeyboardInterrupt')
    """
    name = type(error).__name__
    return f"{name}: {reason(error)[:most]}" if str(error).strip() else name
