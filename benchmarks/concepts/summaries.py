"""How often the sentence that stands for a concept is one that a reader would show.

    python -m benchmarks.concepts.summaries SHARED

Of 547 concepts of twelve vaults a blind reader chose, from the sentences of their first four
passages, the one to show, those that serve as well, or none (`summaries.jsonl`; sentences are
named by a checksum). Prints the share that serves by vault.
"""

from __future__ import annotations

import argparse
import json
import statistics
import zlib
from pathlib import Path
from typing import Any

from benchmarks.concepts.train import notes_in, vaults_with_corpora
from ingest.concepts.summary import summary_of
from kg.types import Passage

JUDGED = Path(__file__).with_name("summaries.jsonl")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    folders = vaults_with_corpora(parser.parse_args().shared.resolve())
    lines = [json.loads(line) for line in JUDGED.read_text(encoding="utf-8").splitlines()]
    shares = []
    for vault in dict.fromkeys(line["vault"] for line in lines):
        passages = {
            (p.note, p.cell, p.line_start): p
            for note in notes_in(folders[vault])
            for p in note.passages
        }
        served = [_served(line, passages) for line in lines if line["vault"] == vault]
        shares.append(statistics.mean(served))
        print(f"{vault:<20}{len(served):>5}{shares[-1]:>8.3f}", flush=True)
    print(f"{'mean':<20}{len(lines):>5}{statistics.mean(shares):>8.3f}")


def _served(line: dict[str, Any], passages: dict[tuple[str, int | None, int], Passage]) -> bool:
    own = [passages[place] for at in line["passages"] if (place := tuple(at)) in passages]
    summary = summary_of(own, line["names"])
    if line["best"] is None:
        return not summary
    return f"{zlib.crc32(summary.encode()):08x}" in line["good"]


if __name__ == "__main__":
    main()
