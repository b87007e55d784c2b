"""What an encoder made of a text is kept, for tests that ingest the same texts again and again.

On a CPU it depends on the text alone, which the encoder's own tests show: with it, nothing but
time is saved.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from kg import encoder as encoding
from kg.alone import Found, Reading, each_alone
from kg.half import Piece, in_shapes

__all__ = ["afresh", "remembered"]

Progress = Callable[[int, int], None]
# By model, what was asked of it, and text. A model is held, so that no other takes its number.
_kept: dict[tuple[int, str], tuple[Any, dict[str, Any]]] = {}


@contextmanager
def remembered() -> Iterator[None]:
    """No text is read twice by a model, but with GRADUS_SOAK=1."""
    with pytest.MonkeyPatch.context() as patch:
        if not os.environ.get("GRADUS_SOAK"):
            patch.setattr(encoding, "each_alone", _each_once)
            patch.setattr(encoding, "in_shapes", _shaped_once)
        yield


@contextmanager
def afresh() -> Iterator[None]:
    """Every text is read whenever it is asked for, as outside of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "each_alone", each_alone)
        patch.setattr(encoding, "in_shapes", in_shapes)
        yield


def _each_once(
    model: Any, read: Reading[Found], texts: Sequence[str], progress: Progress | None = None
) -> list[Found]:
    asked = read.func if isinstance(read, partial) else read
    return _once(model, asked.__name__, partial(each_alone, model, read), texts, progress)


def _shaped_once(model: Any, texts: Sequence[str], progress: Progress | None = None) -> list[Piece]:
    return _once(model, "in_shapes", partial(in_shapes, model), texts, progress)


def _once(
    model: Any,
    asked: str,
    read: Callable[[Sequence[str]], list[Found]],
    texts: Sequence[str],
    progress: Progress | None,
) -> list[Found]:
    known = _kept.setdefault((id(model), asked), (model, {}))[1]
    new = [text for text in dict.fromkeys(texts) if text not in known]
    if new:
        known |= zip(new, read(new), strict=True)
    if progress is not None:
        for done in range(1, len(texts) + 1):
            progress(done, len(texts))
    return [known[text] for text in texts]
