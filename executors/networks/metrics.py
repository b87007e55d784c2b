"""Metrics of image tasks that fastai lacks; each stands on its own, for snippets."""

from __future__ import annotations

import torch
from fastai.metrics import DiceMulti

__all__ = ["DiceWithoutVoid", "distance", "psnr"]


class DiceWithoutVoid(DiceMulti):
    """fastai's `DiceMulti` over the pixels whose class is not void."""

    def __init__(self, void):  # type: ignore[no-untyped-def]
        super().__init__()
        self.void = void

    def accumulate(self, learn):  # type: ignore[no-untyped-def]
        """Count the batch's pixels of each class."""
        kept = learn.y != self.void
        found, wanted = learn.pred.argmax(dim=1)[kept], learn.y[kept]  # (pixels,)
        for code in range(learn.pred.shape[1]):
            if code != self.void:
                one, other = found == code, wanted == code
                self.inter[code] = self.inter.get(code, 0) + (one & other).sum().item()
                self.union[code] = self.union.get(code, 0) + one.sum().item() + other.sum().item()


def distance(pred: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean distance between points and where they were found, in sides of the image."""
    away = pred.reshape(-1, 2) - target.reshape(-1, 2)  # (b * points, 2)
    return away.norm(dim=-1).mean() / 2


def psnr(
    pred: torch.Tensor,
    target: torch.Tensor,
    mean: float | list[float] = 0.0,
    std: float | list[float] = 1.0,
) -> torch.Tensor:
    """Peak signal-to-noise ratio in dB, the mean over the images; higher is better.

    Parameters
    ----------
    pred, target : torch.Tensor
        (b, 3, h, w), 0 to 1 once multiplied by `std` and moved by `mean`, one number for each
        channel or all.

    References
    ----------
    Z. Wang, A. Bovik: Mean Squared Error: Love It or Leave It? (2009), equation 2.
    """
    low, scale = (
        torch.as_tensor(part, device=pred.device).reshape(-1, 1, 1) for part in (mean, std)
    )
    pred, target = ((image.float() * scale + low).clamp(0, 1) for image in (pred, target))
    error = (pred - target).pow(2).mean(dim=(1, 2, 3)).clamp_min(1e-10)  # (b,)
    return -10 * error.log10().mean()
