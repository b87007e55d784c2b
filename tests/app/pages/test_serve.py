"""Serving fails early, with a line that says what to do."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from app.api.accounts import Accounts, account_line, read_accounts
from app.api.functions import READING, RUNNING
from app.pages.access import Access, check_access
from app.pages.serve import build, serve
from kg.errors import GradusError


def test_a_port_in_use_is_one_line_that_names_it(tmp_path: Path) -> None:
    """When somebody else listens there, the line names the port and how to choose another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(GradusError, match=rf"port {port} .*--port") as found:
            serve(tmp_path, port=port)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("port", [99999, -1])
def test_a_port_that_cannot_be_is_one_line(tmp_path: Path, port: int) -> None:
    """A number that is no port is refused in the same words."""
    with pytest.raises(GradusError, match="--port"):
        serve(tmp_path, port=port)


def test_others_are_not_served_unasked(tmp_path: Path) -> None:
    """Serving to other machines takes accounts, or the word that everybody may come in."""
    with pytest.raises(GradusError, match="--auth"):
        serve(tmp_path, host="0.0.0.0", port=1)
    check_access("0.0.0.0", Access(to_all=True))
    check_access("127.0.0.1", Access())
    people = Accounts(read_accounts([account_line("ann", "a long password")], "a test"))
    check_access("0.0.0.0", Access(people))


def test_the_pages_are_built_without_a_store(tmp_path: Path) -> None:
    """Before the first ingest the pages stand, and of their functions only those for programs
    have a name."""
    pages = build(tmp_path / "none", tmp_path / "runs")
    assert not (tmp_path / "none").exists()
    public = {d.api_name for d in pages.fns.values() if d.api_visibility != "private"}
    assert public == {*READING, *RUNNING}
    assert {*pages.get_api_info()["named_endpoints"]} == {f"/{name}" for name in public}
