"""Windows of notes encoded in a second, and the processor time of each, beside SentenceTransformer.

Rounds of all of them follow one another in one run, so that whatever else the machine does meets
all alike; processor time is what tells beside other work.

python -m benchmarks.ingest.encoding FOLDER... --windows 512
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.record import save
from ingest.notes.files import find_notes, read_note
from ingest.notes.kinds import parse_note
from ingest.passages.cut import cut
from ingest.passages.encode import ToEncode, read_texts, wanted_of
from kg import alone
from kg.encoder import load_encoder
from kg.half import has_bfloat16


def main() -> None:
    """Measure with each number of threads, print a table and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--windows", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    asked = parser.parse_args()
    wanted = wanted_of(_passages(asked.folders))
    chosen = random.Random(0).sample(wanted, min(asked.windows, len(wanted)))
    texts = [text for text, _ in chosen]
    encoder = load_encoder()
    ways: dict[str, Callable[[], object]] = {
        "SentenceTransformer.encode": lambda: encoder.model.encode(texts),
        "each alone, float32": lambda: encoder.encode_words(texts),
        "encode_notes": lambda: encoder.encode_notes(texts),
        "an ingest's whole pass": lambda: read_texts(
            sorted(chosen, key=lambda one: len(one[0])), encoder, lambda what, done, total: None
        ),
        "tokenizer alone": lambda: encoder.model.tokenizer(texts, truncation=True),
    }
    found = {}
    for threads in asked.threads:
        torch.set_num_threads(threads)
        alone._cores.cache_clear()
        found[str(threads)] = _measured(ways, len(texts), asked.rounds)
    told: dict[str, Any] = {"windows": len(texts), "bfloat16": has_bfloat16(), "threads": found}
    print("saved", save("encoding", {**told, "cosine_to_float32": _cosines(texts)}))


def _passages(folders: Sequence[Path]) -> list[ToEncode]:
    found = []
    for note in find_notes(folders):
        parsed = parse_note(read_note(note.path), note.name)
        found += [ToEncode.of(passage) for passage in cut(parsed, note.name)]
    return found


def _measured(
    ways: dict[str, Callable[[], object]], n: int, rounds: int
) -> dict[str, dict[str, float]]:
    """Medians over the rounds, the first of which does not count."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            begun, worked = time.perf_counter(), time.process_time()
            way()
            taken[name].append((time.process_time() - worked, time.perf_counter() - begun))
    found = {}
    for name, rows in taken.items():
        work = statistics.median(row[0] for row in rows[1:])
        wall = statistics.median(row[1] for row in rows[1:])
        found[name] = {"cpu_ms": round(1000 * work / n, 2), "a_second": round(n / wall, 1)}
        peer = found["SentenceTransformer.encode"]
        found[name]["times_faster_by_cpu"] = round(peer["cpu_ms"] / found[name]["cpu_ms"], 2)
        found[name]["times_faster"] = round(found[name]["a_second"] / peer["a_second"], 2)
        print(f"{name:30}", found[name])
    return found


def _cosines(texts: Sequence[str]) -> dict[str, float]:
    """The least cosine of a text's and of a word's vector with those in float32."""
    encoder = load_encoder()
    whole, words = encoder.encode_words(texts)
    vectors, read = encoder.encode_notes(texts)
    pairs = zip(words, read, strict=True)
    of_words = [(one.vectors * other.vectors).sum(axis=1) for one, other in pairs]
    return {
        "least_text": round(float((whole * vectors).sum(axis=1).min()), 5),
        "least_word": round(float(np.concatenate(of_words).min()), 5),
    }


if __name__ == "__main__":
    main()
