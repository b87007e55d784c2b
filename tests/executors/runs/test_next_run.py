"""What may be run next is stored with a result, and typed as it is stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from executors.runs.next_run import NextRun, next_runs_from
from executors.runs.result import RunResult, result_from

ONE = NextRun("regularise", "it overfits", {"task": "tabular", "epochs": 5, "sizes": [32, 64]})


def test_a_result_keeps_its_next_runs(tmp_path: Path) -> None:
    """Through its JSON and back."""
    result = RunResult("ok", "training-flow", "tabular", "cpu", next=(ONE,))
    assert result_from(result.to_event(), tmp_path).next == (ONE,)


@pytest.mark.parametrize(
    "damaged", [None, "x", [3], [{"recipe": "a"}], [{"recipe": 1, "why": "", "params": {}}]]
)
def test_a_damaged_one_is_left_out(damaged: object) -> None:
    """As are values that no parameter takes."""
    assert next_runs_from(damaged) == ()
    assert next_runs_from([{"recipe": "a", "why": "", "params": {"b": {"c": 1}}}]) == ()
