"""The command line: a command for each thing Gradus does, and what known errors become."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, get_args

import typer

from app.commands import auth, chat, decide, export, feedback, mcp, run, study
from app.commands import eval as evaluate
from app.commands.options import (
    JsonOption,
    OnOption,
    StoreOption,
    WriterOption,
    check_choice,
    opened_store,
    print_json,
    stderr,
    tell,
)
from app.commands.show import (
    follow_writing,
    show_answer,
    show_hits,
    show_report,
    show_table,
    tell_faults,
)
from app.contract import answer_json, concept_json, hit_json, relation_json
from app.paths import store_folder
from kg.errors import GradusError
from kg.types import RelationKind

if TYPE_CHECKING:
    from kg.encoder import Encoder
    from kg.store import Store

__all__ = ["main"]

app = typer.Typer(
    help="Turn a folder of deep-learning notes into a graph of concepts, answer questions from it, "
    "and run recipes. Begin with: gradus ingest FOLDER; then: gradus ask QUESTION.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for commands in (run, chat, mcp, auth, evaluate, feedback, export, decide, study):
    commands.add_commands(app)

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
        tell(f"gradus: {error}", style="red")
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output has gone (a pager, `head`); there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        tell("gradus: stopped")
        sys.exit(130)


def program() -> NoReturn:
    """Be `gradus` in a terminal: the command line, and an end at once."""
    from executors.leaving import leave

    code: object = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    leave(code)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Folders of notes, or single notes.")],
    store: StoreOption = None,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", help="A sentence-transformers model, by name or folder."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep running and read edits as they are saved.")
    ] = False,
    on: OnOption = "",
    as_json: JsonOption = False,
) -> None:
    """Bring the store up to date with notes: Markdown files and Jupyter notebooks."""
    from ingest.notes.files import real_path

    folder = store_folder(store)
    _ingest(paths, folder, encoder, on, as_json)
    if watch:
        from ingest.watch import follow

        tell("watching; Ctrl-C ends it")
        follow([real_path(p) for p in paths], lambda edited: _again(edited, folder, on, as_json))


def _ingest(paths: list[Path], folder: Path, encoder: str | None, on: str, as_json: bool) -> None:
    from app.commands.progress import on_stderr
    from app.spread_ingest import ingest_on

    with on_stderr(stderr) as progress:
        report = ingest_on(on, paths, folder, encoder, progress)
    if as_json:
        print_json(dataclasses.asdict(report))
    tell_faults(report)
    if not as_json:
        show_report(report)


def _again(edited: set[Path], folder: Path, on: str, as_json: bool) -> None:
    """Take up edits; what goes wrong is told, and the next edit is another chance."""
    try:
        _ingest(sorted(edited), folder, None, on, as_json)
    except GradusError as error:
        tell(f"gradus: {error}", style="red")


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

    opened, encoder = _store_and_encoder(store)
    for asked in _questions(question, batch):
        hits = look(asked, opened, encoder, k) if asked.strip() else ()
        if as_json or batch:
            print_json({"question": asked, "hits": [hit_json(hit) for hit in hits]})
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
    from app.answering.answer import answer as answer_from_notes
    from app.visitors_runs import anywhere
    from app.writer.choice import choose_writer

    for_programs = as_json or batch is not None
    chosen = choose_writer(writer)
    opened, encoder = _store_and_encoder(store)
    roots = anywhere(opened.folder)
    for asked in _questions(question, batch):
        answer = answer_from_notes(asked, opened, encoder, k=k, roots=roots)
        if chosen is not None:
            from app.writer.written import written

            steps = written(answer, opened, encoder, chosen)
            answer = follow_writing(steps, chosen.name, live=not for_programs)
        if for_programs:
            print_json(answer_json(answer))
        else:
            show_answer(answer)


@app.command()
def concepts(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the concepts of the notes."""
    opened = opened_store(store)
    if as_json:
        for concept in opened.concepts:
            print_json(concept_json(concept))
    else:
        rows = [(c.label, ", ".join(c.aliases), c.notes[0]) for c in opened.concepts]
        show_table(("concept", "also", "note"), rows)


@app.command()
def relations(
    kind: Annotated[
        str, typer.Option("--kind", help="prerequisite, broader or related; default: all kinds.")
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Also list candidates that were scored but not kept.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the relations between concepts with their evidence."""
    check_choice(kind, get_args(RelationKind), "--kind")
    opened = opened_store(store)
    listed = (*opened.relations, *(opened.candidates() if everything else ()))
    chosen = [relation for relation in listed if not kind or relation.kind == kind]
    if as_json:
        for relation in chosen:
            print_json(relation_json(relation, opened.concepts))
    else:
        labels = [concept.label for concept in opened.concepts]
        rows = (
            (r.kind, labels[r.source], labels[r.target], f"{r.score:.2f}")
            for r in sorted(chosen, key=lambda r: (r.kind, -r.score))
        )
        show_table(("kind", "first", "then", "score"), rows)


def _store_and_encoder(given: Path | None) -> tuple[Store, Encoder]:
    """The store and its encoder; the store first: a missing one is said before a model loads."""
    opened = opened_store(given)
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
            fault = f'expected a JSON object with "q", got: {line[:60]}'
            raise GradusError(f"{batch}:{number}: {fault}") from error
