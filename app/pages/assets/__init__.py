"""The pages' own style sheet, scripts and static templates, read from the package."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["read_asset"]


def read_asset(name: str) -> str:
    """Text of one file of this folder."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
