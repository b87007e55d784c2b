"""A study path as Markdown: steps with time, reasons and questions, and how far one has come."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.answering.self_test import Recall, minutes_to_read, recalls
from app.answering.study import learn_next, study_plan
from app.pages.text import chip, clean_markdown, escaped, link, row
from app.place import place
from kg.linking import find_concept
from kg.store import Store
from kg.types import Concept, PathStep

__all__ = ["learn_markdown", "start_markdown"]

SHOWN_REASONS = 3
OFFERED = 6  # goals, where none is chosen


def start_markdown(store: Store, known: Collection[int]) -> str:
    """What stands there while no goal is chosen: a few that one could have."""
    steps = learn_next(store, known, OFFERED)
    far = sorted(store.prerequisites, key=lambda c: (-len(_behind(store, c)), c))[:OFFERED]
    goals = [store.concepts[c].label for c in far if _behind(store, c)]
    parts = [
        "Say what you want to learn: the notes then give the steps to it, in order, with questions "
        "to test yourself.",
        row("Farthest", [chip("learn", label, label) for label in goals]),
        row("Next", [chip("learn", step.label, step.label) for step in steps]),
    ]
    return "\n\n".join(part for part in parts if part)


def learn_markdown(
    store: Store, goal: int, known: Collection[int], full: bool = False, message: str = ""
) -> str:
    """Write the path to a goal; all that comes from the notes is made safe.

    Parameters
    ----------
    known : collection of int
        What is done: such steps stay, ticked, and count as progress.
    full : bool
        All that comes first, not the short path alone.
    message : str
        One line of HTML above all else: what went wrong.
    """
    plan = study_plan(store, [goal], (), full)
    concepts = [find_concept(store.concepts, step.label) for step in plan.steps]
    minutes = [minutes_to_read(store, concept) for concept in concepts]
    done = [concept.id in known for concept in concepts]
    following = next((i for i, is_done in enumerate(done) if not is_done), None)
    steps = [
        _step(store, number, step, concept, minutes[number], done[number], number == following)
        for number, (step, concept) in enumerate(zip(plan.steps, concepts, strict=True))
    ]
    left = sum(m for m, is_done in zip(minutes, done, strict=True) if not is_done)
    parts = [
        f'<p class="g-said" role="status">{message}</p>' if message else "",
        f"## {escaped(store.concepts[goal].label)}",
        _progress(sum(done), len(done), left),
        _next_line(concepts, following),
        *steps,
        _further(store, goal, plan.further, full),
    ]
    return "\n\n".join(part for part in parts if part)


def _behind(store: Store, concept: int) -> set[int]:
    graph, seen, ahead = store.prerequisites, {concept}, [concept]
    while ahead:
        new = [p for p in graph.predecessors(ahead.pop()) if p not in seen]
        seen.update(new)
        ahead += new
    return seen - {concept}


def _progress(done: int, of: int, minutes: int) -> str:
    told = f"{done} of {of} steps done"
    if minutes:
        told += f"; about {minutes} min of reading left"
    bar = f'<progress class="g-bar" max="{of}" value="{done}"></progress>'
    return f'<div class="gl-progress"><span>{told}</span>{bar}</div>'


def _next_line(concepts: Sequence[Concept], following: int | None) -> str:
    if following is None:
        return '<p class="gl-next">You have done every step.</p>'
    label = concepts[following].label
    return f'<p class="gl-next">Next: <b>{escaped(label)}</b>, step {following + 1}</p>'


def _step(
    store: Store,
    number: int,
    step: PathStep,
    concept: Concept,
    minutes: int,
    is_done: bool,
    is_next: bool,
) -> str:
    kind = " gl-done" if is_done else " gl-now" if is_next else ""
    tick = "✓ " if is_done else ""
    head = f"### {tick}{number + 1}. {escaped(step.label)}"
    why = ", ".join(label for label, _ in step.why[:SHOWN_REASONS])
    reason = f"for {why}; " if why else "may help; " if step.may_help else ""
    lines = f"; {place(step.citation)}" if step.citation else ""
    about = f'<p class="gl-about">{escaped(f"{reason}about {minutes} min{lines}")}</p>'
    mark = chip("know", step.label, "I know this")
    if is_done:
        mark = link("forget", step.label, "✓ I know this", css="g-chip g-known")
    ask = chip("ask", f"What is {step.label}?", "Ask about it")
    actions = (
        f'<div class="g-actions">{mark} {ask} {chip("graph", step.label, "On the graph")}</div>'
    )
    asked = [_question(recall) for recall in recalls(store, concept)]
    test = f'<p class="g-label">Test yourself</p>\n\n{"".join(asked)}' if asked else ""
    body = "\n\n".join(
        part for part in (head, about, clean_markdown(step.summary), test, actions) if part
    )
    return f'<div class="gl-step{kind}">\n\n{body}\n\n</div>'


def _question(recall: Recall) -> str:
    """The question, which opens to its answer."""
    cited = ""
    if recall.citation is not None:
        cited = f' <span class="g-quiet">{escaped(place(recall.citation))}</span>'
    answer = f"{clean_markdown(recall.answer)}{cited}"
    asked = escaped(recall.asked)
    return f'<details class="gl-ask"><summary>{asked}</summary>\n\n{answer}\n\n</details>\n\n'


def _further(store: Store, goal: int, further: Sequence[str], full: bool) -> str:
    label = store.concepts[goal].label
    if full:
        return f'<p class="gl-further">{chip("learn", label, "The short path")}</p>'
    if not further:
        return ""
    words = f"{len(further)} more come before these"
    return f'<p class="gl-further">{words} {chip("learn", f"{label}?full", "Show all of them")}</p>'
