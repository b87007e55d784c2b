"""Recognises columns of dates, and says which of their parts are worth learning from."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from executors.errors import BadInput
from executors.inputs.table_file import first_line

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DateColumn", "find_dates", "read_dates"]

# in the order in which one is preferred when several fit; pandas too takes the month first
_FORMATS = (
    "ISO8601",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d-%b-%Y",
)
_TIMES = ("", " %H:%M", " %H:%M:%S")
_ZONE = re.compile(r"\d(?:Z|[+-]\d\d:?\d\d)$")
_DATE_SHARE = 0.8  # a text column with so many dates is a column of dates with mistakes
# fastai's parts; those that go on rising are numbers, those that come again are categories
_CATEGORIES = (
    "Month",
    "Week",
    "Day",
    "Dayofweek",
    "Is_month_end",
    "Is_month_start",
    "Is_quarter_end",
    "Is_quarter_start",
    "Is_year_end",
    "Is_year_start",
)
_NUMBERS = ("Year", "Dayofyear", "Elapsed")
_TIME_NUMBERS = ("Hour", "Minute", "Second")


@dataclass(frozen=True, slots=True)
class DateColumn:
    """A column of dates: how they are written, and the names of the parts that differ."""

    name: str
    format: str  # for pandas
    zoned: bool  # whether zones of time are given; they are brought to UTC
    time: bool  # whether there is a time of day
    prefix: str
    categorical: tuple[str, ...]
    continuous: tuple[str, ...]
    gaps: bool  # whether some are missing
    in_order: bool  # whether the rows follow one another in time, forward or back
    note: str


def find_dates(path: Path, frame: pd.DataFrame, names: Collection[str]) -> tuple[DateColumn, ...]:
    """The date columns among the columns of these names.

    Raises
    ------
    BadInput
        When most values of a column are dates and one is not: the line and what is there.
    """
    import pandas as pd

    taken = {str(name) for name in frame.columns}
    columns: list[DateColumn] = []
    for name in names:
        values = frame[name]
        if pd.api.types.is_numeric_dtype(values) or values.nunique() < 2:
            continue
        column = _date_column(path, values, taken)
        if column is not None:
            taken |= {column.prefix + part for part in (*_CATEGORIES, *_NUMBERS, *_TIME_NUMBERS)}
            columns.append(column)
    return tuple(columns)


def read_dates(values: pd.Series, column: DateColumn) -> pd.Series:
    """The column's dates in nanoseconds, the unit that fastai's Elapsed counts on."""
    import pandas as pd

    dates = pd.to_datetime(values, format=column.format, utc=column.zoned)
    return (dates.dt.tz_localize(None) if column.zoned else dates).astype("datetime64[ns]")


def _date_column(path: Path, values: pd.Series, taken: set[str]) -> DateColumn | None:
    import pandas as pd

    values = values.where(values.astype(str).str.contains(r"[^\W_]"))  # "-" stands for no date
    given = values.dropna().astype(str)
    different = pd.Series(given.unique())
    zoned = bool(different.str.contains(_ZONE).any())
    best, share, others = "", 0.0, 0
    for written in _formats(different):
        good = float(
            pd.to_datetime(different, format=written, errors="coerce", utc=zoned).notna().mean()
        )
        others += good == share == 1.0
        if good > share:
            best, share = written, good
    if share < _DATE_SHARE:
        return None
    dates = pd.to_datetime(values, format=best, errors="coerce", utc=zoned)
    wrong = dates.isna() & values.notna()
    if wrong.any():
        like = different[
            pd.to_datetime(different, format=best, errors="coerce", utc=zoned).notna()
        ].iloc[0]
        raise BadInput(
            f"{path}, line {first_line(path, wrong)}: "
            f"column '{values.name}' is '{values[wrong].iloc[0]}' where a date "
            f"such as '{like}' is expected"
        )
    return _described(
        values, dates.dt.tz_localize(None) if zoned else dates, best, zoned, others > 0, taken
    )


def _formats(different: pd.Series) -> list[str]:
    """The formats that the first value may be written in."""
    import pandas as pd

    first = different.iloc[:20]
    if not first.str.contains(r"\d").any():
        return []
    tried = [f"{day}{time}" for day in _FORMATS for time in (_TIMES if day != "ISO8601" else ("",))]
    return [
        written
        for written in tried
        if pd.to_datetime(first, format=written, errors="coerce", utc=True).notna().any()
    ]


def _described(
    values: pd.Series, dates: pd.Series, written: str, zoned: bool, several: bool, taken: set[str]
) -> DateColumn:
    name = str(values.name)
    prefix = re.sub("[Dd]ate$", "", name)  # as fastai names the parts
    if any(prefix + part in taken for part in (*_CATEGORIES, *_NUMBERS, *_TIME_NUMBERS)):
        prefix = f"{name}_"
    time = bool((dates.dropna() != dates.dropna().dt.normalize()).any())
    varied = _varied(dates)
    categorical = tuple(prefix + part for part in _CATEGORIES if part in varied)
    continuous = tuple(
        prefix + part for part in (*_NUMBERS, *(_TIME_NUMBERS if time else ())) if part in varied
    )
    order = (
        "; read with the month first, though the day could be as well"
        if several and "%m/%d" in written
        else ""
    )
    note = f"'{name}' holds dates; learned from are {', '.join((*categorical, *continuous))}{order}"
    gaps = bool(dates.isna().any())
    in_order = dates.is_monotonic_increasing or dates.is_monotonic_decreasing
    return DateColumn(
        name, written, zoned, time, prefix, categorical, continuous, gaps, in_order, note
    )


def _varied(dates: pd.Series) -> set[str]:
    """The parts that have more than one value."""
    given = dates.dropna()
    parts = {
        part: getattr(given.dt, part.lower())
        for part in (*_CATEGORIES, *_NUMBERS, *_TIME_NUMBERS)
        if part not in ("Week", "Elapsed")
    }
    parts["Week"] = given.dt.isocalendar().week
    parts["Elapsed"] = given
    return {part for part, values in parts.items() if values.nunique() > 1}
