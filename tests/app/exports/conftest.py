"""Graphs that no note would give: a store in memory of labels and relations."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest

from kg.passages import Passages
from kg.rows import insert_relations
from kg.schema import create_tables
from kg.store import Store
from kg.stored_vectors import StoredVectors
from kg.types import Concept, Evidence, Place, Relation

# Words that some format gives a meaning of its own.
HOSTILE = (
    'a "quoted" name',
    "x <b>bold</b> & &amp; &lt;y&gt;",
    "back\\slash\\",
    "C#",
    "C++",
    "]] [[link|shown]] #tag ^block",
    "--- # no front matter",
    "null \x00 bell \x07 and \ufffe \uffff",
    "line\nends\r\nand \u2028 \u2029 \x85 others",
    "\u202ereversed\u202c and a zero\u200bwidth",
    "emoji 😀 👩‍🔬 and 日本語, العربية",
    "end",
    "graph",
    "subgraph",
    "click style classDef x:#f00;",
    '%%{init: {"theme": "dark"}}%%',
    "style a:b#c",
    "$$x^2$$ and $y$",
    "1. item",
    "- item",
    "`code` *em* _em_ ~~gone~~",
    "#quot; #35; #",
    "CON",
    "aux.md",
    "../../outside",
    "C:\\Windows\\x",
    ".hidden",
    "trailing dot.",
    "a/b|c?d*e:f",
    "<!-- comment -->",
    "{{mustache}} @{shape: cloud}",
    "x" * 400,
    "ﬂ°°35¶ß",
    "\\N \\G \\l",
)

MakeStore = Callable[..., Store]


def _holding(relations: Sequence[Relation]) -> sqlite3.Connection:
    """A database in memory with relations to read."""
    connection = sqlite3.connect(":memory:")
    create_tables(connection)
    insert_relations(connection, relations)
    return connection


def graph_store(
    labels: Sequence[str],
    relations: Sequence[Relation] = (),
    aliases: Sequence[Sequence[str]] = (),
    summaries: Sequence[str] = (),
) -> Store:
    """A store of nothing but a graph; each concept stands on line 1 + its number of one note."""
    concepts = tuple(
        Concept(
            i,
            label,
            tuple(aliases[i]) if aliases else (),
            ("note.md",),
            summaries[i] if summaries else f"What it is, in {i}.",
            (),
        )
        for i, label in enumerate(labels)
    )
    connection, folder = _holding(relations), Path("nowhere")
    passages = Passages(connection, nullcontext, ())
    return Store(
        folder=folder,
        generation=1,
        identity="",
        encoder_name="",
        passages=passages,
        vectors=StoredVectors(connection, nullcontext, passages, folder, ""),
        concepts=concepts,
        note_names=(),
        note_paths={},
        _connection=connection,
        _reading=nullcontext,
        imported_from="memory",
        _imported_places=tuple(
            (Place("note.md", None, i + 1, i + 1),) for i in range(len(concepts))
        ),
    )


def chain(n: int) -> tuple[Relation, ...]:
    """Prerequisites from each concept to the next."""
    return tuple(Relation("prerequisite", i, i + 1, 0.9, True, (), "sure") for i in range(n - 1))


@pytest.fixture(scope="session")
def hostile() -> Store:
    return graph_store(
        HOSTILE, chain(len(HOSTILE)), summaries=[f"{label} is {label}." for label in HOSTILE]
    )


@pytest.fixture(scope="session")
def make_store() -> MakeStore:
    return graph_store


@pytest.fixture
def several() -> Store:
    """A diamond with a shortcut, a candidate, and relations of the other kinds."""
    quote = Evidence("note.md", None, 3, 'Needs: <Tensor> & "more"', "stated")
    cell = Evidence("log.ipynb", 2, 1, "", "similarity")
    relations = (
        Relation("prerequisite", 0, 1, 0.9, True, (quote, cell), "stated"),
        Relation("prerequisite", 0, 2, 0.8, True, (), "likely"),
        Relation("prerequisite", 1, 3, 0.7, True, (), "sure"),
        Relation("prerequisite", 2, 3, 0.75, True, (), "likely"),
        Relation("prerequisite", 0, 3, 0.66, True, (), "likely", True),
        Relation("prerequisite", 3, 0, 0.1, False, ()),
        Relation("broader", 0, 1, 1.0, True, (quote,)),
        Relation("related", 1, 2, 0.5, True, (cell,)),
    )
    labels = ["Tensor", "Gradient", "Loss", "Learning Rate", "Left alone"]
    return graph_store(labels, relations, [["Array", "Block"], [], [], ["LR"], []])
