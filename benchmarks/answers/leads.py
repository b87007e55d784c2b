"""How often an answer leads with the sentence that a reader of the notes would lead with.

    python -m benchmarks.answers.leads            # the starter notes, and leads.jsonl beside it
    python -m benchmarks.answers.leads NOTES QUESTIONS.jsonl [--store DIR] [--show]

Each line of the questions holds "q" and "lead", a list of texts one of which should be in what the
answer leads with. Prints the share of answers whose first citation's lines hold it, whose first 300
characters hold it, and which hold it anywhere, with the median length of the first cited excerpt
and of the whole answer, and the processor time that an answer takes beyond search; saves
results/leads.json.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ingest
from app.answering.answer import answer
from benchmarks.record import save
from ingest.build import ingest as read_in
from kg.encoder import DEFAULT_ENCODER, load_encoder
from kg.search import search
from kg.store import Store, open_store
from kg.types import Answer

HERE = Path(__file__).parent
STARTER = Path(ingest.__file__).parent / "starter"
SHORT = 300  # characters that a reader takes in at one glance


def one_line(text: str) -> str:
    """Text with its white space folded."""
    return " ".join(text.split())


def first_excerpt(said: Answer) -> str:
    """What an answer shows before its first mark."""
    return one_line(re.split(r"\[1\]", said.text, maxsplit=1)[0])


def judged(store: Store, questions: Sequence[dict[str, Any]], show: bool) -> dict[str, Any]:
    """Ask all questions and say how many lead well."""
    encoder = load_encoder(DEFAULT_ENCODER)
    answer("warm", store, encoder)
    rows = []
    for asked in questions:
        begun = time.process_time()
        search(asked["q"], store, encoder)
        searched = time.process_time()
        said = answer(asked["q"], store, encoder)
        beyond_ms = (time.process_time() - searched - (searched - begun)) * 1000
        wanted = [one_line(text) for text in asked["lead"]]
        first, whole = first_excerpt(said), one_line(said.text)
        row = {
            "first": any(w in first for w in wanted),
            "short": any(
                w in re.sub(r"\*\*[^*]+\*\* ", "", whole)[:SHORT] or w in whole[:SHORT]
                for w in wanted
            ),
            "anywhere": any(w in whole for w in wanted),
            "first_chars": len(first),
            "chars": len(whole),
            "ms": beyond_ms,
        }
        rows.append(row)
        if show and not (row["first"] and row["short"]):
            print(
                f"\n## {asked['q']}   [{said.status} {said.kind}] wanted "
                f"{wanted}\n{said.text[:700]}"
            )
    n = len(rows)
    return {
        "questions": n,
        "first_excerpt": round(sum(r["first"] for r in rows) / n, 3),
        f"first_{SHORT}_characters": round(sum(r["short"] for r in rows) / n, 3),
        "anywhere": round(sum(r["anywhere"] for r in rows) / n, 3),
        "median_first_excerpt_characters": round(statistics.median(r["first_chars"] for r in rows)),
        "median_answer_characters": round(statistics.median(r["chars"] for r in rows)),
        "median_processor_ms_beyond_search": round(statistics.median(r["ms"] for r in rows)),
        "most_processor_ms_beyond_search": round(max(r["ms"] for r in rows)),
    }


def main() -> None:
    """Measure and save; other notes than the starter notes are measured only."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notes", type=Path, nargs="?", default=STARTER)
    parser.add_argument("questions", type=Path, nargs="?", default=HERE / "leads.jsonl")
    parser.add_argument("--store", type=Path, help="a store that holds the notes already")
    parser.add_argument(
        "--show", action="store_true", help="print the answers that lead with something else"
    )
    given = parser.parse_args()
    questions = [
        json.loads(line)
        for line in given.questions.read_text(encoding="utf-8").splitlines()
        if line
    ]
    with tempfile.TemporaryDirectory() as work:
        folder = given.store or Path(work)
        if given.store is None:
            read_in([given.notes], folder)
        store = open_store(folder)
        found = judged(store, questions, given.show)
        store.close()
    for name, figure in found.items():
        print(f"{name:<34}{figure}")
    if given.notes == STARTER and given.questions == HERE / "leads.jsonl":
        print("saved", save("leads", found))


if __name__ == "__main__":
    main()
