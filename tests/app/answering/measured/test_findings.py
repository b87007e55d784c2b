"""What each recipe says it found, word by word; no damaged result says what it should not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.measured.findings import MOST_CHARS, VALUES_CHARS, findings_of
from executors.batch_size import advice
from executors.batch_size.search import Case, Trial
from executors.recipe import recipes
from executors.recipes import (
    clean_data,
    free_memory,
    init_check,
    lr_find,
    mixed_precision,
    overfit_first,
    progressive_resizing,
    regularise,
    training_flow,
)
from executors.recipes._overfit import Few
from executors.runs.result import RunResult, result_from
from executors.runs.stored_findings import Finding, figures_of
from executors.training.stuck import Bounds, Try

WAYS = [
    regularise.Row(name, score, 0.0, 1.0, 1.0)
    for name, score in (
        ("none", 0.8),
        ("weight decay 0.1", 0.81),
        ("dropout 0.5", 0.7),
        ("mixup 0.4", 0.9),
    )
]
PRECISIONS = [
    mixed_precision.Row("float32", 100.0, 1000, 0.9, 1.0),
    mixed_precision.Row("float16", 181.0, 600, 0.89, 1.0),
    mixed_precision.Row("bfloat16", 50.0, 600, None, None),
]
GROWN = [
    progressive_resizing.Way("64 px then 128 px", 31.4, 0.912, 1.0),
    progressive_resizing.Way("128 px throughout", 60.0, 0.9, 1.0),
]
VANISHING = init_check.Trouble("vanishing", "0.4", "Conv2d, x")
NOTHING: dict[str, list[init_check.Trouble]] = {"as built": [], "Kaiming": [], "LSUV": []}


def words(findings: Iterable[Finding]) -> list[str]:
    return [one.words for one in findings]


def batches(*rows: tuple[int | None, str, int, int, str]) -> tuple[Finding, ...]:
    """Of batch-size, for rows of size, precision, recommended, largest, and what it ran into."""
    plans = [
        advice.Plan(
            Case(size, precision), Trial(most, size, True), Trial(best, size, True), bound, 0.0, ()
        )
        for size, precision, best, most, bound in rows
    ]
    return advice.findings(plans, plans[-1])


@pytest.mark.parametrize(
    ("findings", "wanted"),
    [
        (
            lr_find.findings({"frozen": 0.0021, "unfrozen": (2e-6, 0.00035)}, 3),
            ["learning rate 0.0021", "learning rates from 2e-06 to 3.5e-04, as a slice"],
        ),
        (
            lr_find.findings({"unfrozen": 0.3}, 1),
            ["learning rate 0.3, frozen or not, because the network is a single group of layers"],
        ),
        (
            batches((None, "float32", 32, 512, "memory")),
            ["batch size 32 (the largest that fits: 512)"],
        ),
        (batches((None, "float32", 32, 512, "data")), ["batch size 32 (512 fits too)"]),
        (batches((64, "float32", 8, 8, "max_batch")), ["batch size 8 at 64 px"]),
        (
            batches((64, "float32", 8, 8, "memory"), (64, "bfloat16", 8, 16, "memory")),
            [
                "batch size 8 at 64 px in float32 (the largest that fits)",
                "batch size 8 at 64 px in bfloat16 (the largest that fits: 16)",
            ],
        ),
        (
            training_flow.findings("overfitting", "error_rate", 0.1234, 3),
            ["the model overfits, error rate 0.123"],
        ),
        (training_flow.findings("fits", "valid_loss", float("nan"), 1), ["the model fits"]),
        (
            regularise.findings(WAYS, WAYS[3], 0.05, "accuracy", True),
            [
                "mixup 0.4 helps: accuracy 0.9, without 0.8",
                "weight decay 0.1 makes no clear difference: accuracy 0.81, without 0.8",
                "dropout 0.5 hurts: accuracy 0.7, without 0.8",
                "mixup 0.4 helps: accuracy 0.9, without 0.8",
            ],
        ),
        (
            mixed_precision.findings(PRECISIONS, "float16", "accuracy"),
            [
                "float16 is 1.8 times as fast as float32 with 0.6 times the memory "
                "(accuracy 0.89, float32 0.9); bfloat16 is 0.5 times as fast as float32 with "
                "0.6 times the memory, and its loss was no longer a number"
            ],
        ),
        (
            mixed_precision.findings(PRECISIONS[:1], "float32", "accuracy"),
            ["this device has float32 only, and no 16 bits to compare with"],
        ),
        (
            progressive_resizing.findings(GROWN, "accuracy"),
            ["accuracy 0.912 in 31 s with 64 px then 128 px, 0.9 in 60 s with 128 px throughout"],
        ),
        (
            init_check.findings(NOTHING, False, (0.9, 1.1)),
            ["as built, the signal neither vanishes nor explodes"],
        ),
        (
            init_check.findings(
                {"as built": [VANISHING], "Kaiming": [VANISHING], "LSUV": []}, False, (0.1, 1.0)
            ),
            ["as built, activations are vanishing from 0.4 on; LSUV fixes it"],
        ),
        (
            init_check.findings(NOTHING | {"as built": [VANISHING]}, True, (0.1, 1.0)),
            ["as built, activations are vanishing from 0.4 on"],
        ),
        (
            free_memory.findings(
                {"weights": 5_000_000, "buffers": 0, "optimizer state": 10_000_000}, 7
            ),
            ["after training the network holds 15 MB (optimizer state 10 MB, weights 5 MB)"],
        ),
    ],
)
def test_a_recipe_says_what_it_found(findings: tuple[Finding, ...], wanted: list[str]) -> None:
    """The line that an answer shows, word by word."""
    assert words(findings) == wanted


def test_where_nothing_beats_the_plain_training_that_is_said() -> None:
    """The row without regularisation is no way that helps, and the others do not help either."""
    first, *others = words(regularise.findings(WAYS[:3], WAYS[0], 0.02, "accuracy", True))
    assert first == "nothing tried is better than no regularisation (accuracy 0.8)"
    assert ["no clear difference" in one for one in others] == [True, False]
    assert "hurts" in others[1]


def test_a_lower_score_may_be_the_better_one() -> None:
    """An error rate is read the other way round."""
    found = regularise.findings(WAYS, WAYS[2], 0.02, "error_rate", False)
    assert words(found)[1:] == [
        "weight decay 0.1 makes no clear difference: error rate 0.81, without 0.8",
        "dropout 0.5 helps: error rate 0.7, without 0.8",
        "mixup 0.4 hurts: error rate 0.9, without 0.8",
    ]
    assert [one.about for one in found] == ["", "weight decay", "dropout", "mixup"]


def test_doubtful_samples_are_named() -> None:
    """The first few that another class is proposed for, not those that only stand on the list."""
    kept = clean_data.Doubt("k.jpg", "keep", "keep", "cat", "cat", 0.5, 1.0, "train", "")
    doubts = [replace(kept, file=f"{i}.jpg", proposal="dog", predicted="dog") for i in range(5)]
    shown = "{} (labelled cat, looks like dog)".format
    for moved, start, named in (
        (doubts[:1], "1 sample looks mislabelled: ", 1),
        (doubts, "5 samples look mislabelled, such as ", 3),
    ):
        (line,) = words(clean_data.findings([kept, *moved], 0))
        assert line == start + ", ".join(shown(f"{i}.jpg") for i in range(named))
    assert words(clean_data.findings([kept], 0)) == [
        "no sample looks mislabelled; 1 to look at is listed"
    ]


def test_a_name_of_a_file_breaks_no_line() -> None:
    """Whatever stands in it, the words are one printable line."""
    doubt = clean_data.Doubt("a\nb\x1b.jpg", "keep", "dog", "cat", "dog", 0.1, 2.0, "train", "")
    (line,) = words(clean_data.findings([doubt], 0))
    assert line.isprintable() and "a b .jpg" in line


def test_sizes_of_one_case_stand_in_large_and_several_cases_do_not() -> None:
    """A plan over precisions is a table; in large is the one that the result is named for."""
    sizes = batches((64, "float32", 128, 512, "memory"), (128, "float32", 32, 96, "memory"))
    assert figures_of(sizes) == {
        "Recommended batch at 64 px": 128,
        "Largest that fits at 64 px": 512,
        "Recommended batch at 128 px": 32,
        "Largest that fits at 128 px": 96,
    }
    cases = batches((64, "float32", 8, 32, "memory"), (64, "bfloat16", 16, 64, "memory"))
    assert figures_of(cases) == {"Recommended batch": 16, "Largest that fits": 64}


BY_HEART = Few(
    16,
    Bounds(0.0, 0.7, "always answering a"),
    (Try(0.01, 40, 0.7, (0.7, 0.01), "reached", 1.0),),
    (),
)
EVERY = {
    "batch-size": batches((64, "float32", 8, 8, "memory")),
    "clean-data": clean_data.findings([], 0),
    "free-memory": free_memory.findings({"weights": 5}, 0),
    "init-check": init_check.findings(NOTHING, False, (0.9, 1.1)),
    "lr-find": lr_find.findings({"frozen": 0.0021, "unfrozen": (2e-6, 0.00035)}, 3),
    "mixed-precision": mixed_precision.findings(PRECISIONS, "float16", "accuracy"),
    "overfit-first": overfit_first.findings(BY_HEART, [], None),
    "progressive-resizing": progressive_resizing.findings(GROWN, "accuracy"),
    "regularise": regularise.findings(WAYS, WAYS[3], 0.05, "accuracy", True),
    "training-flow": training_flow.findings("fits", "accuracy", 0.9, 2),
}


def result(recipe: str, said: tuple[Finding, ...] = (), message: str = "") -> RunResult:
    return RunResult("ok", recipe, "tabular", "cpu", said=said, message=message)


def stored(one: RunResult) -> dict[str, Any]:
    return json.loads(json.dumps(one.to_event()))


def test_every_recipe_of_ours_is_tried() -> None:
    """A new one without a row here is a mistake."""
    assert {recipe.name for recipe in recipes()} == {*EVERY}


@pytest.mark.parametrize("recipe", EVERY)
def test_what_was_said_is_read_back(recipe: str, tmp_path: Path) -> None:
    """In the words, values and figures of the recipe, whatever its message says."""
    written = stored(result(recipe, EVERY[recipe], "the message"))
    read = result_from(written, tmp_path)
    assert [asdict(one) for one in read.said] == written["said"]
    assert findings_of(read) == read.said
    assert words(read.said) == words(EVERY[recipe])


def test_a_recipe_from_elsewhere_gives_its_first_sentence() -> None:
    """One printable line of it, however much there is; ours say nothing beside their findings."""
    assert words(findings_of(result("knead", (), "Knead 12.5 min. Then rest."))) == [
        "Knead 12.5 min"
    ]
    assert findings_of(result("knead")) == findings_of(result("lr-find", (), "Take 0.1.")) == ()
    (long,) = words(findings_of(result("knead", (), "\x1b[31m" + "dough " * 200)))
    assert len(long) <= 160
    assert long.isprintable()


@pytest.mark.parametrize(
    "damage",
    [
        {"words": ""},
        {"words": "\x1b\n"},
        {"words": 3},
        {"figures": {"Rate": {"deep": 1}}},
        {"figures": {"Rate": float("nan")}},
        {"figures": {"Rate": 10**400}},
        {"values": {"rate": float("inf")}},
        {"values": {"text": "x" * VALUES_CHARS}},
        {"size": "large"},
        {"unheard": "of"},
    ],
    ids=str,
)
def test_a_damaged_finding_says_nothing_and_the_others_stand(
    damage: dict[str, Any], tmp_path: Path
) -> None:
    """It may have been written by anybody."""
    event = stored(result("lr-find", EVERY["lr-find"]))
    event["said"][0] |= damage
    assert words(findings_of(result_from(event, tmp_path))) == words(EVERY["lr-find"])[1:]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def _places(value: Any) -> list[tuple[Any, ...]]:
    """Ways from a value to everything in it."""
    inside = enumerate(value) if isinstance(value, list) else ()
    items = value.items() if isinstance(value, dict) else inside
    return [(), *((key, *rest) for key, inner in items for rest in _places(inner))]


def _with(value: Any, place: tuple[Any, ...], other: Any) -> Any:
    if not place:
        return other
    key, *rest = place
    inner = _with(value[key], tuple(rest), other)
    if isinstance(value, dict):
        return value | {key: inner}
    return [inner if i == key else one for i, one in enumerate(value)]


@given(st.data())
def test_whatever_is_stored_breaks_nothing(data: st.DataObject) -> None:
    """What is said is a printable line of bounded length with values that are JSON, or nothing."""
    recipe = data.draw(st.sampled_from(sorted(EVERY)))
    event = stored(result(recipe, EVERY[recipe]))
    place = data.draw(st.sampled_from(_places(event["said"])))
    event["said"] = _with(event["said"], place, data.draw(_JSON))
    for one in findings_of(result_from(event, Path("run"))):
        assert one.words and one.words.isprintable() and len(one.words) <= MOST_CHARS
        assert all(text.isprintable() for text in (one.phase, one.precision, one.about))
        json.dumps(one.values, allow_nan=False)
