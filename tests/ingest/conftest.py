"""A folder of the notes that a test file names NOTES."""

from __future__ import annotations

from pathlib import Path

import pytest
from made import write_notes


@pytest.fixture
def notes(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder of its own for each test, so that it may change them."""
    return write_notes(tmp_path / "notes", request.module.NOTES)
