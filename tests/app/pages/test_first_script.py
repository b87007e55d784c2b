"""A script stands first in every page, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.pages.first_script import FirstScript

PAGE = "<html><head lang='x'><title>t</title></head><header>a <head> b</header></html>"


def client(pieces: Sequence[str] = (PAGE,)) -> TestClient:
    async def page(_: object) -> HTMLResponse:
        return HTMLResponse(PAGE)

    async def streamed(_: object) -> StreamingResponse:
        return StreamingResponse(iter(pieces), media_type="text/html")

    async def values(_: object) -> JSONResponse:
        return JSONResponse({"html": PAGE})

    routes = [Route("/", page), Route("/streamed", streamed), Route("/values", values)]
    return TestClient(FirstScript(Starlette(routes=routes), "let a = '\\\\1';"))


@pytest.mark.parametrize("path", ["/", "/streamed"])
def test_a_page_begins_with_the_script(path: str) -> None:
    """It is the first in the head, word for word, and the length is told right."""
    pages = client((PAGE[:9], PAGE[9:50], PAGE[50:]))
    reply = pages.get(path)
    script = "<script>let a = '\\\\1';</script>"
    assert reply.text == PAGE.replace("<head lang='x'>", f"<head lang='x'>{script}")
    assert int(reply.headers["content-length"]) == len(reply.content)


def test_what_is_no_page_is_left_alone() -> None:
    """JSON that holds a page stays as it is."""
    assert client().get("/values").json() == {"html": PAGE}
