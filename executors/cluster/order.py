"""A run as a client asks a cluster for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
