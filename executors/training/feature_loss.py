"""A loss that compares images by what a trained network sees in them, beside their pixels.

Snippets carry this class as it stands, so it takes what it needs as arguments and knows nothing
else of ours.

References
----------
J. Johnson, A. Alahi, L. Fei-Fei: Perceptual Losses for Real-Time Style Transfer and
Super-Resolution (2016), https://arxiv.org/abs/1603.08155; the features' loss is their equation 2,
that of the Gram matrices follows their equations 3 and 4, with absolute instead of squared
differences, so that single pixels that are far off weigh less.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as everybody calls it

__all__ = ["FeatureLoss"]


class FeatureLoss(nn.Module):
    """L1 between images, between their features and between the Gram matrices of these.

    `layers` takes the images, such as `vgg16_bn().features`; what enters its second, third and
    fourth pooling layer are the features, and `weights` theirs. A Gram matrix says which features
    go together in an image, wherever they are: its texture.
    """

    def __init__(
        self,
        layers: nn.Sequential,
        weights: tuple[float, ...] = (5.0, 15.0, 2.0),
        gram: float = 5e3,
    ):
        super().__init__()
        pools = [number for number, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
        self.weights, self.gram = weights, gram
        self.ends = pools[1 : 1 + len(weights)]
        self.layers = layers[: self.ends[-1]].eval().requires_grad_(False)

    def features(self, images: torch.Tensor) -> list[torch.Tensor]:
        """What enters each of the pooling layers, each (b, channels, h, w)."""
        kept = []
        for number, layer in enumerate(self.layers, start=1):
            images = layer(images)
            if number in self.ends:
                kept.append(images)
        return kept

    def forward(self, pred: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The sum of all parts; images (b, 3, h, w) as the layers were trained to take them."""
        pred, target = pred.as_subclass(torch.Tensor), target.as_subclass(torch.Tensor)
        # a learner puts its loss into training mode, where batch norm would depend on the batch
        self.layers.eval()
        with torch.no_grad():
            wanted = self.features(target)
        loss = F.l1_loss(pred, target)
        for one, other, weight in zip(self.features(pred), wanted, self.weights, strict=True):
            loss = loss + weight * F.l1_loss(one, other)
            loss = loss + weight**2 * self.gram * F.l1_loss(
                self.gram_matrix(one), self.gram_matrix(other)
            )
        return loss

    def gram_matrix(self, features: torch.Tensor) -> torch.Tensor:
        """(b, channels, channels): how often features go together; in 32 bits, sums are large."""
        b, channels, high, wide = features.shape
        flat = features.float().reshape(b, channels, high * wide)
        return flat @ flat.transpose(1, 2) / (channels * high * wide)
