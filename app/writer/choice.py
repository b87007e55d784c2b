"""Which writer words the answers: what stands behind --writer and GRADUS_WRITER."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kg.errors import GradusError

if TYPE_CHECKING:
    from app.writer.written import Writer

__all__ = ["WRITER_HELP", "choose_writer"]

WRITER_HELP = (
    "The language model that words the answers: none; openai:MODEL or openai:MODEL@BASE_URL "
    "for an OpenAI-compatible endpoint; local:NAME_OR_FOLDER for a transformers model "
    "on this machine."
)
_ENDPOINT = re.compile(r"openai:(?P<model>\S.*?)(?:@(?P<url>[a-z]+://\S+))?")


def choose_writer(spec: str | None) -> Writer | None:
    """The writer a user names, None for "none"; nothing is loaded or connected yet.

    The base URL is the one given, else OPENAI_BASE_URL, else OpenAI's own; the key is
    OPENAI_API_KEY.

    Raises
    ------
    GradusError
        When the text names no writer.

    >>> choose_writer("none") is None, choose_writer("openai:llama3.2:3b@http://localhost:11434/v1").name
    (True, 'llama3.2:3b')
    """
    named = (spec or "").strip()
    if named in ("", "none"):
        return None
    if named.startswith("local:") and named != "local:":
        from app.writer.local import Local

        return Local(named.removeprefix("local:"))
    match = _ENDPOINT.fullmatch(named)
    if match is None or (match["url"] is None and "://" in named):
        known = "none, openai:MODEL, openai:MODEL@BASE_URL or local:NAME_OR_FOLDER"
        raise GradusError(f"'{named}' is not a writer; expected {known}")
    from app.writer.endpoint import DEFAULT_BASE_URL, Endpoint

    url = match["url"] or os.environ.get("OPENAI_BASE_URL") or DEFAULT_BASE_URL
    return Endpoint(match["model"], _checked(url))


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise GradusError(
            f"'{url}' is not a base URL; expected one such as http://localhost:11434/v1"
        )
    return url
