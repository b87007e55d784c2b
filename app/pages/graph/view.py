"""What the canvas draws: a part of the graph, placed, with what leads on from it.

Up to `WHOLE` concepts are drawn themselves; of more, their themes, which open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import networkx as nx

from app.graph_layout import NODE_LIMIT, Placed, around, place_beside, place_nodes
from app.graph_themes import WHOLE, arrows_between
from app.pages.graph.atlas import atlas
from app.pages.graph.between import way_between
from app.pages.graph.wanted import Wanted
from kg.marks import known_ids
from kg.paths import likely_first, reasons, study_path
from kg.store import Store
from kg.types import Concept

__all__ = ["STEPS", "concepts_in", "graph_view", "names_view", "path_view"]

STEPS = 8  # colours, from the foundations upwards


@dataclass(frozen=True, slots=True)
class _Part:
    """The concepts that are drawn or lie in the themes that are drawn, with their arrows."""

    kind: str  # "whole", "theme", "around", "between"
    ids: list[int]
    graph: nx.DiGraph[int]  # prerequisites that the filters let through
    themes: list[list[int]]  # of what is drawn; empty where concepts are
    trail: list[tuple[int, list[list[int]]]]  # each opened theme: which of which
    message: str


def names_view(store: Store) -> dict[str, Any]:
    """Every concept for the list, by name, with its aliases; and every note."""
    concepts = (store.concepts[c] for c in atlas(store).by_name)
    return {
        "concepts": [[c.id, c.label, " · ".join(c.aliases)] for c in concepts],
        "notes": list(store.note_names),
    }


def concepts_in(store: Store, wanted: Wanted) -> list[int]:
    """The concepts of a view, also those that lie in its themes."""
    return _part(store, wanted, known_ids(store)).ids


def graph_view(store: Store, wanted: Wanted = Wanted()) -> dict[str, Any]:  # noqa: B008 - frozen
    """What the canvas draws: placed concepts or themes, arrows, the way back, what is known.

    Prerequisites that others imply are left out (the transitive reduction), which changes no study
    order.
    """
    known = known_ids(store)
    part = _part(store, wanted, known)
    drawn = _themes(store, part, known) if part.themes else _concepts(store, part, wanted)
    about = wanted.about
    return {
        "kind": "themes" if part.themes else part.kind,
        "message": part.message or _told(store, part, wanted, drawn),
        "trail": [_trail(store, inside, at) for at, inside in part.trail],
        "beside": _beside(store, part),
        "about": about,
        "deepest": 0 if about is None else _deepest(part.graph, about),
        "back": wanted.back,
        "inside": len(part.ids),
        "known": sorted(known),
        **drawn,
    }


# ---- which part ----
def _part(store: Store, wanted: Wanted, known: Collection[int]) -> _Part:
    graph = _filtered(store, wanted, known)
    if wanted.ends is not None:
        way, words = way_between(store, graph, *wanted.ends)
        return _Part("between", way, graph, [], [], words)
    if wanted.about is not None:
        ids = _surroundings(store, graph, wanted, known)
        return _Part("around", ids, graph, [], [], "")
    ids, split = sorted(graph), atlas(store).themes
    trail: list[tuple[int, list[list[int]]]] = []
    for opened in wanted.opened:
        themes = split(ids) if len(ids) > WHOLE else []
        at = next((i for i, theme in enumerate(themes) if opened in theme), None)
        if at is None:
            break
        trail.append((at, themes))
        ids = themes[at]
    themes = split(ids) if len(ids) > WHOLE else []
    return _Part("theme" if trail else "whole", list(ids), graph, themes, trail, "")


def _filtered(store: Store, wanted: Wanted, known: Collection[int]) -> nx.DiGraph[int]:
    """The prerequisites among the concepts that the filters let through."""
    if not wanted.filtered:
        return store.prerequisites
    keep = [c.id for c in store.concepts if _passes(c, wanted, known)]
    graph: nx.DiGraph[int] = nx.DiGraph(store.prerequisites.subgraph(keep))
    if wanted.sure:
        enough = ("stated",) if wanted.sure == "stated" else ("sure", "stated")
        sure = {
            (r.source, r.target)
            for r in store.relations
            if r.kind == "prerequisite" and (r.tier in enough or not r.tier)
        }
        graph.remove_edges_from([edge for edge in graph.edges if edge not in sure])
    return graph


def _passes(concept: Concept, wanted: Wanted, known: Collection[int]) -> bool:
    if wanted.note and wanted.note not in concept.notes:
        return False
    return not wanted.known or (concept.id in known) == (wanted.known == "alone")


def _surroundings(
    store: Store, graph: nx.DiGraph[int], wanted: Wanted, known: Collection[int]
) -> list[int]:
    """What a concept builds on, what needs it, and what the other kinds that are drawn link to."""
    goal = wanted.about
    assert goal is not None
    whole = graph if goal in graph else store.prerequisites
    if wanted.back is None:
        path = [c for c in _study_path(store, goal, known) if c in whole]
        ids = list(dict.fromkeys([*path, *sorted(whole.successors(goal))]))
    else:
        ids = around(whole, goal, back=wanted.back)
    others = set(wanted.kinds) - {"prerequisite"}
    beside = [
        end
        for r in store.relations
        if r.kind in others and goal in (r.source, r.target)
        for end in (r.source, r.target)
        if end in whole
    ]
    return list(dict.fromkeys([*ids, *beside]))[:NODE_LIMIT]


def _deepest(graph: nx.DiGraph[int], goal: int) -> int:
    if goal not in graph:
        return 0
    lengths = nx.single_source_shortest_path_length(graph.reverse(copy=False), goal)
    return max(lengths.values())


# ---- as drawn ----
def _concepts(store: Store, part: _Part, wanted: Wanted) -> dict[str, Any]:
    labels = {node: store.concepts[node].label for node in part.ids}
    own = part.graph.subgraph(part.ids)
    reduced: nx.DiGraph[int] = nx.transitive_reduction(own)
    reduced.add_nodes_from(part.ids)  # an end that a filter leaves out
    edges = [[u, v, "prerequisite"] for u, v in sorted(reduced.edges)]
    helping = _helping(store, wanted.about, part.ids) if wanted.back is None else []
    reduced.add_edges_from((u, v) for u, v, _ in helping)
    others = [kind for kind in wanted.kinds if kind != "prerequisite"]
    chain = part.kind == "between"
    if chain:
        edges, reduced = _chain(store, part)
    elif "prerequisite" not in wanted.kinds:
        edges = []
    edges += helping
    inside = set(part.ids)
    edges += [
        [r.source, r.target, r.kind]
        for r in store.relations
        if r.kind in others and not chain and r.source in inside and r.target in inside
    ]
    loose = [] if chain else [c for c in part.ids if not reduced.degree(c) and c != wanted.about]
    order = atlas(store).order
    loose.sort(key=lambda c: order[c])
    if len(loose) == len(part.ids) and part.kind == "around":
        loose = []
    placed = place_nodes(nx.DiGraph(reduced.subgraph(inside - set(loose))), labels)
    beside = place_beside(loose, labels, placed)
    last = max((place.level for place in placed.values()), default=0)
    return {
        "nodes": [_node(store, c, place, last) for c, place in sorted((placed | beside).items())],
        "edges": edges,
        "loose": len(loose),
    }


def _chain(store: Store, part: _Part) -> tuple[list[list[Any]], nx.DiGraph[int]]:
    """The relations along a way between two concepts, and the way as a graph to place."""
    way = list(zip(part.ids, part.ids[1:], strict=False))
    kinds = {frozenset((r.source, r.target)): r for r in reversed(store.relations)}
    edges: list[list[Any]] = []
    for u, v in way:
        if part.graph.has_edge(u, v):
            edges.append([u, v, "prerequisite"])
        elif frozenset((u, v)) in kinds:
            r = kinds[frozenset((u, v))]
            edges.append([r.source, r.target, r.kind])
    placed: nx.DiGraph[int] = nx.DiGraph(way)
    placed.add_nodes_from(part.ids)
    return edges, placed


def _node(store: Store, concept: int, place: Placed, last: int) -> dict[str, Any]:
    step = -1 if place.level < 0 else place.level * (STEPS - 1) // max(last, STEPS - 1)
    if 0 < last < STEPS - 1:
        step = round(place.level * (STEPS - 1) / last)
    said = {
        "id": concept,
        "label": store.concepts[concept].label,
        "links": store.prerequisites.degree(concept),
        "dependants": atlas(store).dependants[concept],
        "step": step,
    }
    return said | asdict(place)


def _themes(store: Store, part: _Part, known: Collection[int]) -> dict[str, Any]:
    last = max(1, len(part.themes) - 1)
    nodes = []
    for at, theme in enumerate(part.themes):
        names = _names(store, theme)
        nodes.append(
            {
                "id": -1 - at,  # no concept's
                "lead": names[0],
                "label": names[0],
                "more": names[1:],
                "concepts": len(theme),
                "known": len(set(theme) & set(known)),
                "apart": not any(store.prerequisites.degree(c) for c in theme),
                "step": round(at * (STEPS - 1) / last),
                "links": len(theme),
            }
        )
    edges = [[-1 - a, -1 - b, "prerequisite"] for a, b in arrows_between(part.themes, part.graph)]
    return {"nodes": nodes, "edges": edges, "loose": 0}


def _names(store: Store, theme: Sequence[int]) -> list[str]:
    return [store.concepts[c].label for c in atlas(store).named_by(theme)]


def _trail(store: Store, themes: Sequence[Sequence[int]], at: int) -> dict[str, Any]:
    """An opened theme: its number among those beside it, and its name."""
    return {"number": at + 1, "of": len(themes), "lead": _names(store, themes[at])[0]}


def _beside(store: Store, part: _Part) -> list[str]:
    """The themes before and after the opened one, in study order; "" where there is none."""
    if not part.trail:
        return ["", ""]
    at, themes = part.trail[-1]
    return [_names(store, themes[i])[0] if 0 <= i < len(themes) else "" for i in (at - 1, at + 1)]


def _told(store: Store, part: _Part, wanted: Wanted, drawn: Mapping[str, Any]) -> str:
    n, of = len(part.ids), len(store.concepts)
    if not n:
        return "No concept matches these filters"
    every = f"{n} of {of} concepts" if wanted.filtered else f"{n} concepts"
    if part.themes:
        return f"{every} in {len(part.themes)} themes, in study order; choose one to open it"
    if part.kind == "around":
        return f"What the chosen concept builds on and what needs it: {n} of {of} concepts"
    if drawn["loose"] == n:
        return f"{every}; the notes give no order for them"
    apart = f"; {drawn['loose']} of them, at the bottom, without a known order"
    return f"{every} in study order{apart if drawn['loose'] else ''}"


# ---- a path ----
def path_view(store: Store, goal: int | None) -> dict[str, Any]:
    """The short study path to a concept, with its arrows; what needs it; what is known."""
    known = known_ids(store)
    if goal is None:
        return {"path": [], "edges": [], "after": [], "known": sorted(known)}
    path = _study_path(store, goal, known)
    after = sorted(store.prerequisites.successors(goal))
    edges = [
        [step, later, "prerequisite"]
        for step, needing in reasons(store.prerequisites, path).items()
        for later in needing
    ]
    edges += _helping(store, goal, path)
    return {"path": path, "edges": edges, "after": after, "known": sorted(known)}


def _helping(store: Store, goal: int | None, among: Collection[int]) -> list[list[Any]]:
    """The arrows to a goal that no prerequisite leads to, from what may help with it."""
    if goal is None:
        return []
    graph = likely_first(store.prerequisites, [goal], store.likely([goal]))
    kept = store.prerequisites
    new = [u for u in among if graph.has_edge(u, goal) and not kept.has_edge(u, goal)]
    return [[u, goal, "helps"] for u in new]


def _study_path(store: Store, goal: int, known: Iterable[int]) -> list[int]:
    likely = store.likely([goal])
    graph = likely_first(store.prerequisites, [goal], likely)
    return study_path(graph, [goal], frozenset(known), likely=likely)
