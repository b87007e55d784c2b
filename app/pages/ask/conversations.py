"""Conversations as the server keeps them: for each visitor a file in the store's folder.

A visitor is whoever knows the secret that one browser was given. What comes back from a file or a
browser is checked like any other input.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from pydantic import TypeAdapter

from app.answering.question.follow_ups import Turn
from app.wording import shortened
from kg.types import Answer, Citation
from kg.whole_file import write_whole

__all__ = [
    "Conversation",
    "Exchange",
    "Kept",
    "asked_text",
    "found",
    "keep",
    "new_id",
    "read",
    "remove",
    "rename",
    "secret_of",
    "storage_key",
]

FOLDER = "conversations"
KEPT_QUESTIONS = 40  # of one conversation
KEPT_CONVERSATIONS = 100  # of one visitor
KEPT_BYTES = 4_000_000  # of one visitor
KEPT_VISITORS = 200
NAME_LIMIT = 80  # characters
log = logging.getLogger(__name__)
_changing = threading.Lock()
_SECRET = re.compile(r"[\w-]{43}", re.ASCII)


def new_id() -> str:
    """A name that no other conversation, and no other exchange, has."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question, and what came of it."""

    question: str
    shown: str = ""  # Markdown, safe to show; "" while there is no answer yet
    said: str = ""  # the answer's text, with [n] for its citations
    cited: tuple[Citation, ...] = ()
    answer: Answer | None = None  # what follow-ups are understood from
    feedback: str = ""  # what its reader thinks of the answer
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Questions with their answers, in their order."""

    exchanges: tuple[Exchange, ...] = ()
    name: str = ""  # the one a reader gave; "" for the first question
    asked: str = ""  # when it was last added to, ISO 8601
    id: str = field(default_factory=new_id)

    @property
    def title(self) -> str:
        """Its name, else its first question."""
        first = self.exchanges[0].question if self.exchanges else ""
        return self.name or shortened(" ".join(first.split()), NAME_LIMIT)

    @property
    def turns(self) -> list[Turn]:
        """What follow-ups are understood from."""
        return [(e.question, e.answer) for e in self.exchanges if e.answer is not None]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one visitor, the newest first; `fault` is one line when some is lost."""

    conversations: tuple[Conversation, ...] = ()
    fault: str = ""


_CONVERSATION = TypeAdapter(Conversation)
Change = Callable[[Sequence[Conversation]], Sequence[Conversation]]


def asked_text(typed: str) -> str:
    """What was typed, without blanks around it or half a surrogate pair, which no file holds."""
    return typed.encode("utf-8", "replace").decode().strip()


def secret_of(given: object) -> str:
    """The secret that a browser has kept; a new one where it is none of ours."""
    if isinstance(given, str) and _SECRET.fullmatch(given):
        return given
    return secrets.token_urlsafe(32)


def storage_key(store: Path) -> str:
    """The name in the browser's storage: a visitor of one store is not known to another."""
    return f"gradus-{sha256(str(store.resolve()).encode()).hexdigest()[:12]}"


def read(store: Path, secret: str) -> Kept:
    """What is kept of a visitor; what is damaged costs itself, and a line."""
    file = _file(store, secret)
    try:
        rows = json.loads(file.read_bytes())
    except FileNotFoundError:
        return Kept()
    except (OSError, ValueError, RecursionError) as error:
        log.warning("%s cannot be read: %s", file, error)
        return Kept(fault="Your earlier conversations could not be read.")
    kept, lost = [], 0
    for row in rows if isinstance(rows, list) else [rows]:
        try:
            kept.append(_CONVERSATION.validate_python(row))
        except (ValueError, RecursionError):
            lost += 1
    if lost:
        log.warning("%s: %d conversations cannot be read", file, lost)
    damaged = f"{lost} of your earlier conversations could not be read." if lost else ""
    return Kept(tuple(kept), damaged)


def keep(store: Path, secret: str, conversation: Conversation) -> Kept:
    """Keep a conversation as the newest, under the name it has been given; it may be kept already.

    The oldest go where there are more than `KEPT_CONVERSATIONS` or `KEPT_BYTES`.
    """

    def change(before: Sequence[Conversation]) -> Sequence[Conversation]:
        name = next((c.name for c in before if c.id == conversation.id), conversation.name)
        lean = dataclasses.replace(
            conversation,
            name=name,
            asked=datetime.now(UTC).isoformat(timespec="seconds"),
            exchanges=tuple(map(_lean, conversation.exchanges[-KEPT_QUESTIONS:])),
        )
        return [lean, *_others(before, conversation.id)]

    return _changed(store, secret, change)


def remove(store: Path, secret: str, identity: str) -> Kept:
    """Forget a conversation."""
    return _changed(store, secret, lambda before: _others(before, identity))


def rename(store: Path, secret: str, identity: str, name: str) -> Kept:
    """Give a conversation a name; an empty one gives it its first question's again."""
    short = shortened(" ".join(asked_text(name).split()), NAME_LIMIT)

    def change(before: Sequence[Conversation]) -> Sequence[Conversation]:
        return [dataclasses.replace(c, name=short) if c.id == identity else c for c in before]

    return _changed(store, secret, change)


def found(conversations: Sequence[Conversation], words: str) -> list[Conversation]:
    """Those whose name, questions and answers together hold all of the words."""
    wanted = words.casefold().split()
    return [c for c in conversations if all(word in _text(c) for word in wanted)]


def _text(conversation: Conversation) -> str:
    texts = (f"{e.question}\n{e.said}" for e in conversation.exchanges)
    return "\n".join((conversation.name, *texts)).casefold()


def _others(conversations: Sequence[Conversation], identity: str) -> list[Conversation]:
    return [c for c in conversations if c.id != identity]


def _lean(exchange: Exchange) -> Exchange:
    """Without the passages that an answer was found in, which are the notes over again."""
    answer = exchange.answer and dataclasses.replace(exchange.answer, hits=())
    return dataclasses.replace(exchange, answer=answer)


def _changed(store: Path, secret: str, change: Change) -> Kept:
    """Read, change and write what is kept of a visitor; says so when it cannot be written."""
    file = _file(store, secret)
    with _changing:
        before = read(store, secret)
        rows = _bounded([_row(c) for c in change(before.conversations)])
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            another = not file.exists()
            write_whole(file, f"[{','.join(rows)}]".encode(), mode=0o600)
            if another:
                _forget_oldest(file.parent)
        except OSError as error:
            log.warning("%s cannot be written: %s", file, error)
            return Kept(before.conversations, f"Conversations cannot be kept: {error.strerror}.")
        return dataclasses.replace(read(store, secret), fault=before.fault)


def _row(conversation: Conversation) -> str:
    return json.dumps(dataclasses.asdict(conversation))


def _bounded(rows: Sequence[str]) -> list[str]:
    """The newest of them, as many as may be kept."""
    kept: list[str] = []
    left = KEPT_BYTES
    for row in rows[:KEPT_CONVERSATIONS]:
        left -= len(row) + 1
        if left < 0:
            break
        kept.append(row)
    return kept


def _forget_oldest(folder: Path) -> None:
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
    for file in files[:-KEPT_VISITORS]:
        file.unlink(missing_ok=True)


def _file(store: Path, secret: str) -> Path:
    return store / FOLDER / f"{sha256(secret.encode()).hexdigest()}.json"
