"""Time of one search beside that of encoding its question alone, on seven notebooks.

python -m benchmarks.search.speed ../shared
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.record import save
from benchmarks.timing import median_ms, milliseconds, p90_ms
from ingest.build import ingest
from kg.encoder import load_encoder
from kg.search import search
from kg.store import open_store


def main() -> None:
    """Ask every question for 10 and for 100 hits, and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    shared = parser.parse_args().shared.resolve()
    lines = (shared / "eval/fastbook/questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [str(json.loads(line)["q"]) for line in lines]
    with tempfile.TemporaryDirectory() as work:
        ingest([shared / "eval/fastbook/notes"], Path(work))
        store, encoder = open_store(Path(work)), load_encoder()
        store.warm(words=True)  # as the pages do when they start
        encoding = _figures(milliseconds(lambda q: encoder.encode([q]), questions))
        found = {"encode_ms": encoding}
        for k in (10, 100):
            found[f"search_{k}_ms"] = _figures(
                milliseconds(partial(search, store=store, encoder=encoder, k=k), questions)
            )
        store.close()
    limit = 1.5 * encoding["median"] + 20
    print(found, f"limit asked: {limit:.1f} ms")
    print(
        "saved",
        save("speed", {**found, "limit_ms": round(limit, 1), "passages": len(store.passages)}),
    )


def _figures(taken: Sequence[float]) -> dict[str, float]:
    return {"median": median_ms(taken), "p90": p90_ms(taken)}


if __name__ == "__main__":
    main()
