"""What holds memory is counted exactly, and letting go brings it back."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from executors.recipe import check_params, typed_params
from executors.recipes import free_memory
from executors.runs.journal import Journal, Outcome


@pytest.fixture(scope="module")
def freed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    folder = tmp_path_factory.mktemp("free")
    given = {"task": "tabular", "device": "cpu", "batch_size": 32, "arch": "2000,2000"}
    params = typed_params(free_memory, check_params(free_memory.RECIPE, given))
    return free_memory.run(params, Journal(folder)), folder


def test_holdings_are_those_of_the_network(freed: tuple[Outcome, Path]) -> None:
    """Gradients take as much as weights, Adam's two means twice as much."""
    held = freed[0].values["holdings"]
    parameters = 30 * 2000 + 2000 * 2000 + 2000 * 2  # without biases and normalisation
    assert held["weights"] == pytest.approx(4 * parameters, rel=0.01)
    assert held["gradients"] == held["weights"] and held["optimizer state"] == 2 * held["weights"]


def test_every_step_is_a_row_and_most_comes_back(freed: tuple[Outcome, Path]) -> None:
    """The table has the story; what training took is given back in the end."""
    outcome, folder = freed
    with (folder / "memory.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == [
        "network built",
        "3 batches trained",
        "gradients freed",
        "optimizer freed",
        "network and loaders freed",
        "cache given back",
    ]
    used = [int(row["used_bytes"]) for row in rows]
    held = outcome.values["holdings"]
    assert used[1] - used[-1] > 0.8 * (
        held["weights"] + held["gradients"] + held["optimizer state"]
    )
    assert "the largest part optimizer state" in outcome.message


def test_the_snippet_runs(freed: tuple[Outcome, Path]) -> None:
    """As it stands."""
    names: dict[str, object] = {}
    exec(freed[0].code, names)
    assert "learn" not in names and "dls" not in names
