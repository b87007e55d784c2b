"""Keep other sites away from the pages' server: host, origin, size, and the headers of every reply.

A server on the own machine is reachable by any page the browser shows. So a request must name a
host that is ours (against DNS rebinding), must not come from another origin (against cross-site
requests), and stays small.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["POLICY", "Guard", "is_local"]

POLICY = "; ".join(
    [
        "default-src 'self'",
        # gr.HTML compiles its script with Function().
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",  # a picture elsewhere, named in a note, is not fetched
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
# Of gradio's own, which the pages do not need.
CLOSED = (
    "/gradio_api/upload",
    "/gradio_api/openapi",
    "/gradio_api/proxy",
    "/upload",
    "/proxy",
)
EVERYWHERE = frozenset({"0.0.0.0", "::"})


class Guard:
    """ASGI middleware: refuse what is not for us, and send the security headers with every reply.

    Parameters
    ----------
    app : ASGI application
    hosts : iterable of str
        Host names, besides this machine's own, under which the pages may be asked for. With
        `0.0.0.0` or `::` every address written in numbers is good too: rebinding needs a name.
    max_bytes : int
        The longest request body, in bytes.
    longer : mapping
        Paths at which a body may be longer, with how long.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str] = (),
        max_bytes: int = 1_000_000,
        longer: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.app = app
        self.longer = longer
        self.hosts = LOCAL_HOSTS | {host.lower() for host in hosts}
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return  # the pages use no web sockets
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(headers, scope["method"], scope["path"])
        if refusal:
            await _reply(send, *refusal)
            return
        most = self._most_bytes(scope["path"])
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            return {"type": "http.disconnect"} if taken > most else message

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = {name for name, _ in HEADERS}
                kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in ours]
                message = {**message, "headers": [*kept, *HEADERS]}
            await send(message)

        await self.app(scope, counted, with_headers)

    def _refusal(self, headers: dict[bytes, str], method: str, path: str) -> tuple[int, str] | None:
        """Status and reason, or None for a request that is ours to answer."""
        host = headers.get(b"host", "")
        if not self._is_ours(_host_name(host)):
            return 400, "this server is not known by that host name"
        origin = headers.get(b"origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return 403, "requests from other sites are refused"
        visit = (
            method == "GET"
            and headers.get(b"sec-fetch-mode") == "navigate"
            and not path.startswith("/gradio_api")
        )
        if headers.get(b"sec-fetch-site") in ("cross-site", "same-site") and not visit:
            return 403, "requests from other sites are refused"
        if path.startswith(CLOSED):
            return 404, "there is nothing here"
        length = headers.get(b"content-length", "0")
        if not length.isdigit() or int(length) > self._most_bytes(path):
            return 413, f"a request may have at most {self._most_bytes(path)} bytes"
        return None

    def _most_bytes(self, path: str) -> int:
        return self.longer.get(path, self.max_bytes)

    def _is_ours(self, name: str) -> bool:
        if name in self.hosts:
            return True
        if not self.hosts & EVERYWHERE:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def is_local(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    try:
        return host.lower() in LOCAL_HOSTS or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, which may be anywhere
        return False


def _host_name(host: str) -> str:
    """The name in a Host header, without port and brackets."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


async def _reply(send: Send, status: int, reason: str) -> None:
    start = {"type": "http.response.start", "status": status}
    await send({**start, "headers": [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS]})
    await send({"type": "http.response.body", "body": f"{reason}\n".encode()})
