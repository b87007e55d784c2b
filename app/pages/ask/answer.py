"""An answer as Markdown for the chat: text, sources that open, chips, Run buttons."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Sequence
from pathlib import PurePath
from urllib.parse import quote, urlencode

from app.answering.offers.offers import offers
from app.answering.offers.wishes import Wish
from app.fastai_v1.recognise import annotated
from app.pages.text import chip, clean_markdown, escaped, link, row
from app.place import place
from app.wording import DOUBT, on_a_page, shortened
from app.writer.drafts import without_marks
from executors.errors import RecipeError
from executors.recipe import find_recipe
from ingest.notes.markdown import plain
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
SHOWN_LIMIT = 4  # concepts that an answer shows on the graph
QUESTION_LIMIT = 72  # characters; a longer suggestion is no chip
SURE = 0.7  # an offer below it is a quiet chip
SAID_LIMIT = 60  # characters by which a cited line is found again when the note has changed
QUOTE_LIMIT = 280  # characters of a cited line, beside its place
PIECE_LIMIT = 24  # the chat draws the whole message anew for each piece


def answer_markdown(store: Store, answer: Answer) -> str:
    """Write an answer for the chat; the store is the one that answered."""
    numbers = {citation.n for citation in answer.citations}
    said = clean_markdown(on_a_page(annotated(answer)), numbers)
    parts = [_pointed_at(said, answer.likeliest, numbers)]
    if answer.status == "not_in_notes":
        nearest, runs = _chips("Nearest concepts", answer.nearest), map(_run_row, answer.recipes)
        if answer.recipes:
            said = '<p class="g-doubt">Not in the notes; a run can find out:</p>'
            parts = [said, _measured(answer), *runs, nearest]
        else:  # where there are nearest concepts, the chips say what the text does
            said = '<p class="g-unknown">Not in the notes</p>'
            parts = [said, *([nearest] if nearest else parts), _measured(answer)]
        return "\n\n".join(part for part in parts if part)
    doubt = [f'<p class="g-doubt">{DOUBT}</p>'] if answer.doubtful else []
    parts = [
        *doubt,
        *parts,
        _who(answer),
        _sources(answer.citations),
        _measured(answer),
        "".join(_run_row(offer) for offer in answer.recipes),
        _chips("Know first", answer.prerequisites),
        _chips("Next", answer.next),
        row("Ask next", [chip("ask", question, question) for question in follow_ups(answer)]),
        _on_graph(store, answer),
    ]
    return "\n\n".join(part for part in parts if part)


def _pointed_at(said: str, likeliest: Sequence[str], numbers: Collection[int]) -> str:
    """The text of an answer with the words to look at first marked."""
    for words in likeliest:
        shown = clean_markdown(words, numbers)
        if said.count(shown) == 1:
            said = said.replace(shown, f"<mark>{shown}</mark>")
    return said


def draft_markdown(answer: Answer, draft: str, writer: str) -> str:
    """What stands there while a writer is at work: its unchecked text above its sources."""
    text = without_marks(draft)
    fences = re.findall(r"^\s*(`{3,}|~{3,})", text, flags=re.M)
    if len(fences) % 2:
        text += f"\n{fences[-1]}"
    stop = link("stop", "writer", "Stop")
    busy = f'<p class="g-quiet g-writing">{escaped(writer)} is writing … {stop}</p>'
    parts = [clean_markdown(text), busy, _sources(answer.citations)]
    return "\n\n".join(part for part in parts if part)


def pieces(markdown: str) -> list[str]:
    """Growing beginnings of a text, the last one whole, cut only where our Markdown allows it."""
    cuts = [match.end() for match in re.finditer(r"\n|(?<=[.!?;:]) (?=[A-Z*\d])", markdown)]
    step = max(1, len(cuts) // PIECE_LIMIT)
    return [markdown[:cut] for cut in cuts[step - 1 :: step] if cut < len(markdown)] + [markdown]


def run_label(offer: RecipeOffer) -> str:
    """What the button says, as the Runs page names it: `Find my learning rate (frozen)`.

    Raises
    ------
    RecipeError
        When there is no such recipe.
    """
    recipe = find_recipe(offer.name)
    title, paths = recipe.title, {p.name for p in recipe.parameters if p.type == "path"}
    preset = ", ".join(
        PurePath(value).name if name in paths else value
        for name, value in offer.params.items()
        if isinstance(value, str)
    )
    return f"{title} ({preset})" if preset else title


def follow_ups(answer: Answer) -> list[str]:
    """Up to three questions that lead on from an answer."""
    if not answer.concepts:
        return []
    about = answer.concepts[0]
    questions = []
    if answer.prerequisites and answer.kind != "path":
        questions.append(f"What do I need before {about}?")
    other = next((label for label in answer.concepts[1:] if _of_a_sort(about, label)), "")
    if other and answer.kind != "comparison":
        questions.append(f"What is the difference between {about} and {other}?")
    if answer.kind != "definition":
        questions.append(f"What is {about}?")
    if answer.next:
        questions.append(f"What is {answer.next[0]}?")
    short = [question for question in dict.fromkeys(questions) if len(question) <= QUESTION_LIMIT]
    return [question for question in short if key(question) != key(answer.question)][:3]


def example_questions(store: Store) -> list[str]:
    """Up to four questions for an empty chat, of the store's own concepts, one of each sort."""
    graph, concepts = store.prerequisites, store.concepts
    defined = [concept for concept in concepts if concept.summary and len(concept.label) <= 40]
    if not defined:
        return [f"What is {concept.label}?" for concept in concepts[:3]]
    basis = max(defined, key=lambda concept: (graph.out_degree(concept.id), -concept.id))
    goal = max(defined, key=lambda concept: (graph.in_degree(concept.id), -concept.id))
    questions = [f"What is {basis.label}?", f"What do I need before {goal.label}?"]
    pair = _related_pair(store, {concept.id for concept in defined})
    if pair:
        questions.append(f"What is the difference between {pair[0].label} and {pair[1].label}?")
    runnable = _runnable(concepts)
    if runnable:
        questions.append(f"How do I choose the {runnable}?")
    return questions


def _related_pair(store: Store, among: set[int]) -> tuple[Concept, Concept] | None:
    related = [r for r in store.relations if r.kind == "related" and {r.source, r.target} <= among]
    related.sort(key=lambda r: (-r.score, r.source, r.target))
    pairs = ((store.concepts[r.source], store.concepts[r.target]) for r in related)
    return next((pair for pair in pairs if _of_a_sort(pair[0].label, pair[1].label)), None)


def _of_a_sort(one: str, other: str) -> bool:
    """Whether two concepts are worth comparing, as their names end alike: two sorts of window."""
    return key(one)[-1:] == key(other)[-1:]


def _runnable(concepts: Sequence[Concept]) -> str:
    """What a recipe finds, when the notes speak of it, so that one example ends with a button."""
    names = {name for concept in concepts for name in (concept.label, *concept.aliases)}
    for wanted in ("learning rate", "batch size", "weight decay"):
        spoken_of = any(set(key(wanted)) <= set(key(name)) for name in names)
        if spoken_of and offers(Wish(), (wanted,)):
            return wanted
    return ""


def _who(answer: Answer) -> str:
    """Who worded it, or why nobody did: one quiet line."""
    wrote = f"Written by {escaped(answer.writer)} from the cited lines." if answer.writer else ""
    line = " ".join(part for part in (wrote, escaped(answer.notice)) if part)
    return f'<p class="g-quiet g-writer">{line}</p>' if line else ""


def _chips(label: str, concepts: tuple[str, ...]) -> str:
    chips = [chip("concept", name, name) for name in concepts[:CHIP_LIMIT]]
    if len(concepts) > CHIP_LIMIT:
        chips.append(f'<span class="g-more">and {len(concepts) - CHIP_LIMIT} more</span>')
    return row(label, chips)


def _sources(citations: tuple[Citation, ...]) -> str:
    if not citations:
        return ""
    return f'<div class="g-sources">{"".join(map(_source, citations))}</div>'


def _source(citation: Citation) -> str:
    """One source: its number, place and words, as a link that opens the note there."""
    at = {
        **({} if citation.cell is None else {"cell": citation.cell}),
        "first": citation.line_start,
        "last": citation.line_end,
        "said": citation.quote.partition("\n")[0][:SAID_LIMIT],
    }
    address = f"#note/{quote(citation.note, safe='')}?{html.escape(urlencode(at))}"
    words = shortened(" ".join(plain(citation.quote).split()), QUOTE_LIMIT)
    parts = (("g-n", str(citation.n)), ("g-where", place(citation)), ("g-quote", words))
    shown = "".join(
        # A blank after a full stop would let `pieces` cut here, within HTML of ours.
        f'<span class="{css}">{escaped(text).replace(" ", "&#32;")}</span>&#32;'
        for css, text in parts
    )
    return f'<a class="g-link g-source" href="{address}">{shown}</a>'


def _measured(answer: Answer) -> str:
    """What runs found, each with a link that opens the run."""
    if not answer.measured:
        return ""
    facts = ""
    for fact in answer.measured:
        # A blank after a full stop would let `pieces` cut here, within HTML of ours.
        text = escaped(fact.text).replace(" ", "&#32;")
        facts += f"<li>{text} {link('past', fact.run, 'Open the run')}</li>"
    label = '<span class="g-label">Measured by your runs, not from the notes</span>'
    return f'<div class="g-row g-measured">{label}<ul>{facts}</ul></div>'


def _run_row(offer: RecipeOffer) -> str:
    try:
        summary = find_recipe(offer.name).summary
    except RecipeError:
        return ""
    css = "g-run" if offer.confidence >= SURE else "g-chip"
    target = f"{offer.name}?{urlencode(offer.params)}"
    button = link("run", target, f"▶ {run_label(offer)}", css=css)
    why = f'<span class="g-quiet">{html.escape(offer.why or summary)}</span>'
    notice = f'<p class="g-doubt">{escaped(on_a_page(offer.notice))}</p>' if offer.notice else ""
    return f'<div class="g-row g-offer">{button} {why}</div>{notice}'


def _on_graph(store: Store, answer: Answer) -> str:
    """Up to a few of its concepts, each on the map with its card."""
    known = {concept.label for concept in store.concepts}
    shown = [label for label in answer.concepts if label in known][:SHOWN_LIMIT]
    chips = [chip("graph", label, f"Show {label} on the graph") for label in shown[:1]]
    others = [link("graph", name, name, css="g-chip", spoken="and its card") for name in shown[1:]]
    return row("Graph", chips + others)
