"""A small learner, and a comparison of everything about one that training changes."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fastai.torch_core import set_seed

from executors.task import Settings
from executors.tasks.tabular import build, inspect

__all__ = ["differences", "learner", "same", "state"]


def learner(folder: Path, batch_size: int = 64, seed: int = 3) -> Any:
    settings = Settings("tabular", arch="20,10", seed=seed)
    set_seed(seed)
    return build(inspect(settings), settings, None, batch_size, "cpu", folder).learner


def state(learn: Any) -> dict[str, Any]:
    """Everything about the learner that training changes, copied."""
    return copy.deepcopy(
        {
            "weights": {name: value.clone() for name, value in learn.model.state_dict().items()},
            "grads": [None if p.grad is None else p.grad.clone() for p in learn.model.parameters()],
            "wanted": [p.requires_grad for p in learn.model.parameters()],
            "modes": [module.training for module in learn.model.modules()],
            "optimizer": None if learn.opt is None else learn.opt.state_dict(),
            "frozen": None if learn.opt is None else learn.opt.frozen_idx,
            "losses": [float(loss) for loss in getattr(learn.recorder, "losses", [])],
            "attributes": sorted(vars(learn)),
            "callbacks": [type(one).__name__ for one in learn.cbs],
            "loaders": [loader.rng.getstate() for loader in learn.dls.loaders],
            "python": random.getstate(),
            "numpy": np.random.get_state(legacy=False),
            "torch": torch.get_rng_state(),
        }
    )


def same(left: Any, right: Any) -> bool:
    if isinstance(left, torch.Tensor):
        return isinstance(right, torch.Tensor) and torch.equal(left, right)
    if isinstance(left, np.ndarray):
        return isinstance(right, np.ndarray) and np.array_equal(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [name for name in before if not same(before[name], after[name])]
