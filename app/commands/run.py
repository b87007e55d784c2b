"""The commands that run things: recipes, runs, and the pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import (
    AllowRunsOption,
    DataOption,
    JsonOption,
    OnOption,
    StoreOption,
    WriterOption,
    check_choice,
    print_json,
    stderr,
    tell,
)
from app.paths import runs_folder, starter_notes, store_folder
from app.wording import to_the_minute
from kg.importing import importing

if TYPE_CHECKING:
    from executors.cluster.where import Node
    from executors.runs.history import RunRecord
    from executors.runs.run import Run
    from ingest.report import Report

__all__ = ["add_commands", "run_row"]


def add_commands(app: typer.Typer) -> None:
    """Put these commands on the command line."""
    app.command()(recipes)
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(run)
    app.command(name="take-up")(take_up)
    app.command()(where)
    app.command()(runs)
    app.command(name="app")(pages)


def recipes(as_json: JsonOption = False) -> None:
    """List the recipes and their parameters."""
    import dataclasses

    from app.commands.show import show_table
    from executors.recipe import recipes as known

    for recipe in known():
        if as_json:
            print_json(dataclasses.asdict(recipe))
            continue
        tell(f"{recipe.name}: {recipe.summary}")
        rows = []
        for p in recipe.parameters:
            takes = "|".join(p.choices) or p.type
            option = f"--{p.name.replace('_', '-')}"
            rows.append((option, takes, str(p.default or ""), p.unit, p.help))
        show_table(("option", "takes", "default", "unit", "what"), rows)


def run(
    context: typer.Context,
    recipe: Annotated[
        str, typer.Argument(help="A recipe's name; `gradus recipes` lists them with their options.")
    ],
    store: StoreOption = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout-s", min=1, help="End the run after this many seconds.")
    ] = 3600,
    queue: Annotated[
        bool, typer.Option(help="Wait while another run of the store uses the device.")
    ] = True,
    track: Annotated[
        str, typer.Option(help="Also send the run to a tracker: mlflow or trackio.", metavar="NAME")
    ] = "",
    after: Annotated[
        str,
        typer.Option(
            "--after", help="The run that this one follows, by id or the end of it.", metavar="ID"
        ),
    ] = "",
    on: OnOption = "",
    allow_learner_files: Annotated[
        bool,
        typer.Option(
            "--allow-learner-files", help="With --on: allow sending a --learner file there."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a recipe: gradus run lr-find --task tabular --data my.csv --target price."""
    from executors.recipe import check_params, find_recipe
    from executors.runs.history import find_run, history
    from executors.runs.run import start

    params = parameters(context.args)
    check_params(find_recipe(recipe), params)
    runs_dir = runs_folder(store_folder(store))
    before = find_run(history(runs_dir), after).id if after else ""
    started = start(
        recipe,
        params,
        runs_dir,
        timeout_s=timeout_s,
        queue=queue,
        tracker=track,
        after=before,
        on=on,
        learner_files=allow_learner_files,
    )
    _follow(started, store, as_json)


def take_up(
    run_id: Annotated[
        str, typer.Argument(help="A run on a cluster, by id or the end of it.", metavar="ID")
    ],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follow a run that continued on a cluster after the program that started it ended."""
    from executors.runs.history import find_run, history
    from executors.runs.run import take_up as taken_up

    run = find_run(history(runs_folder(store_folder(store))), run_id)
    _follow(taken_up(run.folder), store, as_json)


def _follow(started: Run, store: Path | None, as_json: bool) -> None:
    """Show a run until its end; Ctrl-C ends it."""
    from app.commands.show_run import show_event, show_next, show_result

    show = print_json if as_json else show_event
    try:
        for event in started.events():
            show(event)
    except KeyboardInterrupt:
        started.cancel()
        if as_json:
            print_json(started.wait().to_event())
    result = started.wait()
    if not as_json:
        show_result(result)
        show_next(result, {} if store is None else {"store": store})
    raise typer.Exit(0 if result.status == "ok" else 1)


def where(on: OnOption = "", as_json: JsonOption = False) -> None:
    """Show what is at hand: this machine's devices, and a cluster's nodes and runs."""
    from app.commands.show import show_table
    from executors.cluster.where import at_hand

    found = at_hand(on)
    if as_json:
        print_json(found.to_json())
        return
    heads = ("node", "address", "cores", "cores free", "memory free", "cards", "cards free")
    show_table(heads, map(_node_row, (found.here, *found.nodes)))
    for run in found.runs:
        tell(f"{run['state']}: {run['recipe']} {run['run']} {run['node']}".rstrip())


def _node_row(node: Node) -> tuple[str, ...]:
    """A machine as a row of the table."""
    from executors.amounts import show_bytes

    cards = (f"{card.name}, {show_bytes(card.free_bytes)} free" for card in node.cards)
    free = "" if not node.cards else f"{node.cards_free:g}"
    memory = show_bytes(node.free_bytes)
    cores = f"{node.cpus:g}", f"{node.cpus_free:g}"
    shown = node.fault or "; ".join(cards) or "–"
    return (node.name, node.address, *cores, memory, shown, free)


def runs(
    ids: Annotated[
        list[str] | None,
        typer.Argument(help="Only these runs, by id or the end of it.", show_default=False),
    ] = None,
    store: StoreOption = None,
    side_by_side: Annotated[
        bool, typer.Option("--compare", help="Show the named runs side by side.")
    ] = False,
    recipe: Annotated[str, typer.Option(help="Only runs of this recipe.")] = "",
    status: Annotated[
        str, typer.Option(help="Only runs of this status: ok, failed, running, queued, ...")
    ] = "",
    most: Annotated[int | None, typer.Option("-n", min=1, help="At most this many.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List runs, newest first, or show some side by side: gradus runs --compare ID ID."""
    from app.commands.show import show_table
    from app.commands.show_run import show_comparison
    from executors.runs.compare import compare
    from executors.runs.history import STATUSES, find_run, history

    check_choice(status, STATUSES, "--status")
    if side_by_side and len(ids or ()) < 2:
        raise typer.BadParameter(
            "name two runs or more; `gradus runs` lists them", param_hint="--compare"
        )
    known = history(runs_folder(store_folder(store)))
    named = [find_run(known, name) for name in ids] if ids else known
    records = [r for r in named if recipe in ("", r.recipe) and status in ("", r.status)][:most]
    if side_by_side:
        comparison = compare(records)
        if as_json:
            print_json(comparison.to_json())
        else:
            show_comparison(comparison)
    elif as_json:
        for record in records:
            print_json(record.to_json())
    else:
        heads = ("started (UTC)", "id", "recipe", "task", "status", "took", "said")
        show_table(heads, map(run_row, records))


def run_row(record: RunRecord) -> tuple[str, ...]:
    """A run as a row of the table; the end of its id is enough to name it."""
    return (
        to_the_minute(record.started),
        record.id[-6:],
        record.recipe,
        record.task,
        record.status,
        f"{record.seconds:.0f} s",
        record.message[:80],
    )


def pages(
    paths: Annotated[list[Path] | None, typer.Argument(help="Notes to ingest.")] = None,
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
            help="With --host or --on: let visitors run Python files of this machine.",
        ),
    ] = False,
    auth: Annotated[
        Path | None,
        typer.Option(
            "--auth",
            help="Let in only who is named in this file or GRADUS_AUTH; see `gradus auth add`.",
            show_default=False,
        ),
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="With --host: let in everybody who can reach it.")
    ] = False,
    data: DataOption = None,
    allow_runs: AllowRunsOption = False,
    editor: Annotated[
        str,
        typer.Option(
            "--editor",
            help="Editor that opens a cited note on this machine: vscode, obsidian, none; "
            "auto is Obsidian for notes of a vault, else VS Code.",
        ),
    ] = "auto",
    watch: Annotated[
        bool,
        typer.Option(
            "--watch/--no-watch", help="Read edits of the notes as they are saved, or not."
        ),
    ] = True,
    on: OnOption = "",
) -> None:
    """Serve the pages: ask, explore the graph, run recipes, add notes. PATHS are ingested."""
    from app.commands.auth import given_accounts
    from app.pages.access import Access, check_access
    from app.pages.note.editors import EDITORS
    from app.pages.starting import StartingPage, address_of
    from app.writer.choice import choose_writer
    from executors.cluster_address import check_address

    check_choice(editor, EDITORS, "--editor")
    address = check_address(on)
    folder = store_folder(store)
    # Before the seconds that loading takes: a wrong path or a taken port is said at once.
    if paths:
        from ingest.notes.files import check_path

        for path in paths:
            check_path(path)
    access = Access(
        given_accounts(auth), no_auth, allow_learner_files, allow_runs, tuple(data or ())
    )
    check_access(host, access)
    if access.is_open(host):
        tell(
            f"EVERYBODY who can reach {host}:{port} can ask, run recipes and stop them", style="red"
        )
    chosen = choose_writer(writer)
    wanted = [*(paths or []), *([starter_notes()] if starter else [])]
    read_notes = partial(_read_notes, wanted, folder, address) if wanted else None
    with StartingPage(host, port) as starting:
        tell(f"Gradus starts at {address_of(host, port)}")
        with importing():
            from app.pages.serve import serve  # takes seconds

        serve(
            folder,
            host,
            port,
            writer=chosen,
            access=access,
            read_notes=read_notes,
            editor=editor,
            watch=watch,
            on=address,
            starting=starting,
        )


def _read_notes(
    wanted: list[Path], folder: Path, on: str, tell: Callable[[str, int, int], None]
) -> Report:
    """Ingest while the pages are served; progress goes to the terminal and to them."""
    from app.commands.progress import on_stderr
    from app.commands.show import show_report, tell_faults
    from app.spread_ingest import ingest_on

    with on_stderr(stderr) as show:

        def both(what: str, done: int, total: int) -> None:
            show(what, done, total)
            tell(what, done, total)

        report = ingest_on(on, wanted, folder, None, both)
    show_report(report)
    tell_faults(report)
    return report


def parameters(arguments: list[str]) -> dict[str, str]:
    """Recipe parameters from `--name value` and `--name=value`; a lone `--name` is "true".

    Raises
    ------
    typer.BadParameter
        For a word that belongs to no parameter.
    """
    params: dict[str, str] = {}
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
        params[name] = value
        i += 1
    return params
