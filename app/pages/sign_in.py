"""Let nobody in who has not signed in: pages, REST and MCP alike, by HTTP's own Basic scheme.

Browsers ask for name and password by themselves, and programs send them along. They cross the
network as they are: what is served to others needs HTTPS before it.
"""

from __future__ import annotations

import base64
import binascii

import anyio.to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.accounts import Accounts, LockedOut
from app.api.rest import USER

__all__ = ["SignIn"]

ASKS = (b"www-authenticate", b'Basic realm="Gradus", charset="UTF-8"')
# Asked for by gradio itself as it starts; tells nothing.
OPEN = "/gradio_api/startup-events"


class SignIn:
    """ASGI middleware: refuse requests without a known name and its password."""

    def __init__(self, app: ASGIApp, accounts: Accounts) -> None:
        self.app = app
        self.accounts = accounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with the user's name, or answer 401, or 429 when locked out."""
        if scope["type"] != "http" or scope["path"] == OPEN:
            await self.app(scope, receive, send)
            return
        name, password = _given(scope)
        address = (scope.get("client") or ("",))[0]
        try:
            known = bool(name) and await anyio.to_thread.run_sync(
                self.accounts.signed_in, name, password, address
            )
        except LockedOut as error:
            wait = (b"retry-after", str(error.seconds).encode())
            await _reply(send, 429, str(error), wait)
            return
        if known:
            await self.app({**scope, USER: name}, receive, send)
        else:
            await _reply(send, 401, "sign in with a name and its password", ASKS)


def _given(scope: Scope) -> tuple[str, str]:
    """Name and password of a request; empty where it has none that can be read."""
    sent = dict(scope["headers"]).get(b"authorization", b"")
    kind, _, value = sent.partition(b" ")
    if kind.lower() != b"basic":
        return "", ""
    try:
        pair = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "", ""
    name, _, password = pair.partition(":")
    return name, password


async def _reply(send: Send, status: int, line: str, header: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), header]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{line}\n".encode()})
