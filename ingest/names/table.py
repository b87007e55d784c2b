"""Which of many concepts a person means by a name, spelled loosely or exactly."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from ingest.names.labels import merge_key
from kg.linking import closest, key

__all__ = ["NameTable"]


@dataclass(slots=True)
class NameTable:
    """Label and aliases of each concept, by position; built once, then only read."""

    labels: list[str] = field(default_factory=list)
    forms: tuple[
        dict[Hashable, int], ...
    ] = ()  # from the strictest way of comparing to the loosest
    # Without case -> as the concept spells it.
    spellings: dict[Hashable, str] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Sequence[tuple[str, tuple[str, ...]]]) -> NameTable:
        """The table of these labels and aliases.

        On a shared name a label wins over an alias, then the earlier.
        """
        table = cls([label for label, _ in names], ({}, {}, {}))
        every = [(i, label) for i, (label, _) in enumerate(names)]
        every += [(i, alias) for i, (_, aliases) in enumerate(names) for alias in aliases]
        for i, name in every:
            table.spellings.setdefault(name.casefold(), name)
            for known, form in zip(table.forms, _forms(name), strict=True):
                if form:
                    known.setdefault(form, i)
        return table

    def find(self, name: str) -> int | None:
        """The position of the concept of this name, None when there is none."""
        positions = (known.get(form) for known, form in zip(self.forms, _forms(name), strict=True))
        return next((i for i in positions if i is not None), None)

    def spelled(self, name: str) -> str:
        """The name as a concept spells it, else as given."""
        return self.spellings.get(name.strip().casefold(), name.strip())

    def is_label(self, name: str, position: int) -> bool:
        """Whether a name is the label of a concept, and no mere alias."""
        return any(
            a == b for a, b in zip(_forms(name), _forms(self.labels[position]), strict=True) if a
        )

    def closest(self, name: str, most: int = 3) -> tuple[str, ...]:
        """Names that are spelled like this one, best first."""
        return closest(name.strip(), self.spellings.values(), most, least=0.6)


def _forms(name: str) -> Iterator[Hashable]:
    yield name.strip().casefold()
    yield key(name)
    yield merge_key(name)
