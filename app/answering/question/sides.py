"""What a question sets against each other: two sides, as it names them and as concepts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kg.linking import key, words
from kg.store import Store
from kg.types import Concept

__all__ = ["Side", "is_choice", "sides_in", "sides_of", "without_courtesy"]

SHORTENED = 3  # letters that a shortened word has at least
_POLITE = re.compile(
    r"^\s*(?:(?:please|hi|hello|hey|ok|okay|so|well|and|but|then)\b[\s,!]*)*"
    r"(?:(?:can|could|would|will) you (?:please )?(?=(?:tell|explain|describe|show|list|give|name"
    r"|compare|run|find)\b)"
    r"|(?:i (?:want|would like|'d like) to (?:know|learn|understand)|do you know|remind me)\s+)?",
    re.I,
)
_SIDE = r"(?P<one>\S.*?)"
_OTHER = r"(?P<other>\S.*?)"
_SIDES = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"\b(?:between|compare|distinguish|comparison of|differences? of)\s+{_SIDE}\s+"
        rf"(?:and|with|to|from|vs\.?)\s+{_OTHER}$",
        rf"^{_SIDE}\s+(?:vs\.?|versus|compared (?:to|with)|against)\s+{_OTHER}$",
        rf"\b(?:how|what|in what way) (?:do|does|is|are)\s+{_SIDE}\s+(?:differ|compare)\w*\s+"
        rf"(?:from|to|with)\s+{_OTHER}$",
        rf"\b(?:use|take|choose|prefer|need|want|is|are|which|better)[,:]?\s+{_SIDE}\s+"
        rf"(?:instead of|rather than|in place of|over|or|better than|worse than)\s+{_OTHER}$",
        rf"^{_SIDE}\s+or\s+{_OTHER}$",
    )
)
_SIDE_NOISE = re.compile(
    r"^(?:(?:an?|the|using|use|i|we|you|should|which|what|is|are|better|faster|comes?|first|when|to"
    r"|do|does|train|fit|take|"
    r"apply|choose|have|need|want)\b[\s,:]*)+",
    re.I,
)
_NO_SIDE = re.compile(r"\b(?:it|they|them|how|why|does|do|did|if|because|we|i|you|my)\b", re.I)
# What is behind the second side: "… for text", "when the batch is small".
_TAIL = re.compile(
    r"\s*[:;].*$|[\s?.!,;:]+$"
    r"|[\s,]+(?:for|in|on|when|if|with|at|during|to|as|here|there|and why|which)\b.*$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: as the question names it, and the concept it is, if it is one."""

    name: str
    concept: Concept | None

    @property
    def label(self) -> str:
        """How an answer calls it: by another name that was asked for, where the concept's own would
        surprise.
        """
        if self.concept is None:
            return self.name
        return f"{self.alias} ({self.concept.label})" if self.alias else self.concept.label

    @property
    def alias(self) -> str:
        """The concept's other name by which the question calls it, unless that only shortens its
        own; else "".
        """
        if self.concept is None or key(self.name) == key(self.concept.label):
            return ""
        alias = next((a for a in self.concept.aliases if key(a) == key(self.name)), "")
        return "" if _shortens(alias, self.concept.label) else alias


def without_courtesy(question: str) -> str:
    """The question without what only opens it: "please", "can you tell me"."""
    return _POLITE.sub("", question, count=1)


def sides_of(question: str) -> tuple[str, str] | None:
    """The two things that a question compares, as it names them; None when it names none.

    >>> sides_of("should I use layer norm instead of batch norm for text?")
    ('layer norm', 'batch norm')
    >>> sides_of("WHERE vs HAVING")
    ('WHERE', 'HAVING')
    """
    asked = re.split(r"[?.!]\s+", without_courtesy(question).strip(" ?.!"))[-1]
    for pattern in _SIDES:
        match = pattern.search(asked)
        if match:
            first = (
                match["one"].strip(" ,").rsplit(", ", 1)[-1]
            )  # "which is better for text, A or B?"
            one = _SIDE_NOISE.sub("", first).strip(" ,") if " " in first else first
            other = _TAIL.sub(
                "", _SIDE_NOISE.sub("", match["other"]) if " " in match["other"] else match["other"]
            )
            if (
                one
                and other
                and not any(_NO_SIDE.search(side) or len(words(side)) > 5 for side in (one, other))
            ):
                return one, other
    return None


def sides_in(names: tuple[str, str] | None, linked: Sequence[int], store: Store) -> list[Side]:
    """The two sides: as the question's grammar names them, else the first two concepts that it
    names.
    """
    sides = [Side(name, _concept(name, store)) for name in names or ()]
    if len(sides) == 2 and any(s.concept for s in sides) and sides[0].concept != sides[1].concept:
        return sides
    concepts = [store.concepts[c] for c in linked][:2]
    return [Side(c.label, c) for c in concepts] if len(concepts) == 2 else []


def _concept(name: str, store: Store) -> Concept | None:
    """The concept of this name, also of a shortened one: "layer norm" is Layer normalisation."""
    asked = key(name)
    for name_at in store.lexicon.find(name, strict_case=False):
        # "layer norm" is no concept when only "norm" is one.
        if len(key(name[name_at.start : name_at.end])) >= len(asked) - 1:
            return store.concepts[name_at.concept]
    for concept in store.concepts:
        for known in (concept.label, *concept.aliases):
            full = key(known)
            pairs = list(zip(asked, full, strict=False))
            if len(asked) == len(full) > 1 and all(
                f.startswith(s) and len(s) >= SHORTENED for s, f in pairs
            ):
                return concept
    return None


def _shortens(name: str, label: str) -> bool:
    """Whether a name is a label's initials, or has the beginnings of its words: "CNN", "batch
    norm".
    """
    short, full = key(name), key(label)
    initials = "".join(word[0] for word in full)
    begun = len(short) == len(full) and all(
        f.startswith(s) for s, f in zip(short, full, strict=True)
    )
    return begun or "".join(short) == initials or "".join(full).startswith("".join(short))


def is_choice(question: str) -> bool:
    """Whether a comparison asks which of two to take."""
    return bool(
        re.search(
            r"\b(?:or|vs|versus|instead of|rather than|better|should|prefer)\b",
            question,
            re.I,
        )
    )
