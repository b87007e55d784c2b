"""One retrieval method over one cut of the notes, measured in a process of its own; `peers.py`
starts it.

Every method offers the same three things: it builds its index, ranks for a question, and encodes a
question alone.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.search.pieces import Piece, cut_notes, markdown_of, our_passages, with_paths
from benchmarks.search.plain_methods import Bm25, Dense, fused
from benchmarks.timing import median_ms, milliseconds, p90_ms
from ingest.build import ingest
from kg.encoder import default_encoder_folder, load_encoder
from kg.search import search
from kg.store import open_store

__all__ = [
    "HITS",
    "METHODS",
    "Rank",
    "Ready",
    "llamaindex_fusion",
    "main",
    "nodes_of",
    "paragraphs",
    "txtai_hybrid",
]

Rank = Callable[[str], Sequence[int]]
Encode = Callable[[str], object]

HITS = 100  # enough pieces to fill the largest reading budget of the scorers
# Imported before the clock runs: how long a disk takes is no property of a method.
IMPORTS = {
    "gradus": ("app.answering.answer",),
    "txtai": ("txtai", "txtai.pipeline"),
    "llamaindex": (
        "llama_index.core",
        "llama_index.retrievers.bm25",
        "llama_index.embeddings.huggingface",
    ),
}


@dataclass(frozen=True, slots=True)
class Ready:
    """A built method. `hits` gives the scorers' row for a question; `encode` only encodes it, None
    without vectors.
    """

    pieces: int
    hits: Callable[[str], dict[str, Any]]
    rank: Callable[[str], object]  # what is timed
    encode: Encode | None


def _ranked(
    pieces: Sequence[Piece],
    rank: Rank,
    encode: Encode | None,
) -> Ready:
    def hits(question: str) -> dict[str, Any]:
        return {"status": "answered", "hits": [pieces[i].to_hit() for i in rank(question)]}

    return Ready(len(pieces), hits, rank, encode)


def gradus(notes: Path, work: Path, cut: str) -> Ready:
    """Gradus as it comes: its figures are those of `gradus ask`, its time is that of the search."""
    from app.answering.answer import answer

    ingest([notes], work)
    store = open_store(work)
    store.warm()
    encoder = load_encoder(store.encoder_name)

    def hits(question: str) -> dict[str, Any]:
        said = answer(question, store, encoder, k=HITS)
        rows = [{"text": h.passage.text, "heading_path": h.passage.heading_path} for h in said.hits]
        return {"status": said.status, "hits": rows}

    return Ready(
        len(store.passages),
        hits,
        lambda question: search(question, store, encoder, HITS),
        lambda question: encoder.encode([question]),
    )


def bm25(notes: Path, work: Path, cut: str) -> Ready:
    """SQLite FTS5."""
    pieces = _pieces(notes, work, cut)
    method = Bm25(pieces)
    return _ranked(pieces, lambda question: method.rank(question, HITS), None)


def dense(notes: Path, work: Path, cut: str) -> Ready:
    """Cosine of one vector a piece."""
    pieces = _pieces(notes, work, cut)
    encoder = load_encoder()
    method = Dense(pieces, encoder)
    return _ranked(pieces, lambda q: method.rank(q, HITS), lambda q: encoder.encode([q]))


def rrf(notes: Path, work: Path, cut: str) -> Ready:
    """Both, fused by rank."""
    pieces = _pieces(notes, work, cut)
    encoder = load_encoder()
    words, vectors = Bm25(pieces), Dense(pieces, encoder)
    return _ranked(
        pieces,
        lambda q: fused(words.rank(q, HITS), vectors.rank(q, HITS))[:HITS],
        lambda q: encoder.encode([q]),
    )


def txtai(notes: Path, work: Path, cut: str) -> Ready:
    """txtai's hybrid index."""
    if cut == "paragraphs":
        pieces = [p for note in markdown_of(notes) for p in with_paths(note, paragraphs(note))]
    else:
        pieces = _pieces(notes, work, cut)
    return _ranked(pieces, *txtai_hybrid([piece.indexed for piece in pieces]))


def paragraphs(text: str) -> list[str]:
    """A text as txtai cuts it."""
    from txtai.pipeline import Segmentation

    return list(Segmentation(paragraphs=True)(text))


def txtai_hybrid(texts: Sequence[str]) -> tuple[Rank, Encode]:
    """txtai's own BM25 and a vector index, its default weights."""
    from txtai import Embeddings

    index = Embeddings(path=str(default_encoder_folder()), hybrid=True, gpu=False)
    index.index([(i, text, None) for i, text in enumerate(texts)])
    return lambda question: [int(i) for i, _ in index.search(question, HITS)], index.transform


def llamaindex(notes: Path, work: Path, cut: str) -> Ready:
    """LlamaIndex's fusion of vectors and BM25."""
    from llama_index.core.schema import TextNode

    nodes: list[Any] = []
    pieces: list[Piece] = []
    if cut.startswith("nodes"):
        for note in markdown_of(notes):
            own = nodes_of(note, int(cut.removeprefix("nodes")))
            nodes += own
            pieces += with_paths(note, (node.text for node in own))
    else:
        pieces = _pieces(notes, work, cut)
        nodes = [TextNode(text=piece.indexed) for piece in pieces]
    return _ranked(pieces, *llamaindex_fusion(nodes))


def nodes_of(text: str, size: int) -> list[Any]:
    """A text as LlamaIndex cuts it, at headings and then to `size` tokens."""
    from llama_index.core import Document
    from llama_index.core.node_parser import MarkdownNodeParser, SentenceSplitter

    # its default overlap, unless the pieces are small: then a tenth, as its default is of 2,048
    # characters
    splitter = SentenceSplitter(chunk_size=size, chunk_overlap=200 if size >= 1024 else size // 10)
    sections = MarkdownNodeParser().get_nodes_from_documents([Document(text=text)])
    return list(splitter.get_nodes_from_documents(sections))


def llamaindex_fusion(nodes: Sequence[Any]) -> tuple[Rank, Encode]:
    """LlamaIndex's vector index and BM25 retriever, fused by its QueryFusionRetriever with
    "reciprocal_rerank".
    """
    from llama_index.core import VectorStoreIndex
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.retrievers.bm25 import BM25Retriever

    place = {node.node_id: i for i, node in enumerate(nodes)}
    encoder = HuggingFaceEmbedding(model_name=str(default_encoder_folder()), device="cpu")
    vectors = VectorStoreIndex(nodes, embed_model=encoder).as_retriever(similarity_top_k=HITS)
    words = BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=HITS)
    both = QueryFusionRetriever(
        [vectors, words],
        llm=MockLLM(),
        mode="reciprocal_rerank",
        similarity_top_k=HITS,
        num_queries=1,
        use_async=False,
    )

    def rank(question: str) -> list[int]:
        return [place[found.node.node_id] for found in both.retrieve(question)]

    return rank, encoder.get_query_embedding


METHODS: dict[str, Callable[[Path, Path, str], Ready]] = {
    m.__name__: m for m in (gradus, bm25, dense, rrf, txtai, llamaindex)
}


def _pieces(notes: Path, work: Path, cut: str) -> list[Piece]:
    """Pieces of a cut that is no peer's own: "ours" are read from a store made before, whose making
    is not counted.
    """
    if cut == "ours":
        store = open_store(work)
        pieces = our_passages(store)
        store.close()
        return pieces
    return cut_notes(notes, whole=cut == "whole")


def measure(
    name: str, cut: str, notes: Path, ours: Path, questions: Path, out: Path
) -> dict[str, Any]:
    """Build, ask all questions, write the scorers' rows to `out`; returns counts and times."""
    asked = [
        str(json.loads(line)["q"]) for line in questions.read_text(encoding="utf-8").splitlines()
    ]
    for module in ("sentence_transformers", *IMPORTS.get(name, ())):
        importlib.import_module(module)
    with tempfile.TemporaryDirectory() as fresh:
        begun = time.perf_counter()
        ready = METHODS[name](notes, Path(fresh) if name == "gradus" else ours, cut)
        built = time.perf_counter() - begun
        rows = [{"question": question, **ready.hits(question)} for question in asked]
        out.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        times = milliseconds(ready.rank, asked)
        alone = milliseconds(ready.encode, asked) if ready.encode else []
    return {
        "pieces": ready.pieces,
        "build_s": round(built, 2),
        "ms_median": median_ms(times),
        "ms_p90": p90_ms(times),
        "ms_encode": median_ms(alone) if alone else None,
        "memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Measure one method; prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("method", "cut"):
        parser.add_argument(name)
    for name in ("notes", "ours", "questions", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    given = parser.parse_args()
    import faiss
    import torch

    torch.set_num_threads(given.threads)
    faiss.omp_set_num_threads(given.threads)
    # whatever a peer prints while it works is no result
    stdout, sys.stdout = sys.stdout, sys.stderr
    found = measure(given.method, given.cut, given.notes, given.ours, given.questions, given.out)
    print(json.dumps(found), file=stdout)


if __name__ == "__main__":
    main()
