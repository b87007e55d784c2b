"""The pages' server for the browser tests: a process of its own, ended with Ctrl-C."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from free_port import free_port
from playwright.sync_api import Page
from with_ctrl_c import ended_with_ctrl_c

__all__ = ["Site", "Visit", "heavy_findings", "serve"]

SERVE = (
    "import sys; from pathlib import Path; from app.pages.serve import serve; "
    "from app.writer.choice import choose_writer; "
    "serve(Path(sys.argv[1]), port=int(sys.argv[2]), writer=choose_writer(sys.argv[3]))"
)
HEAVY = {"serious", "critical"}  # findings of axe


@dataclass
class Site:
    """The pages of one server, its folders, and how to talk to it."""

    address: str
    store: Path
    notes: Path
    pid: int
    said: list[str] = field(default_factory=list)


@dataclass
class Visit:
    """An open page, with what the browser complained about and where it sent requests."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def serve(store: Path, notes: Path, writer: str = "none") -> Iterator[Site]:
    """A server in a process of its own, on a free port; ended as a user would, with Ctrl-C."""
    port = free_port()
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(store), str(port), writer],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[2],
    )
    assert server.stdout is not None
    site = Site(f"http://127.0.0.1:{port}", store, notes, server.pid)
    with ended_with_ctrl_c(server):
        for line in server.stdout:
            site.said.append(line)
            if site.address in line:
                break
        else:
            pytest.fail("the server ended: " + "".join(site.said))
        threading.Thread(target=site.said.extend, args=(server.stdout,), daemon=True).start()
        yield site


def heavy_findings(page: Page, axe: str) -> list[str]:
    """What axe finds serious or critical, with the element."""
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("axe.run()")
    return [
        f"{rule['id']}: {node['target']} {node['html'][:160]} {node['failureSummary'][:240]}"
        for rule in found["violations"]
        if rule["impact"] in HEAVY
        for node in rule["nodes"]
    ]
