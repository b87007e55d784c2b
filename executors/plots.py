"""What the pictures of recipes share: colours, resolution, quiet axes; drawn without a screen."""

from __future__ import annotations

from typing import Any

import matplotlib

matplotlib.use("Agg")

__all__ = ["COLOURS", "DPI", "GREY", "RED", "tidy_axes"]

# told apart in grey as well
COLOURS = ("#2563eb", "#ea580c", "#059669", "#9333ea", "#0891b2", "#be123c")
RED, GREY = "#dc2626", "#64748b"
DPI = 140


def tidy_axes(axes: Any) -> None:
    """A light grid behind what is drawn, and no frame above or to the right."""
    axes.grid(True, color="#e2e8f0", lw=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
