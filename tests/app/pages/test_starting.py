"""The page that is there until the pages are."""

from __future__ import annotations

import socket
import subprocess
import sys

import httpx
import pytest
from free_port import free_port

from app.pages.starting import StartingPage, address_of
from kg.errors import GradusError


def test_every_request_is_told_to_come_again() -> None:
    """A person sees a page, a program a status that means later; nothing is fetched from outside,
    and whoever comes next can listen at once."""
    port = free_port()
    with StartingPage("127.0.0.1", port), httpx.Client(base_url=address_of("127.0.0.1", port)) as c:
        page = c.get("/")
        assert page.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert page.headers["retry-after"] and "no-store" in page.headers["cache-control"]
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "is starting" in page.text and "http" not in page.text
        for method, path in (("GET", "/api/ask"), ("POST", "/api/ask"), ("HEAD", "/")):
            answer = c.request(method, path)
            assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            assert bool(answer.text) == (method != "HEAD")
    with socket.socket() as after:
        after.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        after.bind(("127.0.0.1", port))
        after.listen()


def test_two_cannot_start_at_one_port() -> None:
    """The second is told so, in a line."""
    port = free_port()
    with (
        StartingPage("127.0.0.1", port),
        pytest.raises(GradusError, match=rf"port {port} .*--port"),
    ):
        StartingPage("127.0.0.1", port)


def test_it_waits_for_nothing_heavy() -> None:
    """What takes seconds to import is not among what it needs."""
    script = "import sys, app.pages.starting; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert not {"gradio", "torch", "numpy", "fastapi", "starlette"} & {*loaded}


@pytest.mark.parametrize(("host", "shown"), [("::1", "http://[::1]:7"), ("a", "http://a:7")])
def test_an_address_is_one_that_a_browser_opens(host: str, shown: str) -> None:
    """A version 6 address stands in brackets."""
    assert address_of(host, 7) == shown
