"""What readers think of answers: kept as JSON lines beside the store, and as questions to measure.

Only what a reader has called helpful says what answers a question; a wrong citation and a missing
answer say that something else does, and are for a person to look into.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from app.evaluation.question_file import AskedQuestion, spoken
from app.place import address
from kg.errors import GradusError
from kg.types import Citation
from kg.whole_file import write_whole

__all__ = ["KINDS", "Feedback", "as_questions", "give_feedback", "read_feedback"]

FILE = "feedback.jsonl"
KEPT_LINES = 2000
KEPT_BYTES = 8_000_000
# What a reader may think of an answer, and how a page says it.
KINDS = {
    "helpful": "Helpful",
    "wrong-citation": "Wrong citation",
    "missing": "Something is missing",
}
log = logging.getLogger(__name__)
_changing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a reader thinks of one answer."""

    question: str
    kind: str  # one of KINDS; "" takes back what was said of this answer
    answer: str  # its text, with [n] for its citations
    status: Literal["answered", "not_in_notes"]
    citations: tuple[Citation, ...] = ()
    id: str = ""  # of the answer: what is said of it later takes the place of what was said before
    date: str = ""  # ISO 8601


_FEEDBACK = TypeAdapter(Feedback)


def give_feedback(store: Path, feedback: Feedback) -> None:
    """Keep it, the newest last; the oldest go where there is too much.

    A folder that cannot be written costs the feedback and a line of the log.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    file = store / FILE
    with _changing:
        try:
            lines = [line for line in _lines(file) if _id(line) != feedback.id]
            if feedback.kind:
                lines.append(
                    json.dumps(dataclasses.asdict(dataclasses.replace(feedback, date=now)))
                )
            text = "".join(f"{line}\n" for line in _bounded(lines))
            write_whole(file, text.encode(), mode=0o600)
        except (OSError, UnicodeDecodeError) as error:
            log.warning("%s: feedback cannot be kept: %s", file, error)


def read_feedback(store: Path) -> tuple[tuple[Feedback, ...], int]:
    """What is kept, the oldest first, and how many lines are damaged.

    Raises
    ------
    GradusError
        When the file is there and cannot be read.
    """
    file = store / FILE
    try:
        lines = _lines(file)
    except (OSError, UnicodeDecodeError) as error:
        raise GradusError(f"cannot read the feedback in {file}: {error}") from error
    read = [f for line in lines if (f := _read(line))]
    return tuple(read), len(lines) - len(read)


def as_questions(feedback: Sequence[Feedback]) -> list[AskedQuestion]:
    """Those that say what answers a question, each question once, by what was said last."""
    last = {f.question: f for f in feedback}
    helpful = [_question(f) for f in last.values() if f.kind == "helpful"]
    return [question for question in helpful if question is not None]


def _question(feedback: Feedback) -> AskedQuestion | None:
    """It is answered by what was cited, or the notes do not say; None where neither is known."""
    if feedback.status == "not_in_notes":
        return AskedQuestion(feedback.question, kind=feedback.kind)
    quotes = tuple(c.quote.strip() for c in feedback.citations if spoken(c.quote).strip())
    if not quotes:
        return None
    source = address(feedback.citations[0])
    return AskedQuestion(feedback.question, (), quotes, feedback.kind, source)


def _lines(file: Path) -> list[str]:
    try:
        return [line for line in file.read_text("utf-8").split("\n") if line.strip()]
    except FileNotFoundError:
        return []


def _read(line: str) -> Feedback | None:
    try:
        feedback = _FEEDBACK.validate_json(line)
    except ValueError:
        return None
    return feedback if feedback.kind in KINDS else None


def _id(line: str) -> str | None:
    feedback = _read(line)
    return feedback.id if feedback else None


def _bounded(lines: Sequence[str]) -> list[str]:
    """The newest of them, as many as may be kept."""
    kept: list[str] = []
    left = KEPT_BYTES
    for line in reversed(lines[-KEPT_LINES:]):
        left -= len(line) + 1
        if left < 0:
            break
        kept.append(line)
    return kept[::-1]
