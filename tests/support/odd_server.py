"""An OpenAI-compatible server that misbehaves on request: the model's name says how.

Run as a process of its own; prints its base URL. `GET /seen` gives the last request, `GET /held`
waits until a reply is being held back, `GET /go` lets it go on, `GET /left` waits until a reader
has gone away. `POST /script` sets what a model without a text of its own says.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

STATUS = {
    "unauthorised": 401,
    "forbidden": 403,
    "missing": 404,
    "too-long": 413,
    "quota": 429,
    "broken": 500,
}
ODD_JSON = ("{broken", "null", "[1, 2]", '"text"', "{}", '{"choices": 7}', '{"choices": [null]}',
            '{"choices": [{"delta": []}]}',
            '{"choices": [{"delta": {"content": {"a": 1}}}]}')  # fmt: skip
FINISH = {
    "say": "stop",
    "picky": "stop",
    "long": "length",
    "filtered": "content_filter",
    "empty": "stop",
    "odd": "stop",
}
RNG = random.Random(0)
ENDLESS: dict[str, Callable[[], bytes]] = {
    "noise": lambda: RNG.randbytes(65536),
    "bad-utf8": lambda: b"data: \xff\xfe\xfa\n\n",
    "alive": lambda: b": still there\n\n",  # a comment: the connection lives, no token comes
}
WAIT_S = 60


class Server(ThreadingHTTPServer):
    """Keeps what was asked, and lets replies be held."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: dict[str, Any] = {}
        self.script = ""
        self.held, self.go, self.left = threading.Event(), threading.Event(), threading.Event()


class Handler(BaseHTTPRequestHandler):
    """Answers one request as its model's name says."""

    server: Server

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """What the tests ask about the last request, or wait for."""
        events = {"/held": self.server.held, "/left": self.server.left}
        if self.path == "/go":
            self.server.go.set()
        if self.path in events:
            answer: Any = events[self.path].wait(WAIT_S)
        else:
            answer = self.server.seen
        self._whole(200, "application/json", json.dumps(answer))

    def do_POST(self) -> None:
        """One completion."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/script":
            self.server.script = body
            self._whole(200, "application/json", "true")
            return
        self.server.seen = {
            "body": body,
            "key": self.headers.get("Authorization", ""),
            "path": self.path,
        }
        for event in (self.server.held, self.server.go, self.server.left):
            event.clear()
        kind, _, text = body["model"].partition(":")
        try:
            self._reply(kind, unquote(text), body)
        except (BrokenPipeError, ConnectionResetError):
            self.server.left.set()

    def _reply(self, kind: str, text: str, body: dict[str, Any]) -> None:
        if kind in STATUS:
            key = self.headers.get("Authorization")
            self._error(STATUS[kind], f"secret words of the server about {key}")
        elif kind == "picky" and "temperature" in body:
            self._error(
                400, "Unsupported value: 'temperature' does not support 0.0 with this model."
            )
        elif kind == "refusing":
            self._error(400, "this model does not do that")
        elif kind == "html":
            self._whole(200, "text/html; charset=utf-8", "<!doctype html><title>Router</title>")
        elif kind == "unstreamed":
            self._whole(
                200,
                "application/json",
                json.dumps({"choices": [{"message": {"content": "hello"}}]}),
            )
        else:
            self._stream(kind, text or self.server.script)

    def _stream(self, kind: str, text: str) -> None:
        if kind == "unanswered":
            self.server.go.wait(WAIT_S)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        if kind == "hold":
            self._hold(text)
        elif kind == "cut":
            self._say(text)
        elif kind == "reported":
            self._raw('{"error": {"message": "out of memory", "type": "server_error"}}')
        elif kind == "silent":
            self.server.go.wait(WAIT_S)
        elif kind in FINISH:
            self._whole_reply(kind, text)
        else:
            self._endless(kind)

    def _whole_reply(self, kind: str, text: str) -> None:
        if kind == "odd":
            self._raw(ODD_JSON[int(text)])
        elif kind not in ("filtered", "empty"):
            for piece in [text] if kind == "long" else _pieces(text):
                self._say(piece)
        self._finish(FINISH[kind])

    def _hold(self, text: str) -> None:
        """Say what stands before the bar, and the rest when it is let go."""
        first, _, rest = text.partition("|")
        self._say(first)
        self.server.held.set()
        while not self.server.go.wait(0.05):  # a comment shows whether anybody still reads
            self.wfile.write(b": still here\n\n")
        self._say(rest)
        self._finish("stop")

    def _endless(self, kind: str) -> None:
        """Never finish, in different ways."""
        for n in itertools.count():
            if kind in ENDLESS:
                self.wfile.write(ENDLESS[kind]())
            elif kind == "looping":
                self._say("The rate is the rate. ")
            elif kind == "babbling":
                self._say(_babble())
            elif kind == "slow":
                self._say(f"word{n} " if n else "")
            if kind in ("alive", "slow") and self.server.go.wait(0.05):
                return

    def _say(self, text: str) -> None:
        self._raw(
            json.dumps(
                {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
            )
        )

    def _finish(self, reason: str) -> None:
        self._raw(json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}))
        self._raw("[DONE]")

    def _raw(self, data: str) -> None:
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()

    def _error(self, status: int, message: str) -> None:
        self._whole(
            status, "application/json", json.dumps({"error": {"message": message, "type": "error"}})
        )

    def _whole(self, status: int, kind: str, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())


def _babble() -> str:
    """A sentence of words that are none."""
    words = ("".join(RNG.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(20))
    return " ".join(words) + ". "


def _pieces(text: str) -> list[str]:
    """A text in pieces that cut words, as models do."""
    return [text[i : i + 7] for i in range(0, len(text), 7)]


if __name__ == "__main__":
    server = Server()
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}/v1\n")
    sys.stdout.flush()
    server.serve_forever()
