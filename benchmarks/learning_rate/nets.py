"""Small networks for tables, texts and ratings of the learning-rate benchmark; those for images are
elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from fastai.text.models.awdlstm import AWD_LSTM, awd_lstm_lm_config
from fastai.text.models.core import get_language_model
from torch import Tensor, nn

__all__ = [
    "Bag",
    "Causal",
    "Clicks",
    "Letters",
    "Recurrent",
    "Stars",
    "Transformer",
    "awd_language_model",
    "layered",
    "mlp",
    "residual_mlp",
]


def mlp(
    inputs: int, widths: Sequence[int], outputs: int, norm: bool = True, dropout: float = 0.0
) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for before, width in zip((inputs, *widths), widths, strict=False):
        layers += [nn.Linear(before, width), nn.ReLU()]
        layers += [nn.BatchNorm1d(width)] if norm else []
        layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))


def layered(inputs: int, widths: Sequence[int], outputs: int) -> nn.Sequential:
    """Linear layers with layer normalisation and SiLU between them."""
    layers: list[nn.Module] = []
    for before, width in zip((inputs, *widths), widths, strict=False):
        layers += [nn.Linear(before, width), nn.LayerNorm(width), nn.SiLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))


class _Past(nn.Module):
    """Two linear layers with batch normalisation before them, past which the input goes as well."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.way = nn.Sequential(
            nn.BatchNorm1d(width),
            nn.Linear(width, 2 * width),
            nn.ReLU(),
            nn.Linear(2 * width, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.way(x)


def residual_mlp(inputs: int, width: int, depth: int, outputs: int) -> nn.Sequential:
    """Residual blocks of linear layers."""
    blocks = [_Past(width) for _ in range(depth)]
    end = (nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, outputs))
    return nn.Sequential(nn.Linear(inputs, width), *blocks, *end)


class Bag(nn.Sequential):
    """The mean of the words' vectors, then linear layers."""

    def __init__(self, vocabulary: int, width: int, outputs: int) -> None:
        super().__init__(
            nn.EmbeddingBag(vocabulary, width), *mlp(width, (64,), outputs, norm=False)
        )


class Recurrent(nn.Module):
    """A GRU over words; the next word at each place, or a class for all when `classes` is given."""

    def __init__(self, vocabulary: int, width: int, classes: int = 0) -> None:
        super().__init__()
        self.vectors, self.gru = (
            nn.Embedding(vocabulary, width),
            nn.GRU(width, width, batch_first=True),
        )
        self.out, self.classes = nn.Linear(width, classes or vocabulary), classes

    def forward(self, x: Tensor) -> Tensor:
        """(b, l) to (b, l, vocabulary), or to (b, classes)."""
        states, _ = self.gru(self.vectors(x))
        return self.out(states.max(1).values if self.classes else states)


class Transformer(nn.Module):
    """Two layers of attention over words; a class for all."""

    def __init__(self, vocabulary: int, width: int, length: int, classes: int) -> None:
        super().__init__()
        self.vectors, self.places = (
            nn.Embedding(vocabulary, width),
            nn.Parameter(torch.randn(length, width) * 0.02),
        )
        layer = nn.TransformerEncoderLayer(
            width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(b, l) to (b, classes)."""
        return self.out(self.layers(self.vectors(x) + self.places).mean(1))


class Causal(nn.Module):
    """Three layers of attention to earlier words, normalised after each; the next word at each
    place.
    """

    def __init__(self, vocabulary: int, width: int, length: int) -> None:
        super().__init__()
        self.vectors, self.places = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        for table in (self.vectors, self.places):
            nn.init.normal_(table.weight, std=0.02)
        layer = nn.TransformerEncoderLayer(
            width, 4, 2 * width, dropout=0.1, activation="gelu", batch_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.out = nn.Linear(width, vocabulary)
        self.register_buffer("later", torch.ones(length, length, dtype=torch.bool).triu(1))

    def forward(self, x: Tensor) -> Tensor:
        """(b, length) to (b, length, vocabulary)."""
        return self.out(self.layers(self.vectors(x) + self.places.weight, mask=self.later))


class Letters(nn.Module):
    """Convolutions over characters; a class for all from the highest answers."""

    def __init__(self, vocabulary: int, width: int, classes: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(vocabulary, 16)
        self.over = nn.Sequential(
            nn.Conv1d(16, width, 5),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(width, width, 5),
            nn.ReLU(),
        )
        self.out = nn.Sequential(nn.Dropout(0.2), nn.Linear(width, classes))

    def forward(self, x: Tensor) -> Tensor:
        """(b, l) to (b, classes)."""
        return self.out(self.over(self.vectors(x).transpose(1, 2)).max(2).values)


class Clicks(nn.Module):
    """Whether a user clicks an item: a weighted product of their vectors plus linear layers over
    two others.
    """

    def __init__(self, users: int, items: int, width: int) -> None:
        super().__init__()
        self.users, self.items = nn.Embedding(users, 2 * width), nn.Embedding(items, 2 * width)
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, std=0.1)
        self.product = nn.Linear(width, 1)
        self.over = mlp(2 * width, (2 * width, width), 1, norm=False, dropout=0.1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, 2) to (b,), the logit."""
        user, item = self.users(x[:, 0]).chunk(2, 1), self.items(x[:, 1]).chunk(2, 1)
        return (self.product(user[0] * item[0]) + self.over(torch.cat([user[1], item[1]], 1)))[:, 0]


class Stars(nn.Module):
    """Ratings from vectors of users and items: their product and biases, or linear layers over both
    when `deep`.
    """

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
            stars = (
                (user * item).sum(1) + self.biases[0](x[:, 0])[:, 0] + self.biases[1](x[:, 1])[:, 0]
            )
        return 0.5 + 5 * torch.sigmoid(stars)


def awd_language_model(vocabulary: int) -> nn.Module:
    """fastai's AWD-LSTM, narrow."""
    narrow = {**awd_lstm_lm_config, "emb_sz": 48, "n_hid": 64, "n_layers": 2}
    model: nn.Module = get_language_model(AWD_LSTM, vocabulary, narrow, drop_mult=0.2)
    return model
