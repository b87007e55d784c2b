"""The prerequisites that a person has rejected, as the `gradus.toml` files in force say."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from ingest.decisions.read import decided_edges, decisions_in
from ingest.names.table import NameTable
from kg.schema import connect, meaning, read_meta
from kg.store import Store
from kg.types import Concept, Evidence

__all__ = ["Rejected", "rejected_prerequisites"]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A concept that is not to come before another, and the line that says so."""

    first: str
    place: Evidence


def rejected_prerequisites(store: Store, concept: Concept) -> tuple[Rejected, ...]:
    """What the files remove of a concept's prerequisites, in their order, suggested or not.

    Raises
    ------
    GradusError
        When the store cannot be read any more.
    """
    decisions, _ = decisions_in(_overrides(store))
    own = NameTable.of([(concept.label, concept.aliases)])
    about = [d for d in decisions if d.kind == "remove" and own.find(d.names[1]) is not None]
    if not about:
        return ()
    # A name may be another's label too, which then means that one.
    decided, _ = decided_edges(about, NameTable.of([(c.label, c.aliases) for c in store.concepts]))
    return tuple(
        Rejected(store.concepts[first].label, evidence)
        for (first, then), evidence in decided.remove.items()
        if then == concept.id
    )


def _overrides(store: Store) -> str:
    connection = connect(store.folder, writable=False)
    try:
        return read_meta(connection, store.folder).get("overrides", "")
    except sqlite3.DatabaseError as error:
        raise meaning(error, store.folder) from error
    finally:
        connection.close()
