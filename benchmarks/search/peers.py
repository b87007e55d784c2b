"""Gradus beside plain methods and two libraries, txtai and LlamaIndex: same notes, same encoder,
one run, one machine.

    pip install txtai llama-index-core llama-index-retrievers-bm25 \\
        llama-index-embeddings-huggingface
    python -m benchmarks.search.peers ../shared

The folder must hold `eval/` with its scorers and `notes/`. Install the peers into an environment
that also sees Gradus; one that is missing is left out, and the table says so. No network is used.
Each method runs in a process of its own with the same number of threads:

- over our passages with their headings ("ours"),
- over pieces of up to 1,200 characters, cut at headings and blank lines ("1200"), or packed of
  whole cells of a notebook, whole blocks of a Markdown note, none of them cut ("whole"),
- over what the library itself would cut: txtai's paragraphs; LlamaIndex's MarkdownNodeParser and
  then its SentenceSplitter, of 1,024 tokens (its default) and of 256.

So cutting and ranking can be told apart. `build_s` counts reading, cutting, encoding and loading
the model, not imports; for the peers over "ours" not the cutting. Gradus' own build makes its
concepts and relations too.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.record import save
from benchmarks.search.quality import ingested, score

PLANS = (
    ("gradus", "ours"),
    *((method, cut) for method in ("bm25", "dense", "rrf") for cut in ("ours", "1200", "whole")),
    *(("txtai", cut) for cut in ("ours", "1200", "whole", "paragraphs")),
    *(("llamaindex", cut) for cut in ("ours", "1200", "whole", "nodes1024", "nodes256")),
)
NEEDS = {
    "txtai": ("txtai",),
    "llamaindex": ("llama_index.core", "llama_index.retrievers.bm25", "llama_index.embeddings"),
}
PEERS = (
    "txtai",
    "llama-index-core",
    "llama-index-retrievers-bm25",
    "llama-index-embeddings-huggingface",
    "bm25s",
)
SETS = {
    "questions": ("notes", "eval/questions.jsonl", "eval/score_questions.py"),
    "fastbook": ("eval/fastbook/notes", "eval/fastbook/questions.jsonl", "eval/score_fastbook.py"),
}
SHOWN = {
    "questions": ("hit@1", "hit@3", "mrr", "answered_ok", "refused_ok"),
    "fastbook": ("recall@3000", "recall@12000", "full@12000", "mrr"),
}
COSTS = ("pieces", "build_s", "ms_median", "ms_p90", "ms_encode", "memory_mib")


def main() -> None:
    """Measure every method on both sets, print tables, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path, help="folder with eval/ and notes/")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", help="methods, separated by commas")
    given = parser.parse_args()
    shared, only = given.shared.resolve(), [m for m in given.only.split(",") if m]
    found: dict[str, Any] = {"threads": given.threads, "peers": versions(), "failed": []}
    plans = [(m, cut) for m, cut in PLANS if not only or m in only]
    found["skipped"] = sorted({m for m, _ in plans if not installed(m)})
    with tempfile.TemporaryDirectory() as work:
        for name, (notes, questions, scorer) in SETS.items():
            ours = Path(work) / name
            ingested(shared / notes, ours)
            rows = []
            _print_heading(name)
            for method, cut in plans:
                if method in found["skipped"]:
                    continue
                out = Path(work) / "hits.jsonl"
                costs = _measured(
                    method, cut, shared / notes, ours, shared / questions, out, given.threads
                )
                if costs is None:
                    found["failed"].append(f"{method} over {cut} on {name}")
                    continue
                figures = score(shared / scorer, shared / questions, out)
                rows.append({"method": method, "passages": cut, **costs, **figures})
                _print_row(name, rows[-1])
            found[name] = rows
    for method in found["skipped"]:
        print(f"{method}: not installed, left out")
    if only or found["failed"]:
        print("not saved: only a part was measured")
    else:
        print("saved", save("peers", found))


def _measured(
    method: str, cut: str, notes: Path, ours: Path, questions: Path, out: Path, threads: int
) -> dict[str, Any] | None:
    """Counts and times of one method, from its own process; None when that failed, so that the
    others go on.
    """
    command = [sys.executable, str(Path(__file__).with_name("methods.py")), method, cut]
    command += [str(path) for path in (notes, ours, questions, out)] + ["--threads", str(threads)]
    root = str(Path(__file__).resolve().parents[2])
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH", "")) if p),
        "OMP_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{method} over {cut} failed:\n{done.stderr[-2000:]}", file=sys.stderr)
        return None
    return dict(json.loads(done.stdout))


def installed(method: str) -> bool:
    """Whether what a method needs is there."""
    for module in NEEDS.get(method, ()):
        try:
            if importlib.util.find_spec(module) is None:
                return False
        except ModuleNotFoundError:
            return False
    return True


def versions() -> dict[str, str]:
    """The peers' versions."""
    out = {}
    for package in PEERS:
        try:
            out[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            out[package] = "not installed"
    return out


def _print_heading(name: str) -> None:
    print(
        f"\n{name}\n{'method':<11}{'passages':<12}"
        + "".join(f"{c:>14}" for c in (*SHOWN[name], *COSTS)),
        flush=True,
    )


def _print_row(name: str, row: dict[str, Any]) -> None:
    cells = "".join(f"{'–' if row[c] is None else row[c]:>14}" for c in (*SHOWN[name], *COSTS))
    print(f"{row['method']:<11}{row['passages']:<12}{cells}", flush=True)


if __name__ == "__main__":
    main()
