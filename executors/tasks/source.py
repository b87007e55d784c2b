"""What the tasks have in common: what is asked of them, what they found in the user's files, what they build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Built", "Settings", "Source", "Task", "settings_from"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run asks of its task; "" stands for the built-in sample, the default network, no column."""

    task: str
    data: str = ""
    target: str = ""
    arch: str = ""
    pretrained: bool = True
    download: bool = False
    seed: int = 42

    def to_json(self) -> dict[str, Any]:
        """The settings as they travel to a trial's process."""
        return asdict(self)


def settings_from(params: Mapping[str, Any]) -> Settings:
    """The settings among a recipe's checked parameters; a missing text is ""."""
    return Settings(
        task=str(params["task"]),
        data=str(params.get("data") or ""),
        target=str(params.get("target") or ""),
        arch=str(params.get("arch") or ""),
        pretrained=bool(params.get("pretrained", True)),
        download=bool(params.get("download", False)),
        seed=int(params.get("seed", 42)),
    )


@dataclass(frozen=True, slots=True)
class Source:
    """Checked input of one task. `content` is the task's own; `notes` are sentences on what was decided."""

    title: str  # "scikit-learn's digits", "photos: 120 images in 3 classes"
    train: int  # samples to train on
    valid: int
    notes: tuple[str, ...]
    content: Any


@dataclass(frozen=True, slots=True)
class Built:
    """A fastai learner on a source. `pretrained` says what it really got."""

    learner: Any
    pretrained: bool
    notes: tuple[str, ...]


class Task(Protocol):
    """A kind of model that recipes train; each is a module with these names."""

    NAME: str
    DEFAULT_ARCH: str

    def inspect(self, settings: Settings, verify: bool = True) -> Source:
        """The checked source; without `verify` files are believed to be as they were."""

    def default_size(self, settings: Settings) -> int | None:
        """Image size in px when none is asked for; None where samples have no size."""

    def build(
        self, source: Source, settings: Settings, size: int | None, batch_size: int, device: str, folder: Path
    ) -> Built:
        """A learner; size in px, None where samples have no size."""

    def template(self, loader: Any) -> tuple[Any, ...]:
        """A few of the training loader's samples as one batch on the CPU, as before they go to the device."""

    def finish(self, loader: Any, batch: tuple[Any, ...]) -> tuple[Any, ...]:
        """What the loader still does to a batch on the device."""

    def snippet(self, source: Source, settings: Settings, size: int | None, batch_size: int, pretrained: bool) -> str:
        """Code in fastai v2 that makes `dls` and `learn` from the same input."""
