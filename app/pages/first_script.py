"""Put a script into the page before anything is drawn; gradio's own place for one comes later."""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["FirstScript"]

_HEAD = re.compile(rb"<head(?:\s[^>]*)?>")


class FirstScript:
    """ASGI middleware: every page begins with the script.

    Parameters
    ----------
    app : ASGI application
    script : str
        JavaScript; there is no `document.body` yet.
    """

    def __init__(self, app: ASGIApp, script: str) -> None:
        self.app = app
        self.script = f"<script>{script}</script>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what is no page goes through as it is."""
        page: list[Message] = []  # its start and its pieces, until it is whole

        async def with_script(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                page.append(message)
            elif not page:
                await send(message)
            else:
                page.append(message)
                if not message.get("more_body"):
                    await self._send(page, send)

        await self.app(scope, receive, with_script)

    async def _send(self, page: list[Message], send: Send) -> None:
        start, *pieces = page
        body = b"".join(piece.get("body", b"") for piece in pieces)
        body = _HEAD.sub(lambda found: found[0] + self.script, body, count=1)
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["content-length"] = str(len(body))
        await send({**start, "headers": headers.raw})
        await send({"type": "http.response.body", "body": body})


def _is_page(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return kind.startswith("text/html")
