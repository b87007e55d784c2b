"""Nine networks of different kinds on made-up samples, as a task that trials can train and as plain
torch modules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.learner import Learner
from fastai.optimizer import Adam
from torch import nn
from torch.nn import functional
from torch.utils.data import Dataset

from executors.task import Built, Settings, Source

__all__ = ["DEFAULT_ARCH", "MODELS", "Model", "Samples", "build", "finish", "inspect", "template"]

DEFAULT_ARCH = ""
TRAIN, VALID = 1024, 256
_KEPT = 64  # samples that really differ
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Model:
    """A network, its loss, one sample, and three amounts of memory (bytes) to find the largest
    batch for.
    """

    kind: str
    network: Callable[[], nn.Module]
    sample: Callable[[torch.Generator], tuple[torch.Tensor, torch.Tensor]]
    loss: Callable[[Any, torch.Tensor], torch.Tensor]
    budgets: tuple[int, int, int]


class Samples(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """`count` samples, of which the first few repeat."""

    def __init__(self, model: Model, count: int) -> None:
        mixer = torch.Generator().manual_seed(0)
        self._kept = [model.sample(mixer) for _ in range(_KEPT)]
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        if not 0 <= index < self._count:
            raise IndexError(index)
        return self._kept[index % _KEPT]


class _Block(nn.Sequential):
    def __init__(self, inside: int, outside: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inside, outside, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outside),
            nn.ReLU(inplace=True),
        )


class _UNet(nn.Module):
    """Three levels down and up, with skips; images to a map of 4 classes."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            [_Block(3, width), _Block(width, 2 * width), _Block(2 * width, 4 * width)]
        )
        self.up = nn.ModuleList([_Block(6 * width, 2 * width), _Block(3 * width, width)])
        self.head = nn.Conv2d(width, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(b, 3, s, s) to (b, 4, s, s)."""
        skips = []
        for block in self.down[:-1]:
            x = block(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.down[-1](x)
        for block in self.up:
            x = block(torch.cat([functional.interpolate(x, scale_factor=2), skips.pop()], 1))
        return self.head(x)


class _Transformer(nn.Module):
    """Tokens or patches, learned positions, an encoder, the mean's class."""

    def __init__(self, first: nn.Module, length: int, width: int, depth: int) -> None:
        super().__init__()
        self.first, self.place = first, nn.Parameter(torch.zeros(length, width))
        layer = nn.TransformerEncoderLayer(
            width, 4, 4 * width, 0.1, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.head = nn.Linear(width, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """To (b, 10)."""
        x = self.first(x)
        x = x.flatten(2).transpose(1, 2) if x.ndim == 4 else x
        return self.head(self.encoder(x + self.place).mean(1))


class _Recommender(nn.Module):
    """A user, the items of the user's past and one more item: will it be liked?"""

    def __init__(self, count: int = 8000, width: int = 48) -> None:
        super().__init__()
        self.users, self.items = nn.Embedding(count, width), nn.Embedding(count, width)
        self.head = nn.Sequential(nn.Linear(3 * width, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(b, 52): user, item, 50 past items; to (b, 2)."""
        past = self.items(x[:, 2:]).mean(1)
        return self.head(torch.cat([self.users(x[:, 0]), self.items(x[:, 1]), past], 1))


def _awd_lstm() -> nn.Module:
    from fastai.text.models.awdlstm import AWD_LSTM, awd_lstm_lm_config
    from fastai.text.models.core import get_language_model

    config = {**awd_lstm_lm_config, "emb_sz": 64, "n_hid": 192, "n_layers": 2}
    return get_language_model(AWD_LSTM, 1500, config=config)


def _resnet() -> nn.Module:
    from torchvision.models import resnet18

    return resnet18(num_classes=10)


def _classes(output: Any, target: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(output, target)


def _next_words(output: Any, target: torch.Tensor) -> torch.Tensor:
    scores = output[0] if isinstance(output, tuple) else output
    return functional.cross_entropy(scores.flatten(0, 1), target.flatten())


def _image(size: int) -> Callable[[torch.Generator], tuple[torch.Tensor, torch.Tensor]]:
    return lambda mixer: (
        torch.randn(3, size, size, generator=mixer),
        torch.randint(10, (), generator=mixer),
    )


def _tokens(
    length: int, words: int
) -> Callable[[torch.Generator], tuple[torch.Tensor, torch.Tensor]]:
    return lambda mixer: (
        torch.randint(words, (length,), generator=mixer),
        torch.randint(10, (), generator=mixer),
    )


def _masked(mixer: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(3, 32, 32, generator=mixer), torch.randint(4, (32, 32), generator=mixer)


def _words(mixer: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    text = torch.randint(1500, (25,), generator=mixer)
    return text[:-1], text[1:]


MODELS = {
    "small CNN": Model(
        "convolutions",
        lambda: nn.Sequential(
            _Block(3, 16, 2),
            _Block(16, 32, 2),
            _Block(32, 64, 2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(64, 10),
        ),
        _image(32),
        _classes,
        (8 * MB, 24 * MB, 60 * MB),
    ),
    "resnet18": Model(
        "convolutions", _resnet, _image(32), _classes, (160 * MB, 180 * MB, 220 * MB)
    ),
    "U-Net": Model("segmentation", _UNet, _masked, _classes, (20 * MB, 60 * MB, 140 * MB)),
    "ViT": Model(
        "vision transformer",
        lambda: _Transformer(nn.Conv2d(3, 64, 4, 4), 64, 64, 3),
        _image(32),
        _classes,
        (25 * MB, 80 * MB, 200 * MB),
    ),
    "MLP": Model(
        "tabular",
        lambda: nn.Sequential(
            nn.Linear(256, 1024),
            nn.ReLU(),
            nn.BatchNorm1d(1024),
            nn.Linear(1024, 512),
            nn.ReLU(),
            nn.Linear(512, 10),
        ),
        lambda mixer: (torch.randn(256, generator=mixer), torch.randint(10, (), generator=mixer)),
        _classes,
        (14_500_000, 17 * MB, 22 * MB),
    ),
    "recommender": Model(
        "embeddings",
        _Recommender,
        lambda mixer: (
            torch.randint(8000, (52,), generator=mixer),
            torch.randint(2, (), generator=mixer),
        ),
        _classes,
        (14_500_000, 16 * MB, 20 * MB),
    ),
    "AWD-LSTM": Model(
        "language model", _awd_lstm, _words, _next_words, (20 * MB, 70 * MB, 200 * MB)
    ),
    "text transformer": Model(
        "text classifier",
        lambda: _Transformer(nn.Embedding(4000, 64), 96, 64, 2),
        _tokens(96, 4000),
        _classes,
        (40 * MB, 120 * MB, 300 * MB),
    ),
    "1-d CNN": Model(
        "sound",
        lambda: nn.Sequential(
            nn.Conv1d(1, 16, 9, 4, 4),
            nn.ReLU(),
            nn.Conv1d(16, 32, 9, 4, 4),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(8),
            nn.Flatten(),
            nn.Linear(256, 10),
        ),
        lambda mixer: (
            torch.randn(1, 4096, generator=mixer),
            torch.randint(10, (), generator=mixer),
        ),
        _classes,
        (5 * MB, 25 * MB, 90 * MB),
    ),
}


def inspect(settings: Settings, verify: bool = True) -> Source:
    """The made-up samples of the model that `settings.task` names."""
    return Source(settings.task, TRAIN, VALID, (), MODELS[settings.task])


def build(
    source: Source, settings: Settings, size: int | None, batch_size: int, device: str, folder: Path
) -> Built:
    """A learner with fastai's Adam, as fastai makes it."""
    model: Model = source.content
    torch.manual_seed(settings.seed)
    loaders = DataLoaders(
        DataLoader(
            Samples(model, TRAIN),
            bs=batch_size,
            shuffle=True,
            drop_last=True,
            num_workers=0,
            device=device,
        ),
        DataLoader(Samples(model, VALID), bs=batch_size, num_workers=0, device=device),
    )
    learner = Learner(loaders, model.network(), loss_func=model.loss, opt_func=Adam, path=folder)
    return Built(learner, pretrained=False, notes=())


def template(loader: Any) -> tuple[Any, ...]:
    """Sixteen samples, all of one size."""
    return tuple(loader.do_batch([loader.do_item(index) for index in range(16)]))


def finish(loader: Any, batch: tuple[Any, ...]) -> tuple[Any, ...]:
    """The batch as it is."""
    return batch
