"""A few training batches held fixed, and a network without chance: what an overfit is tried on.

Nothing that is meant to hold a network back is at work here: no augmentation, dropout, weight decay
or other order of the batches. Whether it then overfits is `executors.training.overfit`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from fastai.callback.mixup import MixHandler
from fastai.callback.rnn import RNNRegularizer
from fastai.data.core import DataLoaders
from fastai.torch_core import to_device
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

__all__ = ["Fixed", "as_built", "gathered", "unregularised"]

_DROPPING = (
    functional.dropout,
    functional.dropout1d,
    functional.dropout2d,
    functional.dropout3d,
    functional.alpha_dropout,
    functional.feature_alpha_dropout,
)


class Fixed(list[Any]):
    """Batches on the model's device, in one order, as a learner takes a loader."""

    def __init__(self, batches: list[Any], inputs: int | None) -> None:
        super().__init__(batches)
        if inputs is not None:
            self.n_inp = inputs

    @property
    def samples(self) -> int:
        """How many there are."""
        return sum(len(batch[0]) for batch in self)


def gathered(learner: Any, batches: int, most_bytes: float = float("inf")) -> Fixed:
    """The first batches of the training loader without its augmentation, so many or all that fit.

    A loader of torch's own may augment each sample as it is read; here that happens once.
    """
    loader, found, size = learner.dls.train, list[Any](), 0
    device = next(learner.model.parameters()).device
    with ExitStack() as stack:
        if hasattr(getattr(loader, "dataset", None), "set_split_idx"):
            stack.enter_context(loader.dataset.set_split_idx(1))
        for batch in loader:
            parts = batch if isinstance(batch, tuple | list) else (batch,)
            size += sum(part.nbytes for part in parts if isinstance(part, torch.Tensor))
            if len(found) == batches or (found and size > most_bytes):
                break
            found.append(to_device(tuple(parts), device))
    return Fixed(found, getattr(learner.dls, "n_inp", None))


@contextmanager
def unregularised(learner: Any, fixed: Fixed, valid: Any = None) -> Iterator[None]:
    """The learner on the fixed batches, all of its layers trained, nothing held back or by chance.

    `valid` is what it is judged on; the fixed batches where None. What is trained inside stays:
    see `executors.learning_rate.state.unchanged`.
    """
    held_back = [cb for cb in learner.cbs if isinstance(cb, MixHandler | RNNRegularizer)]
    before, learner.dls = learner.dls, DataLoaders(fixed, fixed if valid is None else valid)
    try:
        with learner.removed_cbs(held_back), learner.no_bar(), learner.no_logging():
            learner.unfreeze()
            with as_built(learner.model):
                yield
    finally:
        learner.dls = before


class _Expected(TorchFunctionMode):
    """Whatever is dropped by chance is kept: masks are their expectation, dropout is none."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One call of torch."""
        kwargs = kwargs or {}
        if func in _DROPPING:
            return args[0].clone()  # another tensor, as dropout gives
        if func is torch.Tensor.bernoulli_:
            chance = args[1] if len(args) > 1 else kwargs.get("p", 0.5)
            return args[0].copy_(chance) if torch.is_tensor(chance) else args[0].fill_(chance)
        return func(*args, **kwargs)


@contextmanager
def as_built(model: nn.Module) -> Iterator[None]:
    """The network with all that it has: dropout of any kind, and of layers, is off."""
    kinds = (nn.RNNBase, nn.MultiheadAttention)
    inner = [(part, part.dropout) for part in model.modules() if isinstance(part, kinds)]
    for part, _ in inner:
        part.dropout = 0.0
    try:
        with _Expected():
            yield
    finally:
        for part, share in inner:
            part.dropout = share
