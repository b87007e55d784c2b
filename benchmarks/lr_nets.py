"""Small networks of many kinds for the learning-rate benchmark."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from fastai.text.models.awdlstm import AWD_LSTM, awd_lstm_lm_config
from fastai.text.models.core import get_language_model
from torch import Tensor, nn

__all__ = ["Bag", "Recurrent", "Residual", "Stars", "Transformer", "UNet", "awd_language_model", "cnn", "mlp"]


def cnn(channels: int, widths: Sequence[int], norm: bool = False) -> nn.Sequential:
    """Convolutions of stride two down to a vector of the last width."""
    layers: list[nn.Module] = []
    for before, width in zip((channels, *widths), widths, strict=False):
        parts: list[nn.Module] = [nn.Conv2d(before, width, 3, stride=2, padding=1)]
        parts += [nn.BatchNorm2d(width)] if norm else []
        layers.append(nn.Sequential(*parts, nn.ReLU()))
    return nn.Sequential(*layers, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))


def mlp(inputs: int, widths: Sequence[int], outputs: int, norm: bool = True, dropout: float = 0.0) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for before, width in zip((inputs, *widths), widths, strict=False):
        layers += [nn.Linear(before, width), nn.ReLU()]
        layers += [nn.BatchNorm1d(width)] if norm else []
        layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))


class _Block(nn.Module):
    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.way = nn.Sequential(
            nn.Conv2d(before, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.past = nn.Conv2d(before, width, 1) if before != width else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.way(x) + self.past(x))


class Residual(nn.Sequential):
    """Residual blocks, halved in between, down to a vector of the last width."""

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        parts: list[nn.Module] = []
        for before, width in zip((channels, *widths), widths, strict=False):
            parts.append(nn.Sequential(_Block(before, width), nn.MaxPool2d(2)))
        super().__init__(*parts, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))


class UNet(nn.Module):
    """Two scales with a bridge; an image in, an image out."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU())
        self.deep = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU())
        self.up = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.out = nn.Conv2d(2 * width, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, h, w) both ways."""
        fine = self.down(x)
        return self.out(torch.cat([fine, torch.relu(self.up(self.deep(fine)))], 1))


class Bag(nn.Sequential):
    """The mean of the words' vectors, then linear layers."""

    def __init__(self, vocabulary: int, width: int, outputs: int) -> None:
        super().__init__(nn.EmbeddingBag(vocabulary, width), *mlp(width, (64,), outputs, norm=False))


class Recurrent(nn.Module):
    """A GRU over words; the next word at each place, or a class for all when `classes` is given."""

    def __init__(self, vocabulary: int, width: int, classes: int = 0) -> None:
        super().__init__()
        self.vectors, self.gru = nn.Embedding(vocabulary, width), nn.GRU(width, width, batch_first=True)
        self.out, self.classes = nn.Linear(width, classes or vocabulary), classes

    def forward(self, x: Tensor) -> Tensor:
        """(b, l) to (b, l, vocabulary), or to (b, classes)."""
        states, _ = self.gru(self.vectors(x))
        return self.out(states.max(1).values if self.classes else states)


class Transformer(nn.Module):
    """Two layers of attention over words; a class for all."""

    def __init__(self, vocabulary: int, width: int, length: int, classes: int) -> None:
        super().__init__()
        self.vectors, self.places = nn.Embedding(vocabulary, width), nn.Parameter(torch.randn(length, width) * 0.02)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(b, l) to (b, classes)."""
        return self.out(self.layers(self.vectors(x) + self.places).mean(1))


class Stars(nn.Module):
    """Ratings from vectors of users and items: their product and biases, or linear layers over both when `deep`."""

    def __init__(self, users: int, items: int, width: int, deep: bool) -> None:
        super().__init__()
        self.users, self.items = nn.Embedding(users, width), nn.Embedding(items, width)
        self.biases = nn.ModuleList([nn.Embedding(users, 1), nn.Embedding(items, 1)])
        for table in (self.users, self.items, *self.biases):
            nn.init.normal_(table.weight, std=0.05)
        self.over = mlp(2 * width, (50,), 1, norm=False) if deep else None

    def forward(self, x: Tensor) -> Tensor:
        """(b, 2) to (b,), between 0.5 and 5.5."""
        user, item = self.users(x[:, 0]), self.items(x[:, 1])
        if self.over is not None:
            stars = self.over(torch.cat([user, item], 1))[:, 0]
        else:
            stars = (user * item).sum(1) + self.biases[0](x[:, 0])[:, 0] + self.biases[1](x[:, 1])[:, 0]
        return 0.5 + 5 * torch.sigmoid(stars)


def awd_language_model(vocabulary: int) -> nn.Module:
    """fastai's AWD-LSTM, narrow."""
    narrow = {**awd_lstm_lm_config, "emb_sz": 48, "n_hid": 64, "n_layers": 2}
    model: nn.Module = get_language_model(AWD_LSTM, vocabulary, narrow, drop_mult=0.2)
    return model
