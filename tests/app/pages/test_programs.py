"""The functions for programs through gradio's own client and endpoints, on a running server."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from served import served

from app.api.functions import READING, RUNNING, Gradus
from app.open_store import Shelf
from app.visitors_runs import VisitorsRuns
from kg.encoder import Encoder


@pytest.fixture(scope="module")
def gradus(
    store_folder: Path, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory
) -> Gradus:
    runs_dir = tmp_path_factory.mktemp("runs")
    return Gradus(Shelf(store_folder, encoder), runs_dir, VisitorsRuns())


@pytest.fixture(scope="module")
def address(gradus: Gradus) -> Iterator[str]:
    """A server of the pages in this process."""
    with served(gradus) as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Client(address, verbose=False, httpx_kwargs={"timeout": 60})


def test_a_client_asks_by_name(client: Client, gradus: Gradus) -> None:
    """With arguments by name and defaults for the rest; a follow-up with what was asked before."""
    reply = client.predict(question="What is flour?", api_name="/ask")
    assert reply["answer"] == gradus.ask("What is flour?")["answer"]
    after = client.predict(question="and levain?", earlier=["What is flour?"], api_name="/ask")
    assert after["concepts"][0] == "Sourdough starter"


def test_a_client_sees_these_functions_and_no_others(client: Client) -> None:
    """Each with its arguments and their words; the pages' own events are hidden."""
    told = client.view_api(return_format="dict")
    assert {*told["named_endpoints"]} == {f"/{name}" for name in (*READING, *RUNNING)}
    assert told["unnamed_endpoints"] == {}
    asked = {p["parameter_name"]: p for p in told["named_endpoints"]["/path"]["parameters"]}
    assert {*asked} == {"goals", "known", "full"}
    assert not asked["goals"]["parameter_has_default"]
    assert asked["known"]["parameter_has_default"]


def test_an_error_reaches_a_client_as_its_line(client: Client) -> None:
    """The message is the error's own, not a traceback and not a bare failure."""
    with pytest.raises(AppError, match="closest are: Sourdough starter"):
        client.predict(name="Sourdogh starter", api_name="/concept")
    with pytest.raises(AppError, match="question: string should have at least 1"):
        client.predict(question="", api_name="/ask")


def test_plain_http_on_the_same_server(address: str, gradus: Gradus) -> None:
    """REST lies beside the pages, behind the same guard."""
    asked = {"name": "levain"}
    reply = httpx.post(f"{address}/api/concept", json=asked, timeout=30)
    assert reply.json()["label"] == gradus.concept("levain")["label"]
    assert "content-security-policy" in reply.headers
    foreign = {"origin": "http://evil.example"}
    refused = httpx.post(f"{address}/api/concept", json=asked, headers=foreign, timeout=30)
    assert refused.status_code == 403
    (server,) = httpx.get(f"{address}/api/openapi.json", timeout=30).json()["servers"]
    assert server["url"] == "/api"
    form = {"content-type": "text/plain"}
    sent = httpx.post(f"{address}/api/concept", content=b'{"name": "levain"}', headers=form)
    assert sent.status_code == 422


def test_a_client_follows_the_run_it_started(client: Client, gradus: Gradus) -> None:
    """Over the queue, too, a run has its visitor."""
    asked = {"recipe": "free-memory", "params": {"task": "tabular", "device": "cpu"}}
    started = client.predict(**asked, api_name="/run")
    stopped = client.predict(run=started["id"], api_name="/run_stop")
    assert stopped["status"] == "cancelled"
    with pytest.raises(AppError, match="no run"):
        client.predict(run="another", api_name="/run_status")
