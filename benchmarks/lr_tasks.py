"""Small training tasks for the learning-rate benchmark: a development set to choose the rule on, and a held-out set.

The sets share neither data nor networks. Nothing is downloaded: data comes with scikit-learn or from installed
packages' docstrings, or is generated; what is fine-tuned was trained here, on a related set.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fastai.callback.rnn import rnn_cbs
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.learner import Learner
from fastai.losses import CrossEntropyLossFlat, MSELossFlat
from fastai.optimizer import Adam
from fastai.torch_core import params, set_seed
from lr_data import blurred, digits, docstrings, friedman, moons, placed, ratings, shapes, table, words
from lr_nets import Bag, Recurrent, Residual, Stars, Transformer, UNet, awd_language_model, cnn, mlp
from torch import Tensor, nn

__all__ = ["DEVELOPMENT", "HELD_OUT", "Task"]

VALID_SHARE = 0.2
HEAD_EPOCHS, HEAD_LR = 2, 3e-3  # fitted before the body is unfrozen

Tensors = tuple[Tensor, ...]
Make = Callable[[int, Path], Learner]


@dataclass(frozen=True, slots=True)
class Task:
    """`make(seed, folder)` gives a learner that is ready to train for `epochs`; `sliced`: a body that has learned."""

    name: str
    kind: str  # "vision", "tabular", "text", "collab"
    epochs: int
    make: Make
    sliced: bool = False


class Rows(DataLoader):
    """Batches cut from whole tensors, which spares collating samples one by one."""

    def __init__(self, dataset: Any = None, tensors: Tensors = (), **kwargs: Any) -> None:
        self.tensors = tensors
        super().__init__(dataset if dataset is not None else range(len(tensors[0])), num_workers=0, **kwargs)

    def new(self, **kwargs: Any) -> Rows:
        """Another loader of the same rows."""
        own = {"bs": self.bs, "shuffle": self.shuffle, "drop_last": self.drop_last, "device": self.device}
        return Rows(tensors=self.tensors, **{**own, **kwargs})

    def create_item(self, s: int) -> int:
        """The row's number stands for the row."""
        return s

    def create_batch(self, b: Any) -> Tensors:
        """The rows of the batch, inputs first."""
        rows = torch.tensor(list(b))
        return tuple(tensor[rows] for tensor in self.tensors)


def learner(tensors: Tensors, model: nn.Module, loss: Any, seed: int, folder: Path, bs: int, **kwargs: Any) -> Learner:
    """A learner with Adam on rows of the tensors, a random fifth of which is held out."""
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(tensors[0])))
    cut = int(len(order) * VALID_SHARE)
    valid, train = (tuple(tensor[rows] for tensor in tensors) for rows in (order[:cut], order[cut:]))
    train_rows = Rows(tensors=train, bs=bs, shuffle=True, drop_last=True, device="cpu")
    loaders = DataLoaders(train_rows, Rows(tensors=valid, bs=256, device="cpu"), path=folder, device="cpu")
    return Learner(loaders, model, loss_func=loss, opt_func=Adam, path=folder, **kwargs)


def fresh(
    data: Callable[[int], Tensors], net: Callable[[], nn.Module], loss: Any, bs: int = 32, cbs: Any = list
) -> Make:
    """A task that starts from random weights; `cbs` makes its callbacks."""

    def make(seed: int, folder: Path) -> Learner:
        set_seed(seed)
        return learner(data(seed), net(), loss, seed, folder, bs, cbs=cbs())

    return make


def tuned(
    before: Callable[[int], Tensors],
    data: Callable[[int], Tensors],
    body: Callable[[], nn.Module],
    head: Callable[[], nn.Module],
    frozen: bool,
) -> Make:
    """A task that starts from a body trained on a related set and, unless `frozen`, from a head fitted on it."""

    @functools.cache
    def trained(seed: int) -> dict[str, Tensor]:
        set_seed(seed)
        model = nn.Sequential(body(), head())
        source = learner(before(seed), model, CrossEntropyLossFlat(), seed, Path(), 32)
        with source.no_bar(), source.no_logging():
            source.fit_one_cycle(6, HEAD_LR)
        return {name: value.clone() for name, value in model[0].state_dict().items()}

    def make(seed: int, folder: Path) -> Learner:
        weights = trained(seed)
        set_seed(seed)
        model = nn.Sequential(body(), head())
        model[0].load_state_dict(weights)
        learn = learner(data(seed), model, CrossEntropyLossFlat(), seed, folder, 32, splitter=_groups)
        learn.freeze()
        if not frozen:
            with learn.no_bar(), learn.no_logging():
                learn.fit_one_cycle(HEAD_EPOCHS, HEAD_LR)
            learn.unfreeze()
        return learn

    return make


def _groups(model: Any) -> list[Any]:
    """The body in two groups of layers, and the head."""
    body = list(model[0].children())
    half = len(body) // 2
    return [params(nn.ModuleList(body[:half])), params(nn.ModuleList(body[half:])), params(model[1])]


CE, MSE = CrossEntropyLossFlat(), MSELossFlat()
_shapes = (partial(shapes, filled=False), partial(shapes, filled=True))
_shapes_net = (lambda: cnn(1, (16, 32, 32), norm=True), lambda: nn.Linear(32, 4))
_halves = (partial(digits, keep=range(5)), partial(digits, keep=range(5, 10)))
_halves_net = (lambda: Residual(1, (16, 32)), lambda: nn.Linear(32, 5))
_photo = (partial(placed, photo="china.jpg", across=True), partial(placed, photo="china.jpg"))
_photo_net = (lambda: cnn(3, (16, 32, 48), norm=True), lambda: nn.Linear(48, 4))
_stdlib = ("asyncio", "email", "unittest", "xml", "http", "logging")
_science = ("networkx", "sklearn", "numpy", "pandas")


def _headed(body: Callable[[], nn.Module], width: int, classes: int) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(body(), nn.Linear(width, classes))


DEVELOPMENT = (
    Task("shapes, plain CNN", "vision", 6, fresh(_shapes[1], _headed(lambda: cnn(1, (8, 16, 32)), 32, 4), CE)),
    Task(
        "where in china.jpg, CNN with batch norm",
        "vision",
        6,
        fresh(partial(placed, photo="china.jpg"), _headed(lambda: cnn(3, (16, 32, 32), norm=True), 32, 4), CE),
    ),
    Task("shapes, fine-tuned, frozen", "vision", 5, tuned(*_shapes, *_shapes_net, frozen=True)),
    Task("shapes, fine-tuned, unfrozen", "vision", 5, tuned(*_shapes, *_shapes_net, frozen=False), sliced=True),
    Task("where in china.jpg, fine-tuned, frozen", "vision", 5, tuned(*_photo, *_photo_net, frozen=True)),
    Task(
        "where in china.jpg, fine-tuned, unfrozen", "vision", 8, tuned(*_photo, *_photo_net, frozen=False), sliced=True
    ),
    Task("wine", "tabular", 15, fresh(partial(table, name="wine"), lambda: mlp(13, (100, 50), 3), CE, bs=16)),
    Task("moons, deep and narrow", "tabular", 6, fresh(moons, lambda: mlp(2, (32,) * 4, 2, norm=False), CE, bs=64)),
    Task("Friedman's function", "tabular", 6, fresh(friedman, lambda: mlp(10, (200, 100), 1), MSE, bs=64)),
    Task(
        "docstrings of Python, bag of words",
        "text",
        6,
        fresh(partial(docstrings, packages=_stdlib, n=1200), lambda: Bag(1000, 32, len(_stdlib)), CE),
    ),
    Task(
        "letters of asyncio, GRU",
        "text",
        5,
        fresh(partial(words, package="asyncio", letters=True), lambda: Recurrent(300, 48), CE, bs=16),
    ),
    Task(
        "ratings, network",
        "collab",
        4,
        fresh(partial(ratings, users=150, items=80, factors=4), lambda: Stars(150, 80, 16, deep=True), MSE, bs=64),
    ),
)
HELD_OUT = (
    Task("digits, residual net", "vision", 5, fresh(digits, _headed(_halves_net[0], 32, 10), CE, bs=64)),
    Task(
        "flower.jpg sharpened, U-Net",
        "vision",
        5,
        fresh(partial(blurred, photo="flower.jpg"), lambda: UNet(3, 12), MSE),
    ),
    Task("digits 5 to 9 after 0 to 4, frozen", "vision", 5, tuned(*_halves, *_halves_net, frozen=True)),
    Task("digits 5 to 9 after 0 to 4, unfrozen", "vision", 4, tuned(*_halves, *_halves_net, frozen=False), sliced=True),
    Task(
        "breast cancer",
        "tabular",
        10,
        fresh(partial(table, name="breast_cancer"), lambda: mlp(30, (64,), 2, dropout=0.1), CE),
    ),
    Task(
        "diabetes",
        "tabular",
        12,
        fresh(partial(table, name="diabetes"), lambda: mlp(10, (128, 64), 1, dropout=0.1), MSE),
    ),
    Task(
        "digits as a table, deep",
        "tabular",
        5,
        fresh(lambda seed: (digits(seed)[0].flatten(1), digits(seed)[1]), lambda: mlp(64, (64,) * 3, 10), CE),
    ),
    Task(
        "docstrings of packages, GRU",
        "text",
        4,
        fresh(partial(docstrings, packages=_science), lambda: Recurrent(1000, 48, len(_science)), CE),
    ),
    Task(
        "docstrings of packages, transformer",
        "text",
        5,
        fresh(
            partial(docstrings, packages=_science, n=1200, length=16),
            lambda: Transformer(1000, 32, 16, len(_science)),
            CE,
        ),
    ),
    Task(
        "words of networkx, AWD-LSTM",
        "text",
        5,
        fresh(
            partial(words, package="networkx", letters=False), lambda: awd_language_model(300), CE, bs=16, cbs=rnn_cbs
        ),
    ),
    Task(
        "ratings, dot product",
        "collab",
        4,
        fresh(partial(ratings, users=250, items=120, factors=2), lambda: Stars(250, 120, 20, deep=False), MSE, bs=64),
    ),
)
