"""The trials of `executors.batch_size.trials` with a simulated memory instead of the machine's."""

from __future__ import annotations

import os
from types import ModuleType
from unittest import mock

from benchmarks.batch_size import models as batch_size_models
from benchmarks.batch_size.simulated_memory import SimulatedMemory
from executors.batch_size import trial_parts, trials

__all__ = ["main", "simulate"]

LIMIT = "GRADUS_SIMULATED_BYTES"  # in the environment: what is free


def simulate(memory: SimulatedMemory) -> None:
    """Let trials train the benchmark's models, and ask this memory instead of the machine's."""

    def bound(_: str, limit_bytes: int) -> None:
        memory.limit = memory.live + limit_bytes

    def reset(_: str) -> None:
        memory.peak = memory.live

    def only(_: str) -> ModuleType:
        return batch_size_models

    mock.patch.multiple(
        trials,
        find_task=only,
        bound_memory=bound,
        reset_peak=reset,
        used_bytes=lambda _: memory.live,
        available_bytes=lambda _: int(os.environ[LIMIT]),
    ).start()
    mock.patch.multiple(trial_parts, reset_peak=reset, peak_bytes=lambda _: memory.peak).start()


def main(channel: int) -> int:
    """As `executors.batch_size.trials` does it."""
    simulated = SimulatedMemory()
    simulate(simulated)
    with simulated:
        return trials.main(channel)
