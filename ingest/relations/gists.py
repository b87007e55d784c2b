"""What stands for a concept in comparisons: directions and words of name and text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.concepts.summary import tells
from ingest.notes.dialect_lines import readable
from ingest.notes.plain_text import plain
from kg.types import Concept, Passage
from kg.vectors import WORD_BITS, WordVectors, still_turned, turned

__all__ = ["Gists", "NameVectors", "read_gists"]

# A name's vector, shape (d,), and those of its words, shape (t, d), for each of many names.
NameVectors = Callable[[Sequence[str]], Mapping[str, tuple[npt.NDArray[np.float32], WordVectors]]]

# Word pieces read of a concept, from its first passages on: the opening says what it is, whatever
# the note's length.
PIECES = 220
CHARS = 1500
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s.*$", re.M)


@dataclass(frozen=True, slots=True)
class Gists:
    """One row or entry a concept, by id. Vectors of unit length, all turned alike.

    A concept without text has zeros and no words. Turned as a store keeps words, their products are
    what they would be, and words need not be turned back.
    """

    centres: npt.NDArray[np.float32]  # (n, d) mean direction of its passages
    names: npt.NDArray[np.float32]  # (n, d) its label, encoded alone
    name_words: tuple[WordVectors, ...]
    words: Callable[[int], WordVectors]  # those of a concept's opening passages
    texts: tuple[str, ...]  # the opening itself


def read_gists(
    concepts: Sequence[Concept],
    passages: Sequence[Passage],
    vectors: npt.NDArray[np.float32],
    passage_words: Callable[[int], bytes],
    name_vectors: NameVectors,
) -> Gists:
    """Gather them.

    Parameters
    ----------
    passages : sequence of Passage
        Of all notes, by id.
    vectors : array of shape (passages, d)
        One unit vector a passage.
    passage_words : function
        From a passage's id to its words' vectors as `kg.vectors.in_bits` made them.
    """
    d = vectors.shape[1]
    named = name_vectors([c.label for c in concepts])
    centres = np.zeros((len(concepts), d), dtype=np.float32)
    for concept in concepts:
        if concept.passages:
            centre = vectors[list(concept.passages)].mean(axis=0)
            centres[concept.id] = centre / max(float(np.linalg.norm(centre)), 1e-9)

    telling = [_telling(concept, passages) for concept in concepts]

    def words(concept: int) -> WordVectors:
        read: list[WordVectors] = []
        for p in telling[concept]:
            read.append(still_turned(passage_words(p), d, WORD_BITS))
            if sum(map(len, read)) >= PIECES:
                break
        return np.concatenate(read)[:PIECES] if read else np.zeros((0, d), dtype=np.float32)

    names = (
        np.stack([named[c.label][0] for c in concepts])
        if concepts
        else np.zeros((0, d), dtype=np.float32)
    )
    openings = tuple(_opening([passages[p] for p in own]) for own in telling)
    name_words = [named[c.label][1] for c in concepts]
    ends = np.cumsum([len(own) for own in name_words[:-1]])
    apart = np.split(turned(np.concatenate(name_words)), ends) if name_words else []
    return Gists(turned(centres), turned(names), tuple(apart), words, openings)


def _telling(concept: Concept, passages: Sequence[Passage]) -> tuple[int, ...]:
    """Those of a concept's passages that say something: not code, nor links or pictures alone."""
    prose = (p for p in concept.passages if passages[p].kind not in ("code", "output"))
    return tuple(p for p in prose if tells(passages[p].text))


def _opening(passages: Sequence[Passage]) -> str:
    """The words of the first passages, headings aside."""
    texts: list[str] = []
    for passage in passages:
        texts.append(plain(_HEADING.sub("", readable(passage.text))))
        if sum(map(len, texts)) >= CHARS:
            break
    return "\n".join(texts)[:CHARS]
