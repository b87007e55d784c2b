"""Who may come in to the pages, and what those who do may have run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.api.accounts import Accounts
from app.pages.guard import is_local
from kg.errors import GradusError

__all__ = ["Access", "check_access"]


@dataclass(frozen=True, slots=True)
class Access:
    """What whoever serves the pages allows; by default as little as can be.

    Attributes
    ----------
    accounts : Accounts or None
        Who may sign in; None: nobody is asked, which serves this machine alone.
    to_all : bool
        Serve to other machines although nobody is asked.
    learner_files : bool
        Whether visitors from other machines may have Python files of this one run; those of this
        machine may.
    assistants_run : bool
        Whether recipes are run over MCP.
    data : tuple of Path
        Folders that runs may read besides those of the notes and the current one.
    """

    accounts: Accounts | None = None
    to_all: bool = False
    learner_files: bool = False
    assistants_run: bool = False
    data: tuple[Path, ...] = ()

    def is_open(self, host: str) -> bool:
        """Whether anybody at another machine comes in unasked."""
        return self.accounts is None and not is_local(host)


def check_access(host: str, access: Access) -> None:
    """Refuse to serve to others whom nobody asks who they are.

    Raises
    ------
    GradusError
        Says how to let people sign in, and how to do without.
    """
    if access.is_open(host) and not access.to_all:
        raise GradusError(
            f"other machines reach {host}: say who may sign in with --auth FILE "
            "(`gradus auth add NAME --file FILE` makes it), or let everybody in with --no-auth"
        )
