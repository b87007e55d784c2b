"""Candidates that are one concept, merged by shared names and acronyms."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingest.concepts.candidates import Candidate, NoteParts
from ingest.names.labels import CLIPPED, is_clipped, is_initials, merge_key
from kg.linking import key

__all__ = ["Group", "final_names", "merge"]

_BRACKETED = re.compile(
    r"\b(?P<long>(?:[A-Za-z][\w'-]*[ ]){1,6}[A-Za-z][\w'-]*) \((?P<short>[A-Z][A-Za-z-]{1,7})\)"
)


@dataclass(slots=True)
class Group:
    """Candidates that are one concept."""

    candidates: list[Candidate] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)  # aliases found apart from candidates
    label: str = ""  # as a person decides; "" for the surest candidate's
    without: list[str] = field(default_factory=list)  # names a person takes away


def merge(candidates: Sequence[Candidate], notes: Sequence[NoteParts]) -> list[Group]:
    """Group candidates that share a sure name, then acronyms with the one name they abbreviate."""
    groups: dict[str, Group] = {}
    ordered = sorted(candidates, key=lambda c: (c.rank, c.order))
    headings = [c for c in ordered if c.rank <= 1]
    for candidate in headings:
        _place(candidate, groups)
    # A heading's further name ("Feature Loss | Perceptual Loss") takes in terms that are explained
    # under that name, if only one heading claims it.
    claims: defaultdict[str, dict[int, Group]] = defaultdict(dict)
    for candidate in headings:
        owner = groups[merge_key(candidate.names.label)]
        for name in candidate.names.weak:
            claims[merge_key(name)][id(owner)] = owner
    for k, owners in claims.items():
        if k not in groups and len(owners) == 1:
            groups[k] = next(iter(owners.values()))
    for candidate in ordered[len(headings) :]:
        _place(candidate, groups)
    unique = list({id(g): g for g in groups.values()}.values())
    joined = _join_short_names(unique)
    _add_bracketed_acronyms(joined, notes)
    return joined


def _place(candidate: Candidate, groups: dict[str, Group]) -> None:
    """Put a candidate into the group of one of its sure names, joining groups."""
    keys = [merge_key(n) for n in (candidate.names.label, *candidate.names.aliases)]
    known = [groups[k] for k in keys if k in groups]
    group = known[0] if known else Group()
    for other in known[1:]:
        if other is not group:
            group.candidates += other.candidates
            for k, owner in list(groups.items()):
                if owner is other:
                    groups[k] = group
    group.candidates.append(candidate)
    for k in keys:
        groups[k] = group


def _label(group: Group) -> str:
    return group.label or min(group.candidates, key=lambda c: (c.rank, c.order)).names.label


def _sure_names(group: Group) -> list[str]:
    """Label first, then every name that candidates are sure of, then the extra ones."""
    gone = {key(n) for n in group.without}
    ordered = sorted(group.candidates, key=lambda c: (c.rank, c.order))
    names = [
        _label(group),
        *(n for c in ordered for n in (c.names.label, *c.names.aliases)),
        *group.extra,
    ]
    return [n for n in names if key(n) not in gone]


def _join_short_names(groups: list[Group]) -> list[Group]:
    """A concept called by an acronym, or by words cut short, joins the one that it abbreviates."""
    long = [g for g in groups if " " in _label(g)]
    alike: defaultdict[str, list[Group]] = defaultdict(list)
    for group in long:
        alike["".join(key(_label(group)))[:CLIPPED]].append(group)
    gone: set[int] = set()
    for group in groups:
        short = _label(group)
        if len(short) < 3 or " " in short:
            continue
        if short.isupper():
            owners = [g for g in long if g is not group and is_initials(short, _label(g))]
        else:
            near = alike["".join(key(short))[:CLIPPED]]
            owners = [g for g in near if is_clipped(short, _label(g))]
        if len(owners) == 1:
            owners[0].candidates += group.candidates
            owners[0].extra.append(short)
            gone.add(id(group))
    return [g for g in groups if id(g) not in gone]


def _add_bracketed_acronyms(groups: list[Group], notes: Sequence[NoteParts]) -> None:
    """ "Exponentially weighted moving average (EWMA)" in any passage names a concept twice."""
    by_key = {
        merge_key(n): g
        for g in groups
        for c in g.candidates
        for n in (c.names.label, *c.names.aliases)
    }
    for note in notes:
        for passage in note.passages:
            if passage.kind in ("code", "output"):
                continue
            for match in _BRACKETED.finditer(passage.text):
                spoken = match["long"].split(" ")
                for n in range(2, len(spoken) + 1):
                    long = " ".join(spoken[-n:])
                    owner = by_key.get(merge_key(long))
                    if (
                        owner is not None
                        and is_initials(match["short"], long)
                        and match["short"] not in owner.extra
                    ):
                        owner.extra.append(match["short"])


def final_names(groups: Sequence[Group]) -> list[tuple[str, tuple[str, ...]]]:
    """Label and aliases of each group; a weak alias counts only where nothing else claims it."""
    sure: dict[str, int] = {}
    for i, group in enumerate(groups):
        for name in _sure_names(group):
            sure.setdefault(merge_key(name), i)
    claims: defaultdict[str, set[int]] = defaultdict(set)
    for i, group in enumerate(groups):
        for name in (n for c in group.candidates for n in c.names.weak):
            claims[merge_key(name)].add(i)
    claimed = {k: next(iter(ids)) for k, ids in claims.items() if len(ids) == 1 and k not in sure}
    return [(_label(group), _aliases(group, i, sure, claimed)) for i, group in enumerate(groups)]


def _aliases(
    group: Group, i: int, sure: Mapping[str, int], claimed: Mapping[str, int]
) -> tuple[str, ...]:
    """The names of the i-th group beside its label; `sure` and `claimed` say whose names are."""
    gone = {key(n) for n in group.without}
    names: list[str] = []
    for c in sorted(group.candidates, key=lambda c: (c.rank, c.order)):
        names += [n for n in (c.names.label, *c.names.aliases) if sure.get(merge_key(n)) == i]
        names += [n for n in c.names.weak if claimed.get(merge_key(n)) == i]
    names += group.extra
    by_key: dict[tuple[str, ...], str] = {}
    for name in names:
        if key(name) not in gone:
            by_key.setdefault(key(name), name)
    by_key.pop(key(_label(group)), None)
    return tuple(by_key.values())
