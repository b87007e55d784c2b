"""Reads a CSV file as a table to learn from, and says what is wrong with it by line and column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from executors.errors import BadInput, BadParameter, BadTarget, listed
from executors.inputs.csv_file import (
    MOST_CATEGORIES,
    OWN_SPLIT,
    check_classes,
    check_no_sums,
    check_rows,
    check_target,
    own_split,
)
from executors.inputs.dates import DateColumn, find_dates
from executors.inputs.numbers import NumberColumn, read_number_columns
from executors.inputs.table_file import first_line, read_frame
from executors.parameters import both

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Table", "read_table"]

SPAN = 100.0  # largest to smallest, from which on a quantity is one of orders of magnitude
_NAMELESS = re.compile(r"Unnamed: \d+|__index_level_\d+__")  # as pandas and pyarrow call it
_MANY = 10  # different values, without which none stands apart
_FAR = 3.0  # spans of all others
MOST_CLASSES = 20  # a column of more different whole numbers is a quantity


@dataclass(frozen=True, slots=True)
class Table:
    """A frame with its columns told apart.

    `gaps` are the continuous columns with empty cells, which are filled here; those of dates, whose
    parts are among the columns but not yet in the frame, are filled where the parts are made.
    """

    title: str
    frame: Any  # pandas.DataFrame
    target: str
    categorical: tuple[str, ...]
    continuous: tuple[str, ...]
    classes: bool  # whether the target is one of several classes rather than a quantity
    gaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()  # what may be meant otherwise
    dates: tuple[DateColumn, ...] = ()
    log: bool = False  # whether the frame holds the target's logarithm
    held: tuple[int, ...] | None = None  # numbers of the rows that the file itself holds out
    numbers: tuple[NumberColumn, ...] = ()  # columns of numbers that were written for people


def read_table(path: Path, target: str, log_target: str = "auto") -> Table:
    """The table in the file.

    Numbers are continuous, however they are written, text is categorical, dates become their
    parts; the target is a class
    when it is text, a truth value or one of up to 20 whole numbers. Empty cells of continuous
    columns get the column's median.

    Parameters
    ----------
    log_target : {"auto", "yes", "no"}
        Whether to learn the logarithm of a quantity; "auto": when all are positive, the largest is
        a hundred times the smallest or more, and the logarithm is less lopsided.

    Raises
    ------
    BadInput
        When the file is missing, empty or no CSV; when it has no column of the target's name, with
        the closest; when the target has empty cells, a single value, or a class with a single row;
        when there are too few rows; when a date is none, or a target whose logarithm is asked for
        is not positive.
    BadParameter
        When the logarithm of classes is asked for.
    """
    import numpy as np

    frame = read_frame(path)
    numbers, doubts, how = read_number_columns(path, frame, target)
    check_target(path, frame, target)
    check_rows(path, frame)
    check_no_sums(path, frame)
    far = _far(frame)
    values = frame[target]
    classes = _is_class(values)
    held = own_split(path, frame)
    if classes:
        if values.nunique() > MOST_CLASSES:
            _check_no_date(path, frame, target)
        check_classes(path, values)
        _check_held(path, values, held)
    else:
        _check_finite(path, values)
    log, of_log = _logarithm(path, values, classes, log_target)
    if log:
        frame[target] = np.log(values.astype(float))
    dates = find_dates(
        path, frame, [name for name in frame.columns if name not in (target, OWN_SPLIT)]
    )
    categorical, continuous, left_out = _columns(path, frame, target, dates)
    gaps = tuple(name for name in continuous if name in frame.columns and frame[name].isna().any())
    for name in gaps:
        frame[name] = frame[name].fillna(frame[name].median())
    gaps += tuple(name for date in dates if date.gaps for name in date.continuous)
    filled = (f"empty cells of {listed(gaps)} take the column's median",) if gaps else ()
    notes = (*how, *filled, *of_log, *(date.note for date in dates))
    doubts = (
        *_of_target(values, classes),
        *doubts,
        *far,
        *_counting(frame, continuous),
        *(_in_time(dates) if held is None else ()),
        *left_out,
    )
    return Table(
        path.name,
        frame,
        target,
        categorical,
        continuous,
        classes,
        gaps,
        notes,
        doubts,
        dates,
        log,
        held,
        numbers,
    )


def _in_time(dates: Sequence[DateColumn]) -> tuple[str, ...]:
    """A sentence where the rows follow one another in time: the next ones tell of each."""
    return tuple(
        f"rows stand in the order of '{date.name}', and those held out are drawn from among them "
        f"all: on later rows the model may do worse; a column {OWN_SPLIT} can hold out the last"
        for date in dates
        if date.in_order
    )


def _check_held(path: Path, values: pd.Series, held: tuple[int, ...] | None) -> None:
    """A class that is only validated on cannot be learned."""
    if held is None:
        return
    known = set(values.drop(index=list(held)))
    unknown = ~values.isin(known)
    if unknown.any():
        name, line = values[unknown].iloc[0], first_line(path, unknown)
        raise BadTarget(
            f"{path}, line {line}: class '{name}' of '{values.name}' is in held-out rows only"
        )


def _logarithm(
    path: Path, values: pd.Series, classes: bool, asked: str
) -> tuple[bool, tuple[str, ...]]:
    """Whether the logarithm of the target is learned, and the sentence about it."""
    import numpy as np

    if classes:
        if asked == "yes":
            raise BadParameter(
                f"{both('log_target')}: '{values.name}' holds classes, which have no logarithm"
            )
        return False, ()
    wrong = values <= 0
    if asked == "no" or (asked == "auto" and wrong.any()):
        return False, ()
    if wrong.any():
        value, line = values[wrong].iloc[0], first_line(path, wrong)
        raise BadTarget(
            f"{path}, line {line}: the target '{values.name}' is {value:g}, which has no logarithm"
        )
    if asked == "auto":
        numbers = values.to_numpy(dtype=float)
        if numbers.max() / numbers.min() < SPAN or _lopsided(np.log(numbers)) >= _lopsided(numbers):
            return False, ()
    return True, (
        f"the logarithm of '{values.name}' is learned: rmse is of logarithms, "
        "np.exp gives predictions back",
    )


def _check_no_date(path: Path, frame: pd.DataFrame, target: str) -> None:
    """A day is neither a class nor a quantity."""
    if find_dates(path, frame, [target]):
        raise BadTarget(
            f"{path}: the target '{target}' holds dates, such as '{frame[target].iloc[0]}'; "
            "learn a class or a quantity, for example the days until then"
        )


def _lopsided(values: NDArray[np.float64]) -> float:
    """How far the values are from being symmetric: the size of their skewness."""
    apart = values - values.mean()
    return float(abs((apart**3).mean() / (apart**2).mean() ** 1.5))


def _is_class(values: pd.Series) -> bool:
    import pandas as pd

    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        return True
    return bool(values.nunique() <= MOST_CLASSES and (values % 1 == 0).all())


def _of_target(values: pd.Series, classes: bool) -> tuple[str, ...]:
    """What is to be said of whole numbers, which may be names of classes or a quantity."""
    import pandas as pd

    kinds = values.nunique()
    if kinds < 3 or not pd.api.types.is_numeric_dtype(values) or (values % 1 != 0).any():
        return ()
    holds = f"the target '{values.name}' holds {kinds} different whole numbers"
    if classes:
        return (f"{holds}, which are learned as classes, not as a quantity",)
    return (f"{holds}, which are learned as a quantity; if they are classes, write them as words",)


def _check_finite(path: Path, values: pd.Series) -> None:
    import numpy as np

    infinite = np.isinf(values.astype(float))
    if infinite.any():
        raise BadInput(
            f"{path}, line {first_line(path, infinite)}: column '{values.name}' is infinite"
        )


def _columns(
    path: Path, frame: pd.DataFrame, target: str, dates: tuple[DateColumn, ...]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """(categorical, continuous, doubts) of the columns to learn from."""
    import pandas as pd

    categorical: list[str] = []
    continuous: list[str] = []
    left_out: list[str] = []
    parts = {date.name: date for date in dates}
    for name in (name for name in frame.columns if name not in (target, OWN_SPLIT)):
        if name in parts:
            categorical += parts[name].categorical
            continuous += parts[name].continuous
            continue
        values, kinds = frame[name], frame[name].nunique()
        if kinds < 2:
            left_out.append(f"'{name}' (a single value)" if kinds else f"'{name}' (empty)")
        elif _NAMELESS.fullmatch(name) and _counts(values):
            left_out.append(f"'{name}' (has no name and counts the rows)")
        elif pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            _check_finite(path, values)
            continuous.append(str(name))
        elif kinds > max(2, len(values) // 2) or kinds > MOST_CATEGORIES:
            what = (
                "texts" if pd.api.types.infer_dtype(values, skipna=True) == "string" else "values"
            )
            left_out.append(f"'{name}' ({kinds} different {what})")
        else:
            categorical.append(str(name))
    if not categorical and not continuous:
        raise BadInput(
            f"{path} has no column to learn '{target}' from; left out: "
            f"{', '.join(left_out) or 'none'}"
        )
    doubts = (f"left out: {', '.join(left_out)}",) if left_out else ()
    return tuple(categorical), tuple(continuous), doubts


def _counts(values: pd.Series) -> bool:
    """Whether the column holds numbers that go up by one from row to row."""
    import pandas as pd

    steps = pd.to_numeric(values, errors="coerce").diff().iloc[1:]
    return bool((steps == 1).all())


def _counting(frame: pd.DataFrame, names: Sequence[str]) -> tuple[str, ...]:
    """What is to be said of columns that tell in which order the rows stand."""
    return tuple(
        f"'{name}' counts the rows; take it out of the file if it only numbers them, for it tells "
        "the order that they stand in"
        for name in names
        if name in frame.columns and _counts(frame[name])
    )


def _far(frame: pd.DataFrame) -> tuple[str, ...]:
    """What is to be said of a lowest or highest value that stands far from all others, as 9999."""
    import numpy as np
    import pandas as pd

    notes = []
    for name in (name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name])):
        values, counts = np.unique(frame[name].dropna().to_numpy(dtype=float), return_counts=True)
        if len(values) <= _MANY:
            continue
        for end, rest in ((-1, values[:-1]), (0, values[1:])):
            if counts[end] > 1 and abs(values[end] - rest[end]) > _FAR * (rest[-1] - rest[0]):
                notes.append(
                    f"'{name}' is {values[end]:g} in {counts[end]} rows, and from {rest[0]:g} to "
                    f"{rest[-1]:g} in the others; if it stands for a missing value, "
                    "empty its cells"
                )
    return tuple(notes)
