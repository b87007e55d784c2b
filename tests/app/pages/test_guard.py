"""The pages' server answers this machine's own pages, and nobody else's."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.pages.guard import POLICY, Guard, is_local


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(
        str(len(await request.body())), headers={"x-frame-options": "ALLOWALL"}
    )


def client(*hosts: str, base: str = "http://127.0.0.1:7860") -> TestClient:
    routes = [Route("/{path:path}", echo, methods=["GET", "POST"])]
    app = Starlette(routes=routes, middleware=[Middleware(Guard, hosts=hosts, max_bytes=100)])
    return TestClient(app, base_url=base)


def test_every_reply_has_the_policy() -> None:
    """Replies and refusals carry our content-security policy, whatever the page's own."""
    for path, headers in (("/", {}), ("/", {"origin": "http://evil.example"})):
        reply = client().get(path, headers=headers)
        assert reply.headers["content-security-policy"] == POLICY
        assert reply.headers["x-frame-options"] == "DENY"
        assert reply.headers["x-content-type-options"] == "nosniff"


def test_the_policy_lets_nothing_be_fetched_from_elsewhere() -> None:
    """No source in the policy is a host or a wildcard."""
    sources = {word for part in POLICY.split(";") for word in part.split()[1:]}
    assert sources <= {"'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:"}


@pytest.mark.parametrize(
    "name",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "[", "10.0.0.1"],
)
def test_a_foreign_host_name_is_refused(name: str) -> None:
    """A name that another site has pointed at this machine (DNS rebinding) gets no answer."""
    reply = client().get("/", headers={"host": name})
    assert reply.status_code == 400
    assert "host name" in reply.text


@pytest.mark.parametrize(
    "name", ["127.0.0.1:7860", "localhost", "LOCALHOST:7860", "[::1]:7860", "box.example:1"]
)
def test_own_names_are_answered(name: str) -> None:
    """This machine's own names, and the one asked for, are good."""
    assert client("box.example").get("/", headers={"host": name}).status_code == 200


@pytest.mark.parametrize(
    ("name", "status"), [("192.168.1.7:7860", 200), ("[fe80::1]:7860", 200), ("evil.example", 400)]
)
def test_served_everywhere_only_numbers_are_good(name: str, status: int) -> None:
    """With 0.0.0.0 any address in numbers is good; a name could have been rebound."""
    assert client("0.0.0.0").get("/", headers={"host": name}).status_code == status


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:7860"]
)
def test_another_origin_is_refused(origin: str) -> None:
    """A page of another origin, or of another port of this machine, cannot call the server."""
    reply = client().post("/gradio_api/run", headers={"origin": origin}, content=b"x")
    assert reply.status_code == 403
    assert "other sites" in reply.text


def test_the_own_origin_is_answered() -> None:
    """The pages themselves can post."""
    reply = client().post(
        "/gradio_api/run", headers={"origin": "http://127.0.0.1:7860"}, content=b"abc"
    )
    assert (reply.status_code, reply.text) == (200, "3")


def test_a_link_from_elsewhere_opens_the_page_but_reaches_no_function() -> None:
    """Following a link to the pages is fine; calling a function from another site is not."""
    visit = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client().get("/", headers=visit).status_code == 200
    assert client().get("/gradio_api/call", headers=visit).status_code == 403
    assert (
        client()
        .get("/", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"})
        .status_code
        == 403
    )


@pytest.mark.parametrize("length", ["101", "many", "-1"])
def test_a_request_that_is_too_long_is_refused_unread(length: str) -> None:
    """The announced length is checked before anything is read."""
    reply = client().post("/", headers={"content-length": length})
    assert reply.status_code == 413
    assert "100 bytes" in reply.text


def test_a_request_that_lies_about_its_length_is_cut() -> None:
    """A body sent in pieces, without a length, ends at the limit."""

    def pieces() -> object:
        yield from (b"x" * 60, b"x" * 60)

    with pytest.raises(ClientDisconnect):
        client().post("/", content=pieces())  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST", "::1"])
def test_this_machine_alone_reaches_its_own_addresses(host: str) -> None:
    """Whatever their number."""
    assert is_local(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "localhost.example", "fe80::1"])
def test_others_may_reach_any_other(host: str) -> None:
    """Also names that look local."""
    assert not is_local(host)
