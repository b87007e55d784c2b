"""A folder of the notes that a test file names NOTES, and each text read once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from made import write_notes
from remembered import remembered


@pytest.fixture(autouse=True, scope="module")
def read_once() -> Iterator[None]:
    """Tests ingest the same few texts again and again, which are read once."""
    with remembered():
        yield


@pytest.fixture
def notes(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder of its own for each test, so that it may change them."""
    return write_notes(tmp_path / "notes", request.module.NOTES)
