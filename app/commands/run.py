"""The commands that run things: recipes, runs, and the pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import JsonOption, StoreOption, WriterOption, told
from app.paths import runs_folder, starter_notes, store_folder

__all__ = ["add_commands"]


def add_commands(app: typer.Typer) -> None:
    """Put these commands on the command line."""
    app.command()(recipes)
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(run)
    app.command()(runs)
    app.command(name="app")(pages)


def recipes(as_json: JsonOption = False) -> None:
    """List the recipes and their parameters."""
    import dataclasses

    from app.commands.show import show_table
    from executors.recipe import recipes as known

    for recipe in known():
        if as_json:
            print(json.dumps(dataclasses.asdict(recipe), ensure_ascii=False))
            continue
        told.print(f"{recipe.name}: {recipe.summary}", markup=False)
        rows = (
            (
                f"--{p.name.replace('_', '-')}",
                "|".join(p.choices) or p.type,
                str(p.default or ""),
                p.unit,
                p.help,
            )
            for p in recipe.parameters
        )
        show_table(("option", "takes", "default", "unit", "what"), rows)


def run(
    context: typer.Context,
    recipe: Annotated[
        str, typer.Argument(help="A recipe's name; `gradus recipes` lists them with their options.")
    ],
    store: StoreOption = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout-s", min=1, help="End the run after so many seconds.")
    ] = 3600,
    queue: Annotated[
        bool, typer.Option(help="Wait while another run of the store has the device.")
    ] = True,
    track: Annotated[
        str, typer.Option(help="Send the run there too: mlflow or trackio.", metavar="NAME")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Run a recipe: gradus run lr-find --task tabular --data my.csv --target price."""
    from app.commands.show_run import show_event, show_result
    from executors.recipe import check_params, find_recipe
    from executors.runs.run import start

    params = parameters(context.args)
    check_params(find_recipe(recipe), params)
    runs_dir = runs_folder(store_folder(store))
    going = start(recipe, params, runs_dir, timeout_s=timeout_s, queue=queue, tracker=track)
    try:
        for event in going.events():
            if as_json:
                print(json.dumps(event, ensure_ascii=False), flush=True)
            else:
                show_event(event, told)
    except KeyboardInterrupt:
        going.cancel()
        if as_json:
            print(json.dumps(going.wait().to_event(), ensure_ascii=False), flush=True)
    result = going.wait()
    if not as_json:
        show_result(result)
    raise typer.Exit(0 if result.status == "ok" else 1)


def runs(
    ids: Annotated[
        list[str] | None,
        typer.Argument(help="Only these, by id or by its end.", show_default=False),
    ] = None,
    store: StoreOption = None,
    side_by_side: Annotated[
        bool, typer.Option("--compare", help="Lay the runs named side by side.")
    ] = False,
    recipe: Annotated[str, typer.Option(help="Only runs of this recipe.")] = "",
    status: Annotated[
        str, typer.Option(help="Only runs of this status: ok, failed, running, queued, ...")
    ] = "",
    most: Annotated[int | None, typer.Option("-n", min=1, help="Only so many, the newest.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List runs, newest first, or lay some side by side: gradus runs --compare ID ID."""
    from app.commands.show import show_table
    from app.commands.show_run import show_comparison
    from executors.runs.compare import compare
    from executors.runs.history import STATUSES, find_run, history

    if status and status not in STATUSES:
        raise typer.BadParameter(
            f"'{status}' is none of {', '.join(STATUSES)}", param_hint="--status"
        )
    if side_by_side and len(ids or ()) < 2:
        raise typer.BadParameter(
            "name two runs or more; `gradus runs` lists them", param_hint="--compare"
        )
    known = history(runs_folder(store_folder(store)))
    records = [find_run(known, name) for name in ids] if ids else known
    records = [r for r in records if recipe in ("", r.recipe) and status in ("", r.status)][:most]
    if side_by_side:
        comparison = compare(records)
        if as_json:
            print(json.dumps(comparison.to_json(), ensure_ascii=False))
        else:
            show_comparison(comparison)
    elif as_json:
        for record in records:
            print(json.dumps(record.to_json(), ensure_ascii=False))
    else:
        rows = (
            (
                r.started[:16].replace("T", " "),
                r.id[-6:],
                r.recipe,
                r.task,
                r.status,
                f"{r.seconds:.0f} s",
                r.message[:80],
            )
            for r in records
        )
        show_table(("started (UTC)", "id", "recipe", "task", "status", "took", "said"), rows)


def pages(
    paths: Annotated[list[Path] | None, typer.Argument(help="Notes to ingest first.")] = None,
    store: StoreOption = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")
    ] = 7860,
    starter: Annotated[
        bool, typer.Option("--starter", help="Ingest the notes that come with Gradus.")
    ] = False,
    writer: WriterOption = None,
    allow_learner_files: Annotated[
        bool,
        typer.Option(
            "--allow-learner-files",
            help="With --host: let visitors have Python files of this machine run as learners.",
        ),
    ] = False,
) -> None:
    """Serve the pages: ask, explore the graph, run recipes. Ingests PATHS first when given."""
    from app.commands.progress import on_stderr
    from app.commands.show import show_report
    from app.pages.serve import check_port, serve
    from app.writer.choice import choose_writer
    from ingest.build import ingest

    folder = store_folder(store)
    # Before the seconds that loading takes: a taken port is said at once.
    chosen = choose_writer(writer)
    check_port(host, port)
    wanted = [*(paths or []), *([starter_notes()] if starter else [])]
    if wanted:
        with on_stderr(told) as progress:
            report = ingest(wanted, folder, None, progress)
        show_report(report)
        for failure in report.failed:
            told.print(
                f"not read: {failure.note}:{failure.line}: {failure.error}",
                markup=False,
                soft_wrap=True,
            )
    serve(folder, host, port, writer=chosen, allow_learner_files=allow_learner_files)


def parameters(arguments: list[str]) -> dict[str, str]:
    """Recipe parameters from `--name value` and `--name=value`; a lone `--name` is "true".

    Raises
    ------
    typer.BadParameter
        For a word that belongs to no parameter.
    """
    found: dict[str, str] = {}
    i = 0
    while i < len(arguments):
        word = arguments[i]
        if not word.startswith("--") or word == "--":
            raise typer.BadParameter(f"'{word}' belongs to no parameter; write --name value")
        name, equals, value = word[2:].partition("=")
        if not equals:
            lone = i + 1 >= len(arguments) or arguments[i + 1].startswith("--")
            value = "true" if lone else arguments[i + 1]
            i += 0 if lone else 1
        found[name] = value
        i += 1
    return found
