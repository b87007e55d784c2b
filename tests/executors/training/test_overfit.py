"""What a loss allows, on the loss itself."""

from __future__ import annotations

import time

import pytest
import torch
from fastai.basics import DataLoader, DataLoaders, Learner
from torch import nn

from executors.training.fixed import gathered, unregularised
from executors.training.overfit import bounds, seen


@pytest.mark.parametrize(("seconds", "calls"), [(0.9, 110), (1e-9, 60)])
def test_a_slow_loss_is_asked_for_as_long_as_is_allowed(seconds: float, calls: int) -> None:
    """A loss that compares features takes long; without a bound it is asked over 450 times."""
    asked = 0

    def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        nonlocal asked
        asked += 1
        time.sleep(0.02)
        return nn.functional.l1_loss(outputs, targets) + 0.1 * (outputs**2).mean()

    torch.manual_seed(0)
    samples = list(zip(torch.randn(16, 6), torch.randn(16, 1), strict=True))
    learner = Learner(
        DataLoaders(DataLoader(samples, bs=8), DataLoader(samples, bs=8)),
        nn.Linear(6, 1),
        loss_func=loss,
    )
    fixed = gathered(learner, 2)
    with unregularised(learner, fixed):
        shown = seen(learner, fixed)
        asked = 0
        limits = bounds(learner, shown, seconds)
    assert asked <= calls
    assert 0 <= limits.floor <= limits.constant
