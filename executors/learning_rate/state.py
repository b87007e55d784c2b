"""The state of a learner: left as it was whatever is trained, or carried to another process.

fastai's own finder restores weights and optimizer when it ends well; `unchanged` also restores them
when it does not, and the random state, the loaders' order, the gradients, the modes and states of
the layers and the records of the callbacks. `carried` takes along what the next training depends
on, for a learner that was built alike elsewhere.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from fastcore.foundation import L  # type: ignore[import-untyped, unused-ignore]
from fastcore.xtras import ReindexCollection  # type: ignore[import-untyped, unused-ignore]

__all__ = ["Carried", "carried", "take_over", "unchanged"]


@dataclass(frozen=True, slots=True)
class Carried:
    """What a training goes on from, on the CPU; parameters in the model's order."""

    weights: dict[str, Any]
    wanted: tuple[bool, ...]  # whether each parameter is trained
    optimizer: Any  # (states, hyperparameters, frozen groups); None where there is none
    loaders: tuple[Any, ...]
    chance: tuple[Any, ...]


def carried(learner: Any) -> Carried:
    """The learner's state, which can be pickled."""
    model, optimizer = learner.model, learner.opt
    steps = None
    if optimizer is not None:
        states = [_on_cpu(state) for _, _, state, _ in optimizer.all_params()]
        steps = states, copy.deepcopy(list(optimizer.hypers)), optimizer.frozen_idx
    return Carried(
        _on_cpu(model.state_dict()),
        tuple(parameter.requires_grad for parameter in model.parameters()),
        steps,
        tuple(_loader_state(loader) for loader in learner.dls.loaders),
        _random_state(),
    )


def take_over(learner: Any, state: Carried) -> None:
    """Bring a learner that was built alike into a state carried from elsewhere."""
    model = learner.model
    model.load_state_dict(state.weights)
    for parameter, wanted in zip(model.parameters(), state.wanted, strict=True):
        parameter.requires_grad_(wanted)
    _give_optimizer(learner, state.optimizer)
    for loader, order in zip(learner.dls.loaders, state.loaders, strict=True):
        _restore_loader(loader, order)
    _restore_random(state.chance)


def _give_optimizer(learner: Any, saved: Any) -> None:
    learner.opt = None
    if saved is None:
        return
    states, hypers, frozen = saved
    learner.create_opt()
    parts = [parameter for parameter, *_ in learner.opt.all_params()]
    for parameter, values in zip(parts, states, strict=True):
        learner.opt.state[parameter] = {
            name: value.to(parameter.device) if isinstance(value, torch.Tensor) else value
            for name, value in values.items()
        }
    for now, given in zip(learner.opt.hypers, hypers, strict=True):
        now.clear()
        now.update(given)
    learner.opt.frozen_idx = frozen


def _on_cpu(values: Any) -> dict[str, Any]:
    return {
        name: value.detach().cpu().clone() if isinstance(value, torch.Tensor) else value
        for name, value in values.items()
    }


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
