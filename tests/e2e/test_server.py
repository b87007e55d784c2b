"""The running server refuses other sites and keeps its inside to itself."""

from __future__ import annotations

import http.client
import socket
from urllib.parse import urlsplit

import psutil
import pytest
from pages_server import Site, Visit
from playwright.sync_api import expect

# Asks for three things of another address in three ways; gives what the browser refused, and why.
REACH_OUT = """async (address) => {
  const refused = [];
  document.addEventListener('securitypolicyviolation', (e) => {
    refused.push([e.effectiveDirective, e.blockedURI]);
  });
  const made = (tag, src) => Object.assign(document.createElement(tag), { src });
  const add = (tag, src) => document.body.append(made(tag, src));
  add('img', `${address}/p.png`);
  add('script', `${address}/s.js`);
  await fetch(`${address}/f`, { mode: 'no-cors' }).catch(() => null);
  for (let n = 0; n < 100 && refused.length < 3; n++) await new Promise((go) => setTimeout(go, 20));
  return refused;
}"""


def answer_to(
    site: Site, path: str, headers: dict[str, str], method: str = "GET"
) -> tuple[int, str]:
    """Status and text of one request."""
    connection = http.client.HTTPConnection(urlsplit(site.address).netloc, timeout=30)
    try:
        body = b"{}" if method == "POST" and "Content-Length" not in headers else None
        connection.request(method, path, body=body, headers=headers)
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


def test_only_this_machine_is_listened_to(site: Site) -> None:
    """Every socket of the server that waits for others is at 127.0.0.1."""
    sockets = psutil.Process(site.pid).net_connections("inet")
    waiting = {one.laddr for one in sockets if one.status == psutil.CONN_LISTEN}
    assert {at.ip for at in waiting} == {"127.0.0.1"}
    assert urlsplit(site.address).port in {at.port for at in waiting}


def test_a_request_that_is_too_long_is_refused(site: Site) -> None:
    """By the length that it says, before any of it is read."""
    long = {"Content-Length": "1100000", "Content-Type": "application/json"}
    for path in ("/gradio_api/queue/join", "/gradio_api/component_server", "/api/ask"):
        status, text = answer_to(site, path, long, "POST")
        assert status == 413 and "\n" not in text.strip(), path


@pytest.mark.browser
def test_the_browser_loads_nothing_from_elsewhere(visit: Visit, site: Site) -> None:
    """Pictures, scripts and requests to another address are refused by the policy, unsent."""
    page = visit.page
    page.goto(site.address)
    expect(page.locator(".g-welcome h2")).to_be_visible()
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        address = f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
        refused = page.evaluate(REACH_OUT, address)
        elsewhere.settimeout(0.2)
        with pytest.raises(TimeoutError):
            elsewhere.accept()
    assert {kind for kind, _ in refused} == {"img-src", "script-src-elem", "connect-src"}
    assert all(where.startswith(address) for _, where in refused)
    assert len(visit.errors) >= 3  # the console's words for it
