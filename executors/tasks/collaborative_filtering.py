"""Collaborative filtering on a CSV file of user, item and rating, or on a generated sample.

Checking needs pandas only; torch and fastai are imported where a learner is built.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from executors.errors import BadInput, BadParameter, listed
from executors.inputs.csv_file import (
    OWN_SPLIT,
    check_column,
    check_rows,
    own_split,
)
from executors.inputs.numbers import NumberColumn, as_written, number_lines, read_number_columns
from executors.inputs.table_file import cell_of, first_line, read_code, read_frame
from executors.inputs.y_range import asked_range
from executors.parameters import both
from executors.task import Built, Settings, Source

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DEFAULT_ARCH",
    "EXPECTS",
    "LADDER",
    "NAME",
    "SAID",
    "TITLE",
    "build",
    "default_size",
    "finish",
    "inspect",
    "snippet",
    "template",
]

NAME = "collaborative-filtering"
TITLE = "Collaborative filtering"
EXPECTS = (
    "A CSV file with one rating a row: columns user, item and rating, or three others named as "
    "the target (user,item,rating), or else its first three; the sample is generated from hidden "
    "tastes."
)
SAID = (
    (
        "collaborative filtering",
        "collab filtering",
        "collab",
        "recommender",
        "recommendation",
        "rating",
        "movielens",
        "matrix factorisation",
        "matrix factorization",
        "user-item",
        "dot product model",
    ),
)
DEFAULT_ARCH = "50 factors"
LADDER = ("5", "50", "200")
_FACTORS = 50  # fastai's default
_NAMES = ("user", "item", "rating")
VALID_SHARE = 0.2
_MOST_STEPS = 100  # different ratings; more are a quantity without steps
_TEMPLATE = 64
# the generated sample: tastes and properties of a few factors, rated in halves from 0.5 to 5
_USERS, _ITEMS, _RATINGS, _TASTES = 200, 120, 6000, 4


@dataclass(frozen=True, slots=True)
class _Ratings:
    """Ratings, the names of their three columns, the rows held out, and what is predicted."""

    frame: Any  # pandas.DataFrame
    names: tuple[str, str, str]
    valid: tuple[int, ...]
    split: bool  # whether the file brings its own split
    y_range: tuple[float, float]
    numbers: tuple[NumberColumn, ...] = ()  # the ratings, where they were written for people


def default_size(settings: Settings) -> int | None:
    """None: a rating has no size."""
    return None


def inspect(settings: Settings, verify: bool = True) -> Source:
    """Read and check the ratings.

    Raises
    ------
    BadParameter
        When the target does not name three columns, or the range is no range.
    BadInput
        When the file cannot be read, a column is missing, or a row has an empty cell or a rating
        that is no number.
    """
    wanted = asked_range(settings.y_range)
    numbers: tuple[NumberColumn, ...] = ()
    how: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    if settings.data:
        path = Path(settings.data)
        frame = read_frame(path)
        names = _columns(path, frame, settings.target)
        check_rows(path, frame)
        ratings_only = frame[[names[2]]].copy()
        numbers, unsure, how = read_number_columns(path, ratings_only, names[2])
        frame[names[2]] = ratings_only[names[2]]
        _check(path, frame, names, wanted)
        held, title = own_split(path, frame), path.name
    else:
        if settings.target:
            raise BadParameter(
                f"{both('target')}: the sample has no columns to choose ('{settings.target}')"
            )
        frame, names, held, title = _sample(settings.seed), _NAMES, None, "generated ratings"
    valid = _held_out(len(frame), settings.seed) if held is None else held
    y_range, why = (wanted, "as asked") if wanted else _range_of(frame[names[2]])
    ratings = _Ratings(frame, names, valid, held is not None, y_range, numbers)
    users, items = frame[names[0]].nunique(), frame[names[1]].nunique()
    title = f"{title}: {len(frame)} ratings of {items} items by {users} users"
    notes = (*how, f"predictions stay between {y_range[0]:g} and {y_range[1]:g}, {why}")
    doubts = (*_doubts(names, frame, settings), *unsure)
    return Source(title, len(frame) - len(valid), len(valid), notes, ratings, doubts)


def build(
    source: Source, settings: Settings, size: int | None, batch_size: int, device: str, folder: Path
) -> Built:
    """A `collab_learner`: the product of a user's and an item's factors, and a bias for each."""
    from fastai.collab import TabularCollab, collab_learner
    from fastai.data.block import TransformBlock
    from fastai.data.transforms import IndexSplitter
    from fastai.metrics import mae, rmse
    from fastai.tabular.core import Categorify

    ratings: _Ratings = source.content
    user, item, rating = ratings.names
    table = TabularCollab(
        ratings.frame[[user, item, rating]].astype({rating: "float32"}),
        [Categorify],
        [user, item],
        y_names=[rating],
        y_block=TransformBlock(),
        splits=IndexSplitter(list(ratings.valid))(ratings.frame),
    )
    loaders = table.dataloaders(bs=batch_size, device=device, path=folder, num_workers=0)
    learner = collab_learner(
        loaders,
        n_factors=_factors(settings.arch),
        y_range=ratings.y_range,
        metrics=[rmse, mae],
        path=folder,
    )
    notes = ("the weights are random: there are none for these users and items",)
    return Built(learner, pretrained=False, notes=notes, higher_is_better=False)


def template(loader: Any) -> tuple[Any, ...]:
    """(user and item (b, 2) int, rating (b, 1) float) of the first training rows."""
    batch = loader.new(
        bs=min(_TEMPLATE, loader.n), shuffle=False, drop_last=False, device="cpu"
    ).one_batch()
    return tuple(part.cpu() for part in batch)


def finish(loader: Any, batch: tuple[Any, ...]) -> tuple[Any, ...]:
    """The batch as it is."""
    return batch


def snippet(
    source: Source, settings: Settings, size: int | None, batch_size: int, pretrained: bool
) -> str:
    """Imports, `dls` and `learn` on the same ratings."""
    ratings: _Ratings = source.content
    user, item, rating = ratings.names
    lines = ["from fastai.collab import *", "from fastai.tabular.all import *", ""]
    lines += (
        [
            f"df = {read_code(Path(settings.data), as_written(ratings.numbers))}",
            *number_lines(ratings.numbers),
        ]
        if settings.data
        else _sample_lines(settings.seed)
    )
    splitter = (
        f"ColSplitter({OWN_SPLIT!r})"
        if ratings.split
        else f"RandomSplitter({VALID_SHARE}, seed={settings.seed})"
    )
    lines += [
        f"df = df.astype({{{rating!r}: 'float32'}})",
        f"to = TabularCollab(df, [Categorify], [{user!r}, {item!r}], y_names=[{rating!r}],",
        f"                   y_block=TransformBlock(), splits={splitter}(df))",
        f"dls = to.dataloaders(bs={batch_size})",
        f"learn = collab_learner(dls, n_factors={_factors(settings.arch)}, "
        f"y_range={ratings.y_range!r}, "
        "metrics=[rmse, mae])",
    ]
    return "\n".join(lines) + "\n"


def _factors(arch: str) -> int:
    """How many factors a user and an item have, from text such as "50"."""
    text = (arch or DEFAULT_ARCH).removesuffix("factors").strip()
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise BadParameter(
            f"{both('arch')}: the network of ratings is given by its factors, such as 50, "
            f"not '{arch}'"
        )
    return int(text)


def _range_of(values: pd.Series) -> tuple[tuple[float, float], str]:
    """A little beyond the ratings on both sides, for a sigmoid never reaches its ends; and why."""
    low, high = float(values.min()), float(values.max())
    different = sorted(set(values.astype(float)))
    if len(different) > _MOST_STEPS:
        beyond, why = (high - low) / 20, "a twentieth beyond the ratings"
    else:
        beyond = min(b - a for a, b in pairwise(different)) / 2
        why = "half a step beyond the ratings"
    return (round(low - beyond, 6), round(high + beyond, 6)), why


def _columns(path: Path, frame: pd.DataFrame, target: str) -> tuple[str, str, str]:
    """The columns of user, item and rating: as asked, by their usual names, or the first three."""
    if target:
        asked = [name.strip() for name in target.split(",")]
        if len(set(asked)) != 3 or not all(asked):
            raise BadParameter(
                f"{both('target')}: three columns are wanted, of user, item and rating, such as "
                f"user,item,rating, got '{target}'"
            )
        for name in asked:
            check_column(path, frame, name)
        return asked[0], asked[1], asked[2]
    check_column(
        path, frame, str(frame.columns[0])
    )  # a file of another separator has a single column
    folded = {str(name).strip().lower(): str(name) for name in frame.columns}
    if all(name in folded for name in _NAMES):
        return folded["user"], folded["item"], folded["rating"]
    names = [str(name) for name in frame.columns]
    if len(names) < 3:
        raise BadInput(
            f"{path} has {len(names)} columns ({listed(names)}); user, item and rating are expected"
        )
    return names[0], names[1], names[2]


def _check(
    path: Path, frame: pd.DataFrame, names: tuple[str, str, str], wanted: tuple[float, float] | None
) -> None:
    """Every row has a user, an item, and a finite rating within the range that was asked for."""
    for name in names:
        empty = frame[name].isna()
        if empty.any():
            cell = cell_of(path, empty, list(frame.columns).index(name)).strip()
            what = f"'{cell}', which stands for a missing value" if cell else "empty"
            raise BadInput(f"{path}, line {first_line(path, empty)}: column '{name}' is {what}")
    user, item, rating = names
    frame[rating] = numbers = _numbers(path, frame[rating])
    if numbers.nunique() < 2:
        raise BadInput(
            f"{path}: column '{rating}' has the single value {numbers.iloc[0]:g}; nothing to learn"
        )
    if wanted is not None:
        outside = (numbers < wanted[0]) | (numbers > wanted[1])
        if outside.any():
            value, line = numbers[outside].iloc[0], first_line(path, outside)
            raise BadInput(
                f"{path}, line {line}: rating {value:g} is not in the y_range "
                f"{wanted[0]:g},{wanted[1]:g}"
            )
    for name in (user, item):
        if frame[name].nunique() < 2:
            raise BadInput(
                f"{path}: column '{name}' has the single value '{frame[name].iloc[0]}'; "
                "nothing to compare"
            )


def _numbers(path: Path, ratings: pd.Series) -> pd.Series:
    """The ratings as finite numbers."""
    import numpy as np
    import pandas as pd

    numbers = pd.to_numeric(ratings, errors="coerce")
    wrong = ~np.isfinite(numbers)
    if pd.api.types.is_bool_dtype(ratings) or wrong.any():
        cell = ratings[wrong].iloc[0] if wrong.any() else ratings.iloc[0]
        raise BadInput(
            f"{path}, line {first_line(path, wrong)}: column '{ratings.name}' is '{cell}' "
            "where a number is expected; if it is not the rating, name the columns of user, item "
            f"and rating in {both('target')}"
        )
    return numbers


def _doubts(
    names: tuple[str, str, str], frame: pd.DataFrame, settings: Settings
) -> tuple[str, ...]:
    """Which columns were taken when they were guessed, and what is odd about the ratings."""
    user, item, _ = names
    notes = []
    if (
        settings.data
        and not settings.target
        and tuple(name.strip().lower() for name in names) != _NAMES
    ):
        notes.append(f"taken as user, item and rating: the first columns {listed(names)}")
    again = int(frame.duplicated([user, item]).sum())
    if again:
        notes.append(f"{again} ratings are of a user and an item that were rated before; all count")
    return tuple(notes)


def _held_out(count: int, seed: int) -> tuple[int, ...]:
    """Numbers of the ratings to validate on."""
    chosen = random.Random(seed).sample(range(count), max(1, round(count * VALID_SHARE)))
    return tuple(sorted(chosen))


def _sample(seed: int) -> pd.DataFrame:
    """Ratings that follow from hidden tastes, with noise; `_sample_lines` has it for a snippet."""
    import numpy as np
    import pandas as pd

    chance = np.random.default_rng(seed)
    tastes, traits = chance.normal(size=(_USERS, _TASTES)), chance.normal(size=(_ITEMS, _TASTES))
    user, item = chance.integers(_USERS, size=_RATINGS), chance.integers(_ITEMS, size=_RATINGS)
    liking = (tastes[user] * traits[item]).sum(1) / 2 + chance.normal(size=_RATINGS) / 2
    rating = np.clip(np.round(2 * (3 + liking)) / 2, 0.5, 5)
    return pd.DataFrame({"user": user, "item": item, "rating": rating}).drop_duplicates(
        ["user", "item"], ignore_index=True
    )


def _sample_lines(seed: int) -> list[str]:
    return [
        f"chance = np.random.default_rng({seed})",
        f"tastes = chance.normal(size=({_USERS}, {_TASTES}))",
        f"traits = chance.normal(size=({_ITEMS}, {_TASTES}))",
        f"user = chance.integers({_USERS}, size={_RATINGS})",
        f"item = chance.integers({_ITEMS}, size={_RATINGS})",
        f"liking = (tastes[user] * traits[item]).sum(1) / 2 + chance.normal(size={_RATINGS}) / 2",
        "rating = np.clip(np.round(2 * (3 + liking)) / 2, 0.5, 5)",
        "df = pd.DataFrame({'user': user, 'item': item, 'rating': rating})",
        "df = df.drop_duplicates(['user', 'item'], ignore_index=True)",
    ]
