"""What tasks have in common: what they are asked, find in the user's files, and build."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Built", "Settings", "Source", "Task"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run asks of its task; a learner file settles the task.

    "" stands for the built-in sample, the default network, no column.
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

    def __post_init__(self) -> None:
        if self.learner:
            object.__setattr__(self, "task", "learner")

    def to_json(self) -> dict[str, Any]:
        """The settings as they travel to a trial's process."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Source:
    """Checked input of one task; `content` is its own, `notes` say what was decided.

    `doubts` are those of which the files leave open whether it was meant so.
    """

    title: str  # "scikit-learn's digits", "photos: 120 images in 3 classes"
    train: int  # samples to train on
    valid: int
    notes: tuple[str, ...]
    content: Any
    doubts: tuple[str, ...] = ()
    batch_size: int | None = None  # with which a learner comes

    @property
    def remarks(self) -> tuple[str, ...]:
        """All that is to be said, the doubts first."""
        return (*self.doubts, *self.notes)


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
    LADDER: tuple[str, ...]  # networks of growing capacity; empty where there is but one

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
        """A learner, frozen when its weights are pretrained; size in px, None without sizes."""

    def template(self, loader: Any) -> tuple[Any, ...]:
        """A few of the training loader's costliest samples as one batch, still on the CPU.

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
        """Code in fastai v2 that makes `dls` and `learn` from the same input.

        `dls` is made on a line of its own that begins with "dls = ".
        """
