"""What a page's script sends with an event is checked: whatever comes, nothing is raised."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

import gradio as gr
import pytest

from app.api.functions import Gradus
from app.open_store import Shelf
from app.pages.ask.conversations import Conversation
from app.pages.serve import _build
from app.visitors_runs import VisitorsRuns

NAMES = ("question", "again", "act", "id", "words", "name", "index", "liked", "value", "label")
NAMES += ("known", "full", "goal", "first", "then", "decision", "recipe", "params")
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
