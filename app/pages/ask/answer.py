"""An answer as Markdown for the chat: text, sources that open, chips for what to learn and to ask,
Run buttons.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from urllib.parse import urlencode

from app.answering.offers.offers import offers
from app.answering.offers.wishes import Wish
from app.fastai_v1.recognise import annotated
from app.pages.text import chip, clean_markdown, lines_html, link, plain, row
from app.place import place
from app.writer.drafts import without_marks
from executors.errors import RecipeError
from executors.recipe import find_recipe
from kg.linking import key
from kg.store import Store
from kg.types import Answer, Citation, Concept, RecipeOffer

__all__ = [
    "answer_markdown",
    "draft_markdown",
    "example_questions",
    "follow_ups",
    "pieces",
    "run_label",
]

CHIP_LIMIT = 8
QUESTION_LIMIT = 72  # characters; a longer suggestion is no chip
SURE = 0.7  # an offer below it is a quiet chip
PIECE_LIMIT = 24  # the chat draws the whole message anew for each piece


def answer_markdown(store: Store, answer: Answer) -> str:
    """Write an answer for the chat; the quoted lines come from the store that answered."""
    numbers = {citation.n for citation in answer.citations}
    parts = [clean_markdown(annotated(answer.text), numbers)]
    if answer.status == "not_in_notes":
        # where there are nearest concepts, the chips say what the text does
        told = [_chips("Nearest concepts", answer.nearest)] if answer.nearest else parts
        runs = [_run_row(offer) for offer in answer.recipes]
        parts = ['<p class="g-unknown">Not in the notes</p>', *told, _measured(answer), *runs]
        return "\n\n".join(part for part in parts if part)
    parts += [
        _who(answer),
        _sources(store, answer.citations),
        _measured(answer),
        "".join(_run_row(offer) for offer in answer.recipes),
        _chips("Know first", answer.prerequisites),
        _chips("Next", answer.next),
        row("Ask next", [chip("ask", question, question) for question in follow_ups(answer)]),
        _on_graph(store, answer),
    ]
    return "\n\n".join(part for part in parts if part)


def draft_markdown(store: Store, answer: Answer, draft: str, writer: str) -> str:
    """What stands there while a writer is at work: its text so far, unchecked, above the sources it
    was given.
    """
    text = without_marks(draft)
    fences = re.findall(r"^\s*(`{3,}|~{3,})", text, flags=re.M)
    if len(fences) % 2:
        text += f"\n{fences[-1]}"
    stop = link("stop", "writer", "Stop")
    busy = f'<p class="g-quiet g-writing">{plain(writer)} is writing … {stop}</p>'
    parts = [clean_markdown(text), busy, _sources(store, answer.citations)]
    return "\n\n".join(part for part in parts if part)


def pieces(markdown: str) -> list[str]:
    """Growing beginnings of a text, the last one whole, cut only where Markdown of ours allows
    it.
    """
    cuts = [match.end() for match in re.finditer(r"\n|(?<=[.!?;:]) (?=[A-Z*\d])", markdown)]
    step = max(1, len(cuts) // PIECE_LIMIT)
    return [markdown[:cut] for cut in cuts[step - 1 :: step] if cut < len(markdown)] + [markdown]


def run_label(offer: RecipeOffer) -> str:
    """What the button says: `Run lr-find (frozen)`."""
    preset = ", ".join(str(value) for value in offer.params.values() if isinstance(value, str))
    return f"Run {offer.name} ({preset})" if preset else f"Run {offer.name}"


def follow_ups(answer: Answer) -> list[str]:
    """Up to three questions that lead on from an answer."""
    if not answer.concepts:
        return []
    about = answer.concepts[0]
    asked = key(answer.question)
    found = []
    if answer.prerequisites and answer.kind != "path":
        found.append(f"What do I need before {about}?")
    if len(answer.concepts) > 1 and answer.kind != "comparison":
        found.append(f"What is the difference between {about} and {answer.concepts[1]}?")
    if answer.kind != "definition":
        found.append(f"What is {about}?")
    if answer.next:
        found.append(f"What is {answer.next[0]}?")
    short = [question for question in dict.fromkeys(found) if len(question) <= QUESTION_LIMIT]
    return [question for question in short if key(question) != asked][:3]


def example_questions(store: Store) -> list[str]:
    """Up to four questions for an empty chat, made from the store's own concepts, one of each
    sort.
    """
    graph, concepts = store.prerequisites, store.concepts
    told = [concept for concept in concepts if concept.summary and len(concept.label) <= 40]
    if not told:
        return [f"What is {concept.label}?" for concept in concepts[:3]]
    basis = max(told, key=lambda concept: (graph.out_degree(concept.id), -concept.id))
    goal = max(told, key=lambda concept: (graph.in_degree(concept.id), -concept.id))
    questions = [f"What is {basis.label}?", f"What do I need before {goal.label}?"]
    pair = _related_pair(store, {concept.id for concept in told})
    if pair:
        questions.append(f"What is the difference between {pair[0].label} and {pair[1].label}?")
    runnable = _runnable(concepts)
    if runnable:
        questions.append(f"How do I choose the {runnable}?")
    return questions


def _related_pair(store: Store, told: set[int]) -> tuple[Concept, Concept] | None:
    found = [r for r in store.relations if r.kind == "related" and {r.source, r.target} <= told]
    if not found:
        return None
    best = max(found, key=lambda r: (r.score, -r.source, -r.target))
    return store.concepts[best.source], store.concepts[best.target]


def _runnable(concepts: Sequence[Concept]) -> str:
    """What a recipe finds, when the notes speak of it, so that one example ends with a button."""
    names = {name for concept in concepts for name in (concept.label, *concept.aliases)}
    for wanted in ("learning rate", "batch size", "weight decay"):
        told = any(set(key(wanted)) <= set(key(name)) for name in names)
        if told and offers(Wish(), (wanted,)):
            return wanted
    return ""


def _who(answer: Answer) -> str:
    """Who worded it, or why nobody did: one quiet line."""
    wrote = f"Written by {plain(answer.writer)} from the cited lines." if answer.writer else ""
    line = " ".join(part for part in (wrote, plain(answer.notice)) if part)
    return f'<p class="g-quiet g-writer">{line}</p>' if line else ""


def _chips(label: str, concepts: tuple[str, ...]) -> str:
    more = len(concepts) - CHIP_LIMIT
    tail = [f'<span class="g-more">and {more} more</span>'] if more > 0 else []
    return row(label, [chip("concept", name, name) for name in concepts[:CHIP_LIMIT]] + tail)


def _sources(store: Store, citations: tuple[Citation, ...]) -> str:
    if not citations:
        return ""
    return f'<div class="g-sources">{"".join(_source(store, citation) for citation in citations)}</div>'


def _source(store: Store, citation: Citation) -> str:
    """One source that opens where it stands: the cited lines, marked, with a few lines around
    them.
    """
    where = html.escape(place(citation.note, citation.line_start, citation.line_end, citation.cell))
    try:
        text = store.note_text(citation.note, citation.cell)
    except (KeyError, IndexError):  # the note left the store while the answer was written
        body = f'<pre class="g-lines">{html.escape(citation.quote)}</pre>'
    else:
        body = lines_html(text, citation.line_start, citation.line_end)
    return (
        f'<details class="g-cite"><summary><span class="g-n">{citation.n}</span> {where}</summary>{body}</details>'
    ).replace("\n\n", "\n&#8203;\n")  # an empty line would end the block of HTML


def _measured(answer: Answer) -> str:
    """What runs found, each with a link that opens the run."""
    facts = "".join(
        # A place after a full stop would let `pieces` cut here, within HTML of ours.
        f"<li>{plain(fact.text).replace(' ', '&#32;')} {link('past', fact.run, 'Open the run')}</li>"
        for fact in answer.measured
    )
    label = '<span class="g-label">Measured by your runs, not from the notes</span>'
    return f'<div class="g-row g-measured">{label}<ul>{facts}</ul></div>' if facts else ""


def _run_row(offer: RecipeOffer) -> str:
    try:
        summary = find_recipe(offer.name).summary
    except RecipeError:
        return ""
    css = "g-run" if offer.confidence >= SURE else "g-chip"
    button = link(
        "run", f"{offer.name}?{urlencode(offer.params)}", f"▶ {run_label(offer)}", css=css
    )
    return f'<div class="g-row g-offer">{button} <span class="g-quiet">{html.escape(offer.why or summary)}</span></div>'


def _on_graph(store: Store, answer: Answer) -> str:
    known = {concept.label for concept in store.concepts}
    shown = next((label for label in answer.concepts if label in known), None)
    return row("Graph", [chip("graph", shown, f"Show {shown} on the graph")]) if shown else ""
