"""Recipes are found, and their parameters checked before anything runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import executors.recipes
from executors.amounts import parse_bytes, show_bytes, show_number, show_rate
from executors.errors import BadParameter, UnknownRecipe
from executors.recipe import check_params, find_recipe, recipes
from executors.tasks import TASK_NAMES

Register = Callable[[Path, str, str, str], None]
BATCH, LR = find_recipe("batch-size"), find_recipe("lr-find")


OURS = sorted(
    path.stem.replace("_", "-") for path in Path(executors.recipes.__path__[0]).glob("[a-z]*.py")
)


def test_ours_are_found() -> None:
    """Each file is a recipe of its name, with tasks that there are, linked to notes by words."""
    ours = recipes()[: len(OURS)]
    assert [recipe.name for recipe in ours] == OURS and {"batch-size", "lr-find"} <= {*OURS}
    assert all(
        {*recipe.tasks} <= {*TASK_NAMES} and recipe.concepts and recipe.summary for recipe in ours
    )
    assert "batch size" in BATCH.concepts and "learning rate" in LR.concepts


def test_recipes_of_others_are_found_by_entry_point(attack: str) -> None:
    """An installed distribution adds a recipe."""
    assert [recipe.name for recipe in recipes()] == [*OURS, attack]


def test_a_broken_recipe_of_others_hides_nothing(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left out with a warning that names it."""
    register(tmp_path, "broken", "gradus_broken", "raise OSError('no card')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.warns(
        UserWarning, match=r"recipe 'broken' \(gradus_broken\) is left out: OSError: no card"
    ):
        assert [recipe.name for recipe in recipes()] == OURS


def test_a_recipe_of_others_does_not_replace_ours(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name stays with the recipe that comes with Gradus."""
    source = (
        "from executors.recipe import Recipe\n"
        "RECIPE = Recipe('lr-find', 'Other', '', (), (), ())\ndef run(params, journal): ...\n"
    )
    register(tmp_path, "other", "gradus_other", source)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find_recipe("lr-find").title == "Find my learning rate"


def test_an_unknown_recipe_names_the_closest() -> None:
    """A slip of the pen gets a hint, anything else the list."""
    with pytest.raises(UnknownRecipe, match="there is no recipe 'lrfind'; did you mean 'lr-find'"):
        find_recipe("lrfind")
    with pytest.raises(UnknownRecipe, match=r"there are 'batch-size', .*'training-flow'"):
        find_recipe("zzz")


def test_looking_at_recipes_is_light() -> None:
    """Nothing heavy is imported to list recipes, start runs or read the history."""
    program = (
        "import sys, executors.runs.run, executors.runs.history\n"
        "from executors.recipe import recipes\nrecipes()\n"
        "print(*sorted({'torch', 'fastai', 'pandas', 'matplotlib', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_defaults_fill_what_is_missing_or_empty() -> None:
    """None and "" stand for the default; every parameter is there."""
    params = check_params(LR, {"epochs": "", "size": None})
    assert set(params) == {parameter.name for parameter in LR.parameters}
    assert (params["epochs"], params["size"], params["phase"]) == (5, None, "both")


def test_defaults_are_values_that_the_check_accepts() -> None:
    """What a recipe brings as default passes its own check unchanged."""
    for recipe in (BATCH, LR):
        defaults = check_params(recipe, {})
        assert check_params(recipe, defaults) == defaults


def test_text_becomes_the_parameters_type() -> None:
    """A command line's words and a form's values end as the same parameters."""
    text = {
        "max-batch": "512",
        "margin": "0.2",
        "phase": "frozen",
        "sizes": "224, 128",
        "memory-limit": "2GB",
    }
    typed = {
        "max_batch": 512.0,
        "margin": 0.2,
        "phase": "frozen",
        "sizes": [128, 224],
        "memory_limit": "2GB",
    }
    assert check_params(BATCH, text) == check_params(BATCH, typed)
    assert check_params(BATCH, text)["sizes"] == (128, 224)


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run works in another folder than its user."""
    monkeypatch.chdir(tmp_path)
    assert check_params(LR, {"data": "photos"})["data"] == str(tmp_path / "photos")


@pytest.mark.parametrize(
    ("recipe", "name", "value", "message"),
    [
        (
            LR,
            "batch_size",
            0,
            "lr-find: parameter 'batch_size' must be a whole number from 2 to 1000000, got 0",
        ),
        (
            LR,
            "batch_size",
            -8,
            "lr-find: parameter 'batch_size' must be a whole number from 2 to 1000000, got -8",
        ),
        (LR, "batch_size", 2.5, "must be a whole number from 2 to 1000000, got 2.5"),
        (
            LR,
            "start_lr",
            "fast",
            "lr-find: parameter 'start_lr' must be a number from 1e-12 to 1, got 'fast'",
        ),
        (LR, "end_lr", "nan", "parameter 'end_lr' must be a number from 1e-9 to 1000, got 'nan'"),
        (
            LR,
            "num_it",
            True,
            "parameter 'num_it' must be a whole number from 30 to 10000, got True",
        ),
        (LR, "phase", "thawed", "must be one of frozen, unfrozen, both, got 'thawed'"),
        (LR, "pretrained", "perhaps", "must be true or false, got 'perhaps'"),
        (
            BATCH,
            "sizes",
            "big",
            "must be one or several whole numbers such as 128,224 from 32 to 2048, got 'big'",
        ),
        (BATCH, "sizes", "16,224", "from 32 to 2048, got '16,224'"),
        (
            BATCH,
            "memory_limit",
            "lots",
            "must be an amount of memory such as 500MB or 2GB, got 'lots'",
        ),
        (
            BATCH,
            "memory_limit",
            "0GB",
            "must be an amount of memory such as 500MB or 2GB, got '0GB'",
        ),
        (BATCH, "device", "gpu", "must be one of auto, cpu, cuda, mps, got 'gpu'"),
        (BATCH, "margin", "1e999", "must be a number from 0 to 0.9, got '1e999'"),
    ],
)
def test_wrong_values_are_named(recipe: object, name: str, value: object, message: str) -> None:
    """The message names recipe and parameter, says what is expected and what was given."""
    with pytest.raises(BadParameter) as caught:
        check_params(recipe, {name: value})  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_unknown_parameters_name_the_closest() -> None:
    """A slip of the pen gets a hint."""
    with pytest.raises(
        BadParameter,
        match="batch-size: there is no parameter 'max_batchs'; did you mean 'max_batch'",
    ):
        check_params(BATCH, {"max_batchs": 3})


def test_a_card_may_be_named_by_number() -> None:
    """`cuda:1` is a device although it is not in the list."""
    assert check_params(BATCH, {"device": "cuda:1"})["device"] == "cuda:1"


@settings(deadline=None)
@given(
    st.one_of(
        st.text(), st.integers(), st.floats(), st.none(), st.booleans(), st.lists(st.integers())
    )
)
def test_any_value_is_taken_or_refused_by_name(value: object) -> None:
    """No value of any parameter causes another exception than the one that names it."""
    for parameter in BATCH.parameters:
        try:
            checked = check_params(BATCH, {parameter.name: value})
        except BadParameter as error:
            assert f"parameter '{parameter.name}'" in str(error)
        else:
            assert check_params(BATCH, checked) == checked


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=10**15))
def test_shown_amounts_read_back(amount: int) -> None:
    """What is shown to three digits is read as the same amount to three digits."""
    assert abs(parse_bytes(show_bytes(amount)) - amount) <= 0.006 * amount


@given(st.floats(1e-12, 1e6))
def test_a_rate_is_shown_as_it_is_and_read_back(rate: float) -> None:
    """Two digits that Python reads back; no power of ten from a thousandth to a thousand."""
    shown = show_rate(rate)
    assert float(shown) == float(f"{rate:.1e}")
    assert ("e" in shown) == (float(shown) < 1e-3)
    assert show_rate((rate, rate)) == f"slice({shown}, {shown})"


def test_rates_and_numbers_are_written_out_from_a_thousandth() -> None:
    """As a person writes them, and what cannot be a rate as what it is."""
    assert [
        show_rate(rate) for rate in (0.13, 0.013, 0.0013, 1.3e-4, 0.000996, 1e-7, 0.00099999, 1, 0)
    ] == (["0.13", "0.013", "0.0013", "1.3e-04", "0.001", "1e-07", "0.001", "1", "0"])
    assert [
        show_number(value) for value in (0.000123, 0.00123, 9_876_543, 2.5e8, -3.2e-7, float("nan"))
    ] == (["1.23e-04", "0.00123", "9880000", "2.5e+08", "-3.2e-07", "no number"])


def test_binary_and_decimal_amounts_are_told_apart() -> None:
    """GB counts by 1000, GiB by 1024."""
    assert parse_bytes("2GB") == 2_000_000_000
    assert parse_bytes("2 GiB") == 2_147_483_648
    assert parse_bytes("1.5m") == 1_500_000


def test_a_parameter_of_another_task_is_refused() -> None:
    """Only its default may stand there; a learner file is a task of its own."""
    with pytest.raises(
        BadParameter, match=r"parameter 'target' is for tabular, text-classification, .*not for gan"
    ):
        check_params(BATCH, {"task": "gan", "target": "price"})
    with pytest.raises(
        BadParameter, match=r"parameter 'data' is for .* not for learner; leave it out"
    ):
        check_params(LR, {"learner": "mine.py:make", "data": "photos"})
    assert check_params(BATCH, {"task": "gan", "target": ""})["target"] == ""
