"""Ratings become a learner of factors, or one sentence names the row or column in the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastai.torch_core import set_seed

from executors.errors import BadInput, BadParameter
from executors.task import Settings
from executors.tasks import collaborative_filtering as task

ROWS = [f"u{n % 7},film {n % 5},{1 + (n * n) % 9 / 2}" for n in range(40)]


def table(path: Path, header: str = "user,item,rating", rows: list[str] = ROWS) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def settings(path: Path | None = None, **more: Any) -> Settings:
    return Settings("collaborative-filtering", str(path or ""), **more)


def refused(path: Path, **more: str) -> str:
    with pytest.raises(BadInput) as caught:
        task.inspect(settings(path, **more))
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    return message


def test_columns_are_found_by_name_by_target_or_by_place(tmp_path: Path) -> None:
    """In this order; a guess is said."""
    by_name = table(
        tmp_path / "a.csv",
        "Rating,note,Item,User",
        [f"{n % 5},x,i{n % 4},u{n % 3}" for n in range(30)],
    )
    assert task.inspect(settings(by_name)).content.names == ("User", "Item", "Rating")
    other = table(
        tmp_path / "b.csv",
        "reader,book,stars,when",
        [f"r{n % 3},b{n % 4},{n % 5},{n}" for n in range(30)],
    )
    guessed = task.inspect(settings(other))
    assert guessed.content.names == ("reader", "book", "stars")
    assert (
        "taken as user, item and rating: the first columns 'reader', 'book', 'stars'"
        in guessed.doubts
    )
    asked = task.inspect(settings(other, target="book, reader ,when"))
    assert asked.content.names == ("book", "reader", "when")


def test_the_range_goes_half_a_step_beyond_the_ratings(tmp_path: Path) -> None:
    """A sigmoid never reaches its ends; without steps it is a twentieth; what is asked is taken."""
    assert task.inspect(settings(table(tmp_path / "a.csv"))).content.y_range == (0.75, 4.75)
    assert task.inspect(settings(tmp_path / "a.csv", y_range="0,6")).content.y_range == (0.0, 6.0)
    fine = table(tmp_path / "b.csv", rows=[f"u{n % 3},i{n % 4},{n / 150}" for n in range(151)])
    assert task.inspect(settings(fine)).content.y_range == (-0.05, 1.05)


def test_wrong_rows_are_named(tmp_path: Path) -> None:
    """Line, column and what is there."""
    rows = ROWS[:]
    rows[4] = "u1,film 2,great"
    assert "line 6: column 'rating' is 'great' where a number is expected; if it is not" in refused(
        table(tmp_path / "a.csv", rows=rows)
    )
    rows[4] = "u1,film 2,inf"
    assert "line 6: column 'rating' is 'inf'" in refused(table(tmp_path / "a.csv", rows=rows))
    rows[4] = ",film 2,3"
    assert "line 6: column 'user' is empty" in refused(table(tmp_path / "a.csv", rows=rows))
    rows[4] = "None,film 2,3"
    missing = "line 6: column 'user' is 'None', which stands for a missing value"
    assert missing in refused(table(tmp_path / "a.csv", rows=rows))
    rows[4] = "u1,film 2,"
    assert "line 6: column 'rating' is empty" in refused(table(tmp_path / "a.csv", rows=rows))
    assert "line 6: rating 4.5 is not in the y_range 0,4" in refused(
        table(tmp_path / "b.csv"), y_range="0,4"
    )


def test_wrong_files_and_parameters_are_named(tmp_path: Path) -> None:
    """Too few rows or columns, a single user, a target of two columns, a range upside down."""
    assert "has 5 rows; at least 20 are needed" in refused(table(tmp_path / "a.csv", rows=ROWS[:5]))
    assert "has 2 columns ('a', 'b'); user, item and rating" in refused(
        table(tmp_path / "b.csv", "a,b", ["1,2"] * 30)
    )
    assert "no line of column names: its first line holds '196', '242', '3'" in refused(
        table(tmp_path / "c.csv", "196\t242\t3", ["1\t2\t3"] * 30)
    )
    alone = [row[row.index(",") :] for row in ROWS]
    assert "column 'user' has the single value 'me'" in refused(
        table(tmp_path / "d.csv", rows=["me" + r for r in alone])
    )
    path = table(tmp_path / "e.csv")
    assert "no column 'ratin'; did you mean 'rating'?" in refused(path, target="user,item,ratin")
    for more, said in (
        ({"target": "user,item"}, "three columns are wanted, of user, item and rating"),
        ({"y_range": "5,1"}, "such as 0.5,5.5, got '5,1'"),
        ({"y_range": "high"}, "such as 0.5,5.5, got 'high'"),
        ({"arch": "resnet18"}, "given by its factors, such as 50, not 'resnet18'"),
    ):
        with pytest.raises(BadParameter, match=said):
            task.build(
                task.inspect(settings(path, **more)),
                settings(path, **more),
                None,
                8,
                "cpu",
                tmp_path,
            )


def test_pairs_that_come_again_are_said(tmp_path: Path) -> None:
    """They are no mistake in every table, but seldom meant."""
    notes = task.inspect(settings(table(tmp_path / "a.csv"))).doubts
    assert "5 ratings are of a user and an item that were rated before; all count" in notes


def test_the_sample_is_learned(tmp_path: Path) -> None:
    """Tastes are found: a few epochs halve the error of the best constant; lower is better."""
    source = task.inspect(settings())
    set_seed(42)
    built = task.build(source, settings(), None, 32, "cpu", tmp_path)
    assert not built.higher_is_better and built.learner.metrics[0].name == "_rmse"
    with built.learner.no_bar(), built.learner.no_logging():
        built.learner.fit_one_cycle(8, 2e-2, wd=0.1)
    frame = source.content.frame
    assert built.learner.recorder.values[-1][2] < 0.75 * frame["rating"].std()
    category, rating = task.template(built.learner.dls.train)
    assert category.shape == (64, 2) and rating.shape == (64, 1)


@pytest.mark.parametrize("split", [False, True])
def test_the_snippet_runs_on_own_ratings(split: bool, tmp_path: Path) -> None:
    """It makes the same network; a user with a single rating and an own split are fine."""
    rows = [*ROWS, "lonely,film 1,4", "u1,unseen,2"]
    if split:
        rows = [f"{row},{number > 34}" for number, row in enumerate(rows)]
    path = table(tmp_path / "a.csv", "user,item,rating" + (",is_valid" if split else ""), rows)
    check(settings(path), tmp_path, 7 if split else 8)


def test_the_samples_snippet_runs(tmp_path: Path) -> None:
    """It generates the same ratings."""
    learner = check(settings(), tmp_path, 1067)
    frame = task.inspect(settings()).content.frame
    made = learner.dls.train_ds.items["rating"].sum() + learner.dls.valid_ds.items["rating"].sum()
    assert made == frame["rating"].sum()


def check(asked: Settings, folder: Path, held: int) -> Any:
    source = task.inspect(asked)
    built = task.build(source, asked, None, 16, "cpu", folder)
    names: dict[str, Any] = {}
    exec(compile(task.snippet(source, asked, None, 16, False), "snippet", "exec"), names)
    for learner in (built.learner, names["learn"]):
        assert len(learner.dls.valid_ds) == held == source.valid
        with learner.no_bar(), learner.no_logging():
            learner.fit(1)
    assert names["learn"].model.y_range == built.learner.model.y_range
    assert (
        names["learn"].model.u_weight.weight.shape[1]
        == built.learner.model.u_weight.weight.shape[1]
    )
    return names["learn"]
