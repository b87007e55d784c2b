"""Texts through a model one by one, several at a time: what a text gives depends on it alone.

In a batch, the padding and the number of rows choose how sums are cut up, and so do the cores that
share one text: each changes the last bits of a vector. One text on one core has one outcome, and
as many texts at a time as there are cores take no longer than batches do.
"""

from __future__ import annotations

import copy
import itertools
import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

__all__ = ["each_alone"]

Found = TypeVar("Found")
_copying = threading.Lock()
_here = threading.local()  # of each core: its copy of each model


def each_alone(
    model: Any,
    read: Callable[[Any, str], Found],
    texts: Sequence[str],
    progress: Callable[[int, int], None] | None = None,
) -> list[Found]:
    """What `read` makes of the model and each text, in their order.

    Parameters
    ----------
    model : torch.nn.Module
        Each core reads with a copy that shares its weights: a tokenizer is of one thread.
    progress : callable or None
        Is told how many are done, of how many.
    """

    def one(text: str) -> Found:
        # Half a surrogate pair, which a terminal hands over for bytes it cannot decode, is no text
        # to a tokenizer.
        return read(_copy_of(model), text.encode("utf-8", "replace").decode("utf-8"))

    waiting = [_cores().submit(one, text) for text in texts]
    found = []
    try:
        for done, future in enumerate(waiting, 1):
            found.append(future.result())
            if progress is not None:
                progress(done, len(texts))
    finally:
        for future in waiting:
            future.cancel()
    return found


@cache
def _cores() -> ThreadPoolExecutor:
    """As many threads as torch would use, each of which computes on one core."""
    import torch

    count = torch.get_num_threads()
    begun = threading.Barrier(count + 1)

    def begin() -> None:
        torch.set_num_threads(1)
        torch.get_num_threads()  # from here on this thread takes no other's number
        begun.wait()

    cores = ThreadPoolExecutor(count, "encode", begin)
    for _ in range(count):
        cores.submit(int)
    begun.wait()
    torch.set_num_threads(count)  # threads yet to come take the number that was set last
    return cores


def _copy_of(model: Any) -> Any:
    if not hasattr(_here, "copies"):
        _here.copies = weakref.WeakKeyDictionary()
    if model not in _here.copies:
        weights = itertools.chain(model.parameters(), model.buffers())
        with _copying:
            _here.copies[model] = copy.deepcopy(model, {id(w): w for w in weights})
    return _here.copies[model]
