"""What is known of a function before it is called: its arguments with their types and words."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from app.api.functions import Gradus

__all__ = ["Argument", "Signature", "signature_of"]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument; `type` carries its bounds, as `Annotated`."""

    name: str
    type: Any
    default: Any
    needed: bool  # it has no default
    words: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A function's arguments in order, what it gives, and what it does in one line."""

    arguments: tuple[Argument, ...]
    returns: Any
    summary: str


@cache
def signature_of(name: str) -> Signature:
    """The signature of a function of `Gradus`."""
    function = getattr(Gradus, name)
    hints = get_type_hints(function, include_extras=True)
    arguments = [
        Argument(p.name, hints[p.name], p.default, p.default is p.empty, _words(hints[p.name]))
        for p in inspect.signature(function).parameters.values()
        if p.name != "self"
    ]
    summary = (inspect.getdoc(function) or "").partition("\n")[0]
    return Signature(tuple(arguments), hints["return"], summary)


def _words(kind: Any) -> str:
    """The description that an annotated type carries."""
    carried = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return next((str(one.description) for one in carried if isinstance(one, FieldInfo)), "")
