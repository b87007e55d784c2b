"""The functions for programs as named endpoints of the pages, which gradio's clients call."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin

import gradio as gr

from app.api.checked import FAILED, KNOWN, one_line
from app.api.functions import READING, RUNNING, Gradus
from app.api.rest import visitor_of
from app.api.signatures import signature_of

__all__ = ["offer_to_programs"]

log = logging.getLogger(__name__)


def offer_to_programs(gradus: Gradus) -> None:
    """Name the functions in the current pages; before anything else there takes the names."""
    for name in (*READING, *RUNNING):
        gr.api(_named(gradus, name), api_name=name, api_visibility="public")


def _named(gradus: Gradus, name: str) -> Callable[..., Any]:
    """The function as gradio reads it: its signature, and a docstring in gradio's form."""
    kind = signature_of(name)

    def call(request: gr.Request, *given: Any) -> Any:
        arguments = zip((argument.name for argument in kind.arguments), given, strict=True)
        visitor = visitor_of(request.request.scope)
        try:
            return getattr(gradus.of(visitor), name)(**dict(arguments))
        except KNOWN as error:
            raise gr.Error(one_line(error), print_exception=False) from None
        except Exception as error:
            log.exception("answering failed")
            raise gr.Error(FAILED, print_exception=False) from error

    asked = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter("request", asked, annotation=gr.Request)]
    parameters += [
        inspect.Parameter(a.name, asked, default=a.default, annotation=_bare(a.type))
        for a in kind.arguments
    ]
    call.__name__ = name
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        parameters, return_annotation=kind.returns
    )
    call.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": kind.returns}
    told = "".join(f"\n    {a.name}: {a.words}" for a in kind.arguments)
    call.__doc__ = f"{kind.summary}\n\nArgs:{told}"
    return call


def _bare(kind: Any) -> Any:
    """The type without its bounds, which gradio does not read."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind
