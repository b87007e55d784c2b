"""Real servers and a small model: what goes wrong gives the extract, the rest is checked."""

from __future__ import annotations

import dataclasses
import itertools
import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from writer_servers import OddServer, odd_server, serving, small_model

import app.writer.endpoint as endpoint
import app.writer.local as local
import app.writer.pace as pace
import app.writer.prompt as prompt
from app.answering.answer import answer
from app.commands.ingest_and_ask import main
from app.writer.choice import choose_writer
from app.writer.written import Writer, written
from kg.encoder import Encoder
from kg.store import Store
from kg.types import Answer

pytestmark = pytest.mark.long
QUESTION = "What is proofing?"
SAID = "Proofing is the rest in which dough rises [1]. Wait until the dough has doubled [1]."


@pytest.fixture(scope="module")
def odd() -> Iterator[OddServer]:
    with odd_server() as server:
        yield server


@pytest.fixture(scope="module")
def model_folder(request: pytest.FixtureRequest) -> Path:
    return small_model(request.config.cache)


@pytest.fixture(scope="module")
def model_url(model_folder: Path) -> Iterator[str]:
    with serving("model_server.py", str(model_folder)) as base_url:
        yield base_url


@pytest.fixture(scope="module")
def extract(store: Store, encoder: Encoder) -> Answer:
    return answer(QUESTION, store, encoder)


@pytest.fixture
def worded(store: Store, encoder: Encoder, extract: Answer) -> Any:
    """Let a writer word the extract; gives the texts on the way and the answer."""

    def run(writer: Writer | None) -> tuple[list[str], Answer]:
        assert writer is not None
        *texts, last = written(extract, store, encoder, writer)
        assert isinstance(last, Answer)
        return [str(t) for t in texts], last

    return run


def spec(odd: OddServer, kind: str, text: str = "") -> Writer | None:
    return choose_writer(odd.spec(kind, text))


def place(odd: OddServer) -> str:
    return odd.base_url.removeprefix("http://").removesuffix("/v1")


def test_an_endpoint_words_the_answer(
    worded: Any, odd: OddServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server gets rules, passages, question and key; its sentences have real citations."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-reader")
    _, said = worded(spec(odd, "say", SAID))
    assert said.writer.startswith("say:")
    assert (
        said.text
        == "Proofing is the rest in which dough rises. [1] Wait until the dough has doubled. [2]"
    )
    seen = odd.get("seen")
    assert seen["path"] == "/v1/chat/completions"
    assert seen["key"] == "Bearer sk-of-the-reader"
    assert (seen["body"]["stream"], seen["body"]["temperature"]) == (True, 0.0)
    assert [m["role"] for m in seen["body"]["messages"]] == ["system", "user"]
    assert f"Question: {QUESTION}" in seen["body"]["messages"][1]["content"]


def test_a_local_server_needs_no_key(
    worded: Any, odd: OddServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without OPENAI_API_KEY the request goes out all the same."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert worded(spec(odd, "say", SAID))[1].writer


def test_a_model_that_takes_no_temperature_is_asked_again_without(
    worded: Any, odd: OddServer
) -> None:
    """A refused setting is left out; no other refusal is tried twice."""
    assert worded(spec(odd, "picky", SAID))[1].writer
    assert "temperature" not in odd.get("seen")["body"]
    assert odd.get("seen")["body"]["max_completion_tokens"] == pace.MAX_TOKENS


def test_pieces_arrive_before_the_end(
    odd: OddServer, store: Store, encoder: Encoder, extract: Answer
) -> None:
    """What is written is there while the server still holds back the rest."""
    first, rest = SAID.split(" Wait")
    writer = spec(odd, "hold", f"{first}| Wait{rest}")
    assert writer is not None
    steps = written(extract, store, encoder, writer)
    assert next(steps) == first
    assert odd.get("held") is True
    odd.get("go")
    *_, last = steps
    assert isinstance(last, Answer)
    assert "doubled" in last.text


def test_a_reader_who_leaves_hangs_up(
    odd: OddServer, store: Store, encoder: Encoder, extract: Answer
) -> None:
    """When the page is closed, the server's next word meets a closed connection."""
    writer = spec(odd, "babbling")
    assert writer is not None
    steps = written(extract, store, encoder, writer)
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert odd.get("left") is True


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("unauthorised", "{place} wants a key; set OPENAI_API_KEY."),
        (
            "forbidden",
            "{place} does not allow this key to use forbidden; check OPENAI_API_KEY and the "
            "model's name.",
        ),
        (
            "missing",
            "{place} has no model 'missing', or no chat completions at this address; check "
            "both (for Ollama: ",
        ),
        (
            "too-long",
            "{place} takes no prompt of this length; choose a model with a longer context.",
        ),
        (
            "quota",
            "{place} is busy or your quota is used up (status 429); wait, or choose another model.",
        ),
        ("broken", "{place} failed with status 500; look at the server's log."),
        (
            "refusing",
            "{place} refused the request with status 400; check the model's name and its context ",
        ),
        (
            "html",
            "{place} answered with a web page instead of a stream; is the base URL right? It "
            "mostly ends in /v1.",
        ),
        (
            "unstreamed",
            "{place} answered with 'application/json' instead of a stream; is the base URL right? ",
        ),
        ("cut", "the stream from {place} broke off; ask again, or look at the server's log."),
        ("filtered", "{place} withheld the answer by its content filter."),
        ("reported", "{place} reported an error while it wrote; look at the server's log."),
        (
            "noise",
            "{place} sent something that is not a chat completion; is the base URL right? It "
            "mostly ends in /v1.",
        ),
        (
            "bad-utf8",
            "{place} sent something that is not a chat completion; is the base URL right? ",
        ),
        ("looping", "it repeats itself without end; try a larger model."),
    ],
)
def test_a_failing_server_leaves_the_extract(
    worded: Any, odd: OddServer, extract: Answer, kind: str, cause: str
) -> None:
    """Each failure gives the notes' words and a line with a remedy, none of the server's."""
    writer = spec(odd, kind, "Proofing" if kind == "cut" else "")
    assert writer is not None
    _, said = worded(writer)
    assert said == dataclasses.replace(extract, notice=said.notice)
    assert said.notice.startswith(f"Not written by {writer.name}: {cause.format(place=place(odd))}")
    assert "\n" not in said.notice
    assert "secret" not in said.notice


@pytest.mark.parametrize("shape", range(9))
def test_json_of_any_shape_leaves_the_extract(
    worded: Any, odd: OddServer, extract: Answer, shape: int
) -> None:
    """What is no chat completion is a notice, whatever it is instead."""
    _, said = worded(spec(odd, "odd", str(shape)))
    assert said == dataclasses.replace(extract, notice=said.notice)
    assert "not a chat completion" in said.notice or "wrote no sentence" in said.notice


@pytest.mark.parametrize("kind", ["empty", "babbling"])
def test_nothing_and_nonsense_leave_the_extract(
    worded: Any, odd: OddServer, extract: Answer, kind: str
) -> None:
    """An empty answer, and words without meaning and end, are not shown."""
    _, said = worded(spec(odd, kind))
    assert said == dataclasses.replace(extract, notice=said.notice)
    assert said.notice.endswith("these are the notes' own words.")


@pytest.mark.parametrize("kind", ["silent", "unanswered", "alive"])
def test_a_silent_server_is_not_waited_for(
    worded: Any, odd: OddServer, extract: Answer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No reply, no token, and comments that only keep the line open are all silence."""
    monkeypatch.setattr(pace, "SILENCE_S", 0.5)
    monkeypatch.setattr(endpoint, "SILENCE_S", 0.5)
    _, said = worded(spec(odd, kind))
    assert said == dataclasses.replace(extract, notice=said.notice)
    assert "sent nothing for 0.5 s; ask again, or choose a smaller model." in said.notice
    odd.get("go")


def test_a_slow_server_is_given_up(
    worded: Any, odd: OddServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words that trickle in for ever end with the time for a whole answer."""
    monkeypatch.setattr(pace, "TOTAL_S", 0.5)
    _, said = worded(spec(odd, "slow"))
    assert said.notice.endswith("it did not finish within 0.5 s; choose a smaller or faster model.")
    odd.get("go")


def test_nobody_listens(worded: Any, extract: Answer) -> None:
    """A server that is down is a notice, at once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    _, said = worded(choose_writer(f"openai:m@http://user:pass@127.0.0.1:{port}/v1"))
    assert said.notice == (
        f"Not written by m: nothing answers at 127.0.0.1:{port}; start the server, or correct "
        "the base URL."
    )
    assert said.text == extract.text


def test_a_server_that_takes_no_connection(worded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full queue of connections is a time-out to connect, told apart from silence."""
    monkeypatch.setattr(endpoint, "CONNECT_S", 0.5)
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        port = full.getsockname()[1]
        _, said = worded(choose_writer(f"openai:m@http://127.0.0.1:{port}/v1"))
    assert f"127.0.0.1:{port} did not take the connection within 0.5 s" in said.notice


def test_a_folder_without_a_model(worded: Any, extract: Answer, tmp_path: Path) -> None:
    """What is no transformers model is a notice that says what was looked for."""
    _, said = worded(choose_writer(f"local:{tmp_path}"))
    assert said == dataclasses.replace(extract, notice=said.notice)
    assert said.notice.startswith(f"Not written by {tmp_path.name}: it cannot be loaded (")
    assert said.notice.endswith("give the folder of a transformers model.")


def check_written(said: Answer, extract: Answer, notes: Path) -> None:
    """What must hold whatever a model writes: quotes at their lines, or the extract."""
    if not said.writer:
        assert said == dataclasses.replace(extract, notice=said.notice)
        assert said.notice
        return
    assert said.citations
    for c in said.citations:
        lines = (notes / c.note).read_bytes().decode().split("\n")
        assert c.quote in "\n".join(lines[c.line_start - 1 : c.line_end])
        assert f"[{c.n}]" in said.text


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short prompt and answer, and as much time as a busy machine may need for them."""
    monkeypatch.setattr(prompt, "CONTEXT_CHARS", 900)
    monkeypatch.setattr(pace, "SILENCE_S", 200.0)
    monkeypatch.setattr(pace, "TOTAL_S", 250.0)
    monkeypatch.setattr(endpoint, "SILENCE_S", 200.0)
    monkeypatch.setattr(endpoint, "_WAYS", ({"temperature": 0.0, "max_tokens": 24},))
    monkeypatch.setattr(local, "MAX_TOKENS", 24)


def test_a_real_model_behind_an_endpoint(
    worded: Any, patient: None, model_url: str, extract: Answer, notes: Path
) -> None:
    """Nothing of what a small model writes is shown but what the notes bear out."""
    texts, said = worded(choose_writer(f"openai:smollm2@{model_url}"))
    assert len(set(texts)) > 1
    assert all(later.startswith(earlier[:20]) for earlier, later in itertools.pairwise(texts))
    check_written(said, extract, notes)


def test_a_real_model_on_this_machine(
    worded: Any, patient: None, model_folder: Path, extract: Answer, notes: Path
) -> None:
    """The same model from its folder streams too, and says the same twice."""
    writer = choose_writer(f"local:{model_folder}")
    assert writer is not None
    writer.load()
    assert writer.name == model_folder.name
    texts, said = worded(writer)
    assert len(set(texts)) > 1
    check_written(said, extract, notes)
    over = threading.Event()
    ask = [{"role": "user", "content": "What is bread?"}]
    assert "".join(writer.stream(ask, over)) == "".join(writer.stream(ask, over)) != ""


def test_a_model_with_a_short_context_says_so(model_folder: Path) -> None:
    """A prompt that does not fit is said, not cut in silence."""
    writer = local.Local(str(model_folder))
    with pytest.raises(
        pace.WriterFailure, match=r"its context of \d+ tokens is too short for the passages"
    ):
        list(
            writer.stream(
                [{"role": "user", "content": "bread and butter " * 3000}], threading.Event()
            )
        )


def test_the_command_line_words_and_falls_back(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    store_folder: Path,
    odd: OddServer,
) -> None:
    """`gradus ask --writer` gives the writer or the notice; the variable does the same."""
    monkeypatch.setenv("GRADUS_STORE", str(store_folder))

    def ran(*options: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gradus", "ask", QUESTION, *options])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err.replace("\n", " ")

    def row(*options: str) -> Any:
        return json.loads(ran("--json", *options)[1])

    plain = row()
    assert (plain["writer"], plain["notice"]) == ("", "")
    said = row("--writer", odd.spec("say", SAID))
    assert said["writer"].startswith("say:")
    assert said["answer"] != plain["answer"]
    monkeypatch.setenv("GRADUS_WRITER", odd.spec("quota"))
    fallen = row()
    assert fallen["answer"] == plain["answer"]
    assert "status 429" in fallen["notice"]
    assert "quota is used up" in ran()[1].replace("\n", " ")
    code, _, err = ran("--writer", "llama")
    assert code == 1
    assert "'llama' is not a writer; expected none, openai:MODEL" in err
