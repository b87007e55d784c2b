"""Read what a writer streams, with patience that ends: silence, length, repetition, Stop."""

from __future__ import annotations

import logging
import queue
import threading
import time
import zlib
from collections.abc import Callable, Iterator

__all__ = ["CONNECT_S", "MAX_TOKENS", "SILENCE_S", "TOTAL_S", "WriterFailure", "paced"]

CONNECT_S = 5.0  # until a server takes the connection
SILENCE_S = 20.0  # without a token, the first included
TOTAL_S = 120.0  # for the whole answer
MAX_TOKENS = 700
MAX_CHARS = 6000  # some servers keep to no limit of tokens; what stands there then is checked
POLL_S = 0.1  # how soon a Stop is seen
# The last so many characters, packed: text of a language keeps about half its size, a loop a tenth.
LOOP_CHARS = 600
LOOP_PACKED = 0.2
log = logging.getLogger(__name__)


class WriterFailure(Exception):
    """A writer that cannot write or go on; the message is one line with what to do."""


def paced(
    pieces: Callable[[threading.Event], Iterator[str]], stop: threading.Event
) -> Iterator[str]:
    """Yield the text so far each time there is more of it.

    Parameters
    ----------
    pieces : callable
        Gives the pieces, in a thread of its own; it is handed an event that says when to end.
    stop : threading.Event
        Set by the reader.

    Raises
    ------
    WriterFailure
        What `pieces` raises, and what this reader does not wait for any longer.
    """
    arrived: queue.SimpleQueue[str | WriterFailure | None] = queue.SimpleQueue()
    over = threading.Event()
    threading.Thread(target=_pump, args=(pieces, over, arrived), daemon=True, name="writer").start()
    begun = heard = time.monotonic()
    text = ""
    try:
        while len(text) < MAX_CHARS:
            arrivals = _waiting(arrived)
            now = time.monotonic()
            if stop.is_set():
                raise WriterFailure("it was stopped; these are the notes' own words.")
            new = "".join(piece for piece in arrivals if isinstance(piece, str))
            text += new
            if _loops(text):
                raise WriterFailure("it repeats itself without end; try a larger model.")
            if new:
                yield text
            if arrivals:
                heard = now
                if isinstance(arrivals[-1], WriterFailure):
                    raise arrivals[-1]
                if arrivals[-1] is None:
                    return
            _check_patience(silent_s=now - heard, writing_s=now - begun)
    finally:
        over.set()


def _check_patience(silent_s: float, writing_s: float) -> None:
    if silent_s > SILENCE_S:
        raise WriterFailure(
            f"it sent nothing for {SILENCE_S:g} s; ask again, or choose a smaller model."
        )
    if writing_s > TOTAL_S:
        raise WriterFailure(
            f"it did not finish within {TOTAL_S:g} s; choose a smaller or faster model."
        )


def _pump(
    pieces: Callable[[threading.Event], Iterator[str]],
    over: threading.Event,
    arrived: queue.SimpleQueue[str | WriterFailure | None],
) -> None:
    """Move pieces into the queue until they end, fail, or nobody wants them."""
    try:
        for piece in pieces(over):
            arrived.put(piece)
            if over.is_set():
                return
        arrived.put(None)
    except WriterFailure as failure:
        arrived.put(failure)
    except Exception as error:  # this thread's outermost edge: the reader need not wait in vain
        log.exception("writing failed")
        reason = f"it failed with an error of its own ({type(error).__name__}); see the log."
        arrived.put(WriterFailure(reason))


def _waiting(
    arrived: queue.SimpleQueue[str | WriterFailure | None],
) -> list[str | WriterFailure | None]:
    """Everything that has arrived, after waiting a little for the first."""
    try:
        arrivals = [arrived.get(timeout=POLL_S)]
    except queue.Empty:
        return []
    while not arrived.empty():
        arrivals.append(arrived.get())
    return arrivals


def _loops(text: str) -> bool:
    tail = text[-LOOP_CHARS:].encode()
    return len(text) >= LOOP_CHARS and len(zlib.compress(tail)) < LOOP_PACKED * len(tail)
