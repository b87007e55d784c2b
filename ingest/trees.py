"""Boosted trees as a table of nodes: what a classifier needs to be read, and nothing to fit one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Trees"]


@dataclass(frozen=True, slots=True)
class Trees:
    """The nodes of all trees one after another; a leaf's feature is -1."""

    roots: npt.NDArray[np.int64]  # (trees,)
    feature: npt.NDArray[np.int64]  # (nodes,)
    threshold: npt.NDArray[np.float64]  # what is no greater goes left
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]  # of a leaf
    base: float

    @classmethod
    def of(cls, stored: Mapping[str, Any], columns: Sequence[str]) -> Trees:
        """From lists of these names, as JSON holds them.

        Raises
        ------
        ValueError
            When they were fitted to other columns than these.
        """
        if stored["columns"] != [*columns]:
            raise ValueError(f"trees of {stored['columns']}, expected {[*columns]}; fit them again")
        ids = (np.array(stored[n], dtype=np.int64) for n in ("roots", "feature", "left", "right"))
        roots, feature, left, right = ids
        threshold, value = (np.array(stored[n], dtype=np.float64) for n in ("threshold", "value"))
        return cls(roots, feature, threshold, left, right, value, float(stored["base"]))

    def chances(
        self, rows: npt.NDArray[np.float64] | npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float64]:
        """Probabilities, shape (n,), of rows of shape (n, features)."""
        odds = np.full(len(rows), self.base)
        every = np.arange(len(rows))
        for root in self.roots:
            at = np.full(len(rows), root)
            while (inner := self.feature[at] >= 0).any():
                low = rows[every, self.feature[at]] <= self.threshold[at]
                at = np.where(inner, np.where(low, self.left[at], self.right[at]), at)
            odds += self.value[at]
        return np.asarray(1 / (1 + np.exp(-odds)))
