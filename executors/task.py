"""What the tasks have in common: what is asked of them, what they found in the user's files, what
they build.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Built", "Settings", "Source", "Task", "settings_from"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run asks of its task; "" stands for the built-in sample, the default network, no
    column.
    """

    task: str
    data: str = ""
    target: str = ""
    arch: str = ""
    learner: str = ""  # "path/to/file.py:function"
    encoder: str = ""  # a language model's saved encoder
    log_target: str = "auto"  # "auto", "yes", "no"
    y_range: str = ""  # "0.5,5.5"
    pretrained: bool = True
    download: bool = False
    seed: int = 42

    def to_json(self) -> dict[str, Any]:
        """The settings as they travel to a trial's process."""
        return asdict(self)


def settings_from(params: Mapping[str, Any]) -> Settings:
    """The settings among a recipe's checked parameters; a missing text is "". A learner file
    settles the task.
    """
    return Settings(
        task="learner" if params.get("learner") else str(params["task"]),
        data=str(params.get("data") or ""),
        target=str(params.get("target") or ""),
        arch=str(params.get("arch") or ""),
        learner=str(params.get("learner") or ""),
        encoder=str(params.get("encoder") or ""),
        log_target=str(params.get("log_target") or "auto"),
        y_range=str(params.get("y_range") or ""),
        pretrained=bool(params.get("pretrained", True)),
        download=bool(params.get("download", False)),
        seed=int(params.get("seed", 42)),
    )


@dataclass(frozen=True, slots=True)
class Source:
    """Checked input of one task. `content` is the task's own; `notes` are sentences on what was
    decided.
    """

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
    higher_is_better: bool = True  # of the learner's first metric


class Task(Protocol):
    """A kind of model that recipes train; each is a module with these names."""

    NAME: str
    TITLE: str  # as a form shows it: "Image classification"
    SAID: tuple[tuple[str, ...], ...]  # everyday words; a group counts where no earlier one is said
    EXPECTS: str  # one sentence: which files, in which layout, and what the built-in sample is
    DEFAULT_ARCH: str

    def inspect(self, settings: Settings, verify: bool = True) -> Source:
        """The checked source; without `verify` files are believed to be as they were."""

    def default_size(self, settings: Settings) -> int | None:
        """Image size in px when none is asked for; None where samples have no size."""

    def build(
        self,
        source: Source,
        settings: Settings,
        size: int | None,
        batch_size: int,
        device: str,
        folder: Path,
    ) -> Built:
        """A learner, frozen when its weights are pretrained; size in px, None where samples have no
        size.
        """

    def template(self, loader: Any) -> tuple[Any, ...]:
        """A few of the training loader's costliest samples as one batch on the CPU, as before they
        go to the device.

        Costliest: the longest texts. Trials repeat them to a batch of any size.
        """

    def finish(self, loader: Any, batch: tuple[Any, ...]) -> tuple[Any, ...]:
        """What the loader still does to a batch on the device."""

    def snippet(
        self,
        source: Source,
        settings: Settings,
        size: int | None,
        batch_size: int,
        pretrained: bool,
    ) -> str:
        """Code in fastai v2 that makes `dls` (on a line of its own, "dls = ...") and `learn` from
        the same input.
        """
