"""Texts through a model one by one, several at a time: what a text gives depends on it alone.

In a batch, the padding and the number of rows choose how sums are cut up, and so do the cores that
share one text: each changes the last bits of a vector. One text on one core has one outcome, and
as many texts at a time as there are cores take no longer than batches do. A GPU is idle over one
text, and takes batches.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import threading
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, TypeVar

__all__ = ["BATCH", "Found", "Reading", "decodable", "each_alone", "in_batches", "on_cores"]

Found = TypeVar("Found")
Reading = Callable[[Any, Sequence[str]], list[Found]]  # what a model makes of each text
BATCH = 64  # texts a forward pass on a GPU
AHEAD = 2  # steps for each core that are begun before they are asked for
_copying = threading.Lock()
_here = threading.local()  # of each core: its copy of each model


def each_alone(
    model: Any,
    read: Reading[Found],
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
        return read(_copy_of(model), [decodable(text)])[0]

    found = []
    with contextlib.closing(on_cores([partial(one, text) for text in texts])) as outcomes:
        for outcome in outcomes:
            found.append(outcome)
            if progress is not None:
                progress(len(found), len(texts))
    return found


def on_cores(steps: Iterable[Callable[[], Found]]) -> Generator[Found, None, None]:
    """What each step gives, in their order; each is computed on one core.

    Few are begun ahead, so that a question never waits behind all that an ingest has to do. Closed
    before its end, it begins no more of them.
    """
    import torch

    cores, todo = _cores(), iter(steps)
    ahead = itertools.islice(todo, AHEAD * torch.get_num_threads())
    waiting = deque(cores.submit(step) for step in ahead)
    try:
        while waiting:
            found = waiting.popleft().result()
            waiting.extend(cores.submit(step) for step in itertools.islice(todo, 1))
            yield found
    finally:
        for future in waiting:
            future.cancel()


def in_batches(
    model: Any,
    read: Reading[Found],
    texts: Sequence[str],
    progress: Callable[[int, int], None] | None = None,
) -> list[Found]:
    """The same from batches of similar length, so that little is spent on padding."""
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    found: dict[int, Found] = {}
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        found |= zip(part, read(model, [decodable(texts[i]) for i in part]), strict=True)
        if progress is not None:
            progress(len(found), len(texts))
    return [found[i] for i in range(len(texts))]


def decodable(text: str) -> str:
    """The text with a question mark where it cannot be encoded.

    Half a surrogate pair, which a terminal hands over for bytes it cannot decode, is no text to
    a tokenizer.
    """
    return text.encode("utf-8", "replace").decode("utf-8")


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
