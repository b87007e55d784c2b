"""`gradus app` in a process of its own, and visitors who ask on its pages as a browser does."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from gradio_client.utils import apply_diff

__all__ = ["Asked", "Pages", "cpu_seconds", "gradus", "serve"]

COMMAND = "from app.commands.ingest_and_ask import program; program()"
PASSING = ("g-error", "g-quiet")  # an error's line, and what is shown while the answer is coming
PATIENCE_S = 600.0
LOOK_EVERY_S = 0.02


@dataclass(slots=True)
class Asked:
    """One question on the pages; times count from when it was sent."""

    begun: float = field(default_factory=time.perf_counter)
    first_words_s: float = 0.0  # of its answer
    whole_s: float = 0.0
    drawn: int = 0  # how often the chat was drawn anew
    chat: list[Any] = field(default_factory=list)  # what it shows at last
    error: str = "no answer"  # "" when it was answered

    def hear(self, message: dict[str, Any]) -> None:
        """Take what the server says of this question."""
        passed = time.perf_counter() - self.begun
        if message["msg"] == "process_generating":
            self.drawn += 1
            # The chat is whole at first, then what is different in it.
            change = message["output"]["data"][0]
            self.chat = change if _is_chat(change) else apply_diff(self.chat, change)
            if not self.first_words_s and self._answer():
                self.first_words_s = passed
        elif message["msg"] == "process_completed":
            self.whole_s = passed
            failed = json.dumps(message["output"])[:200]
            self.error = (
                failed if not message["success"] else "" if self._answer() else "not answered"
            )

    def _answer(self) -> str:
        last = self.chat[-1] if self.chat else {"role": "user"}
        text = str(last["content"]) if last["role"] == "assistant" else ""
        return "" if any(words in text for words in PASSING) else text


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages that are being served."""

    address: str
    server: psutil.Process
    ask_link: int  # the number that gradio gave the event by which a visitor asks
    starting_s: float  # from the start of the process until a page said that they come
    open_s: float  # until they were there

    async def visit(self, client: httpx.AsyncClient, questions: Sequence[str]) -> list[Asked]:
        """Open the page, ask all questions at once, and wait for their answers."""
        session, secret = uuid.uuid4().hex[:10], secrets.token_urlsafe(32)
        asked: dict[str, Asked] = {}
        refused: list[Asked] = []
        for question in questions:
            one = Asked()
            body = {
                "data": [None, {"secret": secret}],  # the server has the conversation
                "event_data": {"question": question, "again": False},
                "fn_index": self.ask_link,
                "session_hash": session,
            }
            joined = await client.post(f"{self.address}/gradio_api/queue/join", json=body)
            if joined.status_code == httpx.codes.OK:
                asked[joined.json()["event_id"]] = one
            else:
                one.error = f"{joined.status_code}: {joined.text[:200]}"
                refused.append(one)
        waiting = set(asked)
        if waiting:
            async for message in self._messages(client, session):
                event = message.get("event_id")
                if event in asked:
                    asked[event].hear(message)
                    if message["msg"] == "process_completed":
                        waiting.discard(event)
                if not waiting:
                    break
        return [*asked.values(), *refused]

    async def _messages(
        self, client: httpx.AsyncClient, session: str
    ) -> AsyncIterator[dict[str, Any]]:
        address = f"{self.address}/gradio_api/queue/data?session_hash={session}"
        async with client.stream("GET", address) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])


def _is_chat(change: Any) -> bool:
    return bool(change) and all(isinstance(row, dict) for row in change)


def gradus(*arguments: str | Path) -> subprocess.Popen[str]:
    """The command line in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"},
    )


@contextmanager
def serve(store: Path) -> Iterator[Pages]:
    """The pages of a store, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    begun = time.perf_counter()
    server = gradus("app", "--store", store, "--port", str(port))
    try:
        address = f"http://127.0.0.1:{port}"
        starting_s, open_s = (_when(address, server, ok) - begun for ok in (False, True))
        events = httpx.get(f"{address}/config", timeout=PATIENCE_S).json()["dependencies"]
        linked = [e for e in events if any(target[1] == "ask_link" for target in e["targets"])]
        (asking,) = (e["id"] for e in linked if e["inputs"])  # the other only turns to the tab
        yield Pages(address, psutil.Process(server.pid), asking, starting_s, open_s)
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()


def _when(address: str, server: subprocess.Popen[str], ok: bool) -> float:
    """When a page first answered at an address, or did so with what was asked for."""
    while server.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.get(address, timeout=PATIENCE_S)
            if answer.is_success or not ok:
                return time.perf_counter()
        time.sleep(LOOK_EVERY_S)
    raise RuntimeError("the pages did not come")


def cpu_seconds(process: psutil.Process) -> float:
    """Processor time that a process has taken."""
    times = process.cpu_times()
    return float(times.user + times.system)
