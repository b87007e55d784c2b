"""Where people sign in, nothing answers before: no page, no function, no assistant."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from served import served
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.api.accounts import ADDRESS_TRIES, Accounts, account_line, read_accounts
from app.api.functions import Gradus
from app.api.rest import visitor_of
from app.open_store import Shelf
from app.pages.access import Access
from app.pages.sign_in import SignIn
from app.visitors_runs import VisitorsRuns
from kg.encoder import Encoder

ANN = ("ann", "wörds: with colon")


@pytest.fixture(scope="module")
def known() -> Accounts:
    return Accounts(read_accounts([account_line(*ANN)], "a test"))


async def who(request: Request) -> PlainTextResponse:
    return PlainTextResponse(visitor_of(request.scope))


def client() -> TestClient:
    people = Accounts(read_accounts([account_line(*ANN)], "a test"))
    routes = [Route("/{path:path}", who)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(SignIn, accounts=people)]))


def test_who_signed_in_is_known_by_name() -> None:
    """What lies behind is told the name, whatever characters the password has."""
    reply = client().get("/", auth=ANN)
    assert (reply.status_code, reply.text) == (200, "user ann")


@pytest.mark.parametrize(
    "sent", ["", "Basic", "Basic %%%", "Bearer YW5uOng=", "Basic YW5u", "Basic /////w=="]
)
def test_without_name_and_password_a_browser_is_asked(sent: str) -> None:
    """What is no name and password is refused, and the browser told to ask."""
    reply = client().get("/", headers={"authorization": sent} if sent else {})
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"].startswith("Basic ")


def test_guessing_ends_in_a_lock_out() -> None:
    """After a few failures even the right password waits, and the reply says how long."""
    guessing = client()
    for _ in range(ADDRESS_TRIES):
        assert guessing.get("/", auth=("ann", "wrong guess")).status_code == 401
    reply = guessing.get("/", auth=ANN)
    assert reply.status_code == 429
    assert int(reply.headers["retry-after"]) > 0


@pytest.fixture(scope="module")
def address(
    known: Accounts, store_folder: Path, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The pages where people sign in."""
    gradus = Gradus(Shelf(store_folder, encoder), tmp_path_factory.mktemp("runs"), VisitorsRuns())
    with served(gradus, Access(known)) as address:
        yield address


def test_nothing_of_the_pages_answers_a_stranger(address: str) -> None:
    """Neither pages nor files, gradio's endpoints, REST, nor MCP."""
    for path in ("/", "/config", "/gradio_api/info", "/api/openapi.json", "/theme.css", "/mcp"):
        reply = httpx.get(f"{address}{path}", timeout=30)
        assert (reply.status_code, "content-security-policy" in reply.headers) == (401, True)
    for path in ("/api/notes", "/gradio_api/run/notes", "/gradio_api/queue/join", "/mcp"):
        assert httpx.post(f"{address}{path}", json={"data": []}, timeout=30).status_code == 401


def test_who_signs_in_has_all_of_it(address: str) -> None:
    """The page, REST, and gradio's client, which sends the same header along."""
    basic = httpx.BasicAuth(ANN[0], ANN[1].encode())
    assert httpx.get(address, auth=basic, timeout=30).status_code == 200
    asked = {"name": "Flour"}
    reply = httpx.post(f"{address}/api/concept", json=asked, auth=basic, timeout=30)
    assert reply.json()["label"] == "Flour"
    sent = next(basic.auth_flow(httpx.Request("GET", address))).headers["authorization"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given = {"authorization": sent}
        gradio = Client(address, verbose=False, headers=given, httpx_kwargs={"timeout": 60})
    assert gradio.predict(name="Flour", api_name="/concept")["label"] == "Flour"
