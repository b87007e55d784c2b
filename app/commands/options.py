"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.writer.choice import WRITER_HELP

__all__ = ["JsonOption", "StoreOption", "WriterOption", "told"]

told = Console(stderr=True, highlight=False)  # progress and warnings; stdout is for results

StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store",
        envvar="GRADUS_STORE",
        help="Folder of the store; default: in your user data folder.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")]
WriterOption = Annotated[
    str | None, typer.Option("--writer", envvar="GRADUS_WRITER", help=WRITER_HELP)
]
