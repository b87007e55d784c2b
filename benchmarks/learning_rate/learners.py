"""What a learning-rate benchmark's task is: a learner on whole tensors, from scratch or from a body
trained before.

Nothing is downloaded: what is fine-tuned was trained here, on a related set.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastai.callback.progress
import fastai.callback.schedule  # noqa: F401 - both give Learner methods: no_bar and fit_one_cycle
import numpy as np
import torch
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.learner import Learner
from fastai.losses import CrossEntropyLossFlat, MSELossFlat
from fastai.optimizer import Adam
from fastai.torch_core import params, set_seed
from torch import Tensor, nn

__all__ = ["CE", "MSE", "Task", "fresh", "headed", "tuned"]

VALID_SHARE = 0.2
HEAD_EPOCHS, HEAD_LR = 2, 3e-3  # fitted before the body is unfrozen
CE, MSE = CrossEntropyLossFlat(), MSELossFlat()

Tensors = tuple[Tensor, ...]
Make = Callable[[int, Path], Learner]


@dataclass(frozen=True, slots=True)
class Task:
    """`make(seed, folder)` gives a learner that is ready to train for `epochs`; `sliced`: a body
    that has learned.
    """

    name: str
    kind: str  # "vision", "signals", "tabular", "text", "collab"
    epochs: int
    make: Make
    sliced: bool = False


class Rows(DataLoader):
    """Batches cut from whole tensors, which spares collating samples one by one."""

    def __init__(self, dataset: Any = None, tensors: Tensors = (), **kwargs: Any) -> None:
        self.tensors = tensors
        super().__init__(
            dataset if dataset is not None else range(len(tensors[0])), num_workers=0, **kwargs
        )

    def new(self, **kwargs: Any) -> Rows:
        """Another loader of the same rows."""
        own = {
            "bs": self.bs,
            "shuffle": self.shuffle,
            "drop_last": self.drop_last,
            "device": self.device,
        }
        return Rows(tensors=self.tensors, **{**own, **kwargs})

    def create_item(self, s: int) -> int:
        """The row's number stands for the row."""
        return s

    def create_batch(self, b: Any) -> Tensors:
        """The rows of the batch, inputs first."""
        rows = torch.tensor(list(b))
        return tuple(tensor[rows] for tensor in self.tensors)


def learner(
    tensors: Tensors, model: nn.Module, loss: Any, seed: int, folder: Path, bs: int, **kwargs: Any
) -> Learner:
    """A learner with Adam on rows of the tensors, a random fifth of which is held out."""
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(tensors[0])))
    cut = int(len(order) * VALID_SHARE)
    valid, train = (
        tuple(tensor[rows] for tensor in tensors) for rows in (order[:cut], order[cut:])
    )
    train_rows = Rows(tensors=train, bs=bs, shuffle=True, drop_last=True, device="cpu")
    loaders = DataLoaders(
        train_rows, Rows(tensors=valid, bs=256, device="cpu"), path=folder, device="cpu"
    )
    return Learner(loaders, model, loss_func=loss, opt_func=Adam, path=folder, **kwargs)


def fresh(
    data: Callable[[int], Tensors],
    net: Callable[[], nn.Module],
    loss: Any,
    bs: int = 32,
    cbs: Any = list,
) -> Make:
    """A task that starts from random weights; `cbs` makes its callbacks."""

    def make(seed: int, folder: Path) -> Learner:
        set_seed(seed)
        return learner(data(seed), net(), loss, seed, folder, bs, cbs=cbs())

    return make


def headed(body: Callable[[], nn.Module], width: int, classes: int) -> Callable[[], nn.Module]:
    """Nets with a linear layer over the body's vector."""
    return lambda: nn.Sequential(body(), nn.Linear(width, classes))


def tuned(
    before: Callable[[int], Tensors],
    data: Callable[[int], Tensors],
    body: Callable[[], nn.Module],
    head: Callable[[], nn.Module],
    frozen: bool,
) -> Make:
    """A task that starts from a body trained on a related set and, unless `frozen`, from a head
    fitted on it.
    """

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
        learn = learner(
            data(seed), model, CrossEntropyLossFlat(), seed, folder, 32, splitter=_groups
        )
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
    return [
        params(nn.ModuleList(body[:half])),
        params(nn.ModuleList(body[half:])),
        params(model[1]),
    ]
