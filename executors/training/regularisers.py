"""Ways to regularise a fastai learner for one training, each put on and off without a trace.

References
----------
Dropout: Srivastava et al. 2014. Mixup: Zhang et al. 2018. Label smoothing: Szegedy et al. 2016,
section 7. Decoupled weight decay: Loshchilov and Hutter 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastai.callback.core import Callback
from fastai.callback.mixup import MixUp
from fastai.losses import CrossEntropyLossFlat, LabelSmoothingCrossEntropyFlat
from torch import nn
from torch.nn import functional

from executors.training.batches import split_batch

__all__ = ["Way", "blends", "ways"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way, with what puts it on in training and in a snippet."""

    name: str
    weight_decay: float | None = None  # None: fastai's own
    callbacks: tuple[Any, ...] = ()
    loss: Any = None  # to train with; None: the learner's own
    fit_words: str = ""  # in the call of fit_one_cycle
    line: str = ""  # before it


class _Dropout(Callback):
    """Drops inputs of the last linear layer while training."""

    run_valid = False

    def __init__(self, p: float) -> None:
        self.p = p
        self.hook: Any = None

    def before_fit(self) -> None:
        last = [module for module in self.model.modules() if isinstance(module, nn.Linear)][-1]
        self.hook = last.register_forward_pre_hook(
            lambda module, given: (
                functional.dropout(given[0], self.p, module.training),
                *given[1:],
            )
        )

    def after_fit(self) -> None:
        self._off()

    def after_cancel_fit(self) -> None:
        self._off()

    def _off(self) -> None:
        if self.hook is not None:
            self.hook.remove()
            self.hook = None


def ways(
    learner: Any, weight_decays: Sequence[float], dropout: float, mixup: float, smoothing: float
) -> list[Way]:
    """The ways that this learner can be regularised, plain training first.

    Dropout needs a linear layer; mixup needs inputs that can be blended, so it is for images; label
    smoothing needs one class a sample. A strength of 0 leaves a way out.
    """
    possible = [Way("none", weight_decay=0.0, fit_words=", wd=0")]
    possible += [
        Way(f"weight decay {wd:g}", weight_decay=wd, fit_words=f", wd={wd!r}")
        for wd in weight_decays
        if wd
    ]
    if dropout and any(isinstance(module, nn.Linear) for module in learner.model.modules()):
        drop, lines = (_Dropout(dropout),), _dropout_lines(dropout)
        possible.append(Way(f"dropout {dropout:g}", 0.0, drop, None, ", wd=0", lines))
    if mixup and blends(learner):
        fit_words = f", wd=0, cbs=MixUp({mixup!r})"
        possible.append(Way(f"mixup {mixup:g}", 0.0, (MixUp(mixup),), None, fit_words))
    if smoothing and isinstance(learner.loss_func, CrossEntropyLossFlat):
        axis = getattr(learner.loss_func, "axis", -1)
        loss = LabelSmoothingCrossEntropyFlat(eps=smoothing, axis=axis)
        line = f"learn.loss_func = LabelSmoothingCrossEntropyFlat(eps={smoothing!r}, axis={axis})\n"
        possible.append(Way(f"label smoothing {smoothing:g}", 0.0, (), loss, ", wd=0", line))
    return possible


def blends(learner: Any) -> bool:
    """Whether MixUp means something: inputs of floats in an image's four dimensions, targets of one
    or two.
    """
    inputs, targets = split_batch(learner, learner.dls.train.one_batch())
    images = all(part.ndim == 4 and part.is_floating_point() for part in inputs)
    return images and all(part.ndim <= 2 for part in targets)


def _dropout_lines(p: float) -> str:
    hook = f"lambda m, x: (F.dropout(x[0], {p!r}, m.training),)"
    return (
        "last = [m for m in learn.model.modules() if isinstance(m, nn.Linear)][-1]\n"
        f"drop = last.register_forward_pre_hook({hook})\n"
    )
