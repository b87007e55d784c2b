"""Share of the kept prerequisite edges of one person's notes that a teacher would accept, by a
review edge by edge.

    python -m benchmarks.prerequisites.review ../shared

The review is `reviews/notes_prerequisites.jsonl`. Edges that are kept now and were not reviewed are
listed.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.record import save
from ingest.build import ingest
from kg.store import open_store

REVIEW = Path(__file__).parents[1] / "reviews" / "notes_prerequisites.jsonl"


def main() -> None:
    """Ingest, compare with the review, and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    notes = parser.parse_args().shared.resolve() / "notes"
    lines = [json.loads(line) for line in REVIEW.read_text(encoding="utf-8").splitlines()]
    accepted = {(r["prerequisite"], r["concept"]): bool(r["accepted"]) for r in lines}
    with tempfile.TemporaryDirectory() as folder:
        ingest([notes], Path(folder))
        store = open_store(Path(folder))
        label = [c.label for c in store.concepts]
        kept = [r for r in store.relations if r.kind == "prerequisite"]
        store.close()
    edges = {(label[r.source], label[r.target]): r for r in kept}
    reviewed = {pair: accepted[pair] for pair in edges if pair in accepted}
    unreviewed = [" -> ".join(pair) for pair in edges if pair not in accepted]
    by_tier = Counter((edges[pair].tier, verdict) for pair, verdict in reviewed.items())
    by_signal = Counter(
        (edges[pair].evidence[0].signal, verdict) for pair, verdict in reviewed.items()
    )
    found = {
        "kept": len(edges),
        "reviewed": len(reviewed),
        "accepted": sum(reviewed.values()),
        "share": round(sum(reviewed.values()) / max(1, len(reviewed)), 3),
        "by_tier": {
            t: [by_tier[t, True], by_tier[t, True] + by_tier[t, False]]
            for t in ("stated", "sure", "likely")
        },
        "by_signal": {
            s: [by_signal[s, True], by_signal[s, True] + by_signal[s, False]]
            for s, _ in sorted(by_signal)
        },
        "unreviewed": unreviewed,
    }
    print(json.dumps(found, indent=1, ensure_ascii=False))
    print("saved", save("review_prerequisites", found))


if __name__ == "__main__":
    main()
