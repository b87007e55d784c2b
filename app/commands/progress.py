"""Progress on stderr: bars in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

__all__ = ["on_stderr"]

LINE_EVERY_S = 10.0


@contextlib.contextmanager
def on_stderr(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """A function (what, done, total) that shows how far each stage has come."""
    if not console.is_terminal:
        yield _lines(console)
        return
    bars: dict[str, TaskID] = {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:

        def tell(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=total)
            progress.update(bars[what], completed=done, total=total)

        yield tell


def _lines(console: Console) -> Callable[[str, int, int], None]:
    """For logs and pipes: what is done and how far, at most a line every ten seconds."""
    last = time.monotonic()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_EVERY_S:
            last = time.monotonic()
            console.print(f"{what}: {done} of {total}", markup=False)

    return tell
