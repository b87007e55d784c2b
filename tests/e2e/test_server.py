"""The running server refuses other sites and keeps its inside to itself."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest
from pages_server import Site


def answer_to(
    site: Site, path: str, headers: dict[str, str], method: str = "GET"
) -> tuple[int, str]:
    """Status and text of one request."""
    connection = http.client.HTTPConnection(urlsplit(site.address).netloc, timeout=30)
    try:
        connection.request(method, path, body=b"{}" if method == "POST" else None, headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.read().decode(errors="replace")
    finally:
        connection.close()


def test_a_rebound_name_and_a_foreign_origin_are_refused(site: Site) -> None:
    """What another site could send from a reader's browser gets no answer."""
    assert answer_to(site, "/", {"Host": "evil.example"})[0] == 400
    path = "/gradio_api/queue/join"
    assert (
        answer_to(
            site,
            path,
            {"Origin": "http://evil.example", "Content-Type": "application/json"},
            "POST",
        )[0]
        == 403
    )
    assert answer_to(site, "/", {})[0] == 200


@pytest.mark.parametrize(
    "path", ["/openapi.json", "/docs", "/gradio_api/openapi.json", "/gradio_api/upload"]
)
def test_what_the_pages_do_not_need_is_closed(site: Site, path: str) -> None:
    """The server lists none of its functions and takes no files."""
    assert answer_to(site, path, {})[0] == 404
    assert answer_to(site, path, {"Content-Type": "multipart/form-data"}, "POST")[0] in (404, 405)


@pytest.mark.parametrize("path", ["/etc/passwd", "store.sqlite", "../../etc/passwd"])
def test_no_file_is_served(site: Site, path: str) -> None:
    """Neither the system's files nor the store's can be fetched."""
    wanted = path if path.startswith("/") else f"{site.store}/{path}"
    status, text = answer_to(site, f"/gradio_api/file={wanted}", {})
    assert status in (403, 404)
    assert "root:" not in text
