"""What is said of found batches follows from what was measured; the snippets run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executors.batch_size.advice import (
    Plan,
    batch_to_use,
    label,
    loader_words,
    plan_row,
    rule_of_thumb,
    sentence,
    snippet,
)
from executors.batch_size.search import SMALLEST, Case, Trial
from executors.task import Settings
from executors.tasks import find_task


def plan(largest: int, recommended: int, loader: float = 0.0, case: Case | None = None) -> Plan:
    """A plan at 100 samples per second."""
    case = case or Case()
    return Plan(
        case,
        Trial(largest, case.size, True, 900, 900, 100.0),
        Trial(recommended, case.size, True, 500, 500, 100.0),
        "memory",
        loader,
        (),
    )


@settings(deadline=None)
@given(st.integers(SMALLEST, 4096), st.data())
def test_the_batch_to_use_fits_and_adds_up_to_what_is_wanted(
    largest: int, data: st.DataObject
) -> None:
    """Never above what fits; the accumulated batches reach the wanted one with none to spare."""
    recommended = data.draw(st.integers(SMALLEST, largest))
    effective = data.draw(st.integers(SMALLEST, 20_000))
    batch, accumulate = batch_to_use(plan(largest, recommended), effective)
    if effective <= largest:
        assert (batch, accumulate) == (effective, None)
        return
    assert accumulate == effective and 1 <= batch <= recommended
    steps = -(-effective // batch)
    assert (steps - 1) * batch < effective <= steps * batch < effective + batch
    assert effective % batch == 0 or steps == -(-effective // recommended)


def test_without_a_wanted_batch_the_recommended_one_is_used() -> None:
    """Nothing is accumulated."""
    assert batch_to_use(plan(64, 16), None) == (16, None)


def test_loader_and_compute_are_told_apart() -> None:
    """By what the loader gives against what the step takes; unknown when it was not measured."""
    slow, fast, unknown = plan(64, 16, 20.0), plan(64, 16, 400.0), plan(64, 16)
    assert [one.bound_by for one in (slow, fast, unknown)] == ["loader", "compute", ""]
    assert "loader gives 20 samples/s where the step could take 100" in loader_words(slow)
    assert "num_workers=" in loader_words(slow) and "cached" in loader_words(slow)
    assert "compute-bound" in loader_words(fast)
    assert loader_words(unknown) == ""


@pytest.mark.parametrize(
    ("free_mb", "size", "batch"),
    [(8201, 360, 8), (8200, 360, 4), (8201, 720, 3), (8200, 720, 1), (11_000, 224, 8)],
)
def test_the_notes_rule_goes_by_free_megabytes_and_size(
    free_mb: int, size: int, batch: int
) -> None:
    """More than 8200 MB allow 8 small or 3 large images."""
    assert rule_of_thumb(free_mb * 10**6, size) == batch
    row = plan_row(plan(64, 16, case=Case(size)), 10**9, free_mb * 10**6)
    assert (row.rule_of_thumb, row.largest, row.phase) == (batch, 64, "unfrozen")


def test_cases_are_named_where_there_are_several() -> None:
    """A lone case is not explained."""
    case = Case(64, "bfloat16", frozen=True)
    assert (label(case), label(case, others=False), label(Case(), others=False)) == (
        "64 px bfloat16 frozen",
        "64 px",
        "",
    )
    assert sentence(plan(64, 16, case=Case(None, "bfloat16")), 1000, True).startswith(
        "In bfloat16 unfrozen a batch of 64"
    )
    assert sentence(plan(64, 64), 1000, False).startswith(
        "A batch of 64 is the largest tried that trains within 1 kB; it is"
    )


def test_the_snippet_accumulates_in_bfloat16_on_a_cpu() -> None:
    """It runs as it is pasted, and steps the optimizer once for every four batches."""
    settings = Settings("tabular")
    task = find_task("tabular")
    source = task.inspect(settings)
    chosen = plan(40, 30, case=Case(None, "bfloat16"))
    code = snippet(task, source, settings, [chosen], 120, pretrained=False, device="cpu")
    assert "GradientAccumulation(n_acc=120)" in code and "bs=30" in code
    steps = (
        "class Count(Callback):\n    n = 0\n    def after_step(self): Count.n += 1\n\n"
        "learn.add_cb(Count())\nlearn.fit"
    )
    seen: dict[str, Any] = {}
    exec(code.replace("learn.fit", steps, 1), seen)  # our own code
    batches = len(seen["learn"].dls.train)
    assert seen["Count"].n == batches // 4 > 0
    assert next(seen["learn"].model.parameters()).dtype.is_floating_point


@pytest.mark.parametrize(
    ("precision", "line"), [("float16", "learn.to_fp16()"), ("bfloat16", "learn.to_bf16()")]
)
def test_cards_get_fastais_own_mixed_precision(precision: str, line: str) -> None:
    """And a frozen plan is frozen."""
    settings = Settings("tabular")
    task = find_task("tabular")
    case = Case(None, precision, frozen=True)
    chosen, source = plan(40, 30, case=case), task.inspect(settings)
    code = snippet(task, source, settings, [chosen], None, pretrained=False, device="cuda:0")
    assert code.endswith(f"{line}\nlearn.freeze()\nlearn.fit_one_cycle(1)\n")
