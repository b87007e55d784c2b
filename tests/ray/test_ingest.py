"""An ingest by a real cluster's workers: the store of a local one, whatever happens to them."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cluster import ROOT, Cluster

STARTER = ROOT / "ingest" / "starter"
FEW = 3  # of its notes: each text is encoded three times on one core


def told(program: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The report that an ingest printed."""
    assert program.returncode == 0, program.stderr
    report: dict[str, Any] = json.loads(program.stdout.splitlines()[-1])
    return report


def rows(store: Path) -> dict[str, list[str]]:
    """All that a store's tables hold, but for the identity that each store is given."""
    with closing(sqlite3.connect(store / "gradus.sqlite")) as database:
        listed = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        tables = [name for name, sql in listed if "VIRTUAL" not in sql and "_" not in name]
        return {
            table: sorted(
                repr(row)
                for row in database.execute(f"SELECT * FROM {table}")
                if row[0] != "identity"
            )
            for table in tables
        }


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few of the starter notes."""
    folder = tmp_path_factory.mktemp("notes")
    for path in sorted(STARTER.glob("*.md"))[:FEW]:
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.fixture(scope="module")
def here(cluster: Cluster, notes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that this machine made alone."""
    store = tmp_path_factory.mktemp("here")
    told(cluster.gradus("ingest", str(notes), "--store", str(store), "--json"))
    return store


def test_the_store_is_that_of_a_local_ingest(
    cluster: Cluster, notes: Path, here: Path, tmp_path: Path
) -> None:
    """Every row of every table, vectors to the last bit; and again nothing is left to do."""
    words = ("ingest", str(notes), "--store", str(tmp_path), "--on", cluster.address, "--json")
    report = told(cluster.gradus(*words))
    assert report["failed"] == [] and report["encoded"] == report["passages"]
    assert rows(tmp_path) == rows(here)
    again = told(cluster.gradus(*words))
    assert (again["encoded"], again["changed"]) == (0, 0)


def test_a_node_that_is_killed_meanwhile_costs_nothing(
    cluster: Cluster, notes: Path, here: Path, tmp_path: Path
) -> None:
    """What its worker had in hand is done by another; nothing is lost, nothing twice."""
    words = ("ingest", str(notes), "--store", str(tmp_path), "--on", cluster.address, "--json")
    program = cluster.begin(*words)
    assert program.stdout is not None
    seen = []
    for line in program.stdout:
        seen.append(line)
        if line.startswith(b"encoding: "):
            break
    cluster.node.kill()
    rest = program.stdout.read()
    assert program.wait() == 0, rest
    assert any(line.startswith(b"encoding: ") for line in seen), seen
    cluster.start_node()
    assert rows(tmp_path) == rows(here)


def test_a_note_that_brings_down_its_readers_is_named_and_left_out(
    cluster: Cluster, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "good.md").write_text("# Dropout\n\nDropout sets activations to zero.\n")
    (notes / "other.mdx").write_text("# Momentum\n\nMomentum keeps a running mean.\n")
    (notes / "bad.mdx").write_text("# Gradient\n\nThis note brings down its reader.\n")
    store = tmp_path / "store"
    words = ("ingest", str(notes), "--store", str(store), "--on", cluster.address, "--json")
    report = told(cluster.gradus(*words))
    assert report["notes"] == 2
    (failed,) = report["failed"]
    assert failed["note"] == "bad.mdx" and "crashes" in failed["error"]
    (notes / "bad.mdx").unlink()
    alone = tmp_path / "alone"
    told(cluster.gradus("ingest", str(notes), "--store", str(alone), "--json"))
    assert rows(store) == rows(alone)
