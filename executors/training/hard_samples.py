"""Finds the samples that are hard to learn as they are labelled, by their loss over training.

A wrong label is learned by heart in the end; on the way there its loss is high. So the losses of
each epoch are averaged, of samples that are trained on as of those held out.

References
----------
Pleiss et al. 2020, "Identifying Mislabeled Data using the Area Under the Margin Ranking"; theirs is
the average margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from fastai.callback.core import Callback
from fastai.torch_core import to_device

__all__ = ["Judged", "Watch"]


@dataclass(frozen=True, slots=True)
class Judged:
    """Samples of one loader in its dataset's order, averaged over epochs."""

    losses: npt.NDArray[np.float64]  # (n,) cross-entropy of the label
    chances: npt.NDArray[np.float64]  # (n, classes), rows sum to 1
    labels: npt.NDArray[np.int64]  # (n,)


_Epoch = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]  # chances and labels, see below


class Watch(Callback):
    """Judges every sample of both loaders after each epoch."""

    order = 70
    run_valid = False

    def __init__(self) -> None:
        self.epochs: dict[str, list[_Epoch]] = {"train": [], "valid": []}

    def after_epoch(self) -> None:
        """Keep what the network thinks of each sample now."""
        for part, loader in (("train", self.dls.train), ("valid", self.dls.valid)):
            self.epochs[part].append(_chances(self.learn, loader))

    def judged(self, part: str) -> Judged:
        """The averages over epochs of "train" or "valid"."""
        chances = np.stack([chance for chance, _ in self.epochs[part]])  # (epochs, n, classes)
        labels = self.epochs[part][0][1]
        picked = np.take_along_axis(chances, labels[None, :, None], axis=2)[..., 0]  # (epochs, n)
        return Judged(-np.log(np.maximum(picked, 1e-12)).mean(axis=0), chances.mean(axis=0), labels)


def _chances(learner: Any, loader: Any) -> _Epoch:
    """(chances (n, classes), labels (n,)) of the loader's samples in order, in evaluation mode."""
    plain = loader.new(shuffle=False, drop_last=False)
    order = list(plain.get_idxs())  # a loader of texts sorts them by length
    was = learner.model.training
    learner.model.eval()
    rows: list[torch.Tensor] = []
    labels: list[torch.Tensor] = []
    with torch.no_grad():
        for batch in plain:
            batch = to_device(batch, plain.device)
            if hasattr(learner.model, "reset"):
                learner.model.reset()
            out = learner.model(*batch[: plain.n_inp])
            out = out[0] if isinstance(out, tuple) else out
            rows.append(torch.softmax(out.float(), dim=-1).cpu())
            labels.append(batch[-1].reshape(-1).cpu())
    learner.model.train(was)
    back = np.argsort(np.asarray(order))
    chances = torch.cat(rows).double().numpy()[back]
    return chances, torch.cat(labels).long().numpy()[back]
