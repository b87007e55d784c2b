"""Hold an answer's citations against the notes."""

from __future__ import annotations

import re

from kg.store import Store
from kg.types import Answer

__all__ = ["assert_cited", "assert_quotes_stand"]


def assert_quotes_stand(store: Store, said: Answer) -> None:
    """Each quote stands at its lines."""
    for c in said.citations:
        lines = store.note_text(c.note, c.cell).split("\n")
        assert c.quote in "\n".join(lines[c.line_start - 1 : c.line_end]), (said.question, c)


def assert_cited(store: Store, said: Answer) -> None:
    """Each citation has its mark outside code, and each quote stands at its lines."""
    marks = {
        int(n)
        for n in re.findall(r"\[(\d+)\]", re.sub(r"```.*?```|`[^`]*`", "", said.text, flags=re.S))
    }
    assert marks >= {c.n for c in said.citations}
    assert_quotes_stand(store, said)
