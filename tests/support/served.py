"""The pages of an open store, served by this process on a free port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from free_port import free_port

from app.api.functions import Gradus
from app.intake import Intake
from app.pages.access import Access
from app.pages.beginning import load_writer
from app.pages.serve import _build, _launch
from app.writer.written import Writer

__all__ = ["served"]


@contextmanager
def served(
    gradus: Gradus,
    access: Access | None = None,
    *,
    watching: bool = False,
    writer: Writer | None = None,
) -> Iterator[str]:
    """Their address while they are served; runs that were started end with them."""
    port = free_port()
    pages = _build(gradus, writer)
    intake = Intake(gradus.shelf, watching)
    _launch(pages, gradus, intake, "127.0.0.1", port, access or Access())
    try:
        intake.follow()
        if writer is not None:
            load_writer(writer)
        yield f"http://127.0.0.1:{port}"
    finally:
        intake.close()
        gradus.runs.stop_all()
        pages.close(verbose=False)
