"""The command `feedback`: what readers thought of answers, and questions to measure from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import JsonOption, StoreOption, print_json, tell
from app.paths import store_folder
from app.wording import count_of

if TYPE_CHECKING:
    from app.evaluation.feedback import Feedback

__all__ = ["add_commands"]


def add_commands(app: typer.Typer) -> None:
    """Put the command on the command line."""
    app.command()(feedback)


def feedback(
    to_measure: Annotated[
        Path | None,
        typer.Option("--eval", help="Write a file of questions for `gradus eval` from it."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="With --eval: write over a file that exists.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what readers thought of answers on the Ask page, the oldest first."""
    from app.evaluation.feedback import read_feedback

    given, damaged = read_feedback(store_folder(store))
    if damaged:
        tell(f"{count_of(damaged, 'line')} of the feedback cannot be read")
    if to_measure is not None:
        _write_questions(to_measure, given, force)
    elif as_json:
        for one in given:
            print_json(dataclasses.asdict(one))
    else:
        _show(given)


def _show(given: Sequence[Feedback]) -> None:
    from app.commands.show import show_table
    from app.place import address

    rows = [(f.date[:10], f.kind, f.question, ", ".join(map(address, f.citations))) for f in given]
    if rows:
        show_table(("date", "kind", "question", "cited"), rows)
    else:
        tell("no feedback yet; it is given below an answer on the Ask page")


def _write_questions(file: Path, given: Sequence[Feedback], force: bool) -> None:
    from app.evaluation.feedback import as_questions
    from app.evaluation.question_file import save_questions

    questions = as_questions(given)
    if questions:
        save_questions(file, questions, force)
        tell(f"{count_of(len(questions), 'question')} in {file}; then: gradus eval {file}")
    else:
        tell(f"{file} is not written: no answer was called helpful")
    written = {q.q for q in questions}
    left = dict.fromkeys(f.question for f in given if f.question not in written)
    for question in left:
        tell(f"left out, as nobody has said yet what answers it: {question}")
