"""The functions over plain HTTP: `POST /api/NAME` with a JSON object gives a JSON object.

`/api/openapi.json` describes them. An error is `{"error": "one line"}` under a status that fits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, create_model
from starlette.exceptions import HTTPException
from starlette.types import Scope
from typing_extensions import TypedDict

from app.api.checked import FAILED, KNOWN, one_line, said_of, status_of
from app.api.functions import READING, RUNNING, Gradus
from app.api.signatures import signature_of

__all__ = ["USER", "rest_app", "tell_errors", "visitor_of"]

USER = "gradus.user"  # in a request's scope: who signed in
log = logging.getLogger(__name__)


class ErrorJson(TypedDict):
    """Why there is no reply, in one line."""

    error: str


WHY = {
    403: "a file or code that may not be run",
    404: "no such concept, note, recipe or run",
    409: "a run of yours is still going on",
    422: "an argument that is not valid",
    503: "no notes yet",
}


def rest_app(gradus: Gradus) -> FastAPI:
    """An application to be mounted under /api; it fetches nothing, so it has no page of its own."""
    app = FastAPI(title="Gradus", docs_url=None, redoc_url=None)
    for name in (*READING, *RUNNING):
        kind = signature_of(name)
        refusals: dict[int | str, dict[str, Any]] = {
            status: {"model": ErrorJson, "description": why} for status, why in WHY.items()
        }
        app.post(
            f"/{name}",
            operation_id=name,
            summary=kind.summary,
            response_model=None,  # what the functions give is JSON already
            responses={200: {"model": kind.returns}, **refusals},
        )(_endpoint(gradus, name))
    tell_errors(app)
    return app


def tell_errors(app: FastAPI) -> None:
    """Make every error of an application `{"error": "one line"}` under a status that fits."""
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_not_http)
    for known in KNOWN:
        app.exception_handler(known)(_known)
    app.exception_handler(Exception)(_unknown)


def visitor_of(scope: Scope) -> str:
    """Who asks, by name where one signed in, else by address: one visitor for each machine."""
    user = scope.get(USER)
    return f"user {user}" if user else f"address {(scope.get('client') or ('',))[0]}"


def _endpoint(gradus: Gradus, name: str) -> Callable[..., JSONResponse]:
    arguments = signature_of(name).arguments
    fields: dict[str, Any] = {a.name: (a.type, ... if a.needed else a.default) for a in arguments}
    asks = create_model(f"{name}_request", __config__=ConfigDict(extra="forbid"), **fields)

    def call(request: Request, asked: Any) -> JSONResponse:
        given = {a.name: getattr(asked, a.name) for a in arguments}
        reply = getattr(gradus.of(visitor_of(request.scope)), name)(**given)
        return JSONResponse(reply)

    call.__annotations__ = {"request": Request, "asked": asks}
    if not any(a.needed for a in arguments):
        call.__defaults__ = (asks(),)
    return call


def _refused(status: int, line: str) -> JSONResponse:
    return JSONResponse({"error": line}, status)


def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return _refused(422, said_of(error.errors()[0], skipped=1))


def _not_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _refused(error.status_code, error.detail)


def _known(_: Request, error: Exception) -> JSONResponse:
    return _refused(status_of(error), one_line(error))


def _unknown(_: Request, error: Exception) -> JSONResponse:
    log.error("answering failed", exc_info=error)
    return _refused(500, FAILED)
