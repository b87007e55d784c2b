"""Runs fastai's learning-rate finder on a learner and leaves it exactly as it was, come what may.

fastai's own finder restores weights and optimizer when it ends well; this also restores them when
it does not, and the random state, the loaders' order, the gradients, the modes and states of the
layers and the records of the callbacks.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from fastai.callback import schedule  # noqa: F401 - gives Learner its lr_find
from fastai.callback.core import Callback, CancelFitException, CancelValidException
from fastai.torch_core import set_seed
from fastcore.foundation import L  # type: ignore[import-untyped, unused-ignore]
from fastcore.xtras import ReindexCollection  # type: ignore[import-untyped, unused-ignore]

from executors.errors import BadInput

__all__ = ["Sweep", "reseed", "sweep", "train_some", "unchanged"]


@dataclass(frozen=True, slots=True)
class Sweep:
    """One sweep's curve, element for element: rates rising, smoothed loss, loss of each batch.

    `ended` says how: "done" at the highest rate, "exploded" when the loss rose to four times its
    best, "nan" when it was no number any more (that point is left out).
    """

    lrs: tuple[float, ...]
    losses: tuple[float, ...]
    raw: tuple[float, ...]
    ended: str


class _Points(Callback):
    """Hands on every point of a sweep, and stops it at a loss that is no number."""

    order = 55  # after the Recorder smooths the loss, before the finder may end the sweep

    def __init__(self, tell: Callable[[float, float], None]) -> None:
        self.tell, self.points, self.broken = tell, list[tuple[float, float, float]](), False

    def after_batch(self) -> None:
        lr, smooth, raw = (
            float(self.opt.hypers[-1]["lr"]),
            float(self.smooth_loss.detach()),
            float(self.loss.detach()),
        )
        if not np.isfinite(raw) or not np.isfinite(smooth):
            self.broken = True
            raise CancelFitException
        self.points.append((lr, smooth, raw))
        self.tell(lr, smooth)


class _Stop(Callback):
    """Ends training after a number of batches."""

    order = 95
    name = "lr_finder"  # callbacks that save models or write logs stand back from it

    def __init__(self, batches: int) -> None:
        self.batches = batches

    def after_batch(self) -> None:
        if self.training and self.train_iter >= self.batches:
            raise CancelFitException


def sweep(
    learner: Any,
    start_lr: float,
    end_lr: float,
    num_it: int,
    tell: Callable[[float, float], None],
    seed: int | None = None,
) -> Sweep:
    """fastai's `lr_find` on the learner, which is afterwards as before.

    Parameters
    ----------
    learner : fastai.learner.Learner
    start_lr, end_lr : float
        The rate grows geometrically from one to the other.
    num_it : int
        Batches to train.
    tell : callable
        Gets (rate, smoothed loss) as each batch ends.
    seed : int, optional
        For another order of the batches and other dropout than the learner would meet next.

    Raises
    ------
    BadInput
        When the training loader holds no batch.
    """
    if len(learner.dls.train) == 0:
        raise BadInput(
            f"the training set is smaller than one batch of {learner.dls.train.bs}; "
            "take a smaller batch_size"
        )
    points = _Points(tell)
    with unchanged(learner), learner.no_bar(), learner.no_logging(), learner.added_cbs([points]):
        if seed is not None:
            reseed(learner, seed)
        learner.lr_find(
            start_lr=start_lr, end_lr=end_lr, num_it=num_it, suggest_funcs=None, show_plot=False
        )
    lrs, losses, raw = zip(*points.points, strict=True) if points.points else ((), (), ())
    ended = "nan" if points.broken else "done" if len(lrs) >= num_it else "exploded"
    return Sweep(lrs, losses, raw, ended)


def reseed(learner: Any, seed: int) -> None:
    """Let all chance from here on, also the order of the batches, follow from the seed."""
    set_seed(seed)
    for loader in learner.dls.loaders:
        if hasattr(loader, "rng"):
            loader.rng.seed(seed)


def train_some(learner: Any, lr: float, batches: int) -> None:
    """Train that many batches at a steady rate, without validation."""
    epochs = batches // max(1, len(learner.dls.train)) + 1
    with learner.no_bar(), learner.no_logging():
        learner.fit(epochs, lr=lr, cbs=[_Stop(batches), _NoValidation()])


class _NoValidation(Callback):
    """Leaves validation out."""

    def before_validate(self) -> None:
        raise CancelValidException


@contextmanager
def unchanged(learner: Any) -> Iterator[None]:
    """Whatever is trained inside, learner, loaders and random state are afterwards as before."""
    model, optimizer = learner.model, learner.opt
    weights = {name: value.detach().clone() for name, value in model.state_dict().items()}
    layers = [(module, _layer_state(module)) for module in model.modules()]
    grads = [
        (p, p.requires_grad, None if p.grad is None else p.grad.detach().clone())
        for p in model.parameters()
    ]
    steps = _optimizer_state(optimizer)
    attributes = {owner: _attributes(owner) for owner in (learner, *learner.cbs)}
    loaders = [(loader, _loader_state(loader)) for loader in learner.dls.loaders]
    chance = _random_state()
    try:
        yield
    finally:
        model.load_state_dict(weights)
        for module, state in layers:
            vars(module).update(state)
        for parameter, wanted, grad in grads:
            parameter.requires_grad_(wanted)
            parameter.grad = grad
        for owner, values in attributes.items():
            owner.__dict__.clear()
            owner.__dict__.update(values)
        _restore_optimizer(optimizer, steps)
        for loader, order in loaders:
            _restore_loader(loader, order)
        _restore_random(chance)


def _layer_state(module: Any) -> dict[str, Any]:
    """A layer's mode, and what it carries from batch to batch beside its weights, if recurrent."""
    plain = bool | int | float | torch.Tensor | list | tuple
    kept = {
        name: value
        for name, value in vars(module).items()
        if name[0] != "_" and isinstance(value, plain)
    }
    return {
        name: copy.copy(value) if isinstance(value, list) else value for name, value in kept.items()
    }


def _loader_state(loader: Any) -> tuple[Any, Any]:
    """The state of the loader's chance, and the order of texts that some shuffle in place."""
    rng, items = getattr(loader, "rng", None), getattr(loader, "items", None)
    order = list(items.idxs) if isinstance(items, ReindexCollection) else None
    return rng and rng.getstate(), order


def _restore_loader(loader: Any, saved: tuple[Any, Any]) -> None:
    chance, order = saved
    if chance is not None:
        loader.rng = random.Random()
        loader.rng.setstate(chance)
    if order is not None:
        loader.items.idxs[:] = order  # shared with the lengths


def _attributes(owner: Any) -> dict[str, Any]:
    """A learner's or callback's own attributes; lists are copied, for training appends to them."""
    return {
        name: copy.copy(value) if isinstance(value, list | L) else value
        for name, value in vars(owner).items()
    }


def _optimizer_state(optimizer: Any) -> Any:
    """Everything of a fastai optimizer that training changes; None without one."""
    if optimizer is None:
        return None
    state = {
        parameter: copy.deepcopy(dict(values)) for parameter, values in optimizer.state.items()
    }
    return state, copy.deepcopy(list(optimizer.hypers)), optimizer.frozen_idx


def _restore_optimizer(optimizer: Any, saved: Any) -> None:
    if optimizer is not None:
        state, hypers, frozen = saved
        optimizer.state.clear()
        optimizer.state.update(state)
        for now, before in zip(optimizer.hypers, hypers, strict=True):
            now.clear()
            now.update(before)
        optimizer.frozen_idx = frozen


def _random_state() -> tuple[Any, ...]:
    cards = (
        torch.cuda.get_rng_state_all()
        if torch.cuda.is_available() and torch.cuda.is_initialized()
        else []
    )
    return random.getstate(), np.random.get_state(), torch.get_rng_state(), cards


def _restore_random(saved: tuple[Any, ...]) -> None:
    python, numpy, cpu, cards = saved
    random.setstate(python)
    np.random.set_state(numpy)
    torch.set_rng_state(cpu)
    if cards:
        torch.cuda.set_rng_state_all(cards)
