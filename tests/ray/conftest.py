"""The cluster of these tests, started once: minutes, so only where it is asked for."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator

import pytest
from cluster import Cluster


@pytest.fixture(scope="session", autouse=True)
def asked_for() -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed; pip install 'gradus[ray]'")
    if not os.environ.get("GRADUS_RAY"):
        pytest.skip("a cluster takes minutes; `make test-ray` starts one")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Head, node and client; whoever ends one of them starts it again."""
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.close()
