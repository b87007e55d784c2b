"""How likely a heading or a marked term names a concept: something to study or to look up.

A classifier learned from judged headings and terms, in two steps. The first knows words alone:
logistic regression over the name's vector and those of its words (of the default encoder, whatever
the notes are searched with), its letters, which tell of other languages, and its form. The second,
boosted trees, adds what the notes do with the name: how often and where it stands, what stands
behind it. Coefficients are `termhood.json`, written by `benchmarks/concepts/train.py`.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import numpy as np

from ingest.concepts.places import KINDS, Place, PlaceKind
from ingest.concepts.words import FORM, Array, Vectors, Words, form_of
from ingest.names.labels import Names, merge_key, namings
from ingest.notes.plain_text import plain
from ingest.trees import Trees
from kg.linking import fold, key
from kg.types import Passage

__all__ = ["COLUMNS", "MODEL", "Table", "Termhood", "read_table"]

MODEL = "termhood.json"
WEAK = 0.5  # chance from which a part of a heading may be another name of its concept
LONGEST = 8  # words of a name that are looked for in the notes
SOON = 12  # words
_TOKEN = re.compile(r"[^\W_]+")
STANDING = (
    "learned_of_words", "times", "first", "depth", "children", "position", "following",
    "named_after", "named_soon", "named_at_once", "explained", "times_explained", "in_text",
    "in_passages", "as_heading", "as_marked", "as_code", "below", "text_below", "is_title", "notes",
    "rarity_first", "rarity_last", "rarity_least", "rarity_most", "rarity_mean",
)  # fmt: skip


COLUMNS = (*FORM, *STANDING)  # what the trees see


@cache
def learned() -> tuple[Words, Trees]:
    """The coefficients that come with Gradus."""
    stored = json.loads(
        resources.files("ingest.concepts").joinpath(MODEL).read_text(encoding="utf-8")
    )
    words, letters = (np.array(stored[n], dtype=np.float64) for n in ("of_words", "of_letters"))
    return Words(words, letters, float(stored["bias"])), Trees.of(stored["trees"], COLUMNS)


@dataclass(frozen=True, slots=True)
class Termhood:
    """The names that each text of the notes may give, with how likely each names a concept."""

    namings: Mapping[str, tuple[tuple[Names, float], ...]]

    @classmethod
    def of(cls, table: Table, vectors: Vectors) -> Termhood:
        """Judge all texts of a table."""
        words, trees = learned()
        chances = trees.chances(table.rows(words, vectors))
        found: defaultdict[str, list[tuple[Names, float]]] = defaultdict(list)
        for (text, names), chance in zip(table.entries, chances.tolist(), strict=True):
            found[text].append((names, chance))
        return cls({text: tuple(own) for text, own in found.items()})

    def names(self, text: str, least: float) -> Names | None:
        """The likeliest names of a text, None when none is likely enough."""
        names, chance = max(self.namings.get(text, ()), key=lambda one: one[1], default=(None, 0.0))
        if names is None or chance < least:
            return None
        unlikely = {merge_key(n.label) for n, c in self.namings[text] if c < WEAK}
        weak = tuple(name for name in names.weak if merge_key(name) not in unlikely)
        return replace(names, weak=weak)


@dataclass(frozen=True, slots=True)
class Table:
    """The texts that may name a concept, each with one of its names, and what is seen of them."""

    entries: tuple[tuple[str, Names], ...]
    form: Array  # (n, FORM)
    standing: Array  # (n, STANDING), the first column empty

    def rows(self, words: Words, vectors: Vectors) -> Array:
        """What the trees see, shape (n, COLUMNS)."""
        if not self.entries:
            return np.zeros((0, len(COLUMNS)))
        standing = self.standing.copy()
        labels = [names.label for _, names in self.entries]
        standing[:, 0] = words.odds(labels, self.form, vectors)
        return np.column_stack([self.form, standing])


def read_table(places: Iterable[Place], passages: Iterable[Passage], notes: int) -> Table:
    """See what the notes do with every name that a place may give.

    Parameters
    ----------
    passages : iterable of Passage
        Of all notes.
    notes : int
        How many notes there are.
    """
    seen = _Seen.of(places)
    given = [(text, names) for text in seen.first for names in namings(text)]
    texts = [key(plain(p.text)) for p in passages if p.kind not in ("code", "output")]
    counted = _Counted.of(texts, {key(names.label) for _, names in given})
    form = [form_of(text, names, seen.first[text].kind) for text, names in given]
    standing = [_standing(text, names.label, seen, counted, notes) for text, names in given]
    return Table(
        tuple(given),
        np.array(form).reshape(-1, len(FORM)),
        np.array(standing).reshape(-1, len(STANDING)),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """Where texts stand, by the text and by its folded words."""

    first: Mapping[str, Place]  # the place that tells most of each text: a heading before a mark
    times: Counter[tuple[str, ...]]
    as_heading: Counter[tuple[str, ...]]
    as_marked: Counter[tuple[str, ...]]
    as_code: Counter[tuple[str, ...]]
    explained: Counter[tuple[str, ...]]
    below: Mapping[tuple[str, ...], set[tuple[str, ...]]]
    titles: frozenset[tuple[str, ...]]

    @classmethod
    def of(cls, places: Iterable[Place]) -> _Seen:
        first: dict[str, Place] = {}
        counts: dict[PlaceKind, Counter[tuple[str, ...]]] = {kind: Counter() for kind in KINDS}
        below: defaultdict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
        explained: Counter[tuple[str, ...]] = Counter()
        titles = set()
        for place in places:
            folded = key(place.text)
            if not folded:
                continue
            counts[place.kind][folded] += 1
            explained[folded] += place.explained
            before = first.get(place.text)
            if before is None or (before.kind != "heading" and place.kind == "heading"):
                first[place.text] = place
            if place.kind == "heading":
                below[folded].add(place.around)
                if place.first:
                    titles.add(folded)
        marked = counts["emphasis"] + counts["wikilink"]
        every = marked + counts["heading"] + counts["code"]
        return cls(
            first,
            every,
            counts["heading"],
            marked,
            counts["code"],
            explained,
            below,
            frozenset(titles),
        )


@dataclass(frozen=True, slots=True)
class _Counted:
    """How often names and words stand in the notes."""

    times: Counter[tuple[str, ...]]
    passages: Counter[tuple[str, ...]]
    words: Counter[str]  # in how many passages
    n: int

    @classmethod
    def of(cls, texts: Sequence[tuple[str, ...]], wanted: set[tuple[str, ...]]) -> _Counted:
        by_first: defaultdict[str, set[int]] = defaultdict(set)
        for name in wanted:
            if 0 < len(name) <= LONGEST:
                by_first[name[0]].add(len(name))
        times: Counter[tuple[str, ...]] = Counter()
        passages: Counter[tuple[str, ...]] = Counter()
        words: Counter[str] = Counter()
        for text in texts:
            words.update(set(text))
            here: Counter[tuple[str, ...]] = Counter()
            for i, word in enumerate(text):
                for n in by_first.get(word, ()):
                    run = text[i : i + n]
                    if run in wanted:
                        here[run] += 1
            times.update(here)
            passages.update(here.keys())
        return cls(times, passages, words, len(texts))

    def rarity(self, word: str) -> float:
        return math.log((1 + self.n) / (1 + self.words[fold(word)]))


def _standing(text: str, label: str, seen: _Seen, counted: _Counted, notes: int) -> list[float]:
    """What the notes do with a name, in the order of STANDING."""
    name, whole, place = key(label), key(text), seen.first[text]
    following = key(place.following)
    at = [
        i
        for i in range(len(following) - len(name) + 1)
        if name and following[i : i + len(name)] == name
    ]
    rarities = [counted.rarity(w) for w in _TOKEN.findall(label)] or [0.0]
    return [
        0.0,
        math.log1p(seen.times[whole]),
        float(place.first),
        place.depth,
        math.log1p(place.children),
        place.position,
        math.log1p(len(following)),
        math.log1p(len(at)),
        float(bool(at) and at[0] < SOON),
        float(bool(at) and at[0] == 0),
        float(place.explained),
        math.log1p(seen.explained[whole]),
        math.log1p(counted.times[name]),
        math.log1p(counted.passages[name]),
        math.log1p(seen.as_heading[name]),
        math.log1p(seen.as_marked[name]),
        math.log1p(seen.as_code[name]),
        math.log1p(len(seen.below.get(name, ()))),
        math.log1p(len(seen.below.get(whole, ()))),
        float(name in seen.titles),
        math.log1p(notes),
        rarities[0],
        rarities[-1],
        min(rarities),
        max(rarities),
        float(np.mean(rarities)),
    ]
