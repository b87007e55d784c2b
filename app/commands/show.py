"""Answers, hits, paths and tables as a person reads them in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from app.commands.options import tell
from app.fastai_v1.recognise import annotated
from app.place import address
from app.wording import DOUBT, run_command

if TYPE_CHECKING:
    from app.answering.study import NextStep, Plan
    from ingest.build import Report
    from kg.types import Answer, Evidence, Hit

__all__ = [
    "follow_writing",
    "show_answer",
    "show_hits",
    "show_next",
    "show_plan",
    "show_report",
    "show_table",
    "tell_faults",
]

out = Console(highlight=False)


def show_report(report: Report) -> None:
    """What an ingest did, in two lines."""
    changes = (
        f"{report.added} added, {report.changed} changed, {report.removed} removed, "
        f"{report.unchanged} unchanged"
    )
    failed = f", {len(report.failed)} not read" if report.failed else ""
    kinds = ", ".join(f"{n} {kind}" for kind, n in report.relations.items())
    notes = f"{report.notes} notes ({changes}{failed})"
    out.print(f"{notes}, {report.passages} passages in {report.seconds:.1f} s")
    out.print(f"{report.concepts} concepts; relations: {kinds}")


def tell_faults(report: Report) -> None:
    """On stderr, what an ingest could not read, follow or keep."""
    for failure in report.failed:
        tell(f"not read: {failure.note}:{failure.line}: {failure.error}")
    if report.left_out:
        kinds = ", ".join(f"{n} {kind}" for kind, n in report.left_out.items())
        tell(f"left out, because Gradus does not read these kinds of files: {kinds}")
    for warning in report.warnings:
        tell(f"{warning.note}:{warning.line}: {warning.error}")
    for dropped in report.dropped:
        tell(f"dropped: {dropped}")


def show_answer(answer: Answer) -> None:
    """An answer, its sources, and where to go from it."""
    from rich.markdown import Markdown

    if answer.doubtful:
        out.print(Text(DOUBT, style="yellow"))
    out.print(Markdown(annotated(answer)))
    author = f"Written by {answer.writer} from the cited lines." if answer.writer else ""
    _show_block([Text(line, style="dim") for line in (author, answer.notice) if line])
    _show_block([Text(f"[{c.n}] {address(c)}", style="cyan") for c in answer.citations])
    if answer.measured:
        head = Text("measured by your runs, not from the notes:", style="dim")
        _show_block([head, *(Text(f"  {fact.text} [{fact.run}]") for fact in answer.measured)])
    for name, labels in (("know first", answer.prerequisites), ("next", answer.next)):
        if labels:
            out.print(Text(f"{name}: {', '.join(labels)}", style="dim"))
    for offer in answer.recipes:
        out.print(Text(f"run it: {run_command(offer.name, offer.params)}", style="green"))
        if offer.notice:
            out.print(Text(offer.notice, style="yellow"))


def _show_block(lines: Sequence[Text]) -> None:
    """Lines below an empty one; nothing where there are none."""
    if lines:
        out.print()
    for line in lines:
        out.print(line)


def follow_writing(steps: Iterator[str | Answer], writer: str, live: bool) -> Answer:
    """The answer that writing ends with; in a terminal, what is written is shown if `live`.

    Parameters
    ----------
    steps : iterator
        As `app.writer.written.written` gives them.
    """
    from rich.markdown import Markdown

    from app.writer.drafts import without_marks

    final: Answer | None = None
    if not (live and out.is_terminal):
        for step in steps:
            final = step if not isinstance(step, str) else None
    else:
        busy = Text(f"{writer} is writing …", style="dim")
        with Live(busy, console=out, transient=True, refresh_per_second=8) as view:
            for step in steps:
                if isinstance(step, str):
                    view.update(Group(Markdown(without_marks(step)), busy))
                else:
                    final = step
    assert final is not None, "writing ends with an answer"
    return final


def show_hits(hits: Sequence[Hit]) -> None:
    """Passages with their place, best first."""
    if not hits:
        out.print("nothing found")
    for hit in hits:
        p = hit.passage
        headings = " › ".join(p.heading_path)
        out.print(Text(f"{address(p)}  {headings}  ({hit.score:.2f})", style="cyan"))
        out.print(Text(p.text.strip()))
        out.print()


def show_plan(plan: Plan) -> None:
    """A study plan as a numbered list with reasons, and what it leaves out."""
    for n, step in enumerate(plan.steps, 1):
        _show_step(f"{n:>3}. ", step.label, step.summary)
        if step.why:
            labels = ", ".join(label for label, _ in step.why[:4])
            _show_reason(f"needed for {labels}", step.why[0][1])
        elif step.may_help:
            out.print(Text("     may help", style="dim"))
        if step.citation is not None:
            out.print(Text(f"     {address(step.citation)}", style="cyan"))
    if plan.known:
        out.print(Text(f"you know: {', '.join(plan.known)}", style="dim"))
    if plan.further:
        out.print(Text(f"further back, with --full: {', '.join(plan.further)}", style="dim"))


def show_next(steps: Sequence[NextStep]) -> None:
    """What can be learned next, with what it builds on and how much it opens."""
    if not steps:
        out.print("the notes give no order for what you do not know yet")
    for step in steps:
        _show_step("  - ", step.label, step.summary)
        if step.builds_on:
            labels = ", ".join(label for label, _ in step.builds_on[:4])
            _show_reason(f"builds on {labels}", step.builds_on[0][1])
        if step.unlocks:
            out.print(Text(f"     opens {step.unlocks} more", style="dim"))
        if step.citation is not None:
            out.print(Text(f"     {address(step.citation)}", style="cyan"))


def _show_step(mark: str, label: str, summary: str) -> None:
    line = Text(mark)
    line.append(label, style="bold")
    line.append(f"  {summary}" if summary else "")
    out.print(line)


def _show_reason(reason: str, evidence: Evidence | None) -> None:
    """Why, with the place that says so."""
    line = Text(f"     {reason}", style="dim")
    if evidence is not None:
        line.append(f" · {address(evidence)}", style="cyan")
    out.print(line)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A plain table."""
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out.print(table)
