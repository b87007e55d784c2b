"""A concept's card as Markdown: what it is, what to know first and why, what needs it, where it
stands, what runs.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterable
from urllib.parse import urlencode

from app.answering.offers.offers import offers
from app.answering.offers.wishes import Wish
from app.answering.study import NextStep, learn_next, study_plan
from app.pages.graph.rejected_prerequisites import rejected_prerequisites
from app.pages.text import chip, clean_markdown, code_block, lines_html, link, plain, row
from app.place import place
from kg.store import Store
from kg.types import Concept, Evidence, Passage, Relation, Resource

__all__ = ["NO_CARD", "card_markdown", "decision_link", "resting_markdown"]

CHIP_LIMIT, SOURCE_LIMIT, RESOURCE_LIMIT, CODE_LIMIT, QUOTE_LIMIT = 12, 5, 8, 2, 160
EVIDENCE_LIMIT = 2
NO_CARD = "Choose a concept, on the map or in the list, to see what the notes say about it and what to learn first."


def card_markdown(
    store: Store, concept: Concept, known: Collection[int] = (), said: str = ""
) -> str:
    """Write the card of one concept; all that comes from the notes is made safe.

    Parameters
    ----------
    known : collection of int
        The concepts that are marked as known.
    said : str
        One line of HTML above all else: what has just been done.
    """
    broader = [r for r in store.relations if r.kind == "broader"]
    parts = [
        f'<p class="g-said" role="status">{said}</p>' if said else "",
        f"### {plain(concept.label)}",
        _also(concept),
        clean_markdown(concept.summary),
        '<div class="g-actions">'
        + " ".join(
            [chip("ask", f"What is {concept.label}?", "Ask about it"), _mark(concept, known)]
        )
        + " ".join(_run_chips(concept))
        + "</div>",
        row(
            "Know first", _chips(store, sorted(store.prerequisites.predecessors(concept.id)), known)
        ),
        _reasons(store, concept),
        _rejected(store, concept),
        row("Needed by", _chips(store, sorted(store.prerequisites.successors(concept.id)))),
        row("Part of", _chips(store, (r.source for r in broader if r.target == concept.id))),
        row("Contains", _chips(store, (r.target for r in broader if r.source == concept.id))),
        row("Related", _chips(store, _related(store.relations, concept.id))),
        _path(store, concept, known),
        _sources(store, concept),
        *_resources(concept),
    ]
    return "\n\n".join(part for part in parts if part)


def resting_markdown(store: Store, known: Collection[int]) -> str:
    """What stands there while no concept is chosen: how to choose one, and, with marks set, what
    they unlock.
    """
    if not known:
        return NO_CARD
    steps = learn_next(store, known)
    if not steps:
        return "You know all that the notes put in an order. " + NO_CARD
    unlocked = bool(steps[0].builds_on)
    opening = (
        "Learn next, with what you know"
        if unlocked
        else "Nothing new needs only what you know; begin with"
    )
    listed = "".join(_next_item(step) for step in steps)
    return "\n\n".join(
        [
            f"### {opening}",
            f'<ol class="g-next">{listed}</ol>',
            row("You know", _chips(store, sorted(known))),
            NO_CARD,
        ]
    )


def _next_item(step: NextStep) -> str:
    reasons = (
        [f"builds on {', '.join(label for label, _ in step.builds_on[:3])}"]
        if step.builds_on
        else []
    )
    if step.unlocks:
        reasons.append(f"opens {step.unlocks} more")
    if step.citation is not None:
        c = step.citation
        reasons.append(place(c.note, c.line_start, c.line_end, c.cell))
    why = f'<span class="g-quiet">{plain("; ".join(reasons))}</span>'
    return f"<li>{link('concept', step.label, step.label)} {plain(step.summary)} {why}</li>"


def decision_link(decision: str, first: str, then: str, words: str) -> str:
    """Write a link that decides on a prerequisite: `decision` is right, wrong or undo."""
    pair = urlencode({"first": first, "then": then})
    return link(decision, pair, words, css="g-decide", spoken=f"that {first} comes before {then}")


def _mark(concept: Concept, known: Collection[int]) -> str:
    if concept.id in known:
        return link("forget", concept.label, "✓ I know this", css="g-chip g-known")
    return chip("know", concept.label, "I know this")


def _also(concept: Concept) -> str:
    others = [alias for alias in concept.aliases if alias != concept.label]
    return f'<p class="g-also">also: {plain(", ".join(others))}</p>' if others else ""


def _run_chips(concept: Concept) -> list[str]:
    fitting = offers(Wish(), (concept.label, *concept.aliases))
    return [link("run", offer.name, f"▶ Run {offer.name}", css="g-run") for offer in fitting]


def _chips(store: Store, ids: Iterable[int], known: Collection[int] = ()) -> list[str]:
    found = [(store.concepts[i].label, "✓ " if i in known else "") for i in ids]
    more = (
        [f'<span class="g-more">and {len(found) - CHIP_LIMIT} more</span>']
        if len(found) > CHIP_LIMIT
        else []
    )
    return [chip("concept", label, f"{mark}{label}") for label, mark in found[:CHIP_LIMIT]] + more


def _related(relations: Iterable[Relation], concept: int) -> list[int]:
    found = [r for r in relations if r.kind == "related" and concept in (r.source, r.target)]
    found.sort(key=lambda r: (-r.score, r.source, r.target))
    return [r.target if r.source == concept else r.source for r in found]


def _path(store: Store, concept: Concept, known: Collection[int]) -> str:
    """The study path as a numbered list, each step with what it is needed for, and what the path
    leaves out.
    """
    plan = study_plan(store, [concept.id], known)
    left_out = (
        f'<p class="g-quiet">You know: {plain(", ".join(plan.known))}</p>' if plan.known else ""
    )
    if len(plan.steps) == 1:
        more = " more" if plan.known else ""
        return (
            f'<p class="g-quiet">The notes name nothing{more} to learn before this.</p>{left_out}'
        )
    steps = []
    for step in plan.steps:
        why = f' <span class="g-quiet">for {plain(step.why[0][0])}</span>' if step.why else ""
        steps.append(f"<li>{link('concept', step.label, step.label)}{why}</li>")
    if plan.further:
        further = " ".join(chip("concept", label, label) for label in plan.further)
        left_out += (
            f"<details><summary>Further back: {len(plan.further)} more</summary>{further}</details>"
        )
    summary = f"Study path, {len(plan.steps)} steps"
    return f'<details class="g-path" open><summary>{summary}</summary><ol>{"".join(steps)}</ol>{left_out}</details>'


def _reasons(store: Store, concept: Concept) -> str:
    """What in the notes says that each prerequisite comes first, and links to say whether that is
    right.
    """
    needed = [r for r in store.relations if r.kind == "prerequisite" and r.target == concept.id]
    if not needed:
        return ""
    needed.sort(key=lambda r: (-r.score, r.source))
    shown = "".join(_reason(store.concepts[r.source].label, concept.label, r) for r in needed)
    return f'<details class="g-why"><summary>Why these first</summary><ul>{shown}</ul></details>'


def _rejected(store: Store, concept: Concept) -> str:
    """What the reader has rejected as a prerequisite, folded away, each with a link that takes that
    back.
    """
    items = []
    for rejected in rejected_prerequisites(store, concept):
        where = plain(place(rejected.place.note, rejected.place.line, rejected.place.line, None))
        undo = decision_link("undo", rejected.first, concept.label, "undo")
        items.append(
            f'<li><b>{plain(rejected.first)}</b> <span class="g-quiet">{where}</span> {undo}</li>'
        )
    if not items:
        return ""
    told = f"Not needed first, as you decided: {len(items)}"
    return (
        f'<details class="g-rejected"><summary>{told}</summary><ul>{"".join(items)}</ul></details>'
    )


def _reason(first: str, then: str, relation: Relation) -> str:
    tier = (
        f' <span class="g-tier g-tier-{relation.tier}">{relation.tier}</span>'
        if relation.tier
        else ""
    )
    lines = {
        (e.note, e.cell, e.line): e for e in reversed(relation.evidence)
    }  # of one line, the first that it gives
    said = (
        "; ".join([_said(e) for e in reversed(lines.values())][:EVIDENCE_LIMIT])
        or "inferred from what the notes have"
    )
    links = [
        decision_link("right", first, then, "right"),
        decision_link("wrong", first, then, "wrong"),
    ]
    return f'<li><b>{plain(first)}</b>{tier} {said} <span class="g-decisions">{" ".join(links)}</span></li>'


def _said(evidence: Evidence) -> str:
    where = place(evidence.note, evidence.line, evidence.line, evidence.cell)
    quote = f"“{plain(evidence.quote[:QUOTE_LIMIT])}”" if evidence.quote else plain(evidence.signal)
    return f'{quote} <span class="g-quiet">{plain(where)}</span>'


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
    parts = (
        ["\n".join(['<p class="g-label">Links</p>\n', *links[:RESOURCE_LIMIT]])] if links else []
    )
    if codes:
        parts += ['<p class="g-label">Code</p>', *(_code(code) for code in codes)]
    return parts


def _code(code: Resource) -> str:
    """A code block; where its text still has the fence of the note, without it."""
    fenced = re.fullmatch(
        r"\s*(`{3,}|~{3,})[^\n]*\n(?P<inside>.*?)\n?[ \t]*\1\s*", code.text, re.DOTALL
    )
    return code_block(textwrap.dedent(fenced["inside"] if fenced else code.text), code.target)
