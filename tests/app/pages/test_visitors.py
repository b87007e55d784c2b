"""Several visitors at once on the pages that are served, each event sent as a browser does."""

from __future__ import annotations

import json
import secrets
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import served

from app.api.functions import Gradus
from app.open_store import Shelf
from app.pages.ask.conversations import read
from app.visitors_runs import VisitorsRuns
from kg.encoder import Encoder

QUESTIONS = ("What is proofing?", "What is flour?")


def test_each_visitor_has_every_question_answered_in_order(
    store_folder: Path, encoder: Encoder, tmp_path: Path
) -> None:
    """Two questions at once of one page become one conversation of both, for ten pages at once."""
    store = Path(shutil.copytree(store_folder, tmp_path / "store"))
    shelf = Shelf(store, encoder)
    with served(Gradus(shelf, tmp_path / "runs", VisitorsRuns())) as address:
        asking = _asking(address)
        visitors = [secrets.token_urlsafe(32) for _ in range(10)]
        with ThreadPoolExecutor(len(visitors)) as pages:
            done = list(pages.map(lambda visitor: _visit(address, asking, visitor), visitors))
    assert done == [[True, True]] * len(visitors)
    for visitor in visitors:
        (conversation,) = read(store, visitor).conversations
        assert [e.question for e in conversation.exchanges] == list(QUESTIONS)
        assert all(e.answer and e.answer.status == "answered" for e in conversation.exchanges)


def test_who_comes_when_too_many_wait_is_told(
    store_folder: Path, encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue ends; beyond it one line says so, and the server goes on."""
    monkeypatch.setattr("app.pages.serve.WAITING", 0)
    store = Path(shutil.copytree(store_folder, tmp_path / "store"))
    gradus = Gradus(Shelf(store, encoder), tmp_path / "runs", VisitorsRuns())
    with served(gradus) as address:
        body = _question(_asking(address), secrets.token_urlsafe(32), QUESTIONS[0])
        for _ in range(2):
            told = httpx.post(f"{address}/gradio_api/queue/join", json=body, timeout=60)
            assert told.status_code == 503
            assert "full" in told.json()["detail"] and "\n" not in told.json()["detail"]
        assert httpx.get(address, timeout=60).status_code == 200


def _asking(address: str) -> int:
    events = httpx.get(f"{address}/config", timeout=60).json()["dependencies"]
    linked = [e for e in events if any(target[1] == "ask_link" for target in e["targets"])]
    (asking,) = (e["id"] for e in linked if e["inputs"])
    return int(asking)


def _question(asking: int, secret: str, question: str) -> dict[str, Any]:
    """What a page sends to ask it."""
    return {
        "data": [None, {"secret": secret}],
        "event_data": {"question": question, "again": False},
        "fn_index": asking,
        "session_hash": secret[:10],
    }


def _visit(address: str, asking: int, secret: str) -> list[bool]:
    """Whether each question was answered."""
    session = secret[:10]
    for question in QUESTIONS:
        body = _question(asking, secret, question)
        httpx.post(f"{address}/gradio_api/queue/join", json=body, timeout=60).raise_for_status()
    done: list[bool] = []
    stream = f"{address}/gradio_api/queue/data?session_hash={session}"
    with httpx.stream("GET", stream, timeout=60) as lines:
        for line in lines.iter_lines():
            message: dict[str, Any] = json.loads(line[5:]) if line.startswith("data:") else {}
            if message.get("msg") == "process_completed":
                done.append(bool(message["success"]))
            if len(done) == len(QUESTIONS):
                break
    return done
