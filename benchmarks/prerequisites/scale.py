"""Time and memory of scoring prerequisites against the number of concepts, on made-up vaults.

    python -m benchmarks.prerequisites.scale [--most 50000] [--words 40]

Each size runs in a process of its own: candidates and features, scores, then what is kept, with
shortcuts and without cycles, as an ingest does it. Concepts are made in clusters of 50 that share
words; each names six others, four of its own cluster, one of the next, one of all by a law of few
that are named very often. Texts have 40 words unless told otherwise; an ingest reads up to 220 word
pieces of each concept. Edges among made-up concepts mean nothing, only their number counts.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from benchmarks.record import save
from ingest.relations.features import read_pairs
from ingest.relations.gists import Gists
from ingest.relations.prerequisites import NOTHING_STANDING, Least, choose, orders
from ingest.relations.scorer import scorer
from ingest.relations.signals import Naming, Signals
from kg.types import Evidence

SIZES = (500, 2_000, 10_000, 50_000)
WIDTH = 384
CLUSTER = 50  # concepts
OWN_WORDS, COMMON_WORDS = 60, 2_000  # vocabulary of a cluster, and of all
WORDS, OWN_SHARE, NAME = (
    40,
    5 / 8,
    3,
)  # words of a text, share that are its cluster's, words of a name
NOTE = 10  # concepts of a note, within which order means something
GIB = 2**30

Floats = npt.NDArray[np.float32]


def main() -> None:
    """Measure every size, print a table and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=SIZES[-1], help="leave out larger vaults")
    parser.add_argument(
        "--memory-gib", type=float, default=14.0, help="a size that asks for more ends as failed"
    )
    parser.add_argument("--words", type=int, default=WORDS, help="words of a text")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        limit = int(given.memory_gib * GIB)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        measure(given.one, given.words)
        return
    rows = []
    columns = (
        "concepts",
        "candidates",
        "kept",
        "pairs_s",
        "score_s",
        "choose_s",
        "total_s",
        "peak_gib",
    )
    print("  ".join(f"{c:>10}" for c in columns))
    for n in (n for n in SIZES if n <= given.most):
        rows.append(row := in_own_process(n, given.words, given.memory_gib))
        print(
            "  ".join(f"{row.get(c, '-'):>10}" for c in columns), row.get("failed", ""), flush=True
        )
    found = {"threads": faiss.omp_get_max_threads(), "words of a text": given.words, "rows": rows}
    name = "prerequisites_scale" + ("" if given.words == WORDS else f"_{given.words}_words")
    print("saved", save(name, found))


def in_own_process(n: int, words: int, memory_gib: float) -> dict[str, Any]:
    """What a fresh process measures; of one that fails, all that it measured before."""
    command = [
        sys.executable,
        __file__,
        "--one",
        str(n),
        "--words",
        str(words),
        "--memory-gib",
        str(memory_gib),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    row: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        row |= json.loads(line)
    if done.returncode:
        row["failed"] = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
    return row


def measure(n: int, words: int) -> None:
    """Print what one size takes, a line of JSON a stage."""
    signals, gists = vault(n, words)
    learned = scorer()
    say({"concepts": n, "before_gib": peak_gib()})
    times = [time.monotonic()]
    pairs = read_pairs(signals, gists, set())
    times.append(time.monotonic())
    say({"candidates": len(pairs.a), "pairs_s": rounded(times), "pairs_gib": peak_gib()})
    scored = learned.score(pairs, orders(signals, pairs), n)
    times.append(time.monotonic())
    say({"score_s": rounded(times), "score_gib": peak_gib()})
    chosen = choose(pairs, scored, Least(learned.keep, learned.sure), signals, NOTHING_STANDING)
    times.append(time.monotonic())
    kept = [r for r in chosen.relations if r.kept]
    say(
        {
            "choose_s": rounded(times),
            "total_s": round(times[-1] - times[0], 2),
            "peak_gib": peak_gib(),
        }
    )
    say(
        {
            "kept": len(kept),
            "shortcuts": sum(r.shortcut for r in kept),
            "dropped": len(chosen.dropped),
        }
    )


def say(found: dict[str, Any]) -> None:
    """Print one line at once, so that it stands even if the next stage fails."""
    print(json.dumps(found), flush=True)


def rounded(times: list[float]) -> float:
    """Seconds between the last two."""
    return round(times[-1] - times[-2], 2)


def peak_gib() -> float:
    """The most memory that was resident at once so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB, 2)


def vault(n: int, words: int) -> tuple[Signals, Gists]:
    """A made-up vault of n concepts with so many words a text, always the same."""
    rng = np.random.default_rng(0)
    clusters = -(-n // CLUSTER)
    cluster = np.arange(n) // CLUSTER
    # One direction that all texts share, then a cluster's, then a text's own, as in the notes of
    # one field.
    themes = unit(
        0.5 * unit(rng.normal(size=(1, WIDTH))) + unit(rng.normal(size=(clusters, WIDTH)))
    )
    centres = unit(themes[cluster] + unit(rng.normal(size=(n, WIDTH))))
    names = unit(centres + unit(rng.normal(size=(n, WIDTH))))
    own = unit(
        np.repeat(themes, OWN_WORDS, axis=0) + unit(rng.normal(size=(clusters * OWN_WORDS, WIDTH)))
    )
    bank = np.concatenate([unit(rng.normal(size=(COMMON_WORDS, WIDTH))), own])
    first_own = COMMON_WORDS + cluster[:, None] * OWN_WORDS
    told = round(words * OWN_SHARE)
    in_text = first_own + rng.integers(OWN_WORDS, size=(n, told))
    in_text = np.concatenate([in_text, rng.integers(COMMON_WORDS, size=(n, words - told))], axis=1)
    in_name = first_own + rng.integers(OWN_WORDS, size=(n, NAME))
    keys = tuple(tuple(f"w{w}" for w in row) for row in in_name.tolist())
    texts = tuple(" ".join(f"w{w}" for w in row) for row in in_text.tolist())
    place = Evidence("note.md", None, 1, "A line that names another concept.", "mention")
    order = {i: (i // NOTE, i) for i in range(n)}
    signals = Signals(naming(rng, n, place), order, keys, (place,) * n)
    return signals, Gists(
        centres, names, tuple(bank[row] for row in in_name), lambda i: bank[in_text[i]], texts
    )


def naming(rng: np.random.Generator, n: int, place: Evidence) -> dict[tuple[int, int], Naming]:
    """Who names whom: mostly what stands before it, in clusters, with a few that are named very
    often.
    """
    found = {}
    start = np.arange(n) // CLUSTER * CLUSTER
    popular = 1 / np.arange(1, n + 1)
    often = rng.permutation(n)[rng.choice(n, size=n, p=popular / popular.sum())]
    for c in range(n):
        near = start[c] + rng.integers(max(1, c - start[c]), size=4)
        for p in (
            *near.tolist(),
            (start[c] + CLUSTER + int(rng.integers(CLUSTER))) % n,
            int(often[c]),
        ):
            if p != c:
                count, at = int(rng.integers(1, 5)), float(rng.random())
                found[c, p] = Naming(count, at < 0.2, at < 0.1, at > 0.9, at, place)
    return found


def unit(rows: npt.NDArray[np.floating]) -> Floats:
    """Rows of length 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


if __name__ == "__main__":
    main()
