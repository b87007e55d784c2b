"""An OpenAI-compatible server with a real transformers model; prints its base URL."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    StoppingCriteriaList,
    TextIteratorStreamer,
)


class Server(HTTPServer):
    """A model on a free port; it is started by file name, so that importing it loads nothing."""

    def __init__(self, folder: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")


class Handler(BaseHTTPRequestHandler):
    """One streamed chat completion for each request."""

    server: Server

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Write greedily, and send each piece as it comes; without a reader, writing ends."""
        over = threading.Event()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        tokenizer, model = self.server.tokenizer, self.server.model
        ids = tokenizer.apply_chat_template(
            body["messages"], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        streamer: Any = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
        settings = {
            **ids,
            "streamer": streamer,
            "do_sample": False,
            "max_new_tokens": body["max_tokens"],
        }
        settings["stopping_criteria"] = StoppingCriteriaList([lambda *_, **__: over.is_set()])
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        threading.Thread(target=model.generate, kwargs=settings, daemon=True).start()
        try:
            for piece in streamer:
                self._send({"index": 0, "delta": {"content": piece}, "finish_reason": None})
            self._send({"index": 0, "delta": {}, "finish_reason": "stop"})
            self.wfile.write(b"data: [DONE]\n\n")
        except (BrokenPipeError, ConnectionResetError):
            over.set()

    def _send(self, choice: dict[str, Any]) -> None:
        self.wfile.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())
        self.wfile.flush()


if __name__ == "__main__":
    torch.set_num_threads(
        1
    )  # on a busy machine threads that wait for each other cost more than they bring
    server = Server(sys.argv[1])
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}/v1\n")
    sys.stdout.flush()
    server.serve_forever()
