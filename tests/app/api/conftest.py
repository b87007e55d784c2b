"""The functions for programs over the store of notes on cooking and training."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.api.functions import Gradus
from app.open_store import Shelf
from app.visitors_runs import VisitorsRuns
from kg.encoder import Encoder


@pytest.fixture
def gradus(store_folder: Path, encoder: Encoder, tmp_path: Path) -> Gradus:
    return Gradus(Shelf(store_folder, encoder), tmp_path / "runs", VisitorsRuns())
