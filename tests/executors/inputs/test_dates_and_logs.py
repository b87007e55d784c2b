"""Dates become parts, wide quantities logarithms, and what breaks them is named by line."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors.errors import BadInput, BadParameter
from executors.inputs.csv_table import Table, read_table
from executors.inputs.dates import read_dates
from executors.task import Settings
from executors.tasks import tabular

DAYS = [datetime(2023, 11, 20, 8, 30) + timedelta(days=3 * n, minutes=n) for n in range(40)]


def table(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def dated(path: Path, written: str, name: str = "when") -> Path:
    return table(
        path, f"{name},y", [f'"{day.strftime(written)}",{n % 2}' for n, day in enumerate(DAYS)]
    )


def refused(path: Path, target: str, log_target: str = "auto") -> str:
    with pytest.raises(BadInput) as caught:
        read_table(path, target, log_target)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    return message


def dates(found: Table) -> list[datetime]:
    (column,) = found.dates
    return [moment.to_pydatetime() for moment in read_dates(found.frame[column.name], column)]


def test_rows_that_follow_in_time_are_told_of(tmp_path: Path) -> None:
    """Forward or back, unless the file itself says which are held out, or they are mixed."""
    rows = [f"{day:%d.%m.%Y},{n % 2},{n >= 32}" for n, day in enumerate(DAYS)]
    without = [row.rpartition(",")[0] for row in rows]
    for told in (without, without[::-1]):
        (doubt,) = read_table(table(tmp_path / "t.csv", "when,y", told), "y").doubts
        assert doubt.startswith("rows stand in the order of 'when'")
    assert read_table(table(tmp_path / "t.csv", "when,y,is_valid", rows), "y").doubts == ()
    mixed = without[1::2] + without[::2]
    assert read_table(table(tmp_path / "t.csv", "when,y", mixed), "y").doubts == ()


@pytest.mark.parametrize(
    "written",
    [
        "%Y-%m-%d",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M",
        "%d.%m.%Y",
        "%d.%m.%Y %H:%M",
        "%m/%d/%Y",
        "%d/%m/%Y",
        "%Y/%m/%d",
        "%d %b %Y",
        "%B %d, %Y",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%dT%H:%M:%S+00:00",
    ],
)
def test_dates_are_read_however_they_are_written(written: str, tmp_path: Path) -> None:
    """The parts are named as fastai names them; the time of day is learned where there is one."""
    found = read_table(dated(tmp_path / "t.csv", written), "y")
    exact = "%H" in written
    assert dates(found) == [
        day if exact else datetime(day.year, day.month, day.day) for day in DAYS
    ]
    assert {"whenMonth", "whenDayofweek"} <= set(found.categorical)
    assert {"whenYear", "whenElapsed"} <= set(found.continuous)
    assert ("whenMinute" in found.continuous) is exact
    assert any(
        note.startswith("'when' holds dates; learned from are whenMonth") for note in found.notes
    )


def test_an_unclear_order_is_said(tmp_path: Path) -> None:
    """Days up to twelve fit both ways; the month is taken first, as pandas does."""
    rows = [f"0{1 + n % 9}/0{1 + n * 2 % 9}/2024,{n % 2}" for n in range(30)]
    found = read_table(table(tmp_path / "t.csv", "when,y", rows), "y")
    assert found.dates[0].format == "%m/%d/%Y"
    assert any(
        note.endswith("with the month first, though the day could be as well")
        for note in found.notes
    )


def test_a_date_that_is_none_is_named(tmp_path: Path) -> None:
    """Line, column, what is there, and how a date looks."""
    path = dated(tmp_path / "t.csv", "%Y-%m-%d")
    path.write_text(path.read_text().replace("2023-11-29", "2023-11-31"))
    assert refused(path, "y").endswith(
        "line 5: column 'when' is '2023-11-31' where a date such as '2023-11-20' is expected"
    )


def test_missing_dates_are_gaps(tmp_path: Path) -> None:
    """Their numbers take the median, their categories are fastai's "missing"."""
    path = dated(tmp_path / "t.csv", "%Y-%m-%d")
    path.write_text(path.read_text().replace("2023-11-29", ""))
    found = read_table(path, "y")
    assert found.gaps == found.dates[0].continuous and "whenElapsed" in found.gaps


def test_names_that_are_taken_get_another_prefix(tmp_path: Path) -> None:
    """fastai would write over a column Year for the parts of a column Date."""
    rows = [f"{day:%Y-%m-%d},{n},{n % 2}" for n, day in enumerate(DAYS)]
    found = read_table(table(tmp_path / "t.csv", "Date,Year,y", rows), "y")
    assert "Date_Elapsed" in found.continuous and "Year" in found.continuous


@given(
    st.lists(
        st.text(alphabet="abc xyz-/.:", min_size=1, max_size=12),
        min_size=2,
        max_size=5,
        unique=True,
    )
)
def test_texts_are_no_dates(texts: list[str]) -> None:
    """Without a digit nothing is a date."""
    import pandas as pd

    from executors.inputs.dates import find_dates

    frame = pd.DataFrame({"x": texts * 5})
    assert find_dates(Path("t.csv"), frame, ["x"]) == ()


def test_a_quantity_of_orders_of_magnitude_is_learned_by_its_logarithm(tmp_path: Path) -> None:
    """Only then, or when asked; classes and what is not positive are refused by name."""
    path = table(
        tmp_path / "t.csv",
        "x,wide,narrow,low,kind",
        [f"{n},{1.3**n},{n + 0.5},{n - 3.5},{n % 2}" for n in range(40)],
    )
    assert read_table(path, "wide").log and not read_table(path, "wide", "no").log
    assert not read_table(path, "narrow").log and read_table(path, "narrow", "yes").log
    assert read_table(path, "wide").frame["wide"][10] == pytest.approx(10 * 0.262364, rel=1e-5)
    assert any("np.exp gives predictions back" in note for note in read_table(path, "wide").notes)
    assert not read_table(path, "low").log
    assert "line 2: the target 'low' is -3.5, which has no logarithm" in refused(path, "low", "yes")
    with pytest.raises(BadParameter, match="'kind' holds classes, which have no logarithm"):
        read_table(path, "kind", "yes")


def test_the_files_own_split_is_no_column_to_learn_from(tmp_path: Path) -> None:
    """Held out is what it says; a class that is only held out is named."""
    rows = [f"{n},{'ab'[n % 2]},{n >= 24}" for n in range(30)]
    path = table(tmp_path / "t.csv", "x,kind,is_valid", rows)
    found = read_table(path, "kind")
    assert found.held == tuple(range(24, 30)) and (found.categorical, found.continuous) == (
        (),
        ("x",),
    )
    source = tabular.inspect(Settings("tabular", str(path), "kind"))
    assert (source.train, source.valid) == (24, 6)
    rows[25:27] = ["1,new,True", "2,new,True"]
    assert "line 27: class 'new' of 'kind' is in held-out rows only" in refused(
        table(path, "x,kind,is_valid", rows), "kind"
    )


def test_the_range_of_predictions(tmp_path: Path) -> None:
    """A tenth beyond the target, or as asked if the target is within; classes have none."""
    path = table(tmp_path / "t.csv", "x,price,kind", [f"{n},{n + 0.5},{n % 2}" for n in range(41)])

    def found(target: str, y_range: str = "") -> object:
        return tabular.inspect(
            Settings("tabular", str(path), target, y_range=y_range)
        ).content.y_range

    assert (
        found("price") == (-3.5, 44.5)
        and found("price", "0,50") == (0.0, 50.0)
        and found("kind") is None
    )
    with pytest.raises(BadInput, match=r"goes from 0\.5 to 40\.5, beyond the y_range 1,50"):
        found("price", "1,50")
    with pytest.raises(BadParameter, match="'kind' holds classes, which have no range"):
        found("kind", "0,1")


def test_the_sample_has_its_own_target() -> None:
    """A column that is asked for without a file is not silently ignored."""
    with pytest.raises(
        BadParameter,
        match=r"'price' is not a column of the sample; name your own file in Data \(--data\)",
    ):
        tabular.inspect(Settings("tabular", target="price"))
