"""How the pages' events behave: none shows a progress of its own or is an endpoint for others."""

from __future__ import annotations

from typing import Any

__all__ = ["AT_ONCE", "QUIET"]

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
AT_ONCE: dict[str, Any] = {"queue": False, **QUIET}
