"""A concept's card as Markdown: what it is, what comes first and why, where it stands."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterable
from pathlib import Path
from urllib.parse import urlencode

from app.answering.offers.offers import offers
from app.answering.offers.wishes import Wish
from app.answering.study import NextStep, learn_next, study_plan
from app.pages.graph.rejected_prerequisites import rejected_prerequisites
from app.pages.runs.history_view import finding
from app.pages.runs.view import status_word
from app.pages.text import chip, clean_markdown, escaped, lines_html, link, row
from app.place import place
from app.wording import code_block, to_the_minute
from executors.recipe import find_recipe
from executors.runs.history import history
from kg.store import Store
from kg.types import Concept, Evidence, Passage, Relation, Resource

__all__ = ["NO_CARD", "card_markdown", "decision_link", "resting_markdown"]

CHIP_LIMIT, SOURCE_LIMIT, RESOURCE_LIMIT, CODE_LIMIT, QUOTE_LIMIT = 12, 5, 8, 2, 160
EVIDENCE_LIMIT, RUN_LIMIT = 2, 5
NO_CARD = (
    "Choose a concept, on the map or in the list, to see what the notes say about it and what to "
    "learn first."
)

_FENCED = re.compile(r"\s*(`{3,}|~{3,})[^\n]*\n(?P<inside>.*?)\n?[ \t]*\1\s*", re.DOTALL)


def card_markdown(
    store: Store,
    concept: Concept,
    known: Collection[int] = (),
    message: str = "",
    runs_dir: Path | None = None,
) -> str:
    """Write the card of one concept; all that comes from the notes is made safe.

    Parameters
    ----------
    known : collection of int
        The concepts that are marked as known.
    message : str
        One line of HTML above all else: what has just been done.
    runs_dir : Path or None
        Where runs lie, of which those of recipes for the concept are named.
    """
    broader = [r for r in store.relations if r.kind == "broader"]
    before = sorted(store.prerequisites.predecessors(concept.id))
    after = sorted(store.prerequisites.successors(concept.id))
    parts = [
        f'<p class="g-said" role="status">{message}</p>' if message else "",
        f"### {escaped(concept.label)}",
        _also(concept),
        clean_markdown(concept.summary),
        _formula(store, concept),
        _actions(concept, known),
        row("Know first", _chips(store, before, known)),
        _reasons(store, concept),
        _rejected(store, concept),
        row("Unlocks", _chips(store, after)),
        row("Part of", _chips(store, (r.source for r in broader if r.target == concept.id))),
        row("Contains", _chips(store, (r.target for r in broader if r.source == concept.id))),
        row("Related", _chips(store, _related(store.relations, concept.id))),
        _path(store, concept, known),
        _sources(store, concept),
        _runs(concept, runs_dir),
        *_resources(concept),
    ]
    return "\n\n".join(part for part in parts if part)


def resting_markdown(store: Store, known: Collection[int]) -> str:
    """What stands there while no concept is chosen: how to choose, and what marks unlock."""
    if not known:
        return NO_CARD
    steps = learn_next(store, known)
    if not steps:
        return "You know everything that the notes give an order for. " + NO_CARD
    unlocked = bool(steps[0].builds_on)
    opening = (
        "What you can learn next"
        if unlocked
        else "Nothing new builds only on what you know; start with"
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
    reasons = []
    if step.builds_on:
        reasons.append(f"builds on {', '.join(label for label, _ in step.builds_on[:3])}")
    if step.unlocks:
        reasons.append(f"opens {step.unlocks} more")
    if step.citation is not None:
        reasons.append(place(step.citation))
    why = f'<span class="g-quiet">{escaped("; ".join(reasons))}</span>'
    return f"<li>{link('concept', step.label, step.label)} {escaped(step.summary)} {why}</li>"


def decision_link(decision: str, first: str, then: str, words: str) -> str:
    """Write a link that decides on a prerequisite: `decision` is right, wrong or undo."""
    pair = urlencode({"first": first, "then": then})
    return link(decision, pair, words, css="g-decide", spoken=f"that {first} comes before {then}")


def _actions(concept: Concept, known: Collection[int]) -> str:
    """What a reader can do with the concept: ask about it, mark it, run what fits it."""
    ask = chip("ask", f"What is {concept.label}?", "Ask about it")
    mark = chip("know", concept.label, "I know this")
    if concept.id in known:
        mark = link("forget", concept.label, "✓ I know this", css="g-chip g-known")
    runs = [
        link("run", name, f"▶ {find_recipe(name).title}", css="g-run") for name in _recipes(concept)
    ]
    learn = chip("learn", concept.label, "Learn it step by step")
    return f'<div class="g-actions">{" ".join([ask, mark, learn, *runs])}</div>'


def _recipes(concept: Concept) -> list[str]:
    """The recipes whose subject the concept is."""
    return [offer.name for offer in offers(Wish(), (concept.label, *concept.aliases))]


def _formula(store: Store, concept: Concept) -> str:
    """The first formula that stands alone where the concept is defined."""
    for passage in (store.passages[i] for i in concept.passages[:SOURCE_LIMIT]):
        for statement in passage.statements:
            formula = passage.text[statement.start : statement.end].strip()
            if statement.kind == "math" and formula not in concept.summary:
                return clean_markdown(formula)
    return ""


def _runs(concept: Concept, runs_dir: Path | None) -> str:
    """What was run on it so far, the newest first, with what each found."""
    recipes = _recipes(concept) if runs_dir is not None else []
    if runs_dir is None or not recipes:
        return ""
    records = history(runs_dir, of=recipes)[:RUN_LIMIT]
    items = []
    for record in records:
        told = finding(record) or status_word(record.status).lower()
        when = to_the_minute(record.started)
        words = f'{escaped(told)} <span class="g-quiet">{escaped(when)}</span>'
        items.append(f"<li>{link('past', record.id, record.recipe)} {words}</li>")
    if not items:
        return ""
    return f'<p class="g-label">Runs so far</p><ul class="g-runs">{"".join(items)}</ul>'


def _also(concept: Concept) -> str:
    others = [alias for alias in concept.aliases if alias != concept.label]
    return f'<p class="g-also">also: {escaped(", ".join(others))}</p>' if others else ""


def _chips(store: Store, ids: Iterable[int], known: Collection[int] = ()) -> list[str]:
    labels = [(store.concepts[i].label, "✓ " if i in known else "") for i in ids]
    chips = [chip("concept", label, f"{tick}{label}") for label, tick in labels[:CHIP_LIMIT]]
    if len(labels) > CHIP_LIMIT:
        chips.append(f'<span class="g-more">and {len(labels) - CHIP_LIMIT} more</span>')
    return chips


def _related(relations: Iterable[Relation], concept: int) -> list[int]:
    own = [r for r in relations if r.kind == "related" and concept in (r.source, r.target)]
    own.sort(key=lambda r: (-r.score, r.source, r.target))
    return [r.target if r.source == concept else r.source for r in own]


def _path(store: Store, concept: Concept, known: Collection[int]) -> str:
    """The study path as a numbered list, each step with its reason, and what is left out."""
    plan = study_plan(store, [concept.id], known)
    left_out = ""
    if plan.known:
        left_out = f'<p class="g-quiet">You know: {escaped(", ".join(plan.known))}</p>'
    if len(plan.steps) == 1:
        nothing = "nothing more" if plan.known else "nothing"
        return f'<p class="g-quiet">The notes name {nothing} to learn before this.</p>{left_out}'
    steps = []
    for step in plan.steps:
        why = f"for {step.why[0][0]}" if step.why else "may help" if step.may_help else ""
        quiet = f' <span class="g-quiet">{escaped(why)}</span>' if why else ""
        steps.append(f"<li>{link('concept', step.label, step.label)}{quiet}</li>")
    if plan.further:
        further = " ".join(chip("concept", label, label) for label in plan.further)
        summary = f"<summary>Further back: {len(plan.further)} more</summary>"
        left_out += f"<details>{summary}{further}</details>"
    summary = f"<summary>Study path, {len(plan.steps)} steps</summary>"
    listed = f"<ol>{''.join(steps)}</ol>"
    return f'<details class="g-path" open>{summary}{listed}{left_out}</details>'


def _reasons(store: Store, concept: Concept) -> str:
    """What in the notes says that each prerequisite comes first, with links to judge it."""
    needed = [r for r in store.relations if r.kind == "prerequisite" and r.target == concept.id]
    if not needed:
        return ""
    needed.sort(key=lambda r: (-r.score, r.source))
    shown = "".join(_reason(store.concepts[r.source].label, concept.label, r) for r in needed)
    return f'<details class="g-why"><summary>Why these first</summary><ul>{shown}</ul></details>'


def _rejected(store: Store, concept: Concept) -> str:
    """The prerequisites that the reader has rejected, folded, each with a link to undo it."""
    items = []
    for rejected in rejected_prerequisites(store, concept):
        where = f'<span class="g-quiet">{escaped(place(rejected.place))}</span>'
        undo = decision_link("undo", rejected.first, concept.label, "undo")
        items.append(f"<li><b>{escaped(rejected.first)}</b> {where} {undo}</li>")
    if not items:
        return ""
    summary = f"<summary>Not needed first, as you decided: {len(items)}</summary>"
    return f'<details class="g-rejected">{summary}<ul>{"".join(items)}</ul></details>'


def _reason(first: str, then: str, relation: Relation) -> str:
    tier = ""
    if relation.tier:
        tier = f' <span class="g-tier g-tier-{relation.tier}">{relation.tier}</span>'
    # Of several on one line, the first.
    by_line = {(e.note, e.cell, e.line): e for e in reversed(relation.evidence)}
    quotes = [_quoted(evidence) for evidence in reversed(by_line.values())][:EVIDENCE_LIMIT]
    why = "; ".join(quotes) or "inferred from the notes"
    links = " ".join(decision_link(word, first, then, word) for word in ("right", "wrong"))
    decide = f'<span class="g-decisions">{links}</span>'
    return f"<li><b>{escaped(first)}</b>{tier} {why} {decide}</li>"


def _quoted(evidence: Evidence) -> str:
    words = escaped(evidence.signal)
    if evidence.quote:
        words = f"“{escaped(evidence.quote[:QUOTE_LIMIT])}”"
    return f'{words} <span class="g-quiet">{escaped(place(evidence))}</span>'


def _sources(store: Store, concept: Concept) -> str:
    passages = [store.passages[i] for i in concept.passages[:SOURCE_LIMIT]]
    if not passages:
        return ""
    more = len(concept.passages) - len(passages)
    tail = f'<p class="g-quiet">and {more} more</p>' if more > 0 else ""
    shown = "".join(_source(store, passage) for passage in passages)
    return f'<div class="g-sources"><p class="g-label">In the notes</p>{shown}{tail}</div>'


def _source(store: Store, passage: Passage) -> str:
    text = store.note_text(passage.note, passage.cell)
    body = lines_html(text, passage.line_start, passage.line_end, context=1)
    summary = f"<summary>{escaped(place(passage))}</summary>"
    return f'<details class="g-cite">{summary}{body}</details>'


def _resources(concept: Concept) -> list[str]:
    """Links, images (as links) and code that belong to the concept."""
    links = []
    for resource in concept.resources:
        if resource.kind != "code" and re.match(r"https?://", resource.target):
            words = resource.text.strip() or resource.target
            safe = clean_markdown(f"[{re.sub(r'[][]', '', words)[:80]}]({resource.target})")
            links.append(f"- {'image: ' if resource.kind == 'image' else ''}{safe}")
    codes = [resource for resource in concept.resources if resource.kind == "code"][:CODE_LIMIT]
    parts = []
    if links:
        parts.append("\n".join(['<p class="g-label">Links</p>\n', *links[:RESOURCE_LIMIT]]))
    if codes:
        parts += ['<p class="g-label">Code</p>', *(_code(code) for code in codes)]
    return parts


def _code(code: Resource) -> str:
    """A code block; where its text still has the fence of the note, without it."""
    fenced = _FENCED.fullmatch(code.text)
    inside = textwrap.dedent(fenced["inside"] if fenced else code.text)
    return clean_markdown(code_block(inside, code.target))
