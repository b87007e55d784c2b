"""Import gradio without the .pyi files that it would write beside each of its components.

That is a second of the two and a half that its import takes, at every start.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["without_stubs"]


@contextmanager
def without_stubs() -> Iterator[None]:
    """Components seem to come from no file, for which gradio writes none."""
    getfile = inspect.getfile

    def of_others(thing: Any) -> str:
        if type(thing).__name__ == "ComponentMeta":
            raise OSError("a component")
        return getfile(thing)

    inspect.getfile = of_others  # type: ignore[assignment]  # its argument has another name
    try:
        yield
    finally:
        inspect.getfile = getfile
