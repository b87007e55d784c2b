"""What tests of recipes share: the process that trials are forked from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from executors.batch_size import bench
from executors.batch_size.trial_server import TrialServer

TRIALS = "executors.batch_size.trials"


@pytest.fixture(scope="session")
def trial_server() -> Iterator[TrialServer]:
    """A server that every bench of these tests takes its trials from."""
    server = TrialServer(TRIALS)
    yield server
    server.close()


@pytest.fixture
def one_server(trial_server: TrialServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each bench would import torch anew otherwise, which takes longer than its trials."""

    class Shared:
        lives = True
        start, end = trial_server.start, trial_server.end

        def close(self) -> None:
            """The next bench goes on with it."""

    def shared(module: str) -> Shared:
        assert module == TRIALS
        return Shared()

    monkeypatch.setattr(bench, "TrialServer", shared)
