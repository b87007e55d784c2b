"""A concept's card as Markdown: what it is, what to know first, what needs it, where it stands, what runs."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from app.answering.matching import offers
from app.pages.text import chip, clean_markdown, code_block, lines_html, link, place, plain, row
from kg.paths import study_path
from kg.store import Store
from kg.types import Concept, Passage, Relation, Resource

__all__ = ["card_markdown"]

CHIP_LIMIT, SOURCE_LIMIT, RESOURCE_LIMIT, CODE_LIMIT, QUOTE_LIMIT = 12, 5, 8, 2, 160


def card_markdown(store: Store, concept: Concept) -> str:
    """Write the card of one concept; all that comes from the notes is made safe."""
    kept = [relation for relation in store.relations if relation.kept]
    parts = [
        f"### {plain(concept.label)}",
        _also(concept),
        clean_markdown(concept.summary),
        '<div class="g-actions">'
        + " ".join([chip("ask", f"What is {concept.label}?", "Ask about it"), *_run_chips(concept)])
        + "</div>",
        row("Know first", _chips(store, sorted(store.prerequisites.predecessors(concept.id)))),
        _reasons(store, concept),
        row("Needed by", _chips(store, sorted(store.prerequisites.successors(concept.id)))),
        row("Part of", _chips(store, (r.source for r in kept if r.kind == "broader" and r.target == concept.id))),
        row("Contains", _chips(store, (r.target for r in kept if r.kind == "broader" and r.source == concept.id))),
        row("Related", _chips(store, _related(kept, concept.id))),
        _path(store, concept),
        _sources(store, concept),
        *_resources(concept),
    ]
    return "\n\n".join(part for part in parts if part)


def _also(concept: Concept) -> str:
    others = [alias for alias in concept.aliases if alias != concept.label]
    return f'<p class="g-also">also: {plain(", ".join(others))}</p>' if others else ""


def _run_chips(concept: Concept) -> list[str]:
    fitting = offers("", (concept.label, *concept.aliases))
    return [link("run", offer.name, f"▶ Run {offer.name}", css="g-run") for offer in fitting]


def _chips(store: Store, ids: Iterable[int]) -> list[str]:
    labels = [store.concepts[i].label for i in ids]
    more = [f'<span class="g-more">and {len(labels) - CHIP_LIMIT} more</span>'] if len(labels) > CHIP_LIMIT else []
    return [chip("concept", label, label) for label in labels[:CHIP_LIMIT]] + more


def _related(kept: Iterable[Relation], concept: int) -> list[int]:
    found = [r for r in kept if r.kind == "related" and concept in (r.source, r.target)]
    found.sort(key=lambda r: (-r.score, r.source, r.target))
    return [r.target if r.source == concept else r.source for r in found]


def _path(store: Store, concept: Concept) -> str:
    """The study path as a numbered list, each step with what it is needed for."""
    path = study_path(store.prerequisites, [concept.id])
    if len(path) == 1:
        return '<p class="g-quiet">The notes name nothing to learn before this.</p>'
    steps = []
    for step in path:
        needing = next((after for after in path if store.prerequisites.has_edge(step, after)), None)
        why = "" if needing is None else f' <span class="g-quiet">for {plain(store.concepts[needing].label)}</span>'
        steps.append(f"<li>{link('concept', store.concepts[step].label, store.concepts[step].label)}{why}</li>")
    summary = f"Study path, {len(path)} steps"
    return f'<details class="g-path" open><summary>{summary}</summary><ol>{"".join(steps)}</ol></details>'


def _reasons(store: Store, concept: Concept) -> str:
    """What in the notes says that each prerequisite comes first."""
    shown = []
    for relation in store.relations:
        if relation.kind == "prerequisite" and relation.kept and relation.target == concept.id and relation.evidence:
            first = relation.evidence[0]
            where = place(first.note, first.line, first.line, first.cell)
            quote = f"“{plain(first.quote[:QUOTE_LIMIT])}”" if first.quote else plain(first.signal)
            label = plain(store.concepts[relation.source].label)
            shown.append(f'<li><b>{label}</b>: {quote} <span class="g-quiet">{plain(where)}</span></li>')
    if not shown:
        return ""
    return f'<details class="g-why"><summary>Why these first</summary><ul>{"".join(shown)}</ul></details>'


def _sources(store: Store, concept: Concept) -> str:
    passages = [store.passages[i] for i in concept.passages[:SOURCE_LIMIT]]
    if not passages:
        return ""
    more = len(concept.passages) - len(passages)
    tail = f'<p class="g-quiet">and {more} more</p>' if more > 0 else ""
    return f'<div class="g-sources"><p class="g-label">In the notes</p>{_joined(store, passages)}{tail}</div>'


def _joined(store: Store, passages: list[Passage]) -> str:
    shown = []
    for passage in passages:
        where = place(passage.note, passage.line_start, passage.line_end, passage.cell)
        text = store.note_text(passage.note, passage.cell)
        body = lines_html(text, passage.line_start, passage.line_end, context=1)
        shown.append(f'<details class="g-cite"><summary>{plain(where)}</summary>{body}</details>')
    return "".join(shown)


def _resources(concept: Concept) -> list[str]:
    """Links, images (as links) and code that belong to the concept."""
    links = []
    for resource in concept.resources:
        if resource.kind != "code" and re.match(r"https?://", resource.target):
            words = resource.text.strip() or resource.target
            safe = clean_markdown(f"[{re.sub(r'[][]', '', words)[:80]}]({resource.target})")
            links.append(f"- {'image: ' if resource.kind == 'image' else ''}{safe}")
    codes = [resource for resource in concept.resources if resource.kind == "code"][:CODE_LIMIT]
    parts = ["\n".join(['<p class="g-label">Links</p>\n', *links[:RESOURCE_LIMIT]])] if links else []
    if codes:
        parts += ['<p class="g-label">Code</p>', *(_code(code) for code in codes)]
    return parts


def _code(code: Resource) -> str:
    """A code block; where its text still has the fence of the note, without it."""
    fenced = re.fullmatch(r"\s*(`{3,}|~{3,})[^\n]*\n(?P<inside>.*?)\n?[ \t]*\1\s*", code.text, re.DOTALL)
    return code_block(textwrap.dedent(fenced["inside"] if fenced else code.text), code.target)
