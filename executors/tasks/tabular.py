"""Classification and regression on a table: a CSV file with a target column, or scikit-learn's breast-cancer set.

Checking needs pandas only; torch and fastai are imported where a learner is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadParameter
from .csv_table import Table, read_table
from .source import Built, Settings, Source

__all__ = [
    "DEFAULT_ARCH",
    "EXPECTS",
    "NAME",
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
    "A CSV file with a line of column names, and the column to learn as the target; "
    "the sample is scikit-learn's breast-cancer set."
)
DEFAULT_ARCH = "200,100"
VALID_SHARE = 0.2
_WIDEST = 100_000


@dataclass(frozen=True, slots=True)
class _Sample:
    """A table and which of its rows are held out."""

    table: Table
    valid: tuple[int, ...]


def default_size(settings: Settings) -> int | None:
    """None: a row has no size."""
    return None


def inspect(settings: Settings, verify: bool = True) -> Source:
    """Read and check the table.

    Raises
    ------
    BadParameter
        When the layers of the network cannot be read.
    BadInput
        See `read_table`.
    """
    _layers(settings.arch)
    table = read_table(Path(settings.data), settings.target) if settings.data else _breast_cancer()
    valid = _held_out(table, settings.seed)
    rows = len(table.frame)
    kind = "classification" if table.classes else "regression"
    title = f"{table.title}: {rows} rows, {len(table.continuous) + len(table.categorical)} columns"
    notes = (f"{kind} of '{table.target}'", *table.notes)
    return Source(title, rows - len(valid), len(valid), notes, _Sample(table, valid))


def build(source: Source, settings: Settings, size: int | None, batch_size: int, device: str, folder: Path) -> Built:
    """A `tabular_learner` with random weights, for there are no others."""
    from fastai.data.block import CategoryBlock, RegressionBlock
    from fastai.data.transforms import IndexSplitter
    from fastai.metrics import accuracy, rmse
    from fastai.tabular.core import Categorify, Normalize, TabularPandas
    from fastai.tabular.learner import tabular_learner

    sample: _Sample = source.content
    table = sample.table
    pandas = TabularPandas(
        table.frame.copy(),
        procs=[Categorify, Normalize],
        cat_names=list(table.categorical),
        cont_names=list(table.continuous),
        y_names=table.target,
        y_block=CategoryBlock() if table.classes else RegressionBlock(),
        splits=IndexSplitter(list(sample.valid))(table.frame),
    )
    loaders = pandas.dataloaders(bs=batch_size, device=device, path=folder, num_workers=0)
    metric = accuracy if table.classes else rmse
    learner = tabular_learner(loaders, layers=_layers(settings.arch), metrics=metric, path=folder)
    return Built(learner, pretrained=False, notes=("the weights are random: tables have no pretrained ones",))


def template(loader: Any) -> tuple[Any, ...]:
    """(categories (b, columns) int, numbers (b, columns) float, target (b, 1)) of the first training rows."""
    batch = loader.new(bs=min(64, loader.n), shuffle=False, drop_last=False, device="cpu").one_batch()
    return tuple(part.cpu() for part in batch)


def finish(loader: Any, batch: tuple[Any, ...]) -> tuple[Any, ...]:
    """The batch as it is."""
    return batch


def snippet(source: Source, settings: Settings, size: int | None, batch_size: int, pretrained: bool) -> str:
    """Imports, `dls` and `learn` on the same table."""
    table: Table = source.content.table
    lines = ["from fastai.tabular.all import *"]
    if settings.data:
        lines += ["", f"df = pd.read_csv({settings.data!r})"]
    else:
        lines += ["from sklearn.datasets import load_breast_cancer", "", "df = load_breast_cancer(as_frame=True).frame"]
    if table.gaps:
        lines.append(f"gaps = {list(table.gaps)!r}")
        lines.append("df[gaps] = df[gaps].fillna(df[gaps].median())")
    block, metric = ("CategoryBlock", "accuracy") if table.classes else ("RegressionBlock", "rmse")
    lines += [
        f"splits = RandomSplitter({VALID_SHARE}, seed={settings.seed})(range_of(df))",
        f"categories = {list(table.categorical)!r}",
        f"numbers = {list(table.continuous)!r}",
        "to = TabularPandas(df, [Categorify, Normalize], categories, numbers,",
        f"                   y_names={table.target!r}, y_block={block}(), splits=splits)",
        f"dls = to.dataloaders(bs={batch_size})",
        f"learn = tabular_learner(dls, layers={_layers(settings.arch)!r}, metrics={metric})",
    ]
    return "\n".join(lines) + "\n"


def _layers(arch: str) -> list[int]:
    """Widths of the hidden layers from text such as "200,100"."""
    try:
        widths = [int(width) for width in (arch or DEFAULT_ARCH).split(",")]
    except ValueError:
        widths = []
    if not widths or not all(1 <= width <= _WIDEST for width in widths):
        raise BadParameter(
            f"parameter 'arch': a table's network is given by the widths of its layers, such as 200,100, not '{arch}'"
        )
    return widths


def _breast_cancer() -> Table:
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame
    return Table("scikit-learn's breast cancer set", frame, "target", (), tuple(frame.columns[:-1]), classes=True)


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
