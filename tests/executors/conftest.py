"""What tests of runs share: a recipe that misbehaves, registered as anybody's, and waiting."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from attacks import ATTACK, lay_out


@pytest.fixture
def attack(
    register: Callable[[Path, str, str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Name of a recipe that misbehaves as its parameter says."""
    place = tmp_path / "site"
    register(place, "attack", "gradus_attack", ATTACK)
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setenv("PYTHONPATH", str(place))
    return "attack"


@pytest.fixture
def register() -> Callable[[Path, str, str, str], None]:
    """Lays out a distribution in a folder whose entry point names a module of that source."""
    return lay_out


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Waits for a condition; fails the test when it does not come about."""

    def wait(condition: Callable[[], bool], seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come about"
            time.sleep(0.02)

    return wait
