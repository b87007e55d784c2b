"""What the commands share: options, the store they open, and where their words go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from app.paths import store_folder
from app.writer.choice import WRITER_HELP

if TYPE_CHECKING:
    from kg.store import Store

__all__ = [
    "AllowRunsOption",
    "DataOption",
    "JsonOption",
    "OnOption",
    "StoreOption",
    "WriterOption",
    "check_choice",
    "opened_store",
    "print_json",
    "stderr",
    "tell",
]

stderr = Console(stderr=True, highlight=False)  # progress and warnings; stdout is for results

StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store",
        envvar="GRADUS_STORE",
        help="Folder of the store; default: a folder in your user data folder.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")]
WriterOption = Annotated[
    str | None, typer.Option("--writer", envvar="GRADUS_WRITER", help=WRITER_HELP)
]
DataOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        help="Another folder that runs may read, besides the notes' folders and the current one.",
        show_default=False,
    ),
]
OnOption = Annotated[
    str,
    typer.Option(
        "--on",
        envvar="GRADUS_ON",
        help="Where to do it: a Ray cluster (ray://HOST:PORT, HOST:PORT or auto), or here.",
        metavar="ADDRESS",
        show_default=False,
    ),
]
AllowRunsOption = Annotated[
    bool, typer.Option("--allow-runs", help="Let assistants start recipes over MCP.")
]


def opened_store(given: Path | None) -> Store:
    """The store in the folder that --store names, or in the user's data folder."""
    from kg.store import open_store

    return open_store(store_folder(given))


def check_choice(given: str, choices: Sequence[str], option: str) -> None:
    """Stop with a usage error where an option is none of its choices; "" is no choice made."""
    if given and given not in choices:
        expected = f"expected one of {', '.join(choices)}, got '{given}'"
        raise typer.BadParameter(expected, param_hint=option)


def print_json(value: object) -> None:
    """Print one line of JSON for a program, whole also where Ctrl-C comes meanwhile."""
    print(json.dumps(value, ensure_ascii=False) + "\n", end="", flush=True)


def tell(line: str, style: str | None = None) -> None:
    """Print one line for a person on stderr."""
    stderr.print(line, markup=False, style=style, soft_wrap=True)
