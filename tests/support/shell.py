"""Run `gradus` in the test's own process."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from app.commands.ingest_and_ask import main

__all__ = ["Shell"]


class Shell:
    """Runs `gradus` with some first arguments, and keeps what it printed."""

    def __init__(
        self,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        store: Path,
        *first: str,
    ) -> None:
        self.capsys, self.monkeypatch, self.store, self.first = capsys, monkeypatch, store, first
        self.code = 0
        self.err = ""

    def __call__(self, *arguments: str | Path) -> str:
        self.monkeypatch.setattr(sys, "argv", ["gradus", *self.first, *map(str, arguments)])
        self.monkeypatch.setenv("GRADUS_STORE", str(self.store))
        self.monkeypatch.setenv("COLUMNS", "240")
        try:
            main()
            self.code = 0
        except SystemExit as end:
            self.code = int(end.code or 0)
        said = self.capsys.readouterr()
        self.err = said.err
        return said.out

    @property
    def errors(self) -> str:
        """What went to stderr as one line: where a terminal breaks it does not count."""
        return " ".join(self.err.split())

    def rows(self, *arguments: str | Path) -> list[Any]:
        """The JSON objects that a command printed, one a line; it must have ended well."""
        out = self(*arguments)
        assert self.code == 0, self.err
        return [json.loads(line) for line in out.splitlines()]
