"""What people say about prerequisites, made one acyclic whole.

Decisions go first, then statements of the notes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import networkx as nx

from ingest.report import Failure
from kg.types import Concept, Evidence

__all__ = ["NOTHING_DECIDED", "Decided", "Settled", "settle"]

Pair = tuple[int, int]  # what comes first, what needs it


@dataclass(frozen=True, slots=True)
class Decided:
    """Edges that overrides files add and remove, in the files' order, each with its line."""

    add: Mapping[Pair, Evidence] = field(default_factory=dict)
    remove: Mapping[Pair, Evidence] = field(default_factory=dict)


NOTHING_DECIDED = Decided()


@dataclass(frozen=True, slots=True)
class Settled:
    """What holds of all that is said.

    `kept` together close no cycle, and no pair is both kept and removed.
    """

    kept: frozenset[Pair]
    removed: frozenset[Pair]
    decided: frozenset[Pair]  # those of kept and removed that overrides files decide
    listing: frozenset[int]  # concepts whose notes list what they need
    lines: Mapping[Pair, tuple[Evidence, ...]]  # every line about a pair, decisions first
    warnings: tuple[Failure, ...]  # lines that contradict each other


def settle(
    stated: Mapping[Pair, Evidence], decided: Decided, concepts: Sequence[Concept]
) -> Settled:
    """Let decisions win over statements, and let neither close a cycle.

    An edge that is both added and removed is removed. An added edge that would close a cycle with
    those before it is left out, and so is a statement that would. Two statements that are each
    other's reverse both count for nothing, unless a decision is made about either. A statement
    against decisions alone is overruled without a warning.

    Parameters
    ----------
    stated : mapping
        Pairs that notes state, in the notes' order, each with the line that states it; the pair of
        a concept with itself says that its note lists all that it needs, be that nothing.
    concepts : sequence of Concept
        By id; only their labels are read.
    """
    warnings: list[Failure] = []
    listing = frozenset(c for p, c in stated if p == c)
    stated = {pair: place for pair, place in stated.items() if pair[0] != pair[1]}
    graph: nx.DiGraph[int] = nx.DiGraph()
    removed = frozenset(decided.remove)
    for pair, place in decided.add.items():
        if pair in removed:
            warnings.append(_both(pair, place, decided.remove[pair], concepts))
        elif (circle := _circle(graph, pair)) is not None:
            places = [decided.add[edge] for edge in circle]
            warnings.append(_closing(pair, place, places, concepts, "take one of these lines out"))
        else:
            graph.add_edge(*pair)
    added = frozenset(graph.edges)
    open_pairs = {
        pair: e for pair, e in stated.items() if pair not in removed and pair not in added
    }
    for pair in [pair for pair in open_pairs if pair[::-1] in open_pairs]:
        if pair in open_pairs:
            one, other = open_pairs.pop(pair), open_pairs.pop(pair[::-1])
            warnings.append(_against(pair, one, other, concepts))
    warnings += _add_statements(graph, open_pairs, added, {**open_pairs, **decided.add}, concepts)
    lines: dict[Pair, tuple[Evidence, ...]] = {}
    for source in (decided.remove, decided.add, stated):
        for pair, place in source.items():
            lines[pair] = (*lines.get(pair, ()), place)
    decided_pairs = added | removed
    listing |= {pair[1] for pair in stated if pair in open_pairs or pair in decided_pairs}
    kept = frozenset(graph.edges)
    return Settled(kept, removed, decided_pairs, listing, lines, tuple(warnings))


def _add_statements(
    graph: nx.DiGraph[int],
    stated: Mapping[Pair, Evidence],
    added: frozenset[Pair],
    places: Mapping[Pair, Evidence],
    concepts: Sequence[Concept],
) -> list[Failure]:
    """Put the statements that close no cycle into the graph of what is decided.

    The others become warnings.
    """
    out: list[Failure] = []
    whole = graph.copy()
    whole.add_edges_from(stated)
    part = {
        node: i for i, scc in enumerate(nx.strongly_connected_components(whole)) for node in scc
    }
    for pair, place in stated.items():
        # Only inside a strongly connected component can an edge close a cycle.
        circle = _circle(graph, pair) if part[pair[0]] == part[pair[1]] else None
        if circle is None:
            graph.add_edge(*pair)
        elif not added.issuperset(circle):
            todo = "correct one of these lines, or decide in gradus.toml which edge to remove"
            out.append(_closing(pair, place, [places[edge] for edge in circle], concepts, todo))
    return out


def _circle(graph: nx.DiGraph[int], pair: Pair) -> list[Pair] | None:
    """The edges that, with this one, would be a cycle; None when there is none."""
    first, then = pair
    if first not in graph or then not in graph or not nx.has_path(graph, then, first):
        return None
    path = nx.shortest_path(graph, then, first)
    return list(pairwise(path))


def _both(pair: Pair, add: Evidence, remove: Evidence, concepts: Sequence[Concept]) -> Failure:
    message = (
        f"{_edge(pair, concepts)} is added here and removed in {_where(remove, add)}; "
        "it stays removed: take one of the two lines out"
    )
    return Failure(add.note, add.line, message)


def _closing(
    pair: Pair, place: Evidence, others: Sequence[Evidence], concepts: Sequence[Concept], todo: str
) -> Failure:
    where = ", ".join(dict.fromkeys(_where(other, place) for other in others))
    message = f"{_edge(pair, concepts)} closes a cycle with {where}, so it is left out; {todo}"
    return Failure(place.note, place.line, message)


def _against(pair: Pair, one: Evidence, other: Evidence, concepts: Sequence[Concept]) -> Failure:
    decision = f"add = [{json.dumps([concepts[i].label for i in pair], ensure_ascii=False)}]"
    message = (
        f"{_edge(pair, concepts)}, stated here, is stated the other way round in "
        f"{_where(other, one)}, so neither counts; correct one of them, "
        f"or decide in gradus.toml, as in {decision}"
    )
    return Failure(one.note, one.line, message)


def _edge(pair: Pair, concepts: Sequence[Concept]) -> str:
    return f"'{concepts[pair[0]].label}' before '{concepts[pair[1]].label}'"


def _where(place: Evidence, seen_from: Evidence) -> str:
    cell = f", cell {place.cell}" if place.cell is not None else ""
    line = f"line {place.line}{cell}"
    return (
        line
        if (place.note, place.cell) == (seen_from.note, seen_from.cell)
        else f"{place.note} {line}"
    )
