"""Answers, hits, paths and tables as a person reads them in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from ingest.build import Report
    from kg.types import Answer, Citation, Hit, PathStep

__all__ = ["follow_writing", "show_answer", "show_hits", "show_report", "show_steps", "show_table"]

out = Console(highlight=False)


def show_report(report: Report) -> None:
    """What an ingest did, in two lines."""
    changes = f"{report.added} added, {report.changed} changed, {report.removed} removed, {report.unchanged} unchanged"
    failed = f", {len(report.failed)} not read" if report.failed else ""
    kinds = ", ".join(f"{n} {kind}" for kind, n in report.relations.items())
    out.print(f"{report.notes} notes ({changes}{failed}), {report.passages} passages in {report.seconds:.1f} s")
    out.print(f"{report.concepts} concepts; relations: {kinds}")


def show_answer(said: Answer) -> None:
    """An answer, its sources, and where to go from it."""
    out.print(Markdown(said.text))
    if said.writer or said.notice:
        out.print()
    for line in (f"Written by {said.writer} from the cited lines." if said.writer else "", said.notice):
        if line:
            out.print(Text(line, style="dim"))
    if said.citations:
        out.print()
    for c in said.citations:
        out.print(Text(f"[{c.n}] {where(c)}", style="cyan"))
    for name, labels in (("know first", said.prerequisites), ("next", said.next)):
        if labels:
            out.print(Text(f"{name}: {', '.join(labels)}", style="dim"))
    for offer in said.recipes:
        options = "".join(f" --{k.replace('_', '-')} {v}" for k, v in offer.params.items())
        out.print(Text(f"run it: gradus run {offer.name}{options}", style="green"))


def follow_writing(steps: Iterator[str | Answer], writer: str, live: bool) -> Answer:
    """The answer that writing ends with; in a terminal what is written is shown until then, if `live`.

    Parameters
    ----------
    steps : iterator
        As `app.writer.written.written` gives them.
    """
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
        cell = f", cell {p.cell}" if p.cell is not None else ""
        title = f"{p.note}:{p.line_start}-{p.line_end}{cell}  {' › '.join(p.heading_path)}  ({hit.score:.2f})"
        out.print(Text(title, style="cyan"))
        out.print(Text(p.text.strip()))
        out.print()


def show_steps(steps: Sequence[PathStep]) -> None:
    """A study path as a numbered list with reasons."""
    for n, step in enumerate(steps, 1):
        line = Text(f"{n:>3}. ")
        line.append(step.label, style="bold")
        line.append(f"  {step.summary}" if step.summary else "")
        out.print(line)
        if step.why:
            out.print(Text(f"     needed for {', '.join(c for c, _ in step.why[:4])}", style="dim"))
        if step.citation is not None:
            out.print(Text(f"     {where(step.citation)}", style="cyan"))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A plain table."""
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out.print(table)


def where(c: Citation) -> str:
    """A citation's place as `note:first-last`, with the cell of a notebook."""
    cell = f" (cell {c.cell})" if c.cell is not None else ""
    lines = f"{c.line_start}" if c.line_start == c.line_end else f"{c.line_start}-{c.line_end}"
    return f"{c.note}:{lines}{cell}"
