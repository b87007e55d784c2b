"""How the pages' events behave: none shows a progress of its own or is an endpoint for others."""

from __future__ import annotations

from typing import Any

__all__ = ["AT_ONCE", "EACH", "QUIET"]

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
# For what comes with an event, as a label does: "always_last" sends the first one's again.
EACH: dict[str, Any] = {"trigger_mode": "multiple"}
AT_ONCE: dict[str, Any] = {"queue": False, **QUIET}
