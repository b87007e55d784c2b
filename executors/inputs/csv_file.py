"""Checks the rows and columns of a table, and says what is wrong by line and column."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from executors.errors import BadInput, BadTarget, listed, name_hint
from executors.inputs.table_file import cell_of, first_line
from executors.parameters import both

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FEWEST_ROWS",
    "MOST_CATEGORIES",
    "OWN_SPLIT",
    "check_classes",
    "check_column",
    "check_names",
    "check_no_sums",
    "check_rows",
    "check_target",
    "own_split",
]

FEWEST_ROWS = 20  # a fifth is held out, and batches need a few
MOST_CATEGORIES = 1_000
OWN_SPLIT = "is_valid"  # the column that says which rows are held out, as fastai names it


def check_column(path: Path, frame: pd.DataFrame, wanted: str) -> None:
    """Make sure that there is a column of this name to learn.

    Raises
    ------
    BadTarget
        With the closest names, or all.
    """
    try:
        check_names(path, [str(name) for name in frame.columns], (wanted,))
    except BadInput as error:
        raise BadTarget(str(error)) from None


def check_names(path: Path, names: Sequence[str], needed: Sequence[str]) -> None:
    """Make sure that the needed names are among a table's columns.

    Raises
    ------
    BadInput
        With the closest names, or all; says so when the names look like a row of values.
    """
    for name in needed:
        if name not in names:
            odd = len(names) == 1 or any(map(_is_number, names))
            first = "; is its first line one of names?" if odd else ""
            raise BadInput(f"{path} has no column '{name}'; {name_hint(name, names)}{first}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_target(path: Path, frame: pd.DataFrame, target: str) -> None:
    """Make sure that there is a column to learn, without empty cells, of several values.

    Raises
    ------
    BadTarget
    """
    if not target:
        names = [str(name) for name in frame.columns]
        raise BadTarget(
            f"{path}: which column is to be learned? Name it in {both('target')}; "
            f"there are {listed(names)}"
        )
    check_column(path, frame, target)
    empty = frame[target].isna()
    if empty.any():
        count, line = int(empty.sum()), first_line(path, empty)
        where = f"line {line}" if count == 1 else f"{count} rows, the first at line {line}"
        cell = cell_of(path, empty, list(frame.columns).index(target)).strip()
        what = f"'{cell}', which stands for a missing value," if cell else "empty"
        raise BadTarget(
            f"{path}: the target '{target}' is {what} in {where}; fill these in or leave them out"
        )
    if frame[target].nunique() < 2:
        raise BadTarget(
            f"{path}: the target '{target}' has the single value '{frame[target].iloc[0]}'; "
            "nothing to learn"
        )


def check_rows(path: Path, frame: pd.DataFrame) -> None:
    """Make sure that there are rows enough to learn from and to validate on."""
    if len(frame) < FEWEST_ROWS:
        raise BadInput(f"{path} has {len(frame)} rows; at least {FEWEST_ROWS} are needed")


def check_no_sums(path: Path, frame: pd.DataFrame) -> None:
    """Make sure that the last row is one as the others, not their sums.

    Raises
    ------
    BadInput
        When every number in it is the sum of those above.
    """
    import numpy as np

    numbers = frame.select_dtypes("number", exclude="timedelta").astype(float)
    last = numbers.iloc[-1].dropna()
    above = numbers.iloc[:-1][list(last.index)]
    larger = last.abs() > above.abs().max()
    if larger.any() and np.allclose(last, above.sum(), rtol=1e-6):
        line = first_line(path, frame.index.to_series() == len(frame) - 1)
        raise BadInput(
            f"{path}, line {line}: the last row holds the sums of the others "
            f"({listed(list(last.index))}); remove it"
        )


def own_split(path: Path, frame: pd.DataFrame) -> tuple[int, ...] | None:
    """Numbers of the rows that the column "is_valid" holds out; None without one.

    Raises
    ------
    BadInput
        When the column holds something else, with the line, or leaves no row to train or to
        validate on.
    """
    if OWN_SPLIT not in frame.columns:
        return None
    words = frame[OWN_SPLIT].astype(str).str.lower()
    wrong = ~words.isin(["true", "false", "1", "0"])
    if wrong.any():
        cell = frame[OWN_SPLIT][wrong].iloc[0]
        line = first_line(path, wrong)
        raise BadInput(
            f"{path}, line {line}: column '{OWN_SPLIT}' is '{cell}' where true or false is expected"
        )
    held = words.isin(["true", "1"]).to_numpy().nonzero()[0]
    if len(held) in (0, len(frame)):
        raise BadInput(
            f"{path}: column '{OWN_SPLIT}' leaves no row to "
            f"{'validate' if not len(held) else 'train'} on"
        )
    return tuple(int(row) for row in held)


def check_classes(path: Path, values: pd.Series) -> None:
    """Make sure that the column's values are classes of two rows or more.

    Raises
    ------
    BadTarget
    """
    counts = values.value_counts()
    if len(counts) > MOST_CATEGORIES or len(counts) > len(values) // 2:
        raise BadTarget(
            f"{path}: the target '{values.name}' has {len(counts)} different values in "
            f"{len(values)} rows, too many for classes, and some are not numbers, such as "
            f"'{values.iloc[0]}' in line {first_line(path, values == values.iloc[0])}"
        )
    single = counts[counts == 1]
    if len(single):
        name = single.index[0]
        line = first_line(path, values == name)
        raise BadTarget(
            f"{path}, line {line}: class '{name}' of '{values.name}' has this row only; "
            "a class needs two at least"
        )
