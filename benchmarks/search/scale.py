"""Time, memory and bytes of a store against its size, from 100 to a million passages.

    python -m benchmarks.search.scale [--most 1000000]

Each size is written and asked in processes of their own; `docs/scale.svg` shows them. Passages are
made up from a seed: 60 words of a vocabulary of 50,000 in which few are named very often, ten
passages a note. To encode a million would take hours here, so that a word's vector is drawn at
random, as is the encoder's of a question, and a text's is the direction of the sum of its words':
what is measured is the store and the search, not the encoder, and no concepts are derived.

- `write_s`: writing notes, passages, vectors and the full-text index; `write_gib`: most memory, of
  which drawing the vectors takes .38 at the start,
- `open_s`: from opening the store to the first answer, the shortlist's file read if there is one,
- `median_ms`, `p95_ms`: a search for ten hits, encoding included, which takes no time here,
- `read_gib`: most memory of that process,
- `recall`: of the ten nearest of all vectors, the share that the store names,
- `bytes`: of all files, a passage.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt

from benchmarks.record import save
from kg.search import search
from kg.store import open_store
from kg.types import Passage
from kg.vectors import STATEMENT_BITS, WORD_BITS, PassageVectors, Words, in_bits, in_bytes
from kg.writing import NoteRecord, writing

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
D, VOCABULARY, WORDS, NOTE = 384, 50_000, 60, 10
QUESTIONS, HITS = 100, 10
EXACT_FROM = 20  # questions whose nearest passages are looked for among all
GIB = 2**20  # kibibytes, in which the system tells memory
PICTURE = Path(__file__).parents[2] / "docs/scale.svg"
TIMES = (
    ("write_s", "writing the store", 1.0),
    ("open_s", "opening it, to the first answer", 1.0),
    ("p95_ms", "one search, p95", 1e-3),
)

Floats = npt.NDArray[np.float32]


class RandomWords:
    """An encoder that draws a vector for each word, the same for the same word."""

    name = "random words"

    def __init__(self) -> None:
        drawn = np.random.default_rng(1).standard_normal((VOCABULARY, D))
        self.vectors: Floats = _unit(drawn.astype(np.float32))

    def encode_words(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> tuple[Floats, list[Words]]:
        """As `kg.encoder.Encoder.encode_words`."""
        read = [self._read(text) for text in texts]
        return np.stack([_unit(words.vectors.sum(0)[None])[0] for words in read]), read

    encode_notes = encode_words

    def _read(self, text: str) -> Words:
        words, at = text.split(" "), 0
        spans = []
        for word in words:
            spans.append((at, at + len(word)))
            at += len(word) + 1
        return Words(np.array(spans), self.vectors[[int(word[1:]) for word in words]])


def main() -> None:
    """Measure every size, print a table and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=SIZES[-1], help="leave out larger stores")
    parser.add_argument("--write", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ask", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write or given.ask:
        measured = _write(given.write, given.store) if given.write else _ask(given.ask, given.store)
        print(json.dumps(measured))
        return
    found = {}
    for n in (size for size in SIZES if size <= given.most):
        with tempfile.TemporaryDirectory() as work:
            found[n] = _apart("--write", n, work) | _apart("--ask", n, work)
        print(n, found[n], flush=True)
    print("saved", save("search_scale", {"sizes": found}))
    draw(found, PICTURE)


def draw(found: Mapping[int, Mapping[str, float]], file: Path) -> None:
    """Times against the number of passages, as the README shows them."""
    with plt.rc_context({"svg.hashsalt": "gradus", "svg.fonttype": "none"}):
        figure, side = plt.subplots(figsize=(6, 3.2), layout="constrained")
        for name, label, scale in TIMES:
            times = [found[n][name] * scale for n in found]
            side.loglog(list(found), times, marker="o", label=label)
        side.set(xlabel="passages", ylabel="seconds")
        side.grid(alpha=0.3)
        side.legend(frameon=False)
        figure.savefig(file, metadata={"Date": None})
        plt.close(figure)


def _apart(step: str, n: int, store: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.search.scale", step, str(n), "--store", store]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout))


def _write(n: int, folder: Path) -> dict[str, Any]:
    begun = time.monotonic()
    encoder = RandomWords()
    codes = in_bits(encoder.vectors, WORD_BITS)
    size = len(codes) // VOCABULARY
    names = []
    with writing(folder) as writer:
        writer.put_meta("encoder", encoder.name)
        for note, own in enumerate(_notes(n)):
            passages, vectors = [], []
            sums = encoder.vectors[own].sum(axis=1)
            texts = in_bytes(sums)
            for i, words in enumerate(own):
                text = _text(words)
                passages.append(
                    Passage(i, "", None, 70 * i, 70 * i + len(text), i, i, ("Made",), text, "prose")
                )
                kept = b"".join(codes[w * size : (w + 1) * size] for w in words)
                digest = hashlib.sha256(text.encode()).digest()[:16]
                nowhere = np.full(len(words), -1, dtype=np.int16)
                none = in_bits(np.zeros((0, D), dtype=np.float32), STATEMENT_BITS)
                vectors.append(PassageVectors(digest, (texts[i].tobytes(),), kept, nowhere, none))
            names.append(f"{note}.md")
            record = NoteRecord(0, f"/made/{note}.md", "/made", names[-1], "made")
            writer.put_note(record, '{"texts": []}', passages, vectors)
        everything = (
            (at, "Made", _text(words), "")
            for at, words in enumerate(words for own in _notes(n) for words in own)
        )
        writer.put_derived(names, [], [], [], everything)
    with_index = open_store(folder)
    with_index.warm()
    with_index.close()
    return {
        "write_s": round(time.monotonic() - begun, 2),
        "write_gib": _most_memory(),
        "bytes": round(sum(file.stat().st_size for file in folder.iterdir()) / n),
    }


def _ask(n: int, folder: Path) -> dict[str, Any]:
    encoder = RandomWords()
    rng = np.random.default_rng(2)
    # Half of a question's words are from one passage, so that there is something to be found.
    some = [own[0] for own, _ in zip(_notes(n), range(QUESTIONS), strict=False)]
    questions = [
        _text(np.concatenate([rng.choice(some[q % len(some)], 3), _drawn(rng, 3)]))
        for q in range(QUESTIONS)
    ]
    begun = time.monotonic()
    store = open_store(folder)
    search(questions[0], store, encoder, HITS)  # type: ignore[arg-type]
    opened = time.monotonic() - begun
    taken = []
    for question in questions:
        begun = time.perf_counter()
        search(question, store, encoder, HITS)  # type: ignore[arg-type]
        taken.append(1000 * (time.perf_counter() - begun))
    memory = _most_memory()
    queries = encoder.encode_words(questions[:EXACT_FROM])[0]
    nearest = [{p for p, _ in store.vectors.nearest(query, HITS)} for query in queries]
    exact = _exact(queries, n, encoder)
    store.close()
    shared = [len(found & right) / len(right) for found, right in zip(nearest, exact, strict=True)]
    return {
        "open_s": round(opened, 2),
        "median_ms": round(statistics.median(taken), 1),
        "p95_ms": round(statistics.quantiles(taken, n=20)[-1], 1),
        "read_gib": memory,
        "recall": round(statistics.mean(shared), 4),
    }


def _exact(queries: Floats, n: int, encoder: RandomWords) -> list[set[int]]:
    """The passages whose vectors are nearest to each query, by all cosines."""
    best: list[list[tuple[float, int]]] = [[] for _ in queries]
    at = 0
    for own in _notes(n):
        cosines = _unit(encoder.vectors[own].sum(axis=1)) @ queries.T  # (passages, queries)
        for q, column in enumerate(cosines.T):
            best[q] += zip(column.tolist(), range(at, at + len(own)), strict=True)
            if len(best[q]) > 1_000:
                best[q] = sorted(best[q], reverse=True)[:HITS]
        at += len(own)
    return [{p for _, p in sorted(scored, reverse=True)[:HITS]} for scored in best]


def _notes(n: int) -> Iterator[npt.NDArray[np.int64]]:
    """The words of each note's passages, shape (passages, WORDS), always the same."""
    rng = np.random.default_rng(0)
    for first in range(0, n, NOTE):
        yield _drawn(rng, (min(NOTE, n - first), WORDS))


def _drawn(rng: np.random.Generator, shape: int | tuple[int, int]) -> npt.NDArray[np.int64]:
    """Words, the n-th of which comes up about as often as 1 / n."""
    return np.asarray(VOCABULARY ** rng.random(shape), dtype=np.int64) - 1


def _text(words: npt.NDArray[np.int64]) -> str:
    return " ".join(f"w{word}" for word in words)


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _most_memory() -> float:
    """Of this program alone; `getrusage` counts what its parent held when it was started."""
    told = Path("/proc/self/status").read_text(encoding="utf-8")
    return round(int(told.partition("VmHWM:")[2].split()[0]) / GIB, 2)


if __name__ == "__main__":
    main()
