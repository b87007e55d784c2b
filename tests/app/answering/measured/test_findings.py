"""What each recipe's result says in one line, and that no damaged result says anything it should
not.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.measured.findings import findings_of
from executors.batch_size.advice import Plan, plan_row
from executors.batch_size.search import Case, Trial
from executors.recipe import recipes
from executors.recipes.clean_data import Doubt
from executors.runs.result import RunResult

RATES = {
    "phases": {"frozen": {"recommended": 0.0021}, "unfrozen": {"recommended": [2e-6, 0.00035]}}
}
FLOW = {
    "score": "error_rate",
    "verdict": {"word": "overfitting", "reason": "r", "advice": "a"},
    "best": {"metrics": {"error_rate": 0.1234}, "valid_loss": 0.5},
}
WAYS = [
    {"name": "none", "score": 0.8},
    {"name": "weight decay 0.1", "score": 0.81},
    {"name": "dropout 0.5", "score": 0.7},
    {"name": "mixup 0.4", "score": 0.9},
]
REGULARISED = {"score": "accuracy", "rows": WAYS, "best": "mixup 0.4", "chance": 0.05}
PRECISIONS = [
    {"precision": "float32", "samples_per_s": 100.0, "peak_bytes": 1000, "score": 0.9},
    {"precision": "float16", "samples_per_s": 181.0, "peak_bytes": 600, "score": 0.89},
    {"precision": "bfloat16", "samples_per_s": 50.0, "peak_bytes": 600, "score": None},
]
GROWN = [
    {"name": "64 px then 128 px", "seconds": 31.4, "score": 0.912},
    {"name": "128 px throughout", "seconds": 60.0, "score": 0.9},
]


def said(recipe: str, values: dict[str, Any], message: str = "") -> list[str]:
    return [
        one.words
        for one in findings_of(RunResult("ok", recipe, "tabular", "cpu", values, message=message))
    ]


def batches(*rows: tuple[int | None, str, int, int, str]) -> dict[str, Any]:
    """The values of "batch-size" for rows of size, precision, recommended, largest, and what it ran
    into.
    """
    plans = [
        Plan(
            Case(size, precision), Trial(most, size, True), Trial(best, size, True), bound, 0.0, ()
        )
        for size, precision, best, most, bound in rows
    ]
    return {"plan": [plan_row(plan, 10**9, 10**9) for plan in plans]}


@pytest.mark.parametrize(
    ("recipe", "values", "words"),
    [
        (
            "lr-find",
            RATES,
            ["learning rate 0.0021", "learning rates from 2e-06 to 3.5e-04, as a slice"],
        ),
        ("lr-find", {"phases": {"unfrozen": {"recommended": 0.3}}}, ["learning rate 0.3"]),
        (
            "batch-size",
            batches((None, "float32", 32, 512, "memory")),
            ["batch size 32 (the largest that fits: 512)"],
        ),
        (
            "batch-size",
            batches((None, "float32", 32, 512, "data")),
            ["batch size 32 (512 fits too)"],
        ),
        ("batch-size", batches((64, "float32", 8, 8, "max_batch")), ["batch size 8 at 64 px"]),
        (
            "batch-size",
            batches((64, "float32", 8, 8, "memory"), (64, "bfloat16", 8, 16, "memory")),
            [
                "batch size 8 at 64 px in float32 (the largest that fits)",
                "batch size 8 at 64 px in bfloat16 (the largest that fits: 16)",
            ],
        ),
        ("training-flow", FLOW, ["the model overfits, error rate 0.123"]),
        ("training-flow", FLOW | {"score": "valid_loss"}, ["the model overfits, valid loss 0.5"]),
        (
            "regularise",
            REGULARISED,
            [
                "mixup 0.4 helps: accuracy 0.9, without 0.8",
                "weight decay 0.1 makes no clear difference: accuracy 0.81, without 0.8",
                "dropout 0.5 hurts: accuracy 0.7, without 0.8",
                "mixup 0.4 helps: accuracy 0.9, without 0.8",
            ],
        ),
        (
            "mixed-precision",
            {"score": "accuracy", "best": "float16", "rows": PRECISIONS},
            [
                "float16 is 1.8 times as fast as float32 with 0.6 times the memory (accuracy 0.89, float32 0.9); "
                "bfloat16 is 0.5 times as fast as float32 with 0.6 times the memory, and its loss was no number any "
                "more"
            ],
        ),
        (
            "mixed-precision",
            {"score": "accuracy", "best": "float32", "rows": PRECISIONS[:1]},
            ["this device has float32 only, and no 16 bits to compare with"],
        ),
        (
            "progressive-resizing",
            {"score": "accuracy", "ways": GROWN},
            ["accuracy 0.912 in 31 s with 64 px then 128 px, 0.9 in 60 s with 128 px throughout"],
        ),
        (
            "init-check",
            {"trouble": {"as built": [], "Kaiming": [], "LSUV": []}},
            ["as built, the signal neither vanishes nor explodes"],
        ),
        (
            "init-check",
            {
                "trouble": {
                    "as built": ["vanishing from 0.4 on (Conv2d, x)"],
                    "Kaiming": ["dead"],
                    "LSUV": [],
                }
            },
            ["as built, activations are vanishing from 0.4 on; LSUV mends it"],
        ),
        (
            "free-memory",
            {"holdings": {"weights": 5_000_000, "buffers": 0, "optimizer state": 10_000_000}},
            ["after training the network holds 15 MB (optimizer state 10 MB, weights 5 MB)"],
        ),
    ],
)
def test_a_result_is_said_in_its_recipes_words(
    recipe: str, values: dict[str, Any], words: list[str]
) -> None:
    """The line that an answer shows, word by word."""
    assert said(recipe, values) == words


def test_where_nothing_beats_the_plain_training_that_is_said() -> None:
    """The row without regularisation is no way that helps, and the others do not help against
    it.
    """
    first, *others = said(
        "regularise", REGULARISED | {"best": "none", "rows": WAYS[:3], "chance": 0.001}
    )
    assert first == "nothing tried is better than no regularisation (accuracy 0.8)"
    assert all("hurts" in words for words in others)


def test_a_lower_score_may_be_the_better_one() -> None:
    """Which way is better shows in the way that the run found best."""
    rows = [
        {"name": "none", "score": 0.4},
        {"name": "dropout 0.5", "score": 0.3},
        {"name": "mixup 0.4", "score": 0.5},
    ]
    values = {"score": "error_rate", "rows": rows, "best": "dropout 0.5", "chance": 0.01}
    assert said("regularise", values)[1:] == [
        "dropout 0.5 helps: error rate 0.3, without 0.4",
        "mixup 0.4 hurts: error rate 0.5, without 0.4",
    ]


def test_doubtful_samples_are_named() -> None:
    """The first few that another class is proposed for, not those that only stand on the list."""
    doubts = [
        Doubt(f"{i}.jpg", "keep", "dog", "cat", "dog", 0.1, 2.0, "train", "") for i in range(5)
    ]
    kept = Doubt("k.jpg", "keep", "keep", "cat", "cat", 0.5, 1.0, "train", "")
    shown = "{} (labelled cat, looks like dog)".format
    for moved, start, named in (
        (doubts[:1], "1 sample looks mislabelled:", 1),
        (doubts, "5 samples look", 3),
    ):
        values = {"doubts": [asdict(one) for one in [kept, *moved]], "proposed": len(moved)}
        (words,) = said("clean-data", values)
        assert words.startswith(start)
        assert words.endswith(", ".join(shown(f"{i}.jpg") for i in range(named)))
    assert said("clean-data", {"doubts": [asdict(kept)], "proposed": 0}) == [
        "no sample looks mislabelled; 1 to look at is listed"
    ]


def test_a_recipe_from_elsewhere_gives_its_first_sentence() -> None:
    """One printable line of it, however much there is."""
    assert said("knead", {"x": 1}, "Knead 12.5 min. Then rest.") == ["Knead 12.5 min"]
    assert said("knead", {}, "") == []
    (long,) = said("knead", {}, "\x1b[31m" + "dough " * 200)
    assert len(long) <= 160
    assert long.isprintable()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
_SOUND: dict[str, dict[str, Any]] = {
    "lr-find": RATES,
    "batch-size": batches((64, "float32", 8, 8, "memory")),
    "training-flow": FLOW,
    "regularise": REGULARISED,
    "mixed-precision": {"score": "accuracy", "best": "float16", "rows": PRECISIONS},
    "progressive-resizing": {"score": "accuracy", "ways": GROWN},
    "init-check": {"trouble": {"as built": ["dead from 1 on (x)"], "LSUV": []}},
    "clean-data": {"doubts": [{"proposal": "b", "file": "f", "label": "a"}], "proposed": 1},
    "free-memory": {"holdings": {"weights": 5}},
}


def _places(value: Any) -> list[tuple[Any, ...]]:
    """Ways from a value to everything in it."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [(), *((key, *rest) for key, inner in items for rest in _places(inner))]


def _with(value: Any, place: tuple[Any, ...], other: Any) -> Any:
    if not place:
        return other
    key, *rest = place
    inner = _with(value[key], tuple(rest), other)
    if isinstance(value, dict):
        return value | {key: inner}
    return [inner if i == key else one for i, one in enumerate(value)]


def test_every_recipe_of_ours_has_its_words() -> None:
    """A sound result of each says something of its own, not its message."""
    assert {recipe.name for recipe in recipes()} == set(_SOUND)
    for recipe, values in _SOUND.items():
        assert said(recipe, values, "the message") not in ([], ["the message"])


@given(st.data())
def test_a_damaged_result_breaks_nothing(data: st.DataObject) -> None:
    """Whatever stands anywhere in the values, what is said is printable text in one line, or
    nothing.
    """
    recipe = data.draw(st.sampled_from(sorted(_SOUND)))
    place = data.draw(st.sampled_from([p for p in _places(_SOUND[recipe]) if p]))
    damaged = _with(_SOUND[recipe], place, data.draw(_JSON))
    for words in said(recipe, damaged):
        assert words
        assert words.isprintable()
        assert "nan" not in words.split()
