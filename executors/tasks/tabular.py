"""Tables: classes or quantities from a CSV file, or scikit-learn's breast-cancer set.

Checking needs pandas only; torch and fastai are imported where a learner is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executors.errors import BadInput, BadParameter
from executors.inputs.csv_file import OWN_SPLIT
from executors.inputs.csv_table import Table, read_table
from executors.inputs.dates import read_dates
from executors.inputs.numbers import as_written, number_lines
from executors.inputs.table_file import TABLES, read_code
from executors.inputs.y_range import asked_range
from executors.parameters import both
from executors.task import Built, Settings, Source

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

NAME = "tabular"
TITLE = "Tabular"
EXPECTS = (
    "A table (CSV, Excel, Parquet) with a line of column names; the target is the column to learn: "
    "classes or a quantity; dates become their parts; a column is_valid says which rows are "
    "held out; the sample is scikit-learn's breast-cancer set."
)
SAID = (
    ("tabular", "table data", "structured data"),
    (),
    (),
    (),
    (
        *(end.removeprefix(".") for end in TABLES),
        "csvs",
        "data frame",
        "dataframe",
        "spreadsheet",
        "excel",
        "pandas",
        "my table",
        "our table",
        "a table of",
        "the table",
        "table",
        "rows",
        "target column",
    ),
)
DEFAULT_ARCH = "200,100"
LADDER = ("8", "32,16", "200,100", "1000,500")
VALID_SHARE = 0.2
_BEYOND = 0.1  # of the target's range, for a sigmoid never reaches its ends
_SHOWN = 6
_WIDEST = 100_000


@dataclass(frozen=True, slots=True)
class _Sample:
    """A table, which of its rows are held out, and the range of a quantity to predict."""

    table: Table
    valid: tuple[int, ...]
    y_range: tuple[float, float] | None


def default_size(settings: Settings) -> int | None:
    """None: a row has no size."""
    return None


def inspect(settings: Settings, verify: bool = True) -> Source:
    """Read and check the table.

    Raises
    ------
    BadParameter
        When the layers of the network or the range of predictions cannot be read, or the sample is
        asked for another target.
    BadInput
        See `read_table`.
    """
    _layers(settings.arch)
    table = _read(settings)
    valid = _held_out(table, settings.seed) if table.held is None else table.held
    rows = len(table.frame)
    kind = "classification" if table.classes else "regression"
    title = f"{table.title}: {rows} rows, {len(table.continuous) + len(table.categorical)} columns"
    notes = (f"{kind} of '{table.target}'", *table.notes)
    y_range = _range(table, settings.y_range)
    if y_range is not None:
        why = "as asked" if settings.y_range else f"{_BEYOND:.0%} beyond the target on both sides"
        notes = (*notes, f"predictions stay between {y_range[0]:g} and {y_range[1]:g}, {why}")
    sample = _Sample(table, valid, y_range)
    return Source(title, rows - len(valid), len(valid), notes, sample, table.doubts)


def build(
    source: Source, settings: Settings, size: int | None, batch_size: int, device: str, folder: Path
) -> Built:
    """A `tabular_learner` with random weights, for there are no others."""
    from fastai.data.block import CategoryBlock, RegressionBlock
    from fastai.data.transforms import IndexSplitter
    from fastai.metrics import accuracy, exp_rmspe, rmse
    from fastai.tabular.core import Categorify, Normalize, TabularPandas
    from fastai.tabular.learner import tabular_learner

    sample: _Sample = source.content
    table = sample.table
    frame = _with_parts(table)
    pandas = TabularPandas(
        frame,
        procs=[Categorify, Normalize],
        cat_names=list(table.categorical),
        cont_names=list(table.continuous),
        y_names=table.target,
        y_block=CategoryBlock() if table.classes else RegressionBlock(),
        splits=IndexSplitter(list(sample.valid))(frame),
    )
    loaders = pandas.dataloaders(bs=batch_size, device=device, path=folder, num_workers=0)
    metrics = accuracy if table.classes else [rmse, exp_rmspe] if table.log else rmse
    learner = tabular_learner(
        loaders, layers=_layers(settings.arch), y_range=sample.y_range, metrics=metrics, path=folder
    )
    notes = ("the weights are random: tables have no pretrained ones", *_embeddings(learner, table))
    return Built(learner, pretrained=False, notes=notes, higher_is_better=table.classes)


def template(loader: Any) -> tuple[Any, ...]:
    """(categories (b, columns) int, numbers (b, columns) float, target (b, 1)) of some rows."""
    batch = loader.new(
        bs=min(64, loader.n), shuffle=False, drop_last=False, device="cpu"
    ).one_batch()
    return tuple(part.cpu() for part in batch)


def finish(loader: Any, batch: tuple[Any, ...]) -> tuple[Any, ...]:
    """The batch as it is."""
    return batch


def snippet(
    source: Source, settings: Settings, size: int | None, batch_size: int, pretrained: bool
) -> str:
    """Imports, `dls` and `learn` on the same table."""
    table: Table = source.content.table
    lines = ["from fastai.tabular.all import *"]
    if settings.data:
        lines += ["", f"df = {read_code(Path(settings.data), as_written(table.numbers))}"]
    else:
        lines += [
            "from sklearn.datasets import load_breast_cancer",
            "",
            "df = load_breast_cancer(as_frame=True).frame",
        ]
    lines += _frame_lines(table)
    block, metric = ("CategoryBlock", "accuracy") if table.classes else ("RegressionBlock", "rmse")
    metric = "[rmse, exp_rmspe]" if table.log else metric
    y_range = "" if source.content.y_range is None else f"y_range={source.content.y_range!r}, "
    split = f"RandomSplitter({VALID_SHARE}, seed={settings.seed})(range_of(df))"
    lines += [
        f"splits = {split if table.held is None else f'ColSplitter({OWN_SPLIT!r})(df)'}",
        f"categories = {list(table.categorical)!r}",
        f"numbers = {list(table.continuous)!r}",
        "to = TabularPandas(df, [Categorify, Normalize], categories, numbers,",
        f"                   y_names={table.target!r}, y_block={block}(), splits=splits)",
        f"dls = to.dataloaders(bs={batch_size})",
        f"learn = tabular_learner(dls, layers={_layers(settings.arch)!r}, "
        f"{y_range}metrics={metric})",
    ]
    if table.log:
        lines.append("# the quantities themselves: np.exp(learn.get_preds()[0])")
    return "\n".join(lines) + "\n"


def _frame_lines(table: Table) -> list[str]:
    """Lines that bring the frame as it was read to what is learned from."""
    lines = number_lines(table.numbers)
    for date in table.dates:
        zone = ", utc=True).dt.tz_localize(None" if date.zoned else ""
        read = f"pd.to_datetime(df[{date.name!r}], format={date.format!r}{zone})"
        read += ".astype('datetime64[ns]')"
        lines.append(f"df[{date.name!r}] = {read}")
        lines.append(
            f"df = add_datepart(df, {date.name!r}, prefix={date.prefix!r}, time={date.time})"
        )
    if table.gaps:
        lines.append(f"gaps = {list(table.gaps)!r}")
        lines.append("df[gaps] = df[gaps].fillna(df[gaps].median())")
    if table.log:
        lines.append(f"df[{table.target!r}] = np.log(df[{table.target!r}])")
    return lines


def _with_parts(table: Table) -> Any:
    """A copy of the table's frame in which dates are their parts."""
    from fastai.tabular.core import add_datepart

    frame = table.frame.copy()
    for date in table.dates:
        frame[date.name] = read_dates(frame[date.name], date)
        frame = add_datepart(frame, date.name, prefix=date.prefix, time=date.time)
    for name in table.gaps:
        frame[name] = frame[name].fillna(frame[name].median())
    return frame


def _embeddings(learner: Any, table: Table) -> tuple[str, ...]:
    """How wide each category's embedding is."""
    widths = [layer.embedding_dim for layer in learner.model.embeds]
    shown = [f"'{name}' {width}" for name, width in zip(table.categorical, widths, strict=True)]
    more = ", ..." if len(shown) > _SHOWN else ""
    return (
        (f"widths of embeddings by fastai's rule: {', '.join(shown[:_SHOWN])}{more}",)
        if shown
        else ()
    )


def _range(table: Table, asked: str) -> tuple[float, float] | None:
    """The range of predictions: as asked, else a little beyond the target; classes have none."""
    wanted = asked_range(asked)
    if table.classes:
        if wanted is not None:
            raise BadParameter(
                f"{both('y_range')}: '{table.target}' holds classes, which have no range"
            )
        return None
    low, high = float(table.frame[table.target].min()), float(table.frame[table.target].max())
    if wanted is None:
        beyond = (high - low) * _BEYOND
        return float(f"{low - beyond:.6g}"), float(f"{high + beyond:.6g}")
    if wanted[0] > low or wanted[1] < high:
        raise BadInput(
            f"{table.title}: the target '{table.target}' goes from {low:g} to {high:g}, "
            f"beyond the y_range {wanted[0]:g},{wanted[1]:g}"
        )
    return wanted


def _layers(arch: str) -> list[int]:
    """Widths of the hidden layers from text such as "200,100"."""
    try:
        widths = [int(width) for width in (arch or DEFAULT_ARCH).split(",")]
    except ValueError:
        widths = []
    if not widths or not all(1 <= width <= _WIDEST for width in widths):
        raise BadParameter(
            f"{both('arch')}: a table's network is given by the widths of its layers, "
            f"such as 200,100, not '{arch}'"
        )
    return widths


def _read(settings: Settings) -> Table:
    if settings.data:
        return read_table(Path(settings.data), settings.target, settings.log_target)
    table = _breast_cancer()
    if settings.target not in ("", table.target):
        raise BadParameter(
            f"{both('target')}: '{settings.target}' is not a column of the sample; "
            f"name your own file in {both('data')}"
        )
    if settings.log_target == "yes":
        raise BadParameter(
            f"{both('log_target')}: the sample's target holds classes, which have no logarithm"
        )
    return table


def _breast_cancer() -> Table:
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame
    return Table(
        "scikit-learn's breast cancer set",
        frame,
        "target",
        (),
        tuple(frame.columns[:-1]),
        classes=True,
    )


def _held_out(table: Table, seed: int) -> tuple[int, ...]:
    """Row numbers to validate on; of every class some rows are left to train on."""
    import random

    groups: dict[object, list[int]] = {}
    keys = table.frame[table.target].astype(str) if table.classes else ["all"] * len(table.frame)
    for row, key in enumerate(keys):
        groups.setdefault(key, []).append(row)
    chosen: list[int] = []
    mixer = random.Random(seed)
    for rows in groups.values():
        mixer.shuffle(rows)
        chosen += rows[: min(len(rows) - 1, round(len(rows) * VALID_SHARE))]
    return tuple(sorted(chosen))
