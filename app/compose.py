"""The text of an answer, built from excerpts of the notes, one way for each kind of question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.excerpts import Excerpt, blocks_of, choose, cite, defining, says_something, shown
from app.study import study_steps
from ingest.markdown import plain
from kg.encoder import Encoder
from kg.linking import fold, key, words
from kg.search import Findings
from kg.store import Store
from kg.types import Citation, Concept, Hit, Passage, PathStep

__all__ = ["SUPPORT", "Composed", "comparison", "listing", "path", "places", "prose"]

# A reader wants the answer, then what supports it; longer only where code or a list must stay whole.
LEAD_CHARS = 900
WHOLE_CHARS = 1200
SIDE_CHARS = 500  # each side of a comparison
SUPPORT = 0.8  # a supporting hit must score at least this share of the first
MOST_SUPPORTING = 3
LISTED = 0.45  # likewise for a hit whose statements are listed
MOST_LISTED = 12
MOST_STEPS = 15


@dataclass(frozen=True, slots=True)
class Composed:
    """Markdown with [n] marks, and what they refer to."""

    text: str
    citations: tuple[Citation, ...]
    path: tuple[PathStep, ...] = ()


def prose(
    question: str,
    findings: Findings,
    store: Store,
    encoder: Encoder,
    lead: Hit,
    how: bool = False,
    defined: Concept | None = None,
) -> Composed:
    """The passage that answers, then what supports it; code supports only an answer to "how".

    Where the question asks what `defined` is, its own block of the first passage says it.
    """
    vector = encoder.encode([question])[0]
    others = [h for h in findings.hits if h is not lead and h.score >= SUPPORT * lead.score][:MOST_SUPPORTING]
    parts: list[str] = []
    citations: list[Citation] = []
    used = 0
    section = ""
    for hit in [lead, *others]:
        room = LEAD_CHARS if hit is lead else WHOLE_CHARS - used
        code = hit.passage.kind == "output" or (hit.passage.kind == "code" and not how)
        if room < 120 or (hit is not lead and code):
            continue
        own = defining(hit.passage, defined) if hit is lead and defined is not None else []
        for excerpt in own or choose(hit.passage, vector, findings.words, encoder, room):
            if hit is not lead and used + len(excerpt.text) > WHOLE_CHARS:
                continue
            heading = _heading(hit.passage)
            if heading and heading != section and not (hit is lead and _asked_for(heading, findings, store)):
                parts.append(f"**{heading}**")
            section = heading
            citations.append(cite(excerpt, len(citations) + 1))
            parts.append(shown(excerpt, len(citations)))
            used += len(excerpt.text)
    if not citations:
        # A section of links alone: show them as they stand.
        whole = Excerpt(lead.passage, *_body(lead.passage))
        citations.append(cite(whole, 1))
        parts.append(shown(whole, 1))
    return Composed("\n\n".join(parts), tuple(citations))


def comparison(sides: Sequence[Concept], findings: Findings, store: Store, encoder: Encoder, question: str) -> Composed:
    """Two concepts side by side: what each is in a table, then the notes' words on each."""
    vector = encoder.encode([question])[0]
    citations: list[Citation] = []
    heads, parts = [], []
    for side in sides:
        passage = store.passages[side.passages[0]]
        excerpts = (
            defining(passage, side)
            or choose(passage, vector, findings.words, encoder, SIDE_CHARS)[:2]
            or [Excerpt(passage, *_body(passage))]
        )
        first = len(citations) + 1
        shown_parts = []
        for excerpt in excerpts:
            citations.append(cite(excerpt, len(citations) + 1))
            shown_parts.append(shown(excerpt, len(citations)))
        heads.append(f"{side.summary or side.label} [{first}]".replace("|", "\\|"))
        parts.append(f"**{side.label}**\n\n" + "\n\n".join(shown_parts))
    table = (
        f"| {' | '.join(s.label.replace('|', ' ') for s in sides)} |\n|{' --- |' * len(sides)}\n| {' | '.join(heads)} |"
    )
    return Composed("\n\n".join([table, *parts]), tuple(citations))


def listing(findings: Findings, store: Store) -> Composed | None:
    """Every statement on the subject, each once; None when there are not at least two."""
    wanted = {fold(w): weight for w, weight in findings.words.items() if not _LIST_WORD.match(w)}
    total = sum(wanted.values())
    items: list[tuple[float, Excerpt]] = []
    seen: list[set[str]] = []
    for hit in (h for h in findings.hits if h.score >= LISTED * findings.hits[0].score):
        for block in blocks_of(hit.passage):
            text = hit.passage.text[block.start : block.end]
            if block.kind not in ("item", "paragraph") or not says_something(text) or len(text) > SIDE_CHARS:
                continue
            there = {w for w, _, _ in words(text)}
            about = there | {w for h in hit.passage.heading_path[-1:] for w in key(h)}
            share = sum(weight for w, weight in wanted.items() if w in about) / total if total else 0.0
            if share < 0.5 or any(len(there & s) > 0.8 * len(there | s) for s in seen):
                continue
            seen.append(there)
            items.append((share * hit.score, Excerpt(hit.passage, block.start, block.end)))
    if len(items) < 2:
        return None
    best = sorted(items, key=lambda item: -item[0])[:MOST_LISTED]
    citations = [cite(excerpt, n) for n, (_, excerpt) in enumerate(best, 1)]
    bullets = []
    for n, (_, excerpt) in enumerate(best, 1):
        said = re.sub(r"^(?:[-*+]|\d+[.)])\s+", "", shown(excerpt, n).strip())
        bullets.append("- " + said.replace("\n", "\n  "))
    return Composed("\n".join(bullets), tuple(citations))


_LIST_WORD = re.compile(
    r"^(?:list|name|tips?|tricks?|rules?|thumb|statements?|enumerate|all|every|kinds?|types?|techniques?)$", re.I
)


def places(findings: Findings, store: Store) -> Composed | None:
    """Links to read or watch, with where the notes give them, else where they explain it; None when nowhere."""
    linked = [store.concepts[c] for c in findings.concepts]
    near = [c for h in findings.hits[:2] for c in store.defined_in.get(h.passage.id, ())]
    # What the question names has its own links; only without them do those of the best passages serve.
    about = [c for c in linked if any(r.kind == "link" for r in c.resources)] or [store.concepts[i] for i in near]
    resources = [(c.label, r) for c in about for r in c.resources if r.kind == "link"]
    lines: dict[tuple[str, str], str] = {}
    citations: list[Citation] = []
    for label, r in resources[:MOST_LISTED]:
        if (r.text, r.target) in lines or not r.target.startswith(("http://", "https://")):
            continue
        quote = store.note_text(r.note, r.cell).split("\n")[r.line - 1].strip()
        n = len(citations) + 1
        citations.append(Citation(n, r.note, r.line, r.line, r.cell, quote))
        lines[r.text, r.target] = f"- [{_escaped(r.text) or r.target}]({r.target}) — {label} [{n}]"
    return Composed("\n".join(lines.values()), tuple(citations)) if lines else _explained_at(linked, store)


def _explained_at(concepts: Sequence[Concept], store: Store) -> Composed | None:
    """Where the notes explain what a question names."""
    lines: list[str] = []
    citations: list[Citation] = []
    for concept in concepts:
        for passage in (store.passages[p] for p in concept.passages[:MOST_SUPPORTING]):
            excerpt = Excerpt(passage, *_body(passage))
            citations.append(cite(excerpt, len(citations) + 1))
            under = " › ".join(h.replace("*", "") for h in passage.heading_path) or passage.note
            lines.append(f"- **{concept.label}**: {under} [{len(citations)}]")
    return Composed("Explained in the notes:\n\n" + "\n".join(lines), tuple(citations)) if lines else None


def path(goal: Concept, store: Store) -> Composed:
    """What to learn for a goal, foundations first, each step with its reason."""
    steps = study_steps(store, goal.label)
    if len(steps) == 1:
        home = steps[0].citation
        text = f"The notes name nothing that comes before **{goal.label}**: you can start with it."
        return Composed(f"{text} [1]" if home else text, (_numbered(home, 1),) if home else (), steps)
    near = steps[-MOST_STEPS:]
    citations: list[Citation] = []
    lines = []
    for i, step in enumerate(near, len(steps) - len(near) + 1):
        mark = ""
        if step.citation is not None:
            citations.append(_numbered(step.citation, len(citations) + 1))
            mark = f" [{len(citations)}]"
        said = f": {step.summary}" if step.summary else ""
        needed = f" *Needed for {_joined([w for w, _ in step.why[:3]])}.*" if step.why else ""
        lines.append(f"{i}. **{step.label}**{said}{mark}{needed}")
    earlier = [f"**{step.label}**" for step in steps[: len(steps) - len(near)]]
    if not earlier:
        return Composed(f"To reach **{goal.label}**, in this order:\n\n" + "\n".join(lines), tuple(citations), steps)
    opening = (
        f"To reach **{goal.label}** there are {len(steps)} steps. First, in this order: {', '.join(earlier)}. Then:"
    )
    return Composed(f"{opening}\n\n" + "\n".join(lines), tuple(citations), steps)


def _numbered(citation: Citation, n: int) -> Citation:
    return Citation(n, citation.note, citation.line_start, citation.line_end, citation.cell, citation.quote)


def _heading(passage: Passage) -> str:
    """The passage's heading without the other names it gives ("Unfreezing | Unfreeze")."""
    return plain(passage.heading_path[-1]).replace("*", "").split(" | ")[0] if passage.heading_path else ""


def _asked_for(heading: str, findings: Findings, store: Store) -> bool:
    """Whether a heading only repeats the concept that the question names."""
    names = {key(n) for c in findings.concepts for n in (store.concepts[c].label, *store.concepts[c].aliases)}
    return key(heading) in names


def _body(passage: Passage) -> tuple[int, int]:
    """Offsets of a passage without its heading line, or all of it when there is nothing else."""
    match = re.match(r"\s*#{1,6}\s[^\n]*\n+", passage.text)
    return (match.end() if match and passage.text[match.end() :].strip() else 0), len(passage.text)


def _escaped(text: str) -> str:
    return re.sub(r"([\[\]])", r"\\\1", text)


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
