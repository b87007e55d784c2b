"""Every recipe ends in a real result on every task that it says it does, on the CPU, at its
smallest size.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from tiny import TINY

from executors.recipe import check_params, recipe_module, recipes
from executors.runs.journal import Journal, Outcome
from executors.tasks import TASK_NAMES

pytestmark = pytest.mark.usefixtures("one_server")

# as short as it goes
SHORT: dict[str, dict[str, object]] = {
    "batch-size": {"max_batch": 4},
    "lr-find": {"num_it": 30, "seeds": 1, "race": False, "phase": "unfrozen"},
    "training-flow": {"epochs": 1, "epochs_frozen": 1, "lr": 1e-3},
    "progressive-resizing": {"epochs": 1, "lr": 1e-3, "sizes": (32, 64), "compare": False},
    "mixed-precision": {"epochs": 1, "lr": 1e-3},
    "clean-data": {"epochs": 1, "worst": 5},
    "init-check": {},
    "regularise": {"epochs": 1, "repeats": 1, "lr": 1e-3},
    "free-memory": {"steps": 1},
}
OURS = {recipe.name: recipe for recipe in recipes() if recipe.name in SHORT}
PAIRS = [(name, task) for name, recipe in OURS.items() for task in recipe.tasks]


def test_every_recipe_of_ours_is_tried() -> None:
    """A new recipe or task without a row here is a mistake."""
    folder = Path(recipe_module("lr-find").__file__ or "").parent
    assert {path.stem.replace("_", "-") for path in folder.glob("[a-z]*.py")} == {*SHORT}
    assert {*TINY} == {*TASK_NAMES} == {task for _, task in PAIRS}


@pytest.mark.parametrize(("name", "task"), PAIRS, ids=[f"{name} on {task}" for name, task in PAIRS])
def test_it_ends_in_a_result(name: str, task: str, tmp_path: Path) -> None:
    """It has a finding, a reason, a snippet that is Python, and the files that it says it wrote."""
    params = _params(name, task, tmp_path)
    (tmp_path / "run").mkdir()
    journal = Journal(tmp_path / "run")
    outcome: Outcome = recipe_module(name).run(params, journal)
    assert outcome.message and outcome.task == task
    compile(outcome.code, "snippet", "exec")
    assert "learn" in outcome.code
    assert journal.artifacts and all(Path(path).stat().st_size > 0 for path in journal.artifacts)
    found = _numbers(outcome.values)
    assert found and all(math.isfinite(number) for number in found)


def _params(name: str, task: str, folder: Path) -> dict[str, Any]:
    """What the recipe takes of the task's tiny files and of the short way."""
    (folder / "files").mkdir()
    known = {parameter.name for parameter in OURS[name].parameters}
    given = {
        "task": task,
        "batch_size": 4,
        "device": "cpu",
        **TINY[task](folder / "files"),
        **SHORT[name],
    }
    if "sizes" in known and "size" in given:
        given.setdefault("sizes", given["size"])
    return check_params(OURS[name], {key: value for key, value in given.items() if key in known})


def _numbers(value: object) -> list[float]:
    if isinstance(value, dict):
        return [number for item in value.values() for number in _numbers(item)]
    if isinstance(value, list | tuple):
        return [number for item in value for number in _numbers(item)]
    return [float(value)] if isinstance(value, int | float) and not isinstance(value, bool) else []
