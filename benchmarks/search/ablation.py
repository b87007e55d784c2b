"""Search with each part left out, and with what was tried and left out added, on four sets of
questions.

    python -m benchmarks.search.ablation ../shared

Constants were chosen on our own questions; the evaluation's show how far that holds. The columns by
chapter show the spread: a change that helps one chapter and hurts another is no gain.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import networkx as nx
import numpy as np

from benchmarks.record import save
from benchmarks.search.own_questions import (
    book_figures,
    book_questions,
    headed_figures,
    headed_questions,
)
from ingest.build import ingest
from kg import search
from kg.encoder import Encoder, load_encoder
from kg.store import Store, open_store
from kg.types import Hit, Relation

Row = dict[str, Any]
PARTS = ("DENSE", "LATE", "LEXICAL", "COVERED", "SECTION", "CODE_MALUS", "PICTURE_MALUS")
STARTER = Path(__file__).parents[2] / "ingest/starter"


def main() -> None:
    """Measure the whole, each part's absence, and each addition."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    shared = parser.parse_args().shared.resolve()
    encoder = load_encoder()
    sources = {
        "book": shared / "eval/fastbook/notes",
        "notes": shared / "notes",
        "starter": STARTER,
    }
    with tempfile.TemporaryDirectory() as work:
        stores = {}
        for name, source in sources.items():
            ingest([source], Path(work) / name)
            stores[name] = open_store(Path(work) / name)
        rows = []
        for label, change in _changes():
            with change():
                rows.append({"search": label, **_figures(shared, stores, encoder)})
            print(
                "  ".join(
                    f"{k} {v:.3f}" if isinstance(v, float) else f"{v:<28}"
                    for k, v in rows[-1].items()
                )
            )
        for store in stores.values():
            store.close()
    print("saved", save("ablation", {"rows": rows}))


def _changes() -> Iterator[tuple[str, Callable[[], contextlib.AbstractContextManager[Any]]]]:
    yield "as it is", contextlib.nullcontext
    for part in PARTS:
        yield f"without {part}", partial(mock.patch.object, search, part, 0.0)
    yield "with PageRank of concepts", lambda: _added(_page_rank, 0.05)
    yield "with the concept's passages", lambda: _added(_defines, 0.05)
    yield "with the neighbours", lambda: _added(_neighbours, 0.1)
    yield "with relevance feedback", lambda: _added(_feedback, 0.2)
    yield "with pairs of words", lambda: _added(_pairs, 0.05)


Extra = Callable[[str, Store, Encoder, dict[int, search.Candidate]], dict[int, float]]


@contextlib.contextmanager
def _added(extra: Extra, weight: float) -> Iterator[None]:
    """Search whose own scores have one more part in [0, 1]."""
    asked: list[tuple[str, Encoder]] = []
    read, scores = search.read, search._scores

    def remembering(question: str, store: Store, encoder: Encoder) -> search.Reading:
        asked[:] = [(question, encoder)]
        return read(question, store, encoder)

    def with_extra(candidates: dict[int, search.Candidate], store: Store) -> dict[int, float]:
        part = extra(asked[0][0], store, asked[0][1], candidates)
        # the part is put where the lexical one stands, in its weight
        raised = {
            p: replace(c, lexical=c.lexical + weight / search.LEXICAL * part.get(p, 0.0))
            for p, c in candidates.items()
        }
        return scores(raised, store)

    with (
        mock.patch.object(search, "read", remembering),
        mock.patch.object(search, "_scores", with_extra),
    ):
        yield


def _linked(question: str, store: Store) -> list[int]:
    return list(dict.fromkeys(f.concept for f in store.lexicon.find(question, strict_case=False)))


# Damping of the random walk; the classic value of Page et al. 1999.
DAMPING = 0.85
# A walk farther than this many relations from the question's concepts adds nothing that ranking can
# see.
WALK_HOPS = 2


def association_graph(relations: Iterable[Relation], n_concepts: int) -> nx.Graph[int]:
    """All kept relations without direction, weighted by score; parallel ones add up."""
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(n_concepts))
    for r in relations:
        if r.kept:
            before = graph.get_edge_data(r.source, r.target, {"weight": 0.0})["weight"]
            graph.add_edge(r.source, r.target, weight=before + r.score)
    return graph


def importance(graph: nx.Graph[int], seeds: Mapping[int, float]) -> dict[int, float]:
    """Personalised PageRank around weighted seed concepts; sums to 1, empty without seeds.

    The walk is restricted to concepts within WALK_HOPS of a seed, which bounds its cost on large
    graphs.

    References
    ----------
    Page, Brin, Motwani, Winograd (1999), The PageRank Citation Ranking.
    """
    seeds = {s: w for s, w in seeds.items() if w > 0 and s in graph}
    if not seeds:
        return {}
    near: set[int] = set()
    for seed in seeds:
        near |= set(nx.single_source_shortest_path_length(graph, seed, cutoff=WALK_HOPS))
    ranks: dict[int, float] = nx.pagerank(
        graph.subgraph(near), alpha=DAMPING, personalization=dict(seeds)
    )
    return ranks


def _page_rank(
    question: str, store: Store, _: Encoder, candidates: dict[int, search.Candidate]
) -> dict[int, float]:
    """Personalised by the question's concepts and those of the five best passages, as HippoRAG
    does.
    """
    best = sorted(candidates.values(), key=lambda c: -c.score)[:5]
    seeds = dict.fromkeys(_linked(question, store), 1.0)
    for c in best:
        for concept in store.defined_in.get(c.passage, ())[:1]:
            seeds.setdefault(concept, c.score)
    ranks = importance(association_graph(store.relations, len(store.concepts)), seeds)
    top = max(ranks.values(), default=1.0) or 1.0
    return {
        p: max((ranks.get(c, 0.0) for c in store.defined_in.get(p, ())), default=0.0) / top
        for p in candidates
    }


def _defines(
    question: str, store: Store, _: Encoder, candidates: dict[int, search.Candidate]
) -> dict[int, float]:
    linked = set(_linked(question, store))
    return {
        p: len(linked & set(store.defined_in.get(p, ()))) / max(1, len(linked)) for p in candidates
    }


def _neighbours(
    _: str, store: Store, __: Encoder, candidates: dict[int, search.Candidate]
) -> dict[int, float]:
    def section(p: int) -> tuple[str, tuple[str, ...]]:
        return store.passages[p].note, store.passages[p].heading_path

    return {
        p: max(
            (
                candidates[q].score
                for q in (p - 1, p + 1)
                if q in candidates and section(q) == section(p)
            ),
            default=0,
        )
        for p in candidates
    }


def _feedback(
    question: str, store: Store, encoder: Encoder, candidates: dict[int, search.Candidate]
) -> dict[int, float]:
    """Cosine with the question moved towards its three nearest passages."""
    vector = encoder.encode([question])[0]
    nearest = [p for p, _ in store.vectors.nearest(vector, 3)]
    means = [store.vectors.of_passages([p])[0].mean(axis=0) for p in nearest]
    moved = vector + 0.4 * np.mean(means, axis=0)
    moved /= np.linalg.norm(moved)
    return {
        p: max(0.0, float((store.vectors.of_passages([p])[0] @ moved).max())) for p in candidates
    }


def _pairs(
    question: str, store: Store, _: Encoder, candidates: dict[int, search.Candidate]
) -> dict[int, float]:
    """Share of the question's pairs of neighbouring content words that stand together in the
    passage.
    """
    words = list(search.content_words(question, store))
    pairs = [f'"{a} {b}"' for a, b in itertools.pairwise(words)]
    found = dict.fromkeys(candidates, 0.0)
    for pair in pairs:
        for p, _score in store.lexical(pair, len(store.passages), search.FIELD_WEIGHTS):
            if p in found:
                found[p] += 1 / len(pairs)
    return found


def _figures(shared: Path, stores: dict[str, Store], encoder: Encoder) -> Row:
    def over(name: str) -> Callable[[str, int], tuple[Hit, ...]]:
        return lambda question, k: search.search(question, stores[name], encoder, k)

    row: Row = {}
    for part, figures in sorted(
        book_figures(shared, book_questions(shared), over("book")).items(), reverse=True
    ):
        row |= {f"book {part} {k}": round(v, 4) for k, v in figures.items()}
    for name, questions in headed_questions(shared).items():
        for ours in (False, True):
            chosen = [q for q in questions if q.ours is ours and q.gold]
            if chosen:
                figures = headed_figures(chosen, over(name))
                row |= {
                    f"{'own ' if ours else ''}{name} {k}": round(v, 4) for k, v in figures.items()
                }
    return row


if __name__ == "__main__":
    main()
