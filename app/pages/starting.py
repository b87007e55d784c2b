"""A page that is there from the first moment, until the pages themselves are loaded.

It needs the standard library alone: what the pages need takes seconds to import.
"""

from __future__ import annotations

import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Self

from app.pages.assets import read_asset
from kg.errors import GradusError

__all__ = ["StartingPage", "address_of", "taken"]

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Retry-After": "1",
}
CLOSING_S = 0.05  # how often the server looks whether it is to end


class StartingPage:
    """Listens in the pages' place until it is closed, and answers each request that they start.

    Raises
    ------
    GradusError
        When nobody can listen at this host and port.
    """

    def __init__(self, host: str, port: int) -> None:
        try:
            self._server = _Server(host, port)
        except (OSError, OverflowError) as error:
            raise taken(host, port, error) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(CLOSING_S,), daemon=True, name="starting"
        )
        self._thread.start()

    def close(self) -> None:
        """Make way for the pages; a second call does nothing."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # a connection each, so that none is kept when the pages come
    server: _Server

    def do_GET(self) -> None:
        """Answer that the pages are coming, whatever is asked for."""
        self.send_response(HTTPStatus.SERVICE_UNAVAILABLE)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.page)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.server.page)

    do_HEAD = do_POST = do_GET  # noqa: N815 - names of http.server

    def version_string(self) -> str:
        """Name the server, not its versions."""
        return "gradus"

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal is for the one who started it."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        self.page = read_asset("starting.html").encode()
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind, and do not ask for the host's name: without a network that takes seconds."""
        TCPServer.server_bind(self)

    def handle_error(self, *_: object) -> None:
        """A visitor who went away in between is none."""


def address_of(host: str, port: int) -> str:
    """What a browser opens."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def taken(host: str, port: int, error: Exception) -> GradusError:
    """What to say where nobody can listen."""
    return GradusError(
        f"cannot listen on port {port} of {host} ({error}); choose another with --port"
    )
