"""A conversation as Markdown to keep: questions, answers, and where each citation stands."""

from __future__ import annotations

import re

from app.pages.ask.conversations import Conversation, Exchange
from app.place import place
from app.wording import DOUBT
from kg.types import Citation

__all__ = ["conversation_markdown", "file_name"]

_NO_NAME = re.compile(r"[^\w-]+")
NAME_LIMIT = 60  # characters of a file's name


def conversation_markdown(conversation: Conversation) -> str:
    """Write a conversation; each citation gives its file and lines, and the words cited."""
    parts = [f"# {conversation.title}", *map(_exchange, conversation.exchanges)]
    return "\n\n".join(parts) + "\n"


def file_name(conversation: Conversation) -> str:
    """A name that any system takes."""
    name = _NO_NAME.sub("-", conversation.title.casefold()).strip("-")[:NAME_LIMIT].strip("-")
    return f"{name or 'conversation'}.md"


def _exchange(exchange: Exchange) -> str:
    question = " ".join(exchange.question.split())
    doubt = DOUBT if exchange.answer is not None and exchange.answer.doubtful else ""
    sources = "\n\n".join(map(_source, exchange.cited))
    return "\n\n".join(filter(None, (f"## {question}", doubt, exchange.said.strip(), sources)))


def _source(citation: Citation) -> str:
    quote = "\n".join(f"  > {line}".rstrip() for line in citation.quote.strip().split("\n"))
    return f"- [{citation.n}] {place(citation)}:\n\n{quote}"
