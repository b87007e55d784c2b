"""Which concepts a name typed so far may mean: the names compared as questions and paths do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from kg.linking import closest_labels, key
from kg.types import Concept

__all__ = ["matching"]

SAME, JOINED, BEGINS, HOLDS, OTHER = range(5)  # how a name fits what was typed, best first


def matching(concepts: Sequence[Concept], wanted: str) -> tuple[list[int], bool]:
    """Ids of the concepts that a name typed so far may mean, likeliest first.

    Names are compared without case, accents, plural and hyphens: first a concept of this very name,
    as `kg.linking.find_concept` finds it, then names that begin with what was typed, then those
    that hold it. The flag says that there is none, and that these are only spelled like it.

    Examples
    --------
    >>> net = Concept(0, "U-Net", ("segmentation network",), ("a.md",), "", ())
    >>> matching([net], "unet"), matching([net], "Netw"), matching([net], "U-Nett")
    (([0], False), ([0], False), ([0], True))
    """
    ranked = sorted(_place(concept, wanted) for concept in concepts)
    found = [at for fit, _, _, at in ranked if fit < OTHER]
    if found:
        return found, False
    ids = {concept.label: concept.id for concept in reversed(concepts)}
    return [ids[label] for label in closest_labels(concepts, wanted)], True


def _place(concept: Concept, wanted: str) -> tuple[int, bool, int, int]:
    """Where the concept stands in the list: its best name's fit, a label before an alias."""
    names = (concept.label, *concept.aliases)
    fit, place = min((_fit(name, wanted), place) for place, name in enumerate(names))
    # a concept of the very name is the one that a path finds, however long its label
    return fit, place > 0, len(concept.label) if fit > JOINED else 0, concept.id


def _fit(name: str, wanted: str) -> int:
    words, joined, plain = _folded(name)
    words_wanted, joined_wanted, plain_wanted = _folded(wanted)
    if words == words_wanted:
        return SAME
    if joined == joined_wanted:
        return JOINED
    if plain.startswith(plain_wanted) or (joined_wanted and joined.startswith(joined_wanted)):
        return BEGINS
    held = plain_wanted in plain or (joined_wanted and joined_wanted in joined)
    return HOLDS if held else OTHER


@lru_cache(maxsize=50_000)
def _folded(name: str) -> tuple[tuple[str, ...], str, str]:
    """A name's folded words, these joined, and the name as it is but for its case."""
    words = key(name)
    return words, "".join(words), name.strip().casefold()
