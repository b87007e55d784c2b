"""Answers that are an order of study: the path to goals, what comes after a concept, what could be
learned next.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.answering.composing.composed import Composed
from app.answering.reading.excerpts import body_of, cite
from app.answering.study import NextStep, learn_next, next_steps, study_plan
from ingest.notes.markdown import plain
from kg.marks import known_ids
from kg.store import Store
from kg.types import Citation, Concept, Evidence

__all__ = ["after", "now", "path"]

NAMED = 3  # concepts that a step is needed for
LISTED = 12  # of what is left out
QUOTE_CHARS = 160
HOW_TO_MARK = 'Say what you know with “I know this” on a concept\'s card (`gradus known add "{}"`).'


class _Sources:
    """The citations of an answer; lines that are cited twice keep their number."""

    def __init__(self) -> None:
        self.cited: list[Citation] = []
        self._numbers: dict[tuple[str, int | None, int, int], int] = {}

    def mark(self, note: str, cell: int | None, first: int, last: int, quote: str) -> str:
        place = (note, cell, first, last)
        if place not in self._numbers:
            self._numbers[place] = len(self.cited) + 1
            self.cited.append(Citation(len(self.cited) + 1, note, first, last, cell, quote))
        return f" [{self._numbers[place]}]"

    def home(self, c: Citation | None) -> str:
        return "" if c is None else self.mark(c.note, c.cell, c.line_start, c.line_end, c.quote)

    def evidence(self, e: Evidence | None) -> str:
        """The mark of one line that says why; none where there is no single line to cite."""
        if e is None or not e.quote.strip() or "\n" in e.quote.strip():
            return ""
        return self.mark(e.note, e.cell, e.line, e.line, e.quote)


def path(goals: Sequence[Concept], store: Store) -> Composed:
    """What to learn for some goals, foundations first, each step with its reason; without what is
    marked as known.
    """
    plan = study_plan(store, [goal.id for goal in goals], known_ids(store))
    named = _joined([f"**{goal.label}**" for goal in goals])
    sources = _Sources()
    if len(plan.steps) == len(goals):
        marks = "".join(sources.home(step.citation) for step in plan.steps)
        more = " more" if plan.known else ""
        text = (
            f"The notes name nothing{more} that comes before {named}: you can start with it.{marks}"
        )
        return Composed("\n\n".join([text, *_known(plan.known)]), tuple(sources.cited), plan.steps)
    lines = []
    for i, step in enumerate(plan.steps, 1):
        summary = f": {step.summary}" if step.summary else ""
        mark = sources.home(step.citation)
        needed = ""
        if step.why:
            later = _joined([label for label, _ in step.why[:NAMED]])
            needed = f" *Needed for {later}*{sources.evidence(step.why[0][1])}"
        elif step.may_help:
            needed = " *May help*"
        lines.append(f"{i}. **{step.label}**{summary}{mark}{needed}")
    parts = [f"To reach {named}, in this order:", "\n".join(lines), *_known(plan.known)]
    if plan.further:
        goal = " ".join(f'"{g.label}"' for g in goals)
        parts.append(f"*Further back (`gradus path {goal} --full`): {_some(plan.further)}.*")
    return Composed("\n\n".join(parts), tuple(sources.cited), plan.steps)


def _known(labels: Sequence[str]) -> list[str]:
    return [f"*You know: {_some(labels)}.*"] if labels else []


def after(known: Concept, store: Store) -> Composed:
    """What builds on a concept, each with what it is and how the notes say that it needs it."""
    steps = next_steps(store, known.label)
    if not steps:
        passage = store.passages[known.passages[0]] if known.passages else None
        text = f"Nothing in the notes builds on **{known.label}**."
        return (
            Composed(text, ())
            if passage is None
            else Composed(f"{text} [1]", (cite(body_of(passage), 1),))
        )
    sources = _Sources()
    lines = []
    for step in steps:
        summary = f": {step.summary}" if step.summary else ""
        mark = sources.home(step.citation)
        lines.append(f"- **{step.label}**{summary}{mark}{_because(step.why[0][1], sources)}")
    return Composed(
        f"After **{known.label}** the notes go on with:\n\n" + "\n".join(lines),
        tuple(sources.cited),
    )


def now(store: Store) -> Composed:
    """What can be learned with what is marked as known; with nothing marked, where to begin and how
    to mark.
    """
    known = known_ids(store)
    steps = learn_next(store, known)
    named = [store.concepts[c].label for c in sorted(known)]
    sources = _Sources()
    if not steps:
        return Composed("The notes give no order for what you do not know yet.", ())
    lines = [_line(step, sources) for step in steps]
    if not known:
        opening = (
            "You have marked nothing as known yet. These need nothing else and open up the most:"
        )
    elif not steps[0].builds_on:
        opening = (
            f"Nothing new builds only on what you know ({_some(named)}). These need nothing else:"
        )
    else:
        opening = f"With what you know ({_some(named)}), you can learn next:"
    hint = [] if known else [HOW_TO_MARK.format(steps[0].label)]
    return Composed("\n\n".join([opening, "\n".join(lines), *hint]), tuple(sources.cited))


def _line(step: NextStep, sources: _Sources) -> str:
    summary = step.summary or "your notes name it but do not say what it is"
    line = f"- **{step.label}**: {summary}{sources.home(step.citation)}"
    if step.builds_on:
        first = [label for label, _ in step.builds_on[:NAMED]]
        line += f" *Builds on {_joined(first)}*{sources.evidence(step.builds_on[0][1])}"
    return f"{line} *(opens {step.unlocks} more)*" if step.unlocks else line


def _because(evidence: Evidence | None, sources: _Sources) -> str:
    """The words by which the notes say that a concept is needed, cited."""
    mark = sources.evidence(evidence)
    if evidence is None or not mark:
        return ""
    quote = plain(evidence.quote.strip())
    if len(quote) > QUOTE_CHARS:
        quote = f"{quote[:QUOTE_CHARS].rsplit(' ', 1)[0]} …"
    return f" *“{quote}”*{mark}"


def _some(labels: Sequence[str]) -> str:
    shown = ", ".join(labels[:LISTED])
    return f"{shown} and {len(labels) - LISTED} more" if len(labels) > LISTED else shown


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
