"""Save what a benchmark found, with the commit, the hardware and the versions it ran on."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

__all__ = ["circumstances", "save"]

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("torch", "fastai", "sentence-transformers", "faiss-cpu", "networkx", "gradio")


def circumstances() -> dict[str, Any]:
    """Commit, machine and versions."""
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    changed = subprocess.run(
        ["git", "status", "--porcelain"], capture_output=True, text=True, check=False
    ).stdout
    return {
        "commit": commit,
        "uncommitted_changes": bool(changed.strip()),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
            "system": platform.system(),
        },
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def save(name: str, found: dict[str, Any]) -> Path:
    """Write `results/<name>.json`; returns its path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(
        json.dumps({**circumstances(), **found}, indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    return path
