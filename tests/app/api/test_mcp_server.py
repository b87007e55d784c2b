"""The notes for assistants, asked by the protocol's own client: over a pipe and over HTTP."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from awaited import awaited
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client
from mcp.shared.exceptions import McpError
from mcp.shared.memory import create_connected_server_and_client_session as connected
from mcp.types import CallToolResult, TextContent, TextResourceContents
from pydantic import AnyUrl
from served import served

from app.api.functions import READING, RUNNING, Gradus
from app.api.mcp_server import mcp_server
from app.api.signatures import signature_of

Talk = Callable[[ClientSession], Awaitable[Any]]


def told(gradus: Gradus, talk: Talk, *, allow_runs: bool = False) -> Any:
    """What a client of a server in this process gets."""

    async def over_memory() -> Any:
        async with connected(mcp_server(gradus, allow_runs)) as session:
            return await talk(session)

    return awaited(over_memory())


def text_of(result: CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


async def ask(session: ClientSession) -> CallToolResult:
    return await session.call_tool("ask", {"question": "What is flour?"})


def test_the_tools_are_the_functions(gradus: Gradus) -> None:
    """Each with its words, its arguments and the shape of its reply."""
    tools = told(gradus, lambda session: session.list_tools()).tools
    assert [tool.name for tool in tools] == list(READING)
    for tool in tools:
        kind = signature_of(tool.name)
        assert tool.description == kind.summary
        shown = tool.inputSchema.get("properties", {})
        assert {*shown} == {argument.name for argument in kind.arguments}
        assert all(argument["description"] for argument in shown.values())
        assert tool.outputSchema["type"] == "object"
        assert tool.annotations.readOnlyHint


def test_a_question_is_answered_as_everywhere(gradus: Gradus) -> None:
    """Text and structure say the same, which is what the function gives; so with a study path."""
    expected = json.loads(json.dumps(gradus.ask("What is flour?")))
    result = told(gradus, ask)
    assert not result.isError
    assert result.structuredContent == json.loads(text_of(result)) == expected
    question = "What do I need before proofing?"
    before = told(gradus, lambda s: s.call_tool("ask", {"question": question}))
    assert [step["label"] for step in before.structuredContent["path"]][-1] == "Proofing"


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("ask", {}, "question: field required"),
        ("ask", {"question": "q", "k": 0}, "k: input should be greater than or equal to 1"),
        ("concept", {"name": "sourdogh\nstarter"}, "no concept 'sourdogh starter'; the closest"),
        ("note", {"name": "/etc/passwd"}, "there is no note '/etc/passwd'"),
    ],
)
def test_an_error_is_a_result_of_one_line(
    gradus: Gradus, name: str, asked: dict[str, Any], said: str
) -> None:
    """In our words alone: an assistant that reads it can mend its call."""
    result = told(gradus, lambda session: session.call_tool(name, asked))
    assert result.isError
    assert said in text_of(result)
    assert "\n" not in text_of(result)
    assert "Error executing" not in text_of(result)


def test_an_error_of_ours_tells_no_inside(gradus: Gradus, monkeypatch: pytest.MonkeyPatch) -> None:
    """What went wrong stands in the log, not in the reply."""

    def broken(*_: object) -> None:
        raise ValueError("/secret/place")

    monkeypatch.setattr("app.api.functions.look", broken)
    result = told(gradus, lambda s: s.call_tool("search", {"question": "q"}))
    assert result.isError
    assert "secret" not in text_of(result)


def test_runs_are_off_until_they_are_allowed(gradus: Gradus) -> None:
    """Without --allow-runs no tool starts anything; with it a run is followed and stopped."""
    asked = {"recipe": "free-memory"}
    for name in RUNNING:
        refused = told(gradus, partial(ClientSession.call_tool, name=name, arguments=asked))
        assert refused.isError
        assert "Unknown tool" in text_of(refused)

    async def run(session: ClientSession) -> tuple[str, str]:
        asked = {"recipe": "free-memory", "params": {"task": "tabular", "device": "cpu"}}
        started = (await session.call_tool("run", asked)).structuredContent or {}
        stopped = await session.call_tool("run_stop", {"run": started["id"]})
        return started["status"], (stopped.structuredContent or {})["status"]

    try:
        begun, ended = told(gradus, run, allow_runs=True)
        assert begun in ("queued", "running")
        assert ended == "cancelled"
    finally:
        gradus.runs.stop_all()


def test_notes_and_concepts_are_resources(gradus: Gradus) -> None:
    """What the two lists name can be read by its address."""

    async def read(session: ClientSession) -> dict[str, str]:
        found = {}
        for index in ("gradus://notes", "gradus://concepts"):
            (listed,) = (await session.read_resource(AnyUrl(index))).contents
            assert isinstance(listed, TextResourceContents)
            for address in json.loads(listed.text):
                (there,) = (await session.read_resource(AnyUrl(address))).contents
                assert isinstance(there, TextResourceContents)
                found[address] = there.text
        with pytest.raises(McpError) as unknown:
            await session.read_resource(AnyUrl("gradus://note/x"))
        found["gradus://note/x"] = str(unknown.value)
        return found

    found = told(gradus, read)
    assert found["gradus://note/x"] == "there is no note 'x'; `notes` lists them"
    assert found["gradus://note/bread.md"] == gradus.note("bread.md")["texts"][0]
    assert "The oven temperature" in found["gradus://note/log.ipynb"]
    card = json.loads(found["gradus://concept/Sourdough%20starter"])
    assert card["label"] == "Sourdough starter"


def test_over_a_pipe(store_folder: Path) -> None:
    """`gradus mcp` speaks the protocol and nothing else on stdout, and ends with its client."""
    gradus = "from app.commands.ingest_and_ask import program; program()"
    server = StdioServerParameters(
        command=sys.executable,
        args=["-c", gradus, "mcp", "--store", str(store_folder)],
        env=dict(os.environ),
        cwd=Path(__file__).parents[3],
    )

    async def talk() -> tuple[CallToolResult, str]:
        async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
            about = await session.initialize()
            return await ask(session), about.instructions or ""

    result, about = awaited(talk())
    assert (result.structuredContent or {})["citations"][0]["note"] == "bread.md"
    assert "--allow-runs" in about


@pytest.fixture
def address(gradus: Gradus) -> Iterator[str]:
    """The pages of this process, at which the protocol is spoken too."""
    with served(gradus) as address:
        yield address


def test_over_http_beside_the_pages(address: str) -> None:
    """At /mcp, behind the pages' guard: another site's page cannot reach it."""

    async def talk() -> tuple[CallToolResult, list[str]]:
        async with (
            streamablehttp_client(f"{address}/mcp") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await ask(session), [tool.name for tool in (await session.list_tools()).tools]

    result, names = awaited(talk())
    assert (result.structuredContent or {})["status"] == "answered"
    assert names == list(READING)
    foreign = {"origin": "http://evil.example", "accept": "application/json, text/event-stream"}
    refused = httpx.post(f"{address}/mcp", json={}, headers=foreign, timeout=30)
    assert refused.status_code == 403
    rebound = httpx.post(f"{address}/mcp", json={}, headers={"host": "evil.example"}, timeout=30)
    assert rebound.status_code == 400
    assert httpx.get(address, timeout=30).status_code == 200
