"""Gradus' answers beside txtai's and LlamaIndex's best piece, by line: which of them meets first
the lines that a careful reader would quote first. Same notes, same encoder, one run.

    pip install txtai llama-index-core llama-index-retrievers-bm25 \\
        llama-index-embeddings-huggingface
    python -m benchmarks.answers.peers SHARED [--sets evaluation,unseen,own] [--vaults a,b]

Install the peers into an environment that also sees Gradus; one that is missing is left out, and
the table says so. No network is used. Questions that the notes answer, of the evaluation, of
`questions/lines_unseen` and of `questions/lines`. The weights that Gradus comes with were fitted on
the last, so what counts are the other two; they are in no fit.

- `answer`: the first citation of the answer as it comes; none where it refuses,
- `passage`: the best passage of Gradus' search, without its heading line,
- `txtai`: the best of txtai's paragraphs by its hybrid search; `llamaindex`: the best node of up to
  256 tokens (MarkdownNodeParser, then SentenceSplitter) by its QueryFusionRetriever; both with the
  path of their headings in front where they are indexed,
- `... bare`: the same as the library indexes them itself, txtai's without headings, LlamaIndex's
  with the headings above as metadata,
- `llamaindex 1024`: nodes of its default size, which meet more and are less exact,
- `... ours`: over Gradus' passages with their headings, so that cutting and ranking can be told
  apart.

The peers cut each Markdown note without its front matter, and each cell of a notebook without its
outputs, on its own, so that every piece has lines. `none`: the share of questions with no citation
(refused, or a piece without words). `won`, `lost`: questions on which the method leads right and
the answer does not, and the other way round.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from app.answering.answer import answer
from app.answering.reading.excerpts import body_of, cite
from benchmarks.answers.by_line import Lines, Scores, mean_of, score
from benchmarks.answers.train_reader import LANGUAGES, QUESTIONS, UNSEEN, read_questions, vaults
from benchmarks.record import save
from benchmarks.search.methods import Rank, llamaindex_fusion, nodes_of, paragraphs, txtai_hybrid
from benchmarks.search.peers import installed, versions
from benchmarks.search.pieces import Piece, located, our_passages, path_at
from ingest.build import ingest
from ingest.notes.files import find_notes
from ingest.notes.front_matter import read_front_matter
from ingest.notes.markdown import parse_markdown
from ingest.notes.notebook import parse_notebook, read_cells
from ingest.notes.parsed import Heading
from kg.encoder import Encoder, load_encoder
from kg.store import Store, open_store
from kg.types import Answer, Citation

SETS = ("evaluation", "unseen", "own")
NODE, LONG_NODE = 256, 1024  # tokens; the longer is LlamaIndex's default
FIGURES = ("lead", "tight", "covered", "noise", "none")
COUNTS = ("n", "won", "lost")

Cited = Callable[[str], Sequence[Citation]]  # what a method cites for a question, best first


@dataclass(frozen=True, slots=True)
class Part:
    """What is cut on its own: a Markdown note, or a cell of a notebook."""

    note: str
    cell: int | None
    text: str
    first_line: int  # which line of the note or cell the text begins with
    headings: tuple[Heading, ...]
    above: tuple[str, ...] = ()  # path of the heading that holds where the text begins


@dataclass(frozen=True, slots=True)
class Vault:
    """What the methods are built of."""

    notes: Path
    store: Store
    encoder: Encoder
    said: Callable[[str], Answer]


def parts(notes: Path) -> Iterator[Part]:
    """The notes, in the order of their names."""
    for note in find_notes([notes]):
        text = note.path.read_text(encoding="utf-8-sig")
        if note.path.suffix == ".ipynb":
            yield from _cells(note.name, text)
            continue
        count = read_front_matter(text).line_count
        text = "\n" * count + "\n".join(text.split("\n")[count:])
        yield Part(note.name, None, text, 1, parse_markdown(text).headings)


def _cells(name: str, notebook: str) -> Iterator[Part]:
    headings = parse_notebook(notebook).headings
    above: tuple[str, ...] = ()
    for i, cell in enumerate(read_cells(notebook)):
        own = tuple(h for h in headings if h.cell == i)
        if cell.kind == "code":
            yield Part(name, i, f"```python\n{cell.source}\n```", 0, (), above)
        elif cell.kind == "markdown":
            yield Part(name, i, cell.source, 1, own, above)
        above = own[-1].path if own else above


def pieces_of(part: Part, texts: Iterable[str]) -> Iterator[tuple[Piece, list[Citation]]]:
    """The texts cut from a part with their headings and lines; no citation where one has no
    words.
    """
    for text, place in located(part.text, texts):
        if place is None:
            yield Piece(text, part.above, part.above), []
            continue
        path = path_at(part.headings, *place, part.above)
        first, last = (max(1, part.text.count("\n", 0, at) + part.first_line) for at in place)
        yield Piece(text, path, path), [Citation(1, part.note, first, last, part.cell, text)]


def _of_answer(vault: Vault) -> Cited:
    return lambda question: vault.said(question).citations


def _of_passage(vault: Vault) -> Cited:
    return lambda question: [cite(body_of(h.passage), 1) for h in vault.said(question).hits[:1]]


def _first(rank: Rank, cited: Sequence[Sequence[Citation]]) -> Cited:
    return lambda question: [c for i in rank(question)[:1] for c in cited[i]]


def _of_txtai(vault: Vault, bare: bool = False) -> Cited:
    found = [p for part in parts(vault.notes) for p in pieces_of(part, paragraphs(part.text))]
    rank, _ = txtai_hybrid([piece.text if bare else piece.indexed for piece, _ in found])
    return _first(rank, [cited for _, cited in found])


def _of_llamaindex(vault: Vault, size: int = NODE, bare: bool = False) -> Cited:
    from llama_index.core.schema import TextNode

    nodes: list[Any] = []
    places: list[list[Citation]] = []
    for part in parts(vault.notes):
        own = nodes_of(part.text, size)
        found = list(pieces_of(part, (node.text for node in own)))
        nodes += own if bare else [TextNode(text=piece.indexed) for piece, _ in found]
        places += [cited for _, cited in found]
    rank, _ = llamaindex_fusion(nodes)
    return _first(rank, places)


def _of_txtai_over_ours(vault: Vault) -> Cited:
    rank, _ = txtai_hybrid([piece.indexed for piece in our_passages(vault.store)])
    return _first(rank, _bodies(vault.store))


def _of_llamaindex_over_ours(vault: Vault) -> Cited:
    from llama_index.core.schema import TextNode

    nodes = [TextNode(text=piece.indexed) for piece in our_passages(vault.store)]
    rank, _ = llamaindex_fusion(nodes)
    return _first(rank, _bodies(vault.store))


def _bodies(store: Store) -> list[list[Citation]]:
    return [[cite(body_of(passage), 1)] for passage in store.passages]


METHODS: dict[str, Callable[[Vault], Cited]] = {
    "answer": _of_answer,
    "passage": _of_passage,
    "txtai": _of_txtai,
    "txtai bare": lambda vault: _of_txtai(vault, bare=True),
    "txtai ours": _of_txtai_over_ours,
    "llamaindex": _of_llamaindex,
    "llamaindex bare": lambda vault: _of_llamaindex(vault, bare=True),
    "llamaindex 1024": lambda vault: _of_llamaindex(vault, LONG_NODE),
    "llamaindex ours": _of_llamaindex_over_ours,
}


def main() -> None:
    """Measure every method on every vault, print tables, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path, help="folder with eval/ and notes/")
    parser.add_argument("--stores", type=Path, default=Path(".gradus/reader"), help="kept stores")
    parser.add_argument("--sets", default="evaluation,unseen", help=f"of {', '.join(SETS)}")
    parser.add_argument("--vaults", default="", help="names, separated by commas; else all")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    given = parser.parse_args()
    os.environ |= {
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    torch.set_num_threads(given.threads)
    sets, only = given.sets.split(","), [v for v in given.vaults.split(",") if v]
    methods = {m: build for m, build in METHODS.items() if installed(m.split()[0])}
    skipped = sorted({m.split()[0] for m in METHODS} - {m.split()[0] for m in methods})
    rows: list[dict[str, Any]] = []
    for vault, notes in vaults(given.shared.resolve()).items():
        asked = _questions(given.shared.resolve(), sets, vault)
        if asked and (not only or vault in only):
            ingest([notes], given.stores / vault)
            rows += _rows(vault, notes, given.stores / vault, asked, methods)
    rows += _means(rows, sets, methods)
    _print_tables(rows, sets, methods)
    for peer in skipped:
        print(f"{peer}: not installed, left out")
    if only or skipped:
        print("not saved: only a part was measured")
    else:
        print("saved", save("answers_peers", {"peers": versions(), "rows": rows}))


def _questions(shared: Path, sets: Sequence[str], vault: str) -> dict[str, list[Lines]]:
    """The questions on a vault that its notes answer, by set."""
    folders = {"evaluation": shared / "eval/answers", "unseen": UNSEEN, "own": QUESTIONS}
    files = {name: folders[name] / f"{vault}.jsonl" for name in sets}
    return {
        name: [question for question in read_questions(file) if question.lead]
        for name, file in files.items()
        if file.exists()
    }


def _rows(
    name: str,
    notes: Path,
    folder: Path,
    asked: Mapping[str, Sequence[Lines]],
    methods: Mapping[str, Callable[[Vault], Cited]],
) -> list[dict[str, Any]]:
    """A row for each method and set of questions."""
    store, encoder = open_store(folder), load_encoder()
    vault = Vault(notes, store, encoder, cache(lambda question: answer(question, store, encoder)))
    rows: list[dict[str, Any]] = []
    answers: dict[str, list[Scores]] = {}
    for method, build in methods.items():
        cited = build(vault)
        for questions, all_asked in asked.items():
            given = [cited(question.q) for question in all_asked]
            scores = [score(q, c) for q, c in zip(all_asked, given, strict=True)]
            pairs = zip(scores, answers.setdefault(questions, scores), strict=True)
            ahead = [ours.lead - theirs.lead for theirs, ours in pairs]
            figures = mean_of(scores) | {
                "none": round(statistics.mean(float(not c) for c in given), 3),
                "n": len(scores),
                "won": ahead.count(-1),
                "lost": ahead.count(1),
            }
            rows.append(
                {"vault": name, "questions": questions, "method": method}
                | {figure: figures[figure] for figure in (*COUNTS, *FIGURES)}
            )
            print(rows[-1], flush=True)
    store.close()
    return rows


def _means(
    rows: Sequence[dict[str, Any]], sets: Sequence[str], methods: Iterable[str]
) -> list[dict[str, Any]]:
    """Means over vaults and sums of counts by set and method, those in other languages apart."""
    out = []
    for questions in sets:
        for method in methods:
            for foreign in (False, True):
                of = [
                    row
                    for row in rows
                    if (row["questions"], row["method"]) == (questions, method)
                    and (row["vault"] in LANGUAGES) == foreign
                ]
                if of:
                    name = f"mean of {len(of)}{' in other languages' if foreign else ''}"
                    out.append(
                        {"vault": name, "questions": questions, "method": method}
                        | {count: sum(row[count] for row in of) for count in COUNTS}
                        | {f: round(statistics.mean(r[f] for r in of), 3) for f in FIGURES}
                    )
    return out


def _print_tables(
    rows: Sequence[dict[str, Any]], sets: Sequence[str], methods: Iterable[str]
) -> None:
    """Lead and tight of each method, a line a vault; then all figures of the means."""
    for questions in sets:
        of_set = [row for row in rows if row["questions"] == questions]
        shown = "".join(f"{method:>17}" for method in methods)
        print(f"\n{questions}: lead / tight\n{'':<28}{'n':>5}{shown}")
        for vault in dict.fromkeys(row["vault"] for row in of_set):
            of = [row for row in of_set if row["vault"] == vault]
            cells = "".join(f"{row['lead']:>9.3f} /{row['tight']:>6.3f}" for row in of)
            print(f"{vault:<28}{of[0]['n']:>5}{cells}")
        columns = (*FIGURES, *COUNTS[1:])
        print(f"\n{'':<44}" + "".join(f"{column:>9}" for column in columns))
        for row in of_set:
            if row["vault"].startswith("mean"):
                cells = "".join(f"{row[column]:>9}" for column in columns)
                print(f"{row['vault']:<28}{row['method']:<16}{cells}")


if __name__ == "__main__":
    main()
