"""Quality of search, answers and prerequisites on the evaluation data, through the command line,
beside plain methods.

    python -m benchmarks.search.quality ../shared

The folder must hold `eval/` with its scorers and `notes/`. Each set is ingested into a fresh store
with `gradus ingest`, asked with `gradus ask|search --batch` or `gradus relations --all`, and scored
by the set's own scorer. Prints a table and saves JSON with commit, hardware and versions.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.record import save
from benchmarks.search.plain_methods import plain_rankings

HITS = 100  # enough passages to fill the largest reading budget of the scorers


def gradus(*arguments: str, out: Path | None = None) -> str:
    """Run the command line; its stdout goes to a file when one is given."""
    command = [
        sys.executable,
        "-c",
        "from app.commands.ingest_and_ask import program; program()",
        *arguments,
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    if out is not None:
        out.write_text(done.stdout, encoding="utf-8")
    return done.stdout


def score(script: Path, *arguments: Path) -> dict[str, Any]:
    """What a scorer prints."""
    command = [sys.executable, str(script), *map(str, arguments)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(printed))


def ingested(notes: Path, store: Path) -> dict[str, Any]:
    """Ingest into a fresh store; what the command reports."""
    return dict(json.loads(gradus("ingest", str(notes), "--store", str(store), "--json")))


def answers(shared: Path, work: Path) -> dict[str, Any]:
    """The 40 questions over one person's notes."""
    store, questions, out = work / "notes", shared / "eval/questions.jsonl", work / "answers.jsonl"
    report = ingested(shared / "notes", store)
    begun = time.monotonic()
    gradus("ask", "--batch", str(questions), "-k", "10", "--store", str(store), "--json", out=out)
    seconds = time.monotonic() - begun
    rows = {"gradus": score(shared / "eval/score_questions.py", questions, out)}
    for name, ranking in plain_rankings(store, questions, HITS).items():
        out.write_text(
            "".join(json.dumps({**r, "status": "answered"}) + "\n" for r in ranking),
            encoding="utf-8",
        )
        rows[name] = score(shared / "eval/score_questions.py", questions, out)
    return {"ingest": report, "seconds_batch": round(seconds, 2), "figures": rows}


def fastbook(shared: Path, work: Path) -> dict[str, Any]:
    """Questions on chapters of a book, answered from seven notebooks."""
    store, questions, out = (
        work / "fastbook",
        shared / "eval/fastbook/questions.jsonl",
        work / "hits.jsonl",
    )
    report = ingested(shared / "eval/fastbook/notes", store)
    begun = time.monotonic()
    gradus(
        "search",
        "--batch",
        str(questions),
        "-k",
        str(HITS),
        "--store",
        str(store),
        "--json",
        out=out,
    )
    seconds = time.monotonic() - begun
    rows = {"gradus": score(shared / "eval/score_fastbook.py", questions, out)}
    for name, ranking in plain_rankings(store, questions, HITS).items():
        out.write_text("".join(json.dumps(r) + "\n" for r in ranking), encoding="utf-8")
        rows[name] = score(shared / "eval/score_fastbook.py", questions, out)
    return {"ingest": report, "seconds_batch": round(seconds, 2), "figures": rows}


def prerequisites(shared: Path, work: Path) -> dict[str, Any]:
    """Prerequisite relations among 487 short notes."""
    store, out = work / "metacademy", work / "relations.jsonl"
    report = ingested(shared / "eval/metacademy/notes", store)
    gradus("relations", "--kind", "prerequisite", "--all", "--store", str(store), "--json", out=out)
    figures = score(shared / "eval/score_prerequisites.py", shared / "eval/metacademy", out)
    return {"ingest": report, "figures": {"gradus": figures}}


def main() -> None:
    """Measure all three and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path, help="folder with eval/ and notes/")
    shared = parser.parse_args().shared.resolve()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as work:
        for measure in (answers, fastbook, prerequisites):
            found[measure.__name__] = measured = measure(shared, Path(work))
            print(f"\n{measure.__name__}  (ingest {measured['ingest']['seconds']} s)")
            for name, figures in measured["figures"].items():
                print(f"  {name:<8}", "  ".join(f"{k} {v}" for k, v in figures.items()))
    print("\nsaved", save("quality", found))


if __name__ == "__main__":
    main()
