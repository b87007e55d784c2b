"""Activations are measured as they are; LSUV and Kaiming keep their scale in a deep network."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from torch import nn

from executors.recipe import check_params, typed_params
from executors.recipes import init_check
from executors.runs.journal import Journal, Outcome
from executors.training.activations import kaiming, layers, lsuv


def run(folder: Path) -> Outcome:
    given = {"task": "tabular", "device": "cpu", "batch_size": 32}
    params = typed_params(init_check, check_params(init_check.RECIPE, given))
    return init_check.run(params, Journal(folder))


def deep(depth: int = 12, width: int = 64) -> nn.Sequential:
    """A network without normalisation, whose default weights let the signal fade."""
    torch.manual_seed(0)
    return nn.Sequential(
        *[part for _ in range(depth) for part in (nn.Linear(width, width), nn.ReLU())]
    )


BATCH = torch.randn(256, 64, generator=torch.Generator().manual_seed(1))


def test_layers_are_measured_exactly() -> None:
    """Mean, deviation and dead units are those of the outputs, in the order of the calls."""
    linear = nn.Linear(64, 8)
    model = nn.Sequential(linear, nn.ReLU())
    with torch.no_grad():
        linear.bias[:4] = -1e6  # four units that never fire
    found = layers(model, lambda: model(BATCH))
    with torch.no_grad():
        hidden = linear(BATCH)
    assert [layer.name for layer in found] == ["0", "1"] and [layer.kind for layer in found] == [
        "Linear",
        "ReLU",
    ]
    assert found[0].mean == pytest.approx(float(hidden.mean())) and found[0].dead is None
    assert found[1].deviation == pytest.approx(float(hidden.relu().std())) and found[1].dead == 0.5
    assert found[0].signal == pytest.approx(float(hidden.std(dim=0).mean()))


def test_no_hook_is_left_behind() -> None:
    """Also when the network itself fails."""
    model = deep(2)
    with pytest.raises(RuntimeError):
        layers(model, lambda: model(torch.randn(3, 5)))
    assert not any(module._forward_hooks for module in model.modules())


def test_kaiming_and_lsuv_keep_the_signal() -> None:
    """Where default weights let it fade, Kaiming holds it; LSUV's layers deviate by one."""
    model = deep()
    before = layers(model, lambda: model(BATCH))
    assert before[-2].signal < 1e-3 < 0.05 < before[-2].deviation  # biases hide it
    kaiming(model)
    held = layers(model, lambda: model(BATCH))[-2]
    assert 0.3 < held.deviation < 3 and held.signal > 0.1
    assert lsuv(model, lambda: model(BATCH)) == 12
    for layer in layers(model, lambda: model(BATCH)):
        if layer.kind == "Linear":
            assert layer.deviation == pytest.approx(1, abs=0.05), layer


def test_all_layers_are_scaled_in_one_pass() -> None:
    """And a second one finds them as they should be, however deep the network is."""
    model, passes = deep(), []
    lsuv(model, lambda: passes.append(model(BATCH)))
    assert len(passes) == 2


def test_a_layer_that_is_not_reached_is_left() -> None:
    """It has no output to scale."""
    model = nn.ModuleDict({"used": nn.Linear(64, 8), "idle": nn.Linear(64, 8)})
    assert lsuv(model, lambda: model["used"](BATCH)) == 1


def test_the_recipe_measures_three_ways_and_changes_nothing(tmp_path: Path) -> None:
    """The table has every layer under each way; LSUV's linear layers have a deviation of one."""
    outcome = run(tmp_path)
    with (tmp_path / "layers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["way"] for row in rows} == {"as built", "Kaiming", "LSUV"}
    scaled = [float(r["deviation"]) for r in rows if r["way"] == "LSUV" and r["kind"] == "Linear"]
    assert scaled and all(abs(value - 1) < 0.05 for value in scaled)
    assert (
        "neither vanishes nor explodes" in outcome.message
        and outcome.values["trouble"]["LSUV"] == []
    )


def test_the_snippet_starts_a_network_by_lsuv(tmp_path: Path) -> None:
    """It runs as it stands, and leaves the deviations near one."""
    names: dict[str, object] = {}
    exec(run(tmp_path).code, names)
    learner, batch = names["learn"], names["batch"]
    model, seen = learner.model, layers(learner.model, lambda: learner.model(*batch[:2]))  # type: ignore[attr-defined, index]
    linear = [layer for layer in seen if layer.kind == "Linear"]
    assert len(linear) == sum(isinstance(m, nn.Linear) for m in model.modules())
    assert all(abs(layer.deviation - 1) < 0.1 for layer in linear)
