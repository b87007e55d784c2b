"""One batch of a learner, split into what goes in and what is to come out, as fastai splits it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["split_batch"]


def split_batch(learner: Any, batch: Sequence[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """(inputs, targets) of a batch; loaders that do not count their inputs have one target."""
    count = getattr(learner.dls, "n_inp", 1 if len(batch) == 1 else len(batch) - 1)
    return tuple(batch[:count]), tuple(batch[count:])
