"""The functions over plain HTTP: JSON in, JSON out, and a status with one line for the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from app.api.functions import READING, RUNNING, Gradus
from app.api.rest import USER, rest_app, visitor_of
from app.api.signatures import signature_of
from app.open_store import Shelf


@pytest.fixture
def client(gradus: Gradus) -> TestClient:
    return TestClient(rest_app(gradus), raise_server_exceptions=False)


def test_a_question_is_answered(client: TestClient, gradus: Gradus) -> None:
    """The reply is the function's, of the type that the schema shows."""
    reply = client.post("/ask", json={"question": "What is flour?", "k": 2})
    assert reply.status_code == 200
    assert reply.json()["answer"] == gradus.ask("What is flour?", k=2)["answer"]
    returns = signature_of("ask").returns
    assert TypeAdapter(returns).validate_python(reply.json()) == reply.json()


@pytest.mark.parametrize("name", ["recipes", "notes", "relations"])
def test_what_needs_nothing_takes_no_body(client: TestClient, name: str) -> None:
    """Neither an empty object nor no body at all is missing anything."""
    bare, empty = client.post(f"/{name}"), client.post(f"/{name}", json={})
    assert (bare.status_code, bare.json()) == (200, empty.json())


@pytest.mark.parametrize(
    ("name", "body", "status", "said"),
    [
        ("ask", b'{"question": ""}', 422, "question: string should have at least 1 character"),
        ("ask", b"{}", 422, "question: field required"),
        ("ask", b'{"question": "q", "kk": 1}', 422, "kk: extra inputs are not permitted"),
        ("ask", b"{nope", 422, "request: JSON decode error"),
        ("ask", b"[]", 422, "request: "),
        ("ask", b'{"question": "\xff"}', 400, "error parsing the body"),
        ("concept", b'{"name": "a\\nb"}', 404, "the notes have no concept 'a b'"),
        ("run", b'{"recipe": "lr-find", "params": {"n": 1}}', 422, "there is no parameter 'n'"),
        ("run_status", b'{"run": "x"}', 404, "you have started no run 'x' here"),
        ("other", b"{}", 404, "Not Found"),
    ],
)
def test_an_error_is_one_line_under_its_status(
    client: TestClient, name: str, body: bytes, status: int, said: str
) -> None:
    """Whatever is wrong, the reply is an object with "error" alone."""
    reply = client.post(f"/{name}", content=body, headers={"content-type": "application/json"})
    assert reply.status_code == status
    assert {*reply.json()} == {"error"}
    assert said in reply.json()["error"]
    assert "\n" not in reply.json()["error"]


def test_an_error_of_ours_tells_no_inside(gradus: Gradus, monkeypatch: pytest.MonkeyPatch) -> None:
    """What went wrong stands in the log, not in the reply."""

    def broken(*_: object) -> None:
        raise RuntimeError("/secret/place")

    monkeypatch.setattr("app.api.functions.look", broken)
    client = TestClient(rest_app(gradus), raise_server_exceptions=False)
    reply = client.post("/search", json={"question": "q"})
    assert (reply.status_code, {*reply.json()}) == (500, {"error"})
    assert "secret" not in reply.text


def test_before_the_first_ingest_it_is_said(gradus: Gradus, tmp_path: Path) -> None:
    """A server without notes is not ready, and says what to run."""
    empty = replace(gradus, shelf=Shelf(tmp_path / "none"))
    reply = TestClient(rest_app(empty)).post("/ask", json={"question": "q"})
    assert reply.status_code == 503
    assert "gradus ingest" in reply.json()["error"]


def test_every_function_is_described(client: TestClient) -> None:
    """The schema has each function with its arguments, their bounds and words, and its reply."""
    schema = client.get("/openapi.json").json()
    assert {*schema["paths"]} == {f"/{name}" for name in (*READING, *RUNNING)}
    for name in (*READING, *RUNNING):
        told = schema["paths"][f"/{name}"]["post"]
        assert told["summary"] == signature_of(name).summary != ""
        reply = told["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        assert reply.endswith(f"/{signature_of(name).returns.__name__}")
        body = schema["components"]["schemas"].get(f"{name}_request", {"properties": {}})
        assert {*body["properties"]} == {a.name for a in signature_of(name).arguments}
        assert all(shown["description"] for shown in body["properties"].values())
    k = schema["components"]["schemas"]["ask_request"]["properties"]["k"]
    assert (k["minimum"], k["maximum"], k["default"]) == (1, 100, 10)


def test_a_run_is_followed_from_the_machine_that_started_it(gradus: Gradus) -> None:
    """Another address, or another user of the same, has started no such run."""
    app = rest_app(gradus)
    here, there = (TestClient(app, client=(host, 1)) for host in ("10.0.0.1", "10.0.0.2"))
    try:
        asked = {"recipe": "free-memory", "params": {"task": "tabular", "device": "cpu"}}
        started = here.post("/run", json=asked).json()
        own = {"run": started["id"]}
        assert here.post("/run", json=asked).status_code == 409
        assert there.post("/run_stop", json=own).status_code == 404
        assert here.post("/run_stop", json=own).json()["status"] == "cancelled"
        assert here.post("/run_status", json=own).json()["status"] == "cancelled"
        assert there.post("/run_status", json=own).status_code == 404
    finally:
        gradus.runs.stop_all()


def test_no_address_passes_for_a_user() -> None:
    """Who signed in is told apart from who did not, whatever they are called."""
    machine = visitor_of({"client": ("10.0.0.1", 1)})
    assert machine == visitor_of({"client": ("10.0.0.1", 2)})
    assert visitor_of({"client": ("10.0.0.1", 1), USER: "10.0.0.1"}) != machine
    assert visitor_of({USER: "ann"}) == visitor_of({USER: "ann", "client": ("10.0.0.9", 1)})
