"""Search with each part of its score left out, on two sets of questions; fastbook chapter by chapter.

    python benchmarks/ablation.py ../shared

The spread over chapters says how far a difference can be trusted: a change that helps one chapter and hurts another
is no gain.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import tempfile
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

from record import save

from ingest.build import ingest
from kg import search
from kg.encoder import Encoder, load_encoder
from kg.store import Store, open_store

HITS = 100
PARTS = ("DENSE", "LEXICAL", "COVERED", "GRAPH", "DEFINES", "NEIGHBOUR")
Row = dict[str, Any]


def main() -> None:
    """Measure the whole and each part's absence."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    shared = parser.parse_args().shared.resolve()
    scorer = _module(shared / "eval/score_fastbook.py")
    encoder = load_encoder()
    with tempfile.TemporaryDirectory() as work:
        book, notes = (
            _store(shared / part, Path(work) / name)
            for part, name in (("eval/fastbook/notes", "book"), ("notes", "notes"))
        )
        rows = []
        for left_out in (None, *PARTS):
            kept = {part: getattr(search, part) for part in PARTS}
            if left_out:
                setattr(search, left_out, 0.0)
            row = {"without": left_out or "nothing", **_notes(shared, notes, encoder)}
            rows.append(row | _fastbook(shared, book, encoder, scorer))
            for part, value in kept.items():
                setattr(search, part, value)
            print("  ".join(f"{k} {v}" for k, v in rows[-1].items()))
    print("saved", save("ablation", {"rows": rows}))


def _store(notes: Path, folder: Path) -> Store:
    ingest([notes], folder)
    return open_store(folder)


def _notes(shared: Path, store: Store, encoder: Encoder) -> Row:
    """hit@1 and MRR over the answerable questions, headings counted once."""
    first = reciprocal = n = 0.0
    for line in (shared / "eval/questions.jsonl").read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        if not asked["gold"]:
            continue
        hits = search.search(asked["q"], store, encoder, 10)
        paths = list(dict.fromkeys(h.passage.heading_path for h in hits))
        gold = tuple(asked["gold"])
        rank = next((i for i, p in enumerate(paths, 1) if any(h.startswith(gold) for h in p)), None)
        n += 1
        first += rank == 1
        reciprocal += 1 / rank if rank else 0
    return {"notes_hit@1": round(first / n, 3), "notes_mrr": round(reciprocal / n, 3)}


def _fastbook(shared: Path, store: Store, encoder: Encoder, scorer: ModuleType) -> Row:
    """recall@3000, recall@12000 and MRR, over all questions and by chapter."""
    found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for line in (shared / "eval/fastbook/questions.jsonl").read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        hits = [{"text": h.passage.text} for h in search.search(asked["q"], store, encoder, HITS)]
        at = [scorer.read_until(hits, c["context"], 12_000) for c in asked["components"]]
        near = sum(a is not None and a <= 3000 for a in at) / len(at)
        far = sum(a is not None for a in at) / len(at)
        whole = 1 / math.ceil(max(at) / scorer.UNIT) if all(a is not None for a in at) else 0.0
        for chapter in ("fastbook", asked["chapter"]):
            found[chapter].append((near, far, whole))
    return {
        f"{chapter}_{name}": round(sum(v[i] for v in values) / len(values), 3)
        for chapter, values in found.items()
        for i, name in enumerate(("r3000", "r12000", "mrr"))
    }


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
