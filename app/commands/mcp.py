"""The command `mcp`: the notes for assistants, by the Model Context Protocol over a pipe."""

from __future__ import annotations

import contextlib

import typer

from app.commands.options import AllowRunsOption, DataOption, StoreOption
from app.paths import runs_folder, store_folder
from kg.errors import GradusError

__all__ = ["add_commands"]


def add_commands(app: typer.Typer) -> None:
    """Put the command on the command line."""
    app.command(name="mcp")(serve_pipe)


def serve_pipe(
    store: StoreOption = None, allow_runs: AllowRunsOption = False, data: DataOption = None
) -> None:
    """Serve the notes to an assistant by MCP on stdin and stdout; needs `gradus[mcp]`."""
    from app.api.functions import Gradus
    from app.open_store import Shelf
    from app.visitors_runs import VisitorsRuns, roots_of

    try:
        from app.api.mcp_server import mcp_server
    except ModuleNotFoundError as error:
        raise GradusError(f"no module '{error.name}': pip install 'gradus[mcp]'") from error
    folder = store_folder(store)
    runs = VisitorsRuns(roots=roots_of(folder, data or ()))
    with contextlib.closing(Shelf(folder)) as shelf:
        try:
            mcp_server(Gradus(shelf, runs_folder(folder), runs), allow_runs).run("stdio")
        finally:
            runs.stop_all()
