"""What tests of recipes share: the process that trials are forked from, and a small heap."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator

import pytest

from executors.batch_size import bench, plans
from executors.batch_size.trial_server import TrialServer
from executors.runs.warm import HEAVY

TRIALS = "executors.batch_size.trials"


@pytest.fixture(scope="session", autouse=True)
def small_heap() -> Iterator[None]:
    """Recipes collect garbage again and again, and need not look at all that was imported."""
    for name in HEAVY:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def short_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates are measured for a moment: no test judges how fast a batch is."""
    monkeypatch.setattr(plans, "_SECONDS", 0.05)


@pytest.fixture(scope="session")
def trial_server() -> Iterator[TrialServer]:
    """A server that every bench of these tests takes its trials from."""
    server = TrialServer(TRIALS)
    yield server
    server.close()


class Shared:
    """The server as a bench has it, that does not end with the bench."""

    def __init__(self, server: TrialServer) -> None:
        self._server = server
        self.start, self.end = server.start, server.end

    @property
    def lives(self) -> bool:
        """Whether it can start a trial."""
        return self._server.lives

    def close(self) -> None:
        """The next bench goes on with it."""


@pytest.fixture
def one_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each bench would import torch anew otherwise, which takes longer than its trials."""

    def shared(module: str) -> Shared:
        assert module == TRIALS
        return Shared(request.getfixturevalue("trial_server"))

    monkeypatch.setattr(bench, "TrialServer", shared)
