"""Overfitting first: healthy learners get there, broken ones are told by what is broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from executors.recipe import check_params, find_recipe, typed_params
from executors.recipes import overfit_first
from executors.runs.journal import Journal, Outcome

HEAD = """
import torch
from torch import nn
from fastai.basics import DataLoader, DataLoaders, Learner, SGD, accuracy
from fastai.losses import BCEWithLogitsLossFlat, CrossEntropyLossFlat, MSELossFlat
from fastai.losses import LabelSmoothingCrossEntropyFlat

torch.manual_seed(0)
X, Y = torch.randn(80, 6), torch.arange(80) % 2
X[:, 0] += 2 * Y


def loaders(x=X, y=Y, bs=8):
    samples = list(zip(x, y))
    return DataLoaders(
        DataLoader(samples[:48], bs=bs, shuffle=True), DataLoader(samples[48:], bs=bs)
    )


def net(width=64, out=2):
    return nn.Sequential(nn.Linear(6, width), nn.ReLU(), nn.Linear(width, out))


def make():
"""


@pytest.fixture
def tried(tmp_path: Path) -> Callable[..., Outcome]:
    """What the recipe says of a learner whose function has this body."""

    def run(body: str, **given: Any) -> Outcome:
        file = tmp_path / f"mine{abs(hash(body))}.py"
        file.write_text(HEAD + "    " + body.strip().replace("\n", "\n    "), encoding="utf-8")
        asked = {
            "learner": f"{file}:make",
            "device": "cpu",
            "whole": False,
            "seconds": 600,
            **given,
        }
        params = typed_params(overfit_first, check_params(overfit_first.RECIPE, asked))
        outcome = overfit_first.run(params, Journal(tmp_path))
        json.dumps(outcome.values, allow_nan=False)
        for one in outcome.next:  # can be started as it is
            check_params(find_recipe(one.recipe), one.params)
        return outcome

    return run


HEALTHY = {
    "adam": "return Learner(loaders(), net(), loss_func=CrossEntropyLossFlat(), lr=1e-2)",
    "dropout and decay": """
model = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Dropout(.8), nn.Linear(64, 2))
return Learner(loaders(), model, loss_func=CrossEntropyLossFlat(), lr=1e-2, wd=10.)""",
    "labels smoothed": """
loss = LabelSmoothingCrossEntropyFlat(eps=.2)
return Learner(loaders(), net(), loss_func=loss, lr=1e-2)""",
    "labels by chance": """
y = torch.randint(2, (80,), generator=torch.Generator().manual_seed(1))
return Learner(loaders(y=y), net(), loss_func=CrossEntropyLossFlat(), lr=1e-2)""",
    "a quantity": """
y = X @ torch.arange(6.) * 20
return Learner(loaders(y=y[:, None]), net(out=1), loss_func=MSELossFlat(), lr=3e-2)""",
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_learner_overfits(name: str, tried: Callable[..., Outcome]) -> None:
    """Also with labels by chance, which are learned by heart, and whatever holds it back in use."""
    outcome = tried(HEALTHY[name])
    assert outcome.values["verdict"] == "overfits", outcome.message
    limits = outcome.values["bounds"]
    assert outcome.values["least"] - limits["floor"] <= 0.05 * (
        limits["constant"] - limits["floor"]
    )
    assert outcome.next[0].recipe == "training-flow"


BROKEN = {
    "the same inputs with other labels": (
        """
x = X.clone()
x[1::2] = x[::2]
return Learner(DataLoaders(*[DataLoader(list(zip(x[a:b], Y[a:b])), bs=8)
               for a, b in ((0, 48), (48, 80))]), net(), loss_func=CrossEntropyLossFlat(), lr=1e-2)
""",
        "labels",
        ["16 of 16 samples have the same inputs and other labels", "loses 0.693 at least"],
    ),
    "nearly the same inputs with other labels": (
        """
x = X.clone()
x[1::2] = x[::2] + 1e-4 * torch.randn(40, 6)
return Learner(DataLoaders(*[DataLoader(list(zip(x[a:b], Y[a:b])), bs=8)
               for a, b in ((0, 48), (48, 80))]), net(), loss_func=CrossEntropyLossFlat(), lr=1e-2)
""",
        "labels",
        ["inputs that are the same or nearly so and other labels"],
    ),
    "one label only": (
        "return Learner(loaders(y=Y * 0), net(), loss_func=CrossEntropyLossFlat())",
        "labels",
        ["all of these samples have the same label"],
    ),
    "dead rectifiers": (
        """
model = net()
nn.init.constant_(model[0].bias, -1000.)
return Learner(loaders(), model, loss_func=CrossEntropyLossFlat(), lr=1e-2)""",
        "dead units",
        ["100% of the units of ReLU 1 are zero for every sample as built", "drawn anew, at"],
    ),
    "a rate far too small": (
        "return Learner(loaders(), net(), loss_func=CrossEntropyLossFlat(), lr=1e-8)",
        "rate",
        ["the rate 1e-08 is too low to change the loss"],
    ),
    "a rate far too large": (
        """
return Learner(loaders(), net(), loss_func=CrossEntropyLossFlat(), lr=3e3, opt_func=SGD)""",
        "rate",
        ["the rate 3000 is too high"],
    ),
    "softmax before cross-entropy": (
        """
model = nn.Sequential(*net(), nn.Softmax(dim=1))
return Learner(loaders(), model, loss_func=CrossEntropyLossFlat(), lr=1e-2)""",
        "loss",
        ["follows the last layer (Softmax) keeps them from 0 to 1", "the loss is 0.313 at"],
    ),
    "sigmoid before a loss with its own": (
        """
model = nn.Sequential(*net(out=1), nn.Sigmoid())
return Learner(loaders(y=Y[:, None].float()), model, loss_func=BCEWithLogitsLossFlat(), lr=1e-2)""",
        "loss",
        ["follows the last layer (Sigmoid) keeps them from 0 to 1"],
    ),
    "a range that the targets leave": (
        """
model = nn.Sequential(*net(out=1), nn.Sigmoid())
y = X[:, :1] * 50 + 100
return Learner(loaders(y=y), model, loss_func=MSELossFlat(), lr=1e-2)""",
        "loss",
        ["targets go from"],
    ),
    "shapes that are blown up against each other": (
        "return Learner(loaders(y=X[:, 0]), net(out=1), loss_func=nn.MSELoss(), lr=1e-2)",
        "loss",
        ["does not tell samples of a batch apart", "outputs are 8 × 1 a batch and labels 8"],
    ),
    "inputs far from nought": (
        """
x = X * torch.tensor([1., 300., 5., 2000., 1., 80.]) + 1000
return Learner(loaders(x=x), net(), loss_func=CrossEntropyLossFlat(), lr=.3, opt_func=SGD)""",
        "inputs",
        ["with each feature at mean 0 and deviation 1, at 0.3 the loss went from"],
    ),
    "inputs far from nought, at a rate that is too low for any": (
        """
x = X * torch.tensor([1., 300., 5., 2000., 1., 80.]) + 1000
return Learner(loaders(x=x), net(), loss_func=CrossEntropyLossFlat(), lr=1e-2, opt_func=SGD)""",
        "inputs",
        ["with each feature at mean 0 and deviation 1, at 0.1 the loss went from"],
    ),
    "too few weights": (
        """
model = nn.Sequential(nn.Linear(6, 1), nn.Linear(1, 2))
y = torch.randint(2, (80,), generator=torch.Generator().manual_seed(1))
return Learner(loaders(y=y, bs=24), model, loss_func=CrossEntropyLossFlat(), lr=1e-2)""",
        "network",
        ["neither labels, loss, inputs, units nor rates explain it", "with 11 weights"],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named(name: str, tried: Callable[..., Outcome]) -> None:
    """With the figures that show it, and as the first cause."""
    body, word, words = BROKEN[name]
    given = {"batch_size": 24} if name == "too few weights" else {}
    outcome = tried(body, **given)
    assert outcome.values["verdict"] == f"stuck: {word}", outcome.message
    for one in words:
        assert one.lower() in outcome.message.lower(), outcome.message
    assert outcome.said[0].words.startswith("a few batches are not learned by heart")
