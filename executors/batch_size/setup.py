"""What a trial process is asked to set up, and what it says once it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from executors.task import Settings

__all__ = ["Ready", "Setup", "ready_from"]


@dataclass(frozen=True, slots=True)
class Setup:
    """The first request to a trial process.

    `share` of the free RAM may be taken where no `memory_limit` (bytes) is given; of either the
    share `margin` is left free.
    """

    settings: Settings
    folder: str
    size: int | None  # px
    device: str
    precision: str = "float32"
    frozen: bool = False
    memory_limit: int | None = None
    share: float = 1.0
    margin: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The request as it travels."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Ready:
    """A trial process's first answer: where it trains, in how much memory, and what."""

    device: str
    card: str
    why: str  # the device was chosen
    available_bytes: int
    limit_bytes: int
    precisions: tuple[str, ...]
    pretrained: bool
    notes: tuple[str, ...]


def ready_from(hello: Mapping[str, Any]) -> Ready:
    """The first answer as a bench has it."""
    given = {field.name: hello[field.name] for field in fields(Ready)}
    given |= {name: tuple(given[name]) for name in ("precisions", "notes")}
    return Ready(**given)
