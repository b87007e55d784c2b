"""What a page's script sends with an event is checked: whatever comes, nothing is raised."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

import gradio as gr
import httpx
import pytest
from served import served

from app.api.functions import Gradus
from app.open_store import Shelf
from app.pages.ask.conversations import Conversation
from app.pages.serve import _build
from app.visitors_runs import VisitorsRuns
from kg.encoder import Encoder

ROOT = Path(__file__).resolve().parents[3]
NAMES = (
    *("question", "again", "act", "id", "words", "name", "index", "liked", "value", "label"),
    *("known", "full", "goal", "first", "then", "decision", "recipe", "params"),
)
ODD: tuple[Any, ...] = (
    None,
    3,
    -1.5,
    float("nan"),
    True,
    [],
    ["a"],
    {},
    {"a": 1},
    "",
    "x" * 10_000,
)
ODD += ("../../etc/passwd", "<b>", "a\0b", "\ud800")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, store_folder: Path) -> Iterator[gr.Blocks]:
    """All pages over a small store."""
    shelf = Shelf(store_folder)
    yield _build(Gradus(shelf, tmp_path_factory.mktemp("runs"), VisitorsRuns()), None)
    shelf.close()


def given(function: Any, event: gr.EventData, other: Any) -> list[Any]:
    """What gradio would call it with; `other` stands for what the browser keeps."""
    kinds = get_type_hints(function)
    request = SimpleNamespace(session_hash="one", client=None, headers={}, username=None)
    by_kind = {gr.Request: request, Conversation: Conversation()}
    return [
        event if kinds.get(name) is gr.EventData else by_kind.get(kinds.get(name), other)
        for name in inspect.signature(function).parameters
    ]


async def drained(coming: AsyncIterator[Any]) -> None:
    """All that comes is taken."""
    async for _ in coming:
        pass


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
def test_odd_events_are_taken_as_they_come(pages: gr.Blocks, odd: Any) -> None:
    """Of each event that comes with data: all of it odd, or none of it there."""
    tried = set()
    for event in pages.fns.values():
        function = event.fn
        if function is None or gr.EventData not in get_type_hints(function).values():
            continue
        for data in ({}, dict.fromkeys(NAMES, odd)):
            made = function(*given(function, gr.EventData(None, data), odd))
            if inspect.isasyncgen(made):
                asyncio.run(drained(made))
        tried.add(function.__qualname__)
    assert len(tried) >= 8


RAW: tuple[Any, ...] = ({"a": 1}, "../../etc/passwd <b>\0")
OURS = re.compile(rf'File "{re.escape(str(ROOT))}/(?:app|executors|ingest|kg)/')


def test_raw_calls_of_every_function_are_values_or_one_line(
    store_folder: Path, encoder: Encoder, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Over HTTP, by index and by name, with odd inputs in every place: none of ours raises."""
    store = Path(shutil.copytree(store_folder, tmp_path / "store"))
    gradus = Gradus(Shelf(store, encoder), tmp_path / "runs", VisitorsRuns())
    with served(gradus) as address, httpx.Client(base_url=address, timeout=60) as client:
        config = client.get("/config").json()
        # The forms of the recipes have the same functions, numbered.
        by_name = {re.sub(r"_\d+$", "", e["api_name"]): e for e in config["dependencies"]}
        events = [event for event in by_name.values() if event["backend_fn"]]
        asked = [
            (part["id"], name)
            for part in config["components"]
            for name in part["props"].get("server_fns") or ()
        ]
        assert len(events) > 20 and len(asked) > 8
        for odd in RAW:
            for event in events:
                for told in called(client, event, odd):
                    assert told is None or "\n" not in told.strip(), event
            for part, name in asked:
                body = {"data": odd, "component_id": part, "fn_name": name, "session_hash": "s"}
                reply = client.post("/gradio_api/component_server", json=body)
                assert reply.status_code == 200, (name, odd, reply.text)
        assert client.get("/").status_code == 200
    assert not list(tmp_path.glob("runs/*"))
    printed = capfd.readouterr()
    assert OURS.findall(printed.out + printed.err) == []


def called(client: httpx.Client, event: dict[str, Any], odd: Any) -> Iterator[str | None]:
    """Call an event of the pages as its own script would; gives the errors it replies with."""
    session = secrets.token_hex(6)
    body = {
        "data": [odd] * len(event["inputs"]),
        "event_data": odd if isinstance(odd, dict) else dict.fromkeys(NAMES, odd),
        "fn_index": event["id"],
        "session_hash": session,
    }
    if event["queue"] is False:
        reply = client.post("/gradio_api/run/predict", json=body)
        assert reply.status_code in (200, 500), reply.text
        yield reply.json().get("error")
        return
    reply = client.post("/gradio_api/queue/join", json=body)
    assert reply.status_code in (200, 400, 422), reply.text
    if reply.status_code != 200:
        return
    with client.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as lines:
        for line in lines.iter_lines():
            said = json.loads(line[5:]) if line.startswith("data:") else {}
            if said.get("msg") == "process_completed":
                yield said["output"].get("error")
                return
