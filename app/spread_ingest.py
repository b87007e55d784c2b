"""An ingest on this machine, or with the workers of a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from executors.cluster_address import check_address
from ingest.build import ingest
from ingest.passages.encode import Progress
from ingest.report import Report
from ingest.spread import Workers

__all__ = ["ingest_on"]


def ingest_on(
    on: str,
    paths: Sequence[Path],
    folder: Path,
    encoder: str | None = None,
    progress: Progress | None = None,
) -> Report:
    """`ingest.build.ingest`, by the cluster at the address `on`; "" is this machine.

    Raises
    ------
    GradusError
        As `ingest` does.
    RecipeError
        When the cluster cannot be reached or used.
    """
    address = check_address(on)
    if not address:
        return ingest(paths, folder, encoder, progress)
    from executors.cluster.connect import connected

    with connected(address) as ray, Workers(ray) as workers:
        return ingest(paths, folder, encoder, progress, workers)
