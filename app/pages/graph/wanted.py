"""What a reader wants to see of the graph, as the browser says it: read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from kg.errors import UnknownConcept
from kg.linking import closest_labels
from kg.store import Store
from kg.types import RelationKind

__all__ = ["KINDS", "Wanted", "concept_id", "read_wanted"]

KINDS = get_args(RelationKind)
SURE = ("", "sure", "stated")  # how surely a prerequisite must hold to be drawn
KNOWN = ("", "hidden", "alone")  # what becomes of concepts that are known
LONGEST = 200  # characters of a name
DEEPEST = 12  # themes within themes
FARTHEST = 999  # steps


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part of the graph; everything when nothing is said."""

    about: int | None = None  # the concept whose surroundings to show
    back: int | None = None  # how many steps before it; None: its study path
    ends: tuple[int, int] | None = None  # what lies between two concepts
    opened: tuple[int, ...] = ()  # a concept of each opened theme, the outermost first
    kinds: tuple[str, ...] = ("prerequisite",)  # of the relations that are drawn
    note: str = ""  # only concepts of this note
    sure: str = ""
    known: str = ""

    @property
    def filtered(self) -> bool:
        """Whether concepts or prerequisites are left out by a filter."""
        return bool(self.note or self.sure or self.known)


def read_wanted(store: Store, sent: object) -> Wanted:
    """Read what the browser sent; what is not understood is left out.

    Parameters
    ----------
    sent : dict, or the concept whose surroundings to show, or None
        Concepts by id or by name.

    Raises
    ------
    UnknownConcept
        When a name names no concept; carries the closest labels.
    """
    said: Mapping[str, Any] = sent if isinstance(sent, dict) else {"about": sent}
    one, other = (concept_id(store, said.get(name)) for name in ("from", "to"))
    themes = said.get("open")
    opened = [_theme(store, name) for name in (themes if isinstance(themes, list) else [])]
    kinds = said.get("kinds")
    chosen = tuple(kind for kind in KINDS if kind in kinds) if isinstance(kinds, list) else None
    note = str(said.get("note") or "")[: 10 * LONGEST]
    back = said.get("back")
    return Wanted(
        about=concept_id(store, said.get("about")),
        back=max(1, min(back, FARTHEST)) if type(back) is int else None,
        ends=None if one is None or other is None else (one, other),
        opened=tuple(theme for theme in opened[:DEEPEST] if theme is not None),
        kinds=("prerequisite",) if chosen is None else chosen,
        note=note if note in store.note_names else "",
        sure=_one_of(SURE, said.get("sure")),
        known=_one_of(KNOWN, said.get("known")),
    )


def concept_id(store: Store, about: object) -> int | None:
    """Read what the browser sent: an id, a name, or nothing.

    Raises
    ------
    UnknownConcept
        When there is no such concept; carries the closest labels.
    """
    if about is None or about == "":
        return None
    if type(about) is int and 0 <= about < len(store.concepts):
        return about
    name = str(about)[:LONGEST]
    found = store.lexicon.named(name)
    if found is None:
        raise UnknownConcept(name, closest_labels(store.concepts, name))
    return found


def _theme(store: Store, name: object) -> int | None:
    """A link to a theme may be older than the notes: without its concept it is not opened."""
    try:
        return concept_id(store, name)
    except UnknownConcept:
        return None


def _one_of(known: tuple[str, ...], said: object) -> str:
    return said if isinstance(said, str) and said in known else ""
