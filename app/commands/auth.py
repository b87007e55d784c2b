"""The command `auth add`: a line that lets somebody sign in to the pages."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import tell
from kg.errors import GradusError
from kg.whole_file import write_whole

if TYPE_CHECKING:
    from app.api.accounts import Accounts

__all__ = ["add_commands", "given_accounts"]

VARIABLE = "GRADUS_AUTH"

signing = typer.Typer(help="Say who may sign in to the pages.", rich_markup_mode=None)


def add_commands(app: typer.Typer) -> None:
    """Put the command on the command line."""
    app.add_typer(signing, name="auth")


@signing.callback()
def about() -> None:
    """Say who may sign in to the pages that are served to other machines."""


@signing.command()
def add(
    name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", help="File to add the line to, for gradus app --auth; default: stdout."
        ),
    ] = None,
) -> None:
    """Make a line for a name; asks for the password, or reads it from a pipe."""
    from app.api.accounts import account_line

    line = account_line(name, _password())
    if file is None:
        print(line)
        return
    try:
        _put(file, name, line)
    except (OSError, UnicodeDecodeError) as error:
        raise GradusError(f"cannot write {file}: {error}") from error
    tell(f"{name} may sign in: gradus app --auth {file}")


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _put(file: Path, name: str, line: str) -> None:
    """Add the line, or put it in the place of the name's; only its owner may read the file."""
    before = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    kept = [other for other in before if other.partition(":")[0].strip() != name]
    file.touch(mode=0o600)
    write_whole(file, "".join(f"{one}\n" for one in (*kept, line)).encode())


def given_accounts(file: Path | None) -> Accounts | None:
    """Who may sign in, by a file or else the variable GRADUS_AUTH; None where neither is given.

    Raises
    ------
    GradusError
        When there is no such file, or it lets nobody in.
    """
    from app.api.accounts import Accounts, read_accounts

    if file is None and not os.environ.get(VARIABLE, "").strip():
        return None
    if file is None:
        return Accounts(read_accounts(os.environ[VARIABLE].split(), VARIABLE))
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise GradusError(f"cannot read who may sign in from {file}: {error}") from error
    return Accounts(read_accounts(lines, str(file)))
