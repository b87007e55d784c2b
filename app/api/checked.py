"""What is asked is checked before it is answered, and every known error is one plain line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from pydantic import ValidationError, validate_call

from app.open_store import StillReading
from app.visitors_runs import NotAllowed, StillGoing
from executors.errors import BadInput, BadParameter, RecipeError, UnknownRecipe
from kg.errors import GradusError, NoStore, StoreBusy, UnknownConcept

__all__ = [
    "FAILED",
    "KNOWN",
    "BadRequest",
    "UnknownName",
    "checked",
    "one_line",
    "said_of",
    "status_of",
]

KNOWN = (GradusError, RecipeError)  # what every way in tells as one line
FAILED = "this failed because of an error in Gradus; its log says more"

Given = ParamSpec("Given")
Found = TypeVar("Found")


class BadRequest(GradusError):
    """An argument that is missing, unknown, or of a type, length or range that cannot be."""


class UnknownName(GradusError):
    """A note or run that is not there, or not the asker's."""


# HTTP's statuses for the errors by their meaning; of several that fit, the first.
_STATUSES: tuple[tuple[tuple[type[Exception], ...], int], ...] = (
    ((UnknownConcept, UnknownRecipe, UnknownName), 404),
    ((BadRequest, BadParameter, BadInput), 422),
    ((NotAllowed,), 403),
    ((StillGoing,), 409),
    ((NoStore, StillReading, StoreBusy), 503),
)


def status_of(error: Exception) -> int:
    """HTTP's status for an error: 500 for one that is not the asker's to mend."""
    return next((status for kinds, status in _STATUSES if isinstance(error, kinds)), 500)


def one_line(error: BaseException) -> str:
    """What an error says, without the line breaks of a name that was asked for.

    >>> one_line(UnknownConcept("a\\nb"))
    "the notes have no concept 'a b'"
    """
    return " ".join(str(error).split())


def checked(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """The function, called only with what its annotations allow.

    Raises
    ------
    BadRequest
        When called with anything else; says which argument, and what was expected of it.
    """
    valid = validate_call(function)
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: Given.args, **kwargs: Given.kwargs) -> Found:
        try:
            named = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise BadRequest(f"{function.__name__}: {error}") from None
        try:
            return valid(**named)  # type: ignore[call-arg]
        except ValidationError as error:
            raise BadRequest(said_of(error.errors(include_input=False)[0])) from None

    return call


def said_of(fault: Mapping[str, Any], skipped: int = 0) -> str:
    """One of pydantic's findings in a line, by the argument's name.

    Parameters
    ----------
    skipped : int
        How many parts of the place are not the argument's, but of what it came in.

    >>> said_of({"loc": ("body", "k"), "msg": "Input should be a valid integer"}, skipped=1)
    'k: input should be a valid integer'
    >>> said_of({"loc": ("body", 17), "msg": "JSON decode error"}, skipped=1)
    'request: JSON decode error'
    """
    place = fault["loc"][skipped:]
    name = ".".join(map(str, place[:2])) if place and isinstance(place[0], str) else "request"
    message = " ".join(str(fault["msg"]).split())
    return f"{name}: {message if message.startswith('JSON') else message[0].lower() + message[1:]}"
