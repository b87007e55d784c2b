"""A run as a client asks a cluster for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from executors.runs.run import Run, start

__all__ = ["Order"]


@dataclass(frozen=True, slots=True)
class Order:
    """A run as its client asks for it; `folder` is the client's, `archives` as in `sent.packed`."""

    recipe: str
    params: Mapping[str, object]
    folder: str
    timeout_s: float
    silence_s: float | None
    cpus: float
    cards: int
    archives: Mapping[str, bytes] = field(repr=False)

    def started(self, params: Mapping[str, Any], folder: Path, laid: Mapping[str, bytes]) -> Run:
        """Start it, or a part of it, in a folder of this node; `laid` as in `runs.run.start`."""
        timeout_s, silence_s = self.timeout_s, self.silence_s
        return start(
            self.recipe, params, folder, timeout_s=timeout_s, silence_s=silence_s, laid=laid
        )
