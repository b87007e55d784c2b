"""A sweep leaves the learner exactly as it was, and its suggestions are fastai's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastai.callback.schedule import minimum, slide, steep, valley
from learners import differences, learner, same, state

from executors.errors import BadInput
from executors.learning_rate.state import unchanged
from executors.learning_rate.suggest import suggestions
from executors.learning_rate.sweep import sweep, train_some
from executors.memory import is_out_of_memory


def silent(lr: float, loss: float) -> None:
    """Nobody listens to the points."""


@pytest.mark.parametrize("trained", [False, True], ids=["new", "trained"])
def test_the_learner_is_as_before(trained: bool, tmp_path: Path) -> None:
    """A sweep changes no weights, optimizer, gradients, modes, records, loaders, random state."""
    learn = learner(tmp_path)
    if trained:
        train_some(learn, 1e-3, 5)
    before = state(learn)
    curve = sweep(learn, 1e-7, 10, 40, silent)
    assert len(curve.lrs) > 20
    assert differences(before, state(learn)) == []


def test_training_changes_what_the_comparison_looks_at(tmp_path: Path) -> None:
    """The comparison of the other tests would see a difference."""
    learn = learner(tmp_path)
    train_some(learn, 1e-3, 5)
    before = state(learn)
    train_some(learn, 1e-2, 3)
    assert {"weights", "optimizer", "losses", "loaders", "torch"} <= set(
        differences(before, state(learn))
    )


def test_training_goes_on_as_if_there_had_been_no_sweep(tmp_path: Path) -> None:
    """To the bit: the same batches, the same dropout, the same weights."""
    swept, other = learner(tmp_path / "a"), None
    train_some(swept, 1e-3, 5)
    sweep(swept, 1e-7, 10, 40, silent)
    train_some(swept, 1e-3, 5)
    other = learner(tmp_path / "b")
    train_some(other, 1e-3, 5)
    train_some(other, 1e-3, 5)
    assert same(dict(swept.model.state_dict()), dict(other.model.state_dict()))
    assert same(swept.opt.state_dict(), other.opt.state_dict())


def test_running_out_of_memory_leaves_the_learner_as_before(tmp_path: Path) -> None:
    """fastai's finder would leave the weights of the sweep and its rate in the optimizer."""
    learn = learner(tmp_path)
    train_some(learn, 1e-3, 5)
    before, calls = state(learn), 0

    def fail(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 10:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    hook = learn.model.register_forward_pre_hook(fail)
    with pytest.raises(torch.OutOfMemoryError) as caught:
        sweep(learn, 1e-7, 10, 40, silent)
    hook.remove()
    assert is_out_of_memory(caught.value)
    assert differences(before, state(learn)) == []


def test_a_loss_that_is_no_number_ends_the_sweep(tmp_path: Path) -> None:
    """The points before it are kept, the learner is as before."""
    learn = learner(tmp_path)
    before, calls = state(learn), 0

    def spoil(_: Any, __: Any, out: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return out * float("nan") if calls > 12 else out

    hook = learn.model.register_forward_hook(spoil)
    curve = sweep(learn, 1e-7, 10, 40, silent)
    hook.remove()
    assert (len(curve.lrs), curve.ended) == (12, "nan")
    assert np.isfinite(curve.losses).all() and np.isfinite(curve.raw).all()
    assert differences(before, state(learn)) == []


def test_freezing_and_training_inside_are_undone(tmp_path: Path) -> None:
    """Whatever is done to the learner inside `unchanged` is gone afterwards."""
    learn = learner(tmp_path)
    before = state(learn)
    with unchanged(learn):
        learn.freeze()
        for parameter in learn.model.parameters():
            parameter.requires_grad_(False)
            break
        train_some(learn, 1e-1, 4)
        learn.model.eval()
    assert differences(before, state(learn)) == []


def test_points_arrive_one_by_one_with_rising_rates(tmp_path: Path) -> None:
    """What is told live is the curve."""
    told: list[tuple[float, float]] = []
    curve = sweep(learner(tmp_path), 1e-6, 1, 30, lambda lr, loss: told.append((lr, loss)))
    assert told == list(zip(curve.lrs, curve.losses, strict=True))
    assert list(curve.lrs) == sorted(curve.lrs) and curve.lrs[0] == pytest.approx(1e-6)


@pytest.mark.parametrize("end_lr", [1e-2, 100], ids=["to its end", "exploding"])
def test_suggestions_are_those_of_fastai(end_lr: float, tmp_path: Path) -> None:
    """The same learner asked through `lr_find` gives the same four rates."""
    curve = sweep(learner(tmp_path / "a"), 1e-7, end_lr, 80, silent)
    assert (curve.ended == "done") == (end_lr < 1)
    ours = suggestions(np.array(curve.lrs), np.array(curve.losses), 80)
    learn = learner(tmp_path / "b")
    rules = (minimum, steep, valley, slide)
    with learn.no_bar():
        theirs = learn.lr_find(end_lr=end_lr, num_it=80, show_plot=False, suggest_funcs=rules)
    assert ours == pytest.approx(theirs._asdict(), rel=1e-4)


def test_a_training_set_below_one_batch_is_named(tmp_path: Path) -> None:
    """fastai would divide by zero."""
    with pytest.raises(BadInput, match="smaller than one batch of 9000; take a smaller batch_size"):
        sweep(learner(tmp_path, batch_size=9000), 1e-7, 10, 30, silent)
