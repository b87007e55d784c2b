"""Read the JSON that `node_link` writes, or a like one; faults are named with their place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, cast, get_args

import networkx as nx

from app.exports.node_link import FORMAT, VERSION
from kg.errors import GradusError
from kg.graph import acyclic
from kg.linking import key
from kg.types import Concept, Evidence, Place, Relation, RelationKind, Tier

__all__ = ["ReadGraph", "read_graph"]

LARGEST_BYTES = 256 * 2**20  # of a file; in memory it takes several times as much
LONGEST = {"label": 2_000, "aliases": 2_000}  # characters; of other texts LONG
LONG = 200_000
KINDS: tuple[RelationKind, ...] = get_args(RelationKind)
TIERS: tuple[Tier, ...] = get_args(Tier)


@dataclass(frozen=True, slots=True)
class ReadGraph:
    """What a file holds, and as sentences what of it was set right."""

    concepts: tuple[Concept, ...]
    relations: tuple[Relation, ...]
    places: tuple[tuple[Place, ...], ...]  # of each concept
    dropped: tuple[str, ...]


class _Fault(Exception):
    """Something wrong at a place of the file, as "nodes[3].label"."""


def read_graph(path: Path) -> ReadGraph:
    """Read a graph in node-link form.

    A node needs `id` and `label`; an edge `source`, `target` and `kind`; the rest has defaults, and
    what has no documented name is passed over. Of kept prerequisites that form a cycle, one is read
    as not kept, chosen as in an ingest; and what is called a shortcut is none where no other
    relations imply it.

    Raises
    ------
    GradusError
        When the file cannot be read or breaks the form; names the file and the place in it.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            size = f"{LARGEST_BYTES // 2**20} MiB"
            raise _Fault(f"the file is larger than {size}, more than can be read at once")
        whole = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_no_number)
        return _graph(whole, path)
    except json.JSONDecodeError as error:
        raise GradusError(
            f"{path}:{error.lineno}:{error.colno}: this is not JSON: {error.msg}"
        ) from error
    except UnicodeDecodeError as error:
        raise GradusError(
            f"{path}: expected UTF-8 text, found the byte {error.object[error.start]:#04x}"
        ) from error
    except RecursionError as error:
        raise GradusError(f"{path}: lists nested so deep that they cannot be read") from error
    except (_Fault, ValueError) as error:  # a ValueError here is a number of thousands of digits
        raise GradusError(f"{path}: {error}") from error
    except OSError as error:
        raise GradusError(f"cannot read the graph in {path}: {error.strerror}") from error


def _no_number(word: str) -> NoReturn:
    raise _Fault(f"{word} is not a number in JSON")


def _graph(whole: object, path: Path) -> ReadGraph:
    if not isinstance(whole, dict):
        raise _Fault(f'expected an object with "nodes" and "edges", found {_kind_of(whole)}')
    _check_head(whole)
    nodes, edges = _list(whole, "nodes", "", needed=True), _list(whole, "edges", "", needed=True)
    numbers: dict[object, int] = {}
    concepts: list[Concept] = []
    places: list[tuple[Place, ...]] = []
    names: dict[tuple[str, ...], int] = {}
    for i, node in enumerate(nodes):
        where = f"nodes[{i}]"
        fields = _object(node, where)
        numbers.setdefault(_id(fields, "id", where), i)
        if len(numbers) <= i:
            raise _Fault(f"{where}.id: {fields['id']!r} is the id of an earlier node too")
        lines = enumerate(_list(fields, "lines", where))
        places.append(tuple(_place(value, f"{where}.lines[{n}]") for n, value in lines))
        concept = _concept(i, fields, where, tuple(p.note for p in places[-1]) or (path.name,))
        first = names.setdefault(key(concept.label) or (concept.label,), i)
        if first != i:
            raise _Fault(
                f"{where}.label: '{_short(concept.label)}' is the name of nodes[{first}] too"
            )
        concepts.append(concept)
    relations = _relations(edges, numbers)
    relations, dropped = _set_right(relations, concepts)
    return ReadGraph(tuple(concepts), tuple(relations), tuple(places), tuple(dropped))


def _check_head(whole: Mapping[str, object]) -> None:
    if "edges" not in whole and "links" in whole:
        raise _Fault(
            'expected "edges", found "links"; '
            'write it with networkx.node_link_data(graph, edges="edges")'
        )
    if whole.get("directed") is False:
        raise _Fault("directed: the graph is undirected; a prerequisite needs a direction")
    head = whole.get("graph")
    if isinstance(head, dict) and head.get("format") == FORMAT and head.get("version") != VERSION:
        version = f"expected {VERSION}, found {head.get('version')!r}"
        raise _Fault(f"graph.version: {version}; a newer Gradus wrote it")


def _concept(number: int, fields: dict[str, Any], where: str, notes: tuple[str, ...]) -> Concept:
    label = _text(fields, "label", where, needed=True)
    if not label.strip():
        raise _Fault(f"{where}.label: expected a name, found white space")
    summary = _text(fields, "summary", where)
    stated = _texts(fields, "notes", where)
    return Concept(
        number,
        label,
        _texts(fields, "aliases", where),
        stated or tuple(dict.fromkeys(notes)),
        summary,
        (),
    )


def _relations(edges: list[Any], numbers: Mapping[object, int]) -> list[Relation]:
    out: list[Relation] = []
    seen: dict[tuple[str, int, int], int] = {}
    for i, edge in enumerate(edges):
        where = f"edges[{i}]"
        r = _relation(_object(edge, where), where, numbers)
        first = seen.setdefault((r.kind, r.source, r.target), i)
        if first != i:
            raise _Fault(f"{where}: the same {r.kind} relation as edges[{first}]")
        out.append(r)
    return out


def _relation(fields: dict[str, Any], where: str, numbers: Mapping[object, int]) -> Relation:
    ends = []
    for name in ("source", "target"):
        end = _id(fields, name, where)
        if end not in numbers:
            raise _Fault(f"{where}.{name}: no node has the id {_short(repr(end))}")
        ends.append(numbers[end])
    if ends[0] == ends[1]:
        raise _Fault(f"{where}: a relation of a concept with itself")
    kind = cast(RelationKind, _one_of(fields, "kind", where, KINDS))
    tier = cast(Tier, _one_of(fields, "tier", where, TIERS, ""))
    evidence = tuple(
        _evidence(e, f"{where}.evidence[{n}]")
        for n, e in enumerate(_list(fields, "evidence", where))
    )
    source, target = sorted(ends) if kind == "related" else ends
    kept, shortcut = _truth(fields, "kept", where, True), _truth(fields, "shortcut", where, False)
    return Relation(kind, source, target, _score(fields, where), kept, evidence, tier, shortcut)


def _set_right(
    relations: list[Relation], concepts: list[Concept]
) -> tuple[list[Relation], list[str]]:
    """Relations with cycles and false shortcuts set right, and what was changed for that."""
    steps = [(r.source, r.target, r.score) for r in relations if _is_step(r)]
    stated = {(r.source, r.target) for r in relations if r.tier == "stated"}
    _, lost = acyclic(steps, stated)
    messages = [
        f"{_before(concepts, source, target)} (score {score:.2f}) would close a cycle"
        for source, target, score in lost
    ]
    gone = {(source, target) for source, target, _ in lost}
    ordered = [
        replace(r, kept=False, tier="", shortcut=False)
        if _is_step(r) and (r.source, r.target) in gone
        else r
        for r in relations
    ]
    direct: nx.DiGraph[int] = nx.DiGraph()
    direct.add_nodes_from(range(len(concepts)))
    direct.add_edges_from((r.source, r.target) for r in ordered if _is_step(r) and not r.shortcut)
    shortcuts = [r for r in ordered if _is_step(r) and r.shortcut]
    beyond = {source: nx.descendants(direct, source) for source in {r.source for r in shortcuts}}
    false = {(r.source, r.target) for r in shortcuts if r.target not in beyond[r.source]}
    messages += [
        f"{_before(concepts, r.source, r.target)} is called a shortcut, "
        "but no other relations imply it"
        for r in shortcuts
        if (r.source, r.target) in false
    ]
    checked = [
        replace(r, shortcut=False) if _is_step(r) and (r.source, r.target) in false else r
        for r in ordered
    ]
    return checked, messages


def _is_step(relation: Relation) -> bool:
    return relation.kind == "prerequisite" and relation.kept


def _before(concepts: list[Concept], source: int, target: int) -> str:
    return f"'{concepts[source].label}' before '{concepts[target].label}'"


def _evidence(value: object, where: str) -> Evidence:
    fields = _object(value, where)
    note, line = _text(fields, "note", where, needed=True), _count(fields, "line", where, 1)
    quote, signal = _text(fields, "quote", where), _text(fields, "signal", where)
    return Evidence(note, _cell(fields, where), line, quote, signal)


def _place(value: object, where: str) -> Place:
    fields = _object(value, where)
    first, last = _count(fields, "line_start", where, 1), _count(fields, "line_end", where, 1)
    if last < first:
        raise _Fault(f"{where}.line_end: expected {first} or more, found {last}")
    return Place(_text(fields, "note", where, needed=True), _cell(fields, where), first, last)


def _cell(fields: dict[str, Any], where: str) -> int | None:
    return None if fields.get("cell") is None else _count(fields, "cell", where, 0)


def _count(fields: dict[str, Any], name: str, where: str, least: int) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**53:
        raise _Fault(
            f"{where}.{name}: expected a whole number from {least} on, found {_kind_of(value)}"
        )
    return value


def _score(fields: dict[str, Any], where: str) -> float:
    value = fields.get("score", 1.0)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:
        raise _Fault(f"{where}.score: expected a number from 0 to 1, found {_kind_of(value)}")
    return float(value)


def _truth(fields: dict[str, Any], name: str, where: str, otherwise: bool) -> bool:
    value = fields.get(name, otherwise)
    if not isinstance(value, bool):
        raise _Fault(f"{where}.{name}: expected true or false, found {_kind_of(value)}")
    return value


def _one_of(
    fields: dict[str, Any],
    name: str,
    where: str,
    known: tuple[str, ...],
    otherwise: str | None = None,
) -> str:
    value = fields.get(name, otherwise)
    if not isinstance(value, str) or value not in known:
        choices = ", ".join(choice or '""' for choice in known)
        raise _Fault(f"{where}.{name}: expected one of {choices}, found {_kind_of(value)}")
    return value


def _id(fields: dict[str, Any], name: str, where: str) -> object:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _Fault(f"{where}.{name}: expected text or a whole number, found {_kind_of(value)}")
    return value


def _text(fields: dict[str, Any], name: str, where: str, *, needed: bool = False) -> str:
    return _checked(
        fields.get(name, None if needed else ""), f"{where}.{name}", LONGEST.get(name, LONG)
    )


def _texts(fields: dict[str, Any], name: str, where: str) -> tuple[str, ...]:
    most = LONGEST.get(name, LONG)
    return tuple(
        _checked(v, f"{where}.{name}[{i}]", most) for i, v in enumerate(_list(fields, name, where))
    )


def _checked(value: object, where: str, most: int) -> str:
    if not isinstance(value, str):
        raise _Fault(f"{where}: expected text, found {_kind_of(value)}")
    if len(value) > most:
        raise _Fault(f"{where}: expected at most {most} characters, found {len(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _Fault(
            f"{where}: holds half of a character, \\u{ord(value[error.start]):04x}"
        ) from error
    return value


def _list(fields: Mapping[str, Any], name: str, where: str, *, needed: bool = False) -> list[Any]:
    value = fields.get(name, None if needed else [])
    if not isinstance(value, list):
        place = f"{where}.{name}" if where else name
        raise _Fault(f"{place}: expected a list, found {_kind_of(value)}")
    return value


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Fault(f"{where}: expected an object, found {_kind_of(value)}")
    return value


_NAMES: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (str, lambda v: f"'{_short(v)}'"),
    (dict, lambda v: "an object"),
    (list, lambda v: "a list"),
    (bool, lambda v: str(v).lower()),
)


def _kind_of(value: object) -> str:
    """A value as an error names it."""
    if value is None:
        return "nothing"
    return next(
        (tell(value) for kind, tell in _NAMES if isinstance(value, kind)), _short(repr(value))
    )


def _short(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 60 else f"{text[:60]}…"
