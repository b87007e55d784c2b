"""Learners on tables train on all that tables hold, and are what their snippets make."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import torch

from executors.task import Settings
from executors.tasks import tabular

DAYS = [datetime(2023, 11, 20, 8) + timedelta(days=3 * n, hours=n % 5) for n in range(60)]


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    """Sixty rows: dates and numbers with a gap, a text, a held-out fifth, targets of every kind."""
    rows = [
        f"{'' if n == 7 else day.isoformat()},{'' if n == 9 else n % 13},"
        f"{('north', 'south', 'east')[n % 3]},"
        f"{n % 5 == 0},{1.2**n:.3f},{n * 3},{'yes' if n % 2 else 'no'}"
        for n, day in enumerate(DAYS)
    ]
    path = tmp_path / "sales.csv"
    path.write_text("\n".join(["saleDate,area,side,is_valid,price,count,sold", *rows]) + "\n")
    return path


def both(settings: Settings, folder: Path) -> tuple[Any, Any]:
    """(built, the snippet's learner), each after an epoch of training."""
    source = tabular.inspect(settings)
    built = tabular.build(source, settings, None, 8, "cpu", folder)
    code = tabular.snippet(source, settings, None, 8, False)
    assert sum(line.startswith("dls = ") for line in code.splitlines()) == 1
    names: dict[str, Any] = {}
    exec(compile(code, "snippet", "exec"), names)
    for learner in (built.learner, names["learn"]):
        with learner.no_bar(), learner.no_logging():
            learner.fit(1)
        assert all(bool(value.isfinite().all()) for value in learner.model.state_dict().values())
        assert len(learner.dls.valid_ds) == source.valid
    return built, names["learn"]


@pytest.mark.parametrize(
    ("target", "metrics"),
    [("price", ["_rmse", "_exp_rmspe"]), ("count", ["_rmse"]), ("sold", ["accuracy"])],
)
def test_a_table_with_everything_trains_and_its_snippet_does_too(
    target: str, metrics: list[str], sales: Path, tmp_path: Path
) -> None:
    """The same columns, network and values come from both; of errors, lower is better."""
    settings = Settings("tabular", str(sales), target)
    built, other = both(settings, tmp_path)
    assert [metric.name for metric in built.learner.metrics] == metrics
    assert built.higher_is_better is (target == "sold")
    mine, theirs = built.learner.dls, other.dls
    assert list(mine.cat_names) == list(theirs.cat_names) and list(mine.cont_names) == list(
        theirs.cont_names
    )
    assert (
        "saleMonth" in mine.cat_names
        and "saleElapsed" in mine.cont_names
        and "is_valid" not in mine.cat_names
    )
    assert mine.train_ds.items.equals(theirs.train_ds.items) and mine.valid_ds.items.equals(
        theirs.valid_ds.items
    )
    shapes = [
        [value.shape for value in learner.model.state_dict().values()]
        for learner in (built.learner, other)
    ]
    assert shapes[0] == shapes[1]
    assert any(note.startswith("widths of embeddings by fastai's rule: ") for note in built.notes)


def test_predictions_stay_in_their_range(sales: Path, tmp_path: Path) -> None:
    """Even of a network that has learned nothing."""
    settings = Settings("tabular", str(sales), "count", y_range="-10,1000")
    source = tabular.inspect(settings)
    learner = tabular.build(source, settings, None, 8, "cpu", tmp_path).learner
    with learner.no_bar():
        predicted, _ = learner.get_preds()
    assert bool(((predicted > -10) & (predicted < 1000)).all())
    assert "y_range=(-10.0, 1000.0)" in tabular.snippet(source, settings, None, 8, False)


def test_elapsed_counts_seconds(sales: Path, tmp_path: Path) -> None:
    """fastai takes dates to be in nanoseconds, which pandas no longer makes them."""
    settings = Settings("tabular", str(sales), "sold")
    source = tabular.inspect(settings)
    learner = tabular.build(source, settings, None, 8, "cpu", tmp_path).learner
    elapsed = torch.tensor(learner.dls.train_ds.items["saleElapsed"].to_numpy())
    spread = float(learner.dls.procs.normalize.stds["saleElapsed"])
    assert float(elapsed.max() - elapsed.min()) * spread == pytest.approx(
        (DAYS[59] - DAYS[1]).total_seconds(), rel=1e-3
    )
