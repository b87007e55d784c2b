"""A card's memory simulated on the CPU: counts the bytes of living tensors, raises OutOfMemoryError
past a bound.

Deterministic, so that the true largest batch is known exactly. What a tensor's storage holds counts
from the operation that made it until Python or autograd lets go of it; kernels' own scratch space
is not seen.
"""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["SimulatedMemory"]


class SimulatedMemory(TorchDispatchMode):
    """Counts what is allocated while it is active; `limit` None bounds nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.live, self.peak = 0, 0  # bytes
        self.limit: int | None = None
        self._known: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run the operation, then count what it allocated."""
        out = func(*args, **(kwargs or {}))
        given = {
            leaf.untyped_storage()._cdata
            for leaf in tree_leaves((args, kwargs))
            if isinstance(leaf, torch.Tensor)
        }
        for leaf in tree_leaves(out):
            if isinstance(leaf, torch.Tensor):
                storage = leaf.untyped_storage()
                if storage._cdata not in given:
                    self._count(storage)
        if self.limit is not None and self.live > self.limit:
            del out, leaf, storage
            raise torch.OutOfMemoryError(
                f"CUDA out of memory. Tried to allocate past {self.limit} bytes of simulated "
                "memory."
            )
        return out

    def _count(self, storage: Any) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return

        def forget(_: Any) -> None:
            self._known.pop(key, None)
            self.live -= size

        self._known[key] = weakref.ref(storage, forget)
        self.live += size
        self.peak = max(self.peak, self.live)
