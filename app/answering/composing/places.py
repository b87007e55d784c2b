"""Answers to "where?": links to read or watch, or where the notes explain what is named."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.answering.composing.composed import Composed
from app.answering.composing.ranking import Ranked
from app.answering.composing.selection import leading
from app.answering.question.understand import Question
from app.answering.reading.excerpts import body_of, cite, section_of
from kg.search import Findings
from kg.store import Store
from kg.types import Citation, Concept

__all__ = ["places"]

MOST_PLACES = 12
EXPLAINED = 3
_LINKS = {
    "video": re.compile(r"youtu\.?be|vimeo|\bvideo|\bfilm|lesson|lecture", re.I),
    "notebook": re.compile(r"\.ipynb|nbviewer|colab|notebook", re.I),
}


def places(
    asked: Question, ranked: Ranked | None, findings: Findings, store: Store
) -> Composed | None:
    """Links to read or watch, with where the notes give them, else where they explain what a
    question merely names.

    None when nowhere, and where what leads gives the link itself: it says what is behind it.
    """
    if ranked is not None and not asked.bare:
        lead = leading(ranked).excerpt(ranked).text
        if "://" in lead and _of_sort(asked, lead):
            return None
    linked = [store.concepts[c] for c in findings.concepts]
    near = [c for h in findings.hits[:2] for c in store.defined_in.get(h.passage.id, ())]
    # What the question names has its own links; only without them do those of the best passages
    # serve.
    about = [c for c in linked if any(r.kind == "link" for r in c.resources)] or [
        store.concepts[i] for i in near
    ]
    resources = [
        (c.label, r) for c in dict.fromkeys(about) for r in c.resources if r.kind == "link"
    ]
    resources.sort(key=lambda found: not _of_sort(asked, f"{found[1].text} {found[1].target}"))
    lines: dict[tuple[str, str], str] = {}
    citations: list[Citation] = []
    for label, r in resources:
        if (r.text, r.target) in lines or not r.target.startswith(("http://", "https://")):
            continue
        quote = store.note_text(r.note, r.cell).split("\n")[r.line - 1].strip()
        n = len(citations) + 1
        citations.append(Citation(n, r.note, r.line, r.line, r.cell, quote))
        lines[r.text, r.target] = f"- [{_escaped(r.text) or r.target}]({r.target}) — {label} [{n}]"
        if len(lines) == MOST_PLACES:
            break
    if lines:
        return Composed("\n".join(lines.values()), tuple(citations))
    return _explained_at(linked, store) if asked.bare else None


def _of_sort(asked: Question, link: str) -> bool:
    """Whether a link is of the sort that is asked for; any is when none is named."""
    return not asked.link or bool(_LINKS[asked.link].search(link))


def _explained_at(concepts: Sequence[Concept], store: Store) -> Composed | None:
    """Where the notes explain what a question names."""
    lines: list[str] = []
    citations: list[Citation] = []
    for concept in concepts:
        shown: set[tuple[str, tuple[str, ...]]] = set()
        for passage in (store.passages[p] for p in concept.passages):
            if section_of(passage) in shown or len(shown) == EXPLAINED:
                continue
            shown.add(section_of(passage))
            citations.append(cite(body_of(passage), len(citations) + 1))
            under = " › ".join(h.replace("*", "") for h in passage.heading_path) or passage.note
            lines.append(f"- **{concept.label}**: {under} [{len(citations)}]")
    return (
        Composed("Explained in the notes:\n\n" + "\n".join(lines), tuple(citations))
        if lines
        else None
    )


def _escaped(text: str) -> str:
    return re.sub(r"([\[\]])", r"\\\1", text)
