"""The command `eval`: figures on your own questions, and a first file of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import (
    JsonOption,
    StoreOption,
    opened_store,
    print_json,
    stderr,
    tell,
)
from app.wording import shortened

if TYPE_CHECKING:
    from app.evaluation.evaluate import Figures, Outcome
    from app.evaluation.question_file import Unheld

__all__ = ["add_commands"]

DEEPEST_SHOWN = 3  # an answer below this rank is listed as missed, as one that is not found at all
FIRST_FILE = 60  # questions of a generated file: as many as a person will look through


def add_commands(app: typer.Typer) -> None:
    """Put the command on the command line."""
    app.command(name="eval")(evaluate)


def evaluate(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="File of questions (JSON lines); with --generate the file to write, or stdout."
        ),
    ] = None,
    store: StoreOption = None,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="Number of hits looked at.")] = 10,
    generate: Annotated[
        bool,
        typer.Option("--generate", help="Make a first file of questions from the notes, to edit."),
    ] = False,
    most: Annotated[
        int, typer.Option("--most", min=1, help="With --generate: the most questions to make.")
    ] = FIRST_FILE,
    force: Annotated[
        bool, typer.Option("--force", help="With --generate: write over a file that exists.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure search and answers on your own questions; --generate writes a first file of them."""
    if generate:
        _generate(file, store, most, force, as_json)
    elif file is None:
        raise typer.BadParameter(
            "name a file of questions, or make one with --generate FILE", param_hint="FILE"
        )
    else:
        _evaluate(file, store, k, as_json)


def _generate(file: Path | None, store: Path | None, most: int, force: bool, as_json: bool) -> None:
    from app.evaluation.generate import generated_questions
    from app.evaluation.question_file import question_lines, save_questions

    questions = generated_questions(opened_store(store), most)
    if file is None:
        print(question_lines(questions), end="", flush=True)
        return
    save_questions(file, questions, force)
    kinds = Counter(q.kind for q in questions)
    if as_json:
        print_json({"file": str(file), "questions": len(questions), "kinds": kinds})
    else:
        made = f"{len(questions)} questions in {file}"
        of_kinds = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
        tell(f"{made} ({of_kinds}); look through them, then: gradus eval {file}")


def _evaluate(file: Path, store: Path | None, k: int, as_json: bool) -> None:
    from app.commands.progress import on_stderr
    from app.evaluation.evaluate import ask_all, by_kind, figures
    from app.evaluation.question_file import read_questions, unheld
    from kg.encoder import load_encoder

    questions = read_questions(file)
    opened = opened_store(store)
    not_held = unheld(questions, opened)
    # Search cannot find what no note holds: a question left without any gold is the file's fault,
    # and left out.
    missing = Counter(u.question.line for u in not_held)
    kept = tuple(
        q for q in questions if not q.answerable or missing[q.line] < len(q.gold) + len(q.quotes)
    )
    left_out = len(questions) - len(kept)
    encoder = load_encoder(opened.encoder_name)
    with on_stderr(stderr) as progress:
        outcomes = ask_all(kept, opened, encoder, k, lambda n, of: progress("asking", n, of))
    whole, kinds = figures(outcomes), by_kind(outcomes)
    if as_json:
        evaluation = {
            **_figures_json(whole),
            "left_out": left_out,
            "k": k,
            "kinds": {kind: _figures_json(f) for kind, f in kinds.items()},
            "not_held": [_unheld_json(u) for u in not_held],
            "rows": [_row_json(o) for o in outcomes],
        }
        print_json(evaluation)
        return
    _tell_unheld(file, not_held, left_out)
    _show_figures(whole, kinds)
    _show_missed(outcomes)


def _figures_json(f: Figures) -> dict[str, Any]:
    return {
        "questions": f.questions,
        "answerable": f.answerable,
        "hit@1": f.hit_at_1,
        "hit@3": f.hit_at_3,
        "hit@5": f.hit_at_5,
        "mrr": f.mrr,
        "answered": f.answered,
        "cited": f.cited,
        "refused": f.refused,
        "ms_median": f.ms_median,
        "ms_p90": f.ms_p90,
    }


def _unheld_json(u: Unheld) -> dict[str, Any]:
    return {
        "line": u.question.line,
        "q": u.question.q,
        u.what: u.text,
        "closest": u.closest,
        "spans_passages": u.spans_passages,
    }


def _row_json(o: Outcome) -> dict[str, Any]:
    return {
        "line": o.question.line,
        "q": o.question.q,
        "kind": o.question.kind,
        "answerable": o.question.answerable,
        "status": "answered" if o.answered else "not_in_notes",
        "rank": o.rank,
        "cited": o.cited,
        "first": o.first,
        "confidence": o.confidence,
        "ms": round(o.ms, 1),
    }


def _tell_unheld(file: Path, not_held: tuple[Unheld, ...], left_out: int) -> None:
    for u in not_held:
        text = shortened(u.text, 70)
        if u.spans_passages:
            begins = f"(it begins under '{u.closest}')"
            fault = f"no single passage holds the quote '{text}' {begins}; shorten it"
        else:
            closest = f"; the closest heading is '{u.closest}'" if u.closest else ""
            kind = "heading" if u.what == "gold" else "text"
            fault = f"the notes hold no {kind} '{text}'{closest}"
        tell(f"{file}:{u.question.line}: {fault}")
    if left_out:
        tell(f"left out, because the notes hold nothing that they name: {left_out} questions")


def _show_figures(whole: Figures, kinds: dict[str, Figures]) -> None:
    from app.commands.show import show_table

    named = [("all", whole), *kinds.items()] if len(kinds) > 1 else [("all", whole)]
    rows = [(name, *map(_cell, _figures_json(f).values())) for name, f in named]
    show_table(("", *_figures_json(whole)), rows)


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) and value <= 1 else f"{value:g}"


def _show_missed(outcomes: tuple[Outcome, ...]) -> None:
    """Questions to look at, with what came in place of what was wanted."""
    from app.commands.show import show_table

    rows = [(str(o.question.line), o.question.q, _fault(o), o.first) for o in outcomes if _fault(o)]
    if rows:
        print()
        show_table(("line", "missed", "what happened", "came first"), rows)


def _fault(o: Outcome) -> str:
    if not o.question.answerable:
        return "answered, though the notes do not say" if o.answered else ""
    faults = []
    if o.rank is None:
        faults.append("not found")
    elif o.rank > DEEPEST_SHOWN:
        faults.append(f"found at {o.rank}")
    if not o.answered:
        faults.append("not answered")
    elif not o.cited:
        faults.append("something else cited")
    return ", ".join(faults)
