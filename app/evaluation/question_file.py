"""Files of questions with what answers them: read with faults named, checked, written.

A line is a JSON object: "q", and "gold" (starts of headings that answer it; [] when the notes do
not say) or "quote" (text that answers it) or both; "kind" and "from" are kept when they are there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.wording import shortened
from kg.errors import GradusError
from kg.linking import closest
from kg.store import Store
from kg.types import Passage
from kg.whole_file import write_whole

__all__ = [
    "AskedQuestion",
    "Unheld",
    "answers",
    "last_heading",
    "question_lines",
    "quoted_in",
    "read_questions",
    "save_questions",
    "spoken",
    "under",
    "unheld",
]

# What a reader does not see of Markdown: addresses of links, tags, and every mark that is no word.
_ADDRESS = re.compile(
    r"\]\([^()\s]*(?:\s+\"[^\"]*\")?\)|</?[A-Za-z][^<>]*>|^[ \t]*\[[^\]]+\]:[ \t]+\S+[ \t]*$", re.M
)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question and what answers it; without gold and quotes, the notes do not say."""

    q: str
    gold: tuple[str, ...] = ()  # starts of headings, plain text
    quotes: tuple[str, ...] = ()  # text that a passage holds
    kind: str = ""
    source: str = ""  # where it was made from, as "note.md:12"
    line: int = 0  # 1-based, in its file; 0 when it was read from none

    @property
    def answerable(self) -> bool:
        """Whether the notes are expected to answer it."""
        return bool(self.gold or self.quotes)


@dataclass(frozen=True, slots=True)
class Unheld:
    """A gold heading or quote that no passage holds: a mistake in the file, or changed notes."""

    question: AskedQuestion
    what: Literal["gold", "quote"]
    text: str
    closest: str  # heading, of a quote that spans passages the one it begins under; "" for none
    spans_passages: bool = False  # the notes hold the quote, but no single passage does


def read_questions(path: Path) -> tuple[AskedQuestion, ...]:
    """The questions of a file, in its order; empty lines are skipped.

    Raises
    ------
    GradusError
        When the file cannot be read, holds no question, or a line is none; names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise GradusError(f"cannot read the questions in {path}: {error}") from error
    questions = [_question(path, n, line) for n, line in enumerate(lines, 1) if line.strip()]
    if not questions:
        make = f"gradus eval --generate {path} --force"
        raise GradusError(f"{path} holds no questions; make a first file with: {make}")
    return tuple(questions)


def question_lines(questions: Sequence[AskedQuestion]) -> str:
    """Questions as JSON lines, which `read_questions` reads back."""
    return "".join(json.dumps(_row(q), ensure_ascii=False) + "\n" for q in questions)


def save_questions(path: Path, questions: Sequence[AskedQuestion], force: bool = False) -> None:
    """Write a question file; one that exists, with somebody's edits, only with `force`.

    Raises
    ------
    GradusError
        When the file exists, or cannot be written.
    """
    if path.exists() and not force:
        raise GradusError(
            f"{path} exists and may hold your edits; name another file, or add --force"
        )
    try:
        write_whole(path, question_lines(questions).encode())
    except OSError as error:
        raise GradusError(f"cannot write the questions to {path}: {error.strerror}") from error


def answers(question: AskedQuestion, passage: Passage) -> bool:
    """Whether a passage answers: it stands under a gold heading, or holds a quote."""
    return under(question, passage) or quoted_in(question, passage)


def under(question: AskedQuestion, passage: Passage) -> bool:
    """Whether a heading on the passage's path starts with one of the question's gold headings."""
    return any(h.startswith(g) for h in passage.heading_path for g in question.gold)


def quoted_in(question: AskedQuestion, passage: Passage) -> bool:
    """Whether the passage holds one of the question's quotes."""
    if not question.quotes:
        return False
    text = spoken(passage.text)
    return any(_holds(text, quote) for quote in question.quotes)


def last_heading(passage: Passage) -> str:
    """The innermost heading over a passage, "" for none."""
    return passage.heading_path[-1] if passage.heading_path else ""


def spoken(text: str) -> str:
    """The words of a text, white space, case and markup aside, each between blanks.

    >>> spoken("Set **`lr`** to [0.5](https://a.b/c),\\n  then _wait_")
    ' set lr to 0 5 then wait '
    """
    return f" {' '.join(_WORD.findall(_ADDRESS.sub(' ', text).casefold()))} "


def unheld(questions: Sequence[AskedQuestion], store: Store) -> tuple[Unheld, ...]:
    """Gold headings and quotes that no passage of the store holds, in the questions' order."""
    headings = tuple(dict.fromkeys(h for p in store.passages for h in p.heading_path))
    texts = [spoken(p.text) for p in store.passages]
    out: list[Unheld] = []
    for question in questions:
        for gold in question.gold:
            if not any(h.startswith(gold) for h in headings):
                out.append(Unheld(question, "gold", gold, _closest_heading(gold, headings)))
        for quote in question.quotes:
            if not any(_holds(text, quote) for text in texts):
                out.append(_unheld_quote(question, quote, store, texts, headings))
    return tuple(out)


def _holds(spoken_text: str, quote: str) -> bool:
    return spoken(quote) in spoken_text


def _unheld_quote(
    question: AskedQuestion, quote: str, store: Store, texts: Sequence[str], headings: Sequence[str]
) -> Unheld:
    """Told apart: a quote that runs over the end of a passage, and one that stands nowhere."""
    for note in store.note_names:
        of_note = [i for i, p in enumerate(store.passages) if p.note == note]
        at = "".join(texts[i][:-1] for i in of_note).find(spoken(quote).rstrip())
        if at < 0:
            continue
        for i in of_note:
            at -= len(texts[i]) - 1
            if at < 0:
                heading = last_heading(store.passages[i])
                return Unheld(question, "quote", quote, heading, spans_passages=True)
    return Unheld(question, "quote", quote, _closest_heading(quote, headings))


def _closest_heading(text: str, headings: Sequence[str]) -> str:
    """The heading most like a text, "" when none comes near."""
    return next(iter(closest(text, headings, most=1, least=0.4)), "")


def _row(question: AskedQuestion) -> dict[str, Any]:
    row: dict[str, Any] = {"q": question.q}
    if question.gold or not question.quotes:
        row["gold"] = question.gold
    if question.quotes:
        row["quote"] = question.quotes
    return row | {k: v for k, v in (("kind", question.kind), ("from", question.source)) if v}


def _question(path: Path, number: int, line: str) -> AskedQuestion:
    def wrong(expected: str) -> GradusError:
        return _wrong(path, number, expected, line)

    try:
        row = json.loads(line)
    except ValueError as error:
        raise wrong('expected a JSON object with "q" and "gold" or "quote"') from error
    q = row.get("q") if isinstance(row, dict) else None
    if not isinstance(q, str) or not q.strip():
        raise wrong('expected a JSON object with "q", the question as text')
    if row.get("gold") is None and row.get("quote") is None:
        raise wrong('expected "gold" (headings, [] when the notes do not say) or "quote"')
    gold, quotes = (_texts(path, number, key, row.get(key)) for key in ("gold", "quote"))
    if not gold and not quotes and not isinstance(row.get("gold"), list):
        raise wrong('an empty "quote" says nothing; write "gold": [] when the notes do not say')
    if not all(spoken(quote).strip() for quote in quotes):
        raise wrong('"quote" must hold a word')
    kind, source = (_text_or_nothing(row.get(key)) for key in ("kind", "from"))
    return AskedQuestion(q.strip(), gold, quotes, kind, source, number)


def _text_or_nothing(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(path: Path, number: int, key: str, value: object) -> tuple[str, ...]:
    """A text, or a list of texts, none of them empty."""
    if value is None:
        return ()
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(t, str) and t.strip() for t in texts):
        raise _wrong(
            path, number, f'"{key}" must be a list of texts that are not empty', json.dumps(value)
        )
    return tuple(t.strip() for t in texts)


def _wrong(path: Path, number: int, expected: str, got: str) -> GradusError:
    return GradusError(f"{path}:{number}: {expected}, got: {shortened(got.strip(), 80)}")
