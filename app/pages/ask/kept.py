"""A conversation as its reader's own browser keeps it over a reload; the server keeps none.

What comes back was in the hands of the browser, so it is checked like any other input.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from app.answering.question.follow_ups import Turn
from kg.types import Answer

__all__ = ["Shown", "kept_text", "kept_under", "read_kept"]

KEPT_QUESTIONS = 40
KEPT_BYTES = 700_000  # as JSON within JSON; a request of the page may have 1 MB

Shown = tuple[Literal["user", "assistant"], str]  # whose message, and its Markdown
_KEPT = TypeAdapter(tuple[list[tuple[str, Answer]], list[Shown]])


def kept_text(turns: Sequence[Turn], shown: Sequence[Shown]) -> str:
    """The end of a conversation as JSON, as much as the browser is to keep.

    Parameters
    ----------
    turns : sequence of (question, Answer)
        What follow-ups are understood from; the passages an answer was found in are left out.
    shown : sequence of (role, Markdown)
        What the chat shows: for each question, it and its answer.
    """
    lean = [(question, dataclasses.replace(answer, hits=())) for question, answer in turns]
    text = ""
    for most in range(KEPT_QUESTIONS, -1, -1):
        ends = lean[max(0, len(lean) - most) :], list(shown[max(0, len(shown) - 2 * most) :])
        text = _KEPT.dump_json(ends).decode()
        if len(json.dumps(text, ensure_ascii=False).encode()) <= KEPT_BYTES:
            break
    return text


def read_kept(text: object) -> tuple[list[Turn], list[Shown]]:
    """The conversation that a browser kept; an empty one where it is none of ours."""
    if not isinstance(text, str) or not text or len(text) > KEPT_BYTES:
        return [], []
    try:
        turns, shown = _KEPT.validate_json(text)
    except ValidationError:  # of another version, or not ours
        return [], []
    return turns, shown


def kept_under(store: Path) -> str:
    """The name in the browser's storage: a conversation about one store is not another's."""
    return f"gradus-{sha256(str(store.resolve()).encode()).hexdigest()[:12]}"
