"""Many visitors of the pages at once: how long each waits, alone and beside an ingest.

python -m benchmarks.serving.visitors ../shared
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from gradio_client import Client

from benchmarks.record import save
from benchmarks.serving.pages import Asked, Pages, cpu_seconds, gradus, serve
from ingest.build import ingest

VISITORS, QUESTIONS = 50, 2
FEW = 3
TRIES = 5  # of the few, whose times are too short to be told from one
PATIENCE_S = 600.0


def main() -> None:
    """Serve a book's notes, ask from many pages at once, and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--store", type=Path, help="of these notes, when there is one already")
    asked = parser.parse_args()
    book = asked.shared.resolve() / "eval/fastbook"
    lines = (book / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [str(json.loads(line)["q"]) for line in lines]
    with tempfile.TemporaryDirectory() as work:
        store = Path(work) / "store"
        if asked.store:
            shutil.copytree(asked.store, store)
        else:
            ingest([book / "notes"], store)
        more = asked.shared.resolve() / "eval/vaults/cs231n"
        with serve(store) as pages:
            found = {
                "starting_page_s": round(pages.starting_s, 2),
                "page_s": round(pages.open_s, 2),
                "first_answer_s": _first(pages, questions[0]),
                "visitors": _many(pages, questions),
                "programs": _programs(pages, questions),
                "few": _few(pages, questions, store, more),
            }
    print(json.dumps(found, indent=1))
    print("saved", save("visitors", found))


def _first(pages: Pages, question: str) -> dict[str, Any]:
    return _figures(asyncio.run(_together(pages, [[question]])))


def _many(pages: Pages, questions: Sequence[str]) -> dict[str, Any]:
    """Every visitor asks all of their questions at the same moment."""
    before, begun = cpu_seconds(pages.server), time.perf_counter()
    chosen = [
        [_of(questions, QUESTIONS * visitor + i) for i in range(QUESTIONS)]
        for visitor in range(VISITORS)
    ]
    answers = asyncio.run(_together(pages, chosen))
    return {
        "visitors": VISITORS,
        "questions_each": QUESTIONS,
        **_figures(answers),
        "all_s": round(time.perf_counter() - begun, 2),
        "server_cpu_s": round(cpu_seconds(pages.server) - before, 2),
    }


def _programs(pages: Pages, questions: Sequence[str]) -> dict[str, Any]:
    """The same number of questions at once through gradio's own client."""
    client = Client(pages.address, verbose=False, httpx_kwargs={"timeout": PATIENCE_S})
    begun, taken, errors = time.perf_counter(), [], []
    jobs = [
        client.submit(question=_of(questions, i), api_name="/ask")
        for i in range(VISITORS * QUESTIONS)
    ]
    for job in jobs:
        job.add_done_callback(lambda _: taken.append(time.perf_counter() - begun))
    for job in jobs:
        try:
            job.result(timeout=PATIENCE_S)
        except Exception as error:  # noqa: BLE001 - what it is counts as one
            errors.append(f"{type(error).__name__}: {error}"[:200])
    return {"questions": len(jobs), **_spread(taken), "errors": errors[:5]}


def _few(pages: Pages, questions: Sequence[str], store: Path, more: Path) -> dict[str, Any]:
    """Three at once, by turns alone and beside an ingest of more notes into the same store."""
    alone = _rounds(pages, questions)
    ingesting = gradus("ingest", str(more), "--store", str(store))
    try:
        time.sleep(20)  # it has begun to encode
        beside = _rounds(pages, questions)
        still = ingesting.poll() is None
    finally:
        ingesting.terminate()
        ingesting.wait()
    return {
        "alone": _figures(alone),
        "beside_an_ingest": {**_figures(beside), "ingest_went_on": still},
        "ratio": round(_median(beside) / _median(alone), 2),
    }


def _rounds(pages: Pages, questions: Sequence[str]) -> list[Asked]:
    answers = []
    for i in range(TRIES):
        chosen = [[_of(questions, FEW * i + j)] for j in range(FEW)]
        answers += asyncio.run(_together(pages, chosen))
    return answers


async def _together(pages: Pages, questions: Sequence[Sequence[str]]) -> list[Asked]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=PATIENCE_S, limits=limits) as client:
        visits = await asyncio.gather(*(pages.visit(client, own) for own in questions))
    return [asked for visit in visits for asked in visit]


def _of(questions: Sequence[str], i: int) -> str:
    return questions[i % len(questions)]


def _median(answers: Sequence[Asked]) -> float:
    return statistics.median(asked.whole_s for asked in answers)


def _figures(answers: Sequence[Asked]) -> dict[str, Any]:
    errors = [asked.error for asked in answers if asked.error]
    first = [asked.first_words_s for asked in answers]
    return {
        **_spread([asked.whole_s for asked in answers]),
        "first_words_p50_s": round(statistics.median(first), 3),
        "drawn": round(statistics.mean(asked.drawn for asked in answers), 1),
        "errors": errors[:5],
    }


def _spread(taken: Sequence[float]) -> dict[str, float]:
    if len(taken) < 2:
        return {"p50_s": round(taken[0], 3)} if taken else {}
    cuts = statistics.quantiles(taken, n=20, method="inclusive")
    return {
        "p50_s": round(statistics.median(taken), 3),
        "p95_s": round(cuts[-1], 3),
        "longest_s": round(max(taken), 3),
    }


if __name__ == "__main__":
    main()
