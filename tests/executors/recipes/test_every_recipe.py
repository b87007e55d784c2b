"""Every recipe ends in a real result on every task that it says it does, at its smallest size."""

from __future__ import annotations

import math
import os
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

import pytest
from tiny import TINY

from executors.recipe import check_params, recipe_module, recipes, typed_params
from executors.runs.journal import Journal, Outcome
from executors.runs.stored_findings import figures_of, one_line
from executors.task import Settings
from executors.tasks import TASK_NAMES

_TYPES: dict[str, Any] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "choice": str,
    "sizes": tuple[int, ...],
    "path": str,
}

pytestmark = pytest.mark.usefixtures("one_server")

# as short as it goes
SHORT: dict[str, dict[str, object]] = {
    "batch-size": {"max_batch": 4},
    "lr-find": {"num_it": 30, "seeds": 1, "race": False, "phase": "unfrozen"},
    "overfit-first": {"steps": 8, "batches": 1, "seconds": 1},
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
# Every fourth task of each recipe, beginning with another one for each, so that every recipe and
# every task comes up; all of them with `make soak`.
FEW = [(name, task) for n, name in enumerate(OURS, 1) for task in OURS[name].tasks[n % 4 :: 4]]
TRIED = PAIRS if os.environ.get("GRADUS_SOAK") else FEW


def test_every_recipe_of_ours_is_tried() -> None:
    """A new recipe or task without a row here is a mistake."""
    folder = Path(recipe_module("lr-find").__file__ or "").parent
    assert {path.stem.replace("_", "-") for path in folder.glob("[a-z]*.py")} == {*SHORT}
    assert {*TINY} == {*TASK_NAMES} == {task for _, task in TRIED}
    assert {*OURS} == {name for name, _ in TRIED}


@pytest.mark.parametrize("name", OURS)
def test_its_parameters_have_a_field_each(name: str) -> None:
    """`Params` holds what RECIPE takes: in `settings` what is trained on what, else by name."""
    module, shared = recipe_module(name), {field.name for field in fields(Settings)}
    taken = {parameter.name: parameter for parameter in OURS[name].parameters}
    types = get_type_hints(module.Params)
    assert types.pop("settings") is Settings
    assert {*types} == taken.keys() - shared
    for field, annotated in types.items():
        plain = _TYPES[taken[field].type]
        assert annotated == (plain | None if taken[field].default is None else plain), field


def test_a_file_of_a_learner_settles_the_task() -> None:
    """Whatever task is named beside it."""
    module = recipe_module("lr-find")
    params = typed_params(module, check_params(module.RECIPE, {"learner": "mine.py:make"}))
    assert params.settings.task == "learner"


def test_a_recipe_without_params_gets_its_checked_values() -> None:
    """As those of others may have it."""
    module = ModuleType("knead")
    assert typed_params(module, {"minutes": 12}) == {"minutes": 12}


@pytest.mark.parametrize(("name", "task"), TRIED, ids=[f"{name} on {task}" for name, task in TRIED])
def test_it_ends_in_a_result(name: str, task: str, tmp_path: Path) -> None:
    """It has a finding, a reason, a snippet that is Python, and the files that it says it wrote."""
    module, params = recipe_module(name), _params(name, task, tmp_path)
    (tmp_path / "run").mkdir()
    journal = Journal(tmp_path / "run")
    outcome: Outcome = module.run(typed_params(module, params), journal)
    assert outcome.message and outcome.task == task
    assert outcome.said and figures_of(outcome.said)
    assert all(one.words == one_line(one.words, 600) for one in outcome.said)
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
