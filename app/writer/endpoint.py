"""A writer behind an OpenAI-compatible endpoint: Ollama, llama.cpp, vLLM, hosted models."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.writer.pace import CONNECT_S, MAX_TOKENS, SILENCE_S, WriterFailure
from app.writer.prompt import Message

if TYPE_CHECKING:
    from openai import OpenAI

__all__ = ["DEFAULT_BASE_URL", "Endpoint"]

DEFAULT_BASE_URL = "https://api.openai.com/v1"
MAX_BYTES = 8_000_000  # of one reply; a server that sends garbage without end is cut off
# The second way is for models that refuse the first: some take no temperature, and count tokens
# under another name.
_WAYS: tuple[dict[str, Any], ...] = (
    {"temperature": 0.0, "max_tokens": MAX_TOKENS},
    {"max_completion_tokens": MAX_TOKENS},
)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model at a base URL; OPENAI_API_KEY is read when it writes, and may be missing."""

    name: str
    base_url: str

    def load(self) -> None:
        """Nothing to do: the model is the server's."""

    def stream(self, prompt: Sequence[Message], over: threading.Event) -> Iterator[str]:
        """The answer in pieces, "" while the model thinks.

        Raises
        ------
        WriterFailure
            Whatever goes wrong on the way, in one line.
        """
        import httpx2
        import openai

        try:
            with _client(self.base_url, over) as client:
                yield from _pieces(self, client, prompt, over)
        except openai.OpenAIError as error:
            raise WriterFailure(_reason(error, self)) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise WriterFailure(
                f"the connection to {self.place} broke ({type(error).__name__}); ask again."
            ) from error
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            # What stands where JSON in OpenAI's form should be: any of these, by where the reading
            # stumbles.
            raise WriterFailure(
                f"{self.place} sent something that is not a chat completion; {_LOOK_AT_URL}"
            ) from error

    @property
    def place(self) -> str:
        """Host and port, without a password that may stand in the URL."""
        parts = urlsplit(self.base_url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


_LOOK_AT_URL = "is the base URL right? It mostly ends in /v1."


def _client(base_url: str, over: threading.Event) -> OpenAI:
    """A client that never retries, waits as long as we do, and asks no proxy for loopback."""
    import httpx2
    import openai

    class Bounded(httpx2.SyncByteStream):
        """A reply's bytes, up to a limit, and while somebody reads: some servers never end."""

        def __init__(self, stream: Any) -> None:
            self.stream = stream

        def __iter__(self) -> Iterator[bytes]:
            read = 0
            for part in self.stream:
                if over.is_set():
                    return
                read += len(part)
                if read > MAX_BYTES:
                    raise ValueError(f"more than {MAX_BYTES} bytes")
                yield part

        def close(self) -> None:
            self.stream.close()

    def bound(response: httpx2.Response) -> None:
        response.stream = Bounded(response.stream)

    return openai.OpenAI(
        base_url=base_url,
        api_key=os.environ.get("OPENAI_API_KEY") or "none",
        max_retries=0,
        timeout=openai.Timeout(SILENCE_S, connect=CONNECT_S),
        http_client=openai.DefaultHttpxClient(
            event_hooks={"response": [bound]},
            trust_env=urlsplit(base_url).hostname not in _LOOPBACK,
        ),
    )


def _pieces(
    endpoint: Endpoint, client: OpenAI, prompt: Sequence[Message], over: threading.Event
) -> Iterator[str]:
    """Pieces of one streamed completion; it has to say that it is finished."""
    finished = ""
    with _opened(endpoint, client, prompt) as stream:
        kind = stream.response.headers.get("content-type", "")
        if "event-stream" not in kind:
            what = f"'{kind[:40]}'" if kind else "no content type"
            what = "a web page" if "html" in kind else what
            raise WriterFailure(
                f"{endpoint.place} answered with {what} instead of a stream; {_LOOK_AT_URL}"
            )
        for part in stream:
            if over.is_set():
                return
            for choice in (part.choices or [])[:1]:
                finished = choice.finish_reason or finished
                text = choice.delta.content if choice.delta is not None else None
                yield text if isinstance(text, str) else ""
    if over.is_set():
        return
    if finished == "content_filter":
        raise WriterFailure(f"{endpoint.place} withheld the answer by its content filter.")
    if not finished:
        raise WriterFailure(
            f"the stream from {endpoint.place} broke off; ask again, or look at the server's log."
        )


def _opened(endpoint: Endpoint, client: OpenAI, prompt: Sequence[Message]) -> Any:
    import openai

    chat: Any = list(prompt)
    for last, way in enumerate(_WAYS, 1):
        try:
            return client.chat.completions.create(
                model=endpoint.name, messages=chat, stream=True, **way
            )
        except openai.BadRequestError as error:
            message = str(error).casefold()
            if last == len(_WAYS) or not any(name in message for name in _WAYS[0]):
                raise
    raise AssertionError("the loop returns or raises")


def _reason(error: Exception, endpoint: Endpoint) -> str:
    """Cause and remedy, in one line, without the server's words: they may hold a key."""
    import openai

    place, model = endpoint.place, endpoint.name
    if isinstance(error, openai.APITimeoutError):
        if type(error.__cause__).__name__ == "ConnectTimeout":
            late = f"{place} did not take the connection within {CONNECT_S:g} s"
            return f"{late}; is the server up and reachable?"
        return f"{place} sent nothing for {SILENCE_S:g} s; ask again, or choose a smaller model."
    if isinstance(error, openai.APIConnectionError):
        if type(error.__cause__).__name__ == "ConnectError":
            return f"nothing answers at {place}; start the server, or correct the base URL."
        return f"the connection to {place} broke; ask again, or look at the server's log."
    if not isinstance(error, openai.APIStatusError):
        return f"{place} reported an error while it wrote; look at the server's log."
    known = {
        401: f"{place} wants a key; set OPENAI_API_KEY.",
        403: f"{place} does not allow this key to use {model}; check OPENAI_API_KEY and the "
        "model's name.",
        404: f"{place} has no model '{model}', or no chat completions at this address; check both "
        "(for Ollama: ollama list).",
        413: f"{place} takes no prompt of this length; choose a model with a longer context.",
        429: f"{place} is busy or your quota is used up (status 429); wait, or choose another "
        "model.",
    }
    if error.status_code in known:
        return known[error.status_code]
    if error.status_code >= 500:
        return f"{place} failed with status {error.status_code}; look at the server's log."
    refusal = f"{place} refused the request with status {error.status_code}"
    return f"{refusal}; check the model's name and its context length."
