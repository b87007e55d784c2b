"""What people decide about concepts, carried out: ignore, merge, rename."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.concepts.candidates import Candidate, NoteParts
from ingest.concepts.merge import Group, final_names
from ingest.decisions.read import Decision, unknown
from ingest.names.labels import Names, merge_key, namings
from ingest.names.table import NameTable
from ingest.report import Failure
from kg.types import Evidence

__all__ = ["regroup"]


def regroup(
    groups: Sequence[Group], decisions: Sequence[Decision], notes: Sequence[NoteParts]
) -> tuple[list[Group], tuple[Failure, ...]]:
    """The groups as people want them, and decisions that could not be followed.

    The given groups are used up.

    Ignoring goes before merging, and that before renaming, whatever the order in the files. Who
    ignores a label takes the concept away, and its sections belong to the concept around them; who
    ignores an alias, that name only.
    """
    if not any(d.kind in ("ignore", "merge", "rename") for d in decisions):
        return list(groups), ()
    state = _State(list(groups), tuple(decisions), NameTable.of(final_names(groups)))
    for decision in decisions:
        if decision.kind == "ignore":
            state.ignore(decision)
    for decision in decisions:
        if decision.kind == "merge":
            state.merge(decision)
    for decision in decisions:
        if decision.kind == "rename":
            state.rename(decision)
    kept = [g for i, g in enumerate(state.groups) if i not in state.gone]
    _hand_up([state.groups[i] for i in sorted(state.ignored)], kept, notes)
    return kept, tuple(state.failures)


@dataclass(slots=True)
class _State:
    """Groups while they change; positions stay those of the table."""

    groups: list[Group]
    decisions: tuple[Decision, ...]
    table: NameTable
    ignored: set[int] = field(default_factory=set)
    home: dict[int, int] = field(default_factory=dict)  # merged group -> the one that took it in
    renamed: dict[int, Evidence] = field(default_factory=dict)
    merged: dict[int, Evidence] = field(default_factory=dict)  # whose label a merge has chosen
    failures: list[Failure] = field(default_factory=list)

    @property
    def gone(self) -> set[int]:
        return self.ignored | set(self.home)

    def ignore(self, decision: Decision) -> None:
        (name,) = decision.names
        group = self.table.find(name)
        if group is None:
            self.failures.append(unknown(name, decision, self.decisions, self.table))
        elif self.table.is_label(name, group):
            self.ignored.add(group)
        else:
            self.groups[group].without.append(self.table.spelled(name))

    def merge(self, decision: Decision) -> None:
        named = {self.table.spelled(n): self._found(n, decision) for n in decision.names}
        known = {name: i for name, i in named.items() if i is not None}
        if len(known) < 2:
            return
        label, into = next(iter(known.items()))
        taken = [i for i in known.values() if i in self.merged]
        if taken and not any(self._is_called(i, label) for i in taken):
            where = _where(self.merged[taken[0]], decision)
            kept = self.groups[taken[0]].label
            self._fail(
                decision,
                f"{where} gives the label '{kept}', so '{label}' is none; put the same name first "
                "in both",
            )
            label = kept
        for i in dict.fromkeys(known.values()):
            if i != into:
                self.groups[into].candidates += self.groups[i].candidates
                self.groups[into].extra += self.groups[i].extra
                self.groups[into].without += self.groups[i].without
                self.home[i] = into
        self.groups[into].label = label
        self.merged[into] = decision.place

    def rename(self, decision: Decision) -> None:
        old, new = decision.names
        group = self._found(old, decision)
        if group is None:
            return
        if (
            (other := self.table.find(new)) is not None
            and other not in self.ignored
            and self._home(other) != group
        ):
            merged = f'merge = [["{new}", "{old}"]]'
            self._fail(decision, f"'{new}' is another concept already; to make them one: {merged}")
        elif group in self.renamed and not self._is_called(group, new):
            where, label = _where(self.renamed[group], decision), self.groups[group].label
            self._fail(
                decision,
                f"{where} renames the same concept to '{label}', which holds; "
                "take one of the two out",
            )
        elif (
            twin := next((i for i in self.renamed if i != group and self._is_called(i, new)), None)
        ) is not None:
            self._fail(
                decision,
                f"{_where(self.renamed[twin], decision)} gives the name '{new}' to another concept",
            )
        else:
            self.groups[group].label = new
            self.renamed[group] = decision.place

    def _found(self, name: str, decision: Decision) -> int | None:
        """The group a decision names, after merging.

        None, with the reason said, when there is none any more.
        """
        group = self.table.find(name)
        if group is None or group in self.ignored or self._taken_away(name, group):
            self.failures.append(unknown(name, decision, self.decisions, self.table))
            return None
        return self._home(group)

    def _home(self, position: int) -> int:
        while position in self.home:
            position = self.home[position]
        return position

    def _taken_away(self, name: str, position: int) -> bool:
        return NameTable.of([(n, ()) for n in self.groups[position].without]).find(name) is not None

    def _is_called(self, position: int, label: str) -> bool:
        return merge_key(self.groups[position].label) == merge_key(label)

    def _fail(self, decision: Decision, said: str) -> None:
        self.failures.append(Failure(decision.place.note, decision.place.line, said))


def _where(place: Evidence, seen_from: Decision) -> str:
    return (
        f"line {place.line}"
        if place.note == seen_from.place.note
        else f"{place.note} line {place.line}"
    )


def _hand_up(ignored: Sequence[Group], kept: Sequence[Group], notes: Sequence[NoteParts]) -> None:
    """Give passages of ignored sections to the innermost named section around them."""
    owners: dict[str, tuple[Group, str]] = {}
    for group, (label, aliases) in zip(kept, final_names(kept), strict=True):
        for name in (label, *aliases):
            owners.setdefault(merge_key(name), (group, label))
    paths = {p.id: p.heading_path for note in notes for p in note.passages}
    for group in ignored:
        for candidate in group.candidates:
            given: defaultdict[str, list[int]] = defaultdict(list)
            for passage in candidate.passages if candidate.rank <= 1 else ():
                names = (n for heading in reversed(paths[passage]) for n in namings(heading))
                around = next((k for n in names if (k := merge_key(n.label)) in owners), None)
                if around is not None:
                    given[around].append(passage)
            for around, passages in given.items():
                owner, label = owners[around]
                owner.candidates.append(
                    Candidate(Names(label), candidate.rank, candidate.order, tuple(passages))
                )
