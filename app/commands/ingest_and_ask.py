"""The command line: a command for each thing Gradus does, and what known errors become."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands import decide as cli_decide
from app.commands import eval as cli_eval
from app.commands import export as cli_export
from app.commands import study as cli_study
from app.commands.options import JsonOption, StoreOption, WriterOption, told
from app.commands.run import add_commands
from app.commands.show import follow_writing, show_answer, show_hits, show_report, show_table
from app.contract import answer_json, hit_json, relation_json
from app.paths import store_folder
from kg.errors import GradusError

if TYPE_CHECKING:
    from kg.encoder import Encoder
    from kg.store import Store

__all__ = ["main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
add_commands(app)
cli_eval.add_commands(app)
cli_export.add_commands(app)
cli_decide.add_commands(app)
cli_study.add_commands(app)

HitsOption = Annotated[int, typer.Option("-k", min=1, max=1000, help="Number of hits.")]
BatchOption = Annotated[
    Path | None,
    typer.Option(
        "--batch", help='File of JSON lines with "q"; one JSON object per question, in order.'
    ),
]


def main() -> None:
    """Run the command line; a known error is one line on stderr and exit code 1."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from executors.errors import RecipeError

    try:
        app()
    except (GradusError, RecipeError) as error:
        told.print(f"gradus: {error}", markup=False, style="red", soft_wrap=True)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output has gone (a pager, `head`); there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        told.print("gradus: stopped")
        sys.exit(130)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Folders of notes, or single notes.")],
    store: StoreOption = None,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", help="A sentence-transformers model by name or folder."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the store up to date with notes: Markdown files and Jupyter notebooks."""
    from app.commands.progress import on_stderr
    from ingest.build import ingest as build

    with on_stderr(told) as progress:
        report = build(paths, store_folder(store), encoder, progress)
    if as_json:
        _print_json(dataclasses.asdict(report))
    for failure in report.failed:
        told.print(
            f"not read: {failure.note}:{failure.line}: {failure.error}",
            markup=False,
            soft_wrap=True,
        )
    for warning in report.warnings:
        told.print(f"{warning.note}:{warning.line}: {warning.error}", markup=False, soft_wrap=True)
    for dropped in report.dropped:
        told.print(f"dropped: {dropped}", markup=False, soft_wrap=True)
    if not as_json:
        show_report(report)


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="What to look for.")] = "",
    store: StoreOption = None,
    batch: BatchOption = None,
    k: HitsOption = 10,
    as_json: JsonOption = False,
) -> None:
    """Show the passages that fit a question best."""
    from kg.search import search as look

    opened, encoder = _opened(store)
    for asked in _questions(question, batch):
        hits = look(asked, opened, encoder, k) if asked.strip() else ()
        if as_json or batch:
            _print_json({"question": asked, "hits": [hit_json(h) for h in hits]})
        else:
            show_hits(hits)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What to answer from the notes.")] = "",
    store: StoreOption = None,
    batch: BatchOption = None,
    k: HitsOption = 10,
    writer: WriterOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question with the notes' own words and the lines they stand in."""
    from app.answering.answer import answer
    from app.writer.choice import choose_writer

    chosen = choose_writer(writer)
    opened, encoder = _opened(store)
    for asked in _questions(question, batch):
        said = answer(asked, opened, encoder, k=k)
        if chosen is not None:
            from app.writer.written import written

            said = follow_writing(
                written(said, opened, encoder, chosen), chosen.name, not (as_json or batch)
            )
        if as_json or batch:
            _print_json(answer_json(said))
        else:
            show_answer(said)


@app.command()
def concepts(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the concepts of the notes."""
    opened = _store(store)
    if as_json:
        for c in opened.concepts:
            _print_json(
                {"label": c.label, "aliases": c.aliases, "notes": c.notes, "summary": c.summary}
            )
    else:
        show_table(
            ("concept", "also", "note"),
            ((c.label, ", ".join(c.aliases), c.notes[0]) for c in opened.concepts),
        )


@app.command()
def relations(
    kind: Annotated[
        str, typer.Option("--kind", help="prerequisite, broader or related; default: all kinds.")
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Also scored candidates that were not kept.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the relations between concepts with their evidence."""
    kinds = ("prerequisite", "broader", "related")
    if kind and kind not in kinds:
        raise typer.BadParameter(
            f"expected one of {', '.join(kinds)}, got '{kind}'", param_hint="--kind"
        )
    opened = _store(store)
    listed = (*opened.relations, *(opened.candidates() if everything else ()))
    chosen = [r for r in listed if not kind or r.kind == kind]
    if as_json:
        for r in chosen:
            _print_json(relation_json(r, opened.concepts))
    else:
        rows = (
            (
                r.kind,
                opened.concepts[r.source].label,
                opened.concepts[r.target].label,
                f"{r.score:.2f}",
            )
            for r in sorted(chosen, key=lambda r: (r.kind, -r.score))
        )
        show_table(("kind", "first", "then", "score"), rows)


def _store(given: Path | None) -> Store:
    from kg.store import open_store

    return open_store(store_folder(given))


def _opened(given: Path | None) -> tuple[Store, Encoder]:
    """The store and its encoder; the store first: a missing one is said before a model loads."""
    opened = _store(given)
    from kg.encoder import load_encoder

    return opened, load_encoder(opened.encoder_name)


def _questions(question: str, batch: Path | None) -> Iterator[str]:
    if batch is None:
        yield question
        return
    try:
        lines = batch.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise GradusError(f"cannot read the questions in {batch}: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield str(json.loads(line)["q"])
        except (ValueError, KeyError, TypeError) as error:
            raise GradusError(
                f'{batch}:{number}: expected a JSON object with "q", got: {line[:60]}'
            ) from error


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)
