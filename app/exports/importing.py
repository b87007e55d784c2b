"""Make a store of an exported graph: concepts, relations and evidence, without notes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from app.exports.reading import ReadGraph, read_graph
from kg.encoder import DEFAULT_ENCODER
from kg.errors import GradusError
from kg.writing import writing

__all__ = ["import_graph"]


def import_graph(file: Path, folder: Path) -> ReadGraph:
    """Put the graph of a JSON file into the store in `folder`, which must hold no notes.

    Raises
    ------
    GradusError
        When the file is no graph, or the store holds notes; the store is then as before.
    """
    graph = read_graph(file)
    with writing(folder) as writer:
        n = len(writer.notes())
        if n or ("imported" not in writer.meta and writer.meta["generation"] != "0"):
            raise GradusError(
                f"the store in {folder} holds {n} notes, which an imported graph would replace; "
                "import into a folder of its own with --store DIR"
            )
        writer.put_derived((), graph.concepts, (), graph.relations, ())
        writer.put_meta("encoder", DEFAULT_ENCODER)
        places = [[dataclasses.astuple(p) for p in own] for own in graph.places]
        writer.put_meta("imported", json.dumps({"file": file.name, "places": places}))
    return graph
