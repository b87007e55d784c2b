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
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import resources
from typing import Literal

import numpy as np
import numpy.typing as npt

from ingest.names.labels import BAR, Names, merge_key, namings
from ingest.notes.parsed import Heading, Marked, ParsedNote
from ingest.notes.plain_text import plain
from ingest.trees import Trees
from kg.encoder import load_encoder
from kg.linking import fold, key
from kg.types import Passage

__all__ = [
    "FORM",
    "HASHED",
    "KINDS",
    "LETTERS",
    "MODEL",
    "STANDING",
    "Place",
    "Table",
    "Termhood",
    "Vectors",
    "form_of",
    "is_explained",
    "is_title",
    "letters_of",
    "places_of",
    "read_table",
    "words_of",
]

MODEL = "termhood.json"
Array = npt.NDArray[np.float64]
# Unit vectors of names by the default encoder, shape (n, d).
Vectors = Callable[[Sequence[str]], npt.NDArray[np.float32]]
PlaceKind = Literal["heading", "emphasis", "code", "wikilink"]
_MARKS: Mapping[str, PlaceKind] = {
    "bold": "emphasis",
    "italic": "emphasis",
    "code": "code",
    "wikilink": "wikilink",
}
KINDS: tuple[PlaceKind, ...] = ("heading", "emphasis", "code", "wikilink")
WEAK = 0.5  # chance from which a part of a heading may be another name of its concept
LONGEST = 8  # words of a name that are looked for in the notes
FOLLOWING = 200  # characters behind a marked term that tell what it is
READ = 2000  # characters of a section that are read for it
SOON = 12  # words
HASHED, RUNS = 4096, (3, 4)  # sums that runs of so many letters are counted in
LETTERS = 3.0  # what a run counts beside the other columns
# A text that opens with the words of its heading defines them ("WHERE keeps the rows …"), whatever
# the words: of 24 judged ones that the words speak against, 19 are concepts; too few for the trees.
OPENING = 0.7

_TOKEN = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"[a-z][A-Z]")
_EXPLAINED_AFTER = re.compile(r"[*_`\"'”]{0,3}\s?(?:\([^)]{1,40}\)\s?)?(?:::?|[–—-]\s)")
_BEFORE = (":", "-–—", "(", "|/", ".)", ",")
_AFTER = (":", "-–—", "(", "|/", ")", ",", "?", "!", ".", "[")
_INSIDE = (":", "(", "|", "_", ".", ",", "=", '"', "/", "-")
FORM = (
    "whole", "starts", "ends", "share", "words_before", "words_after", "words", "words_of_text",
    "chars", *(f"before_{marks}" for marks in _BEFORE), *(f"after_{marks}" for marks in _AFTER),
    *(f"inside_{mark}" for mark in _INSIDE), "digit", "first_digit", "last_digit", "lower", "upper",
    "capital", "all_capital", "camel", "short", "text_asks", "text_calls", "text_lower",
    *(f"is_{kind}" for kind in KINDS),
    "uncommon_first", "uncommon_last", "uncommon_mean", "pieces_first", "pieces_last",
    "pieces_most",
)  # fmt: skip
STANDING = (
    "learned_of_words", "times", "first", "depth", "children", "position", "following",
    "named_after", "named_soon", "named_at_once", "explained", "times_explained", "in_text",
    "in_passages", "as_heading", "as_marked", "as_code", "below", "text_below", "is_title", "notes",
    "rarity_first", "rarity_last", "rarity_least", "rarity_most", "rarity_mean",
)  # fmt: skip


_WHOLE, _OPENS = FORM.index("whole"), STANDING.index("named_at_once")


@dataclass(frozen=True, slots=True)
class Place:
    """A text that may name a concept, where it stands."""

    text: str
    kind: PlaceKind
    following: str = ""  # the plain words behind it
    explained: bool = False  # whether a colon or dash follows
    first: bool = False  # the note's first heading, or its title
    depth: int = 0
    children: int = 0  # headings right below
    position: float = 0.0  # among the note's headings, in [0, 1]
    around: tuple[str, ...] = ()  # the headings it stands below


def places_of(
    parsed: ParsedNote, passages: Sequence[Passage], titles: Sequence[str]
) -> Iterator[Place]:
    """Every text of a note that may name a concept: titles, headings, marked terms, link targets.

    Parameters
    ----------
    titles : sequence of str
        What the note is called apart from its headings.
    """
    bodies: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for passage in passages:
        if passage.kind not in ("code", "output"):
            bodies[passage.heading_path].append(passage.text)
    whole = " ".join(" ".join(texts) for texts in bodies.values())[:READ]
    for title in titles:
        yield Place(title, "heading", plain(whole), first=True)
    yield from _headings(parsed, bodies)
    for mark in parsed.marked:
        kind = _MARKS.get(mark.kind)
        if kind is not None:
            text = parsed.text_of(mark.cell)
            behind = plain(text[mark.end : mark.end + FOLLOWING])
            words = (
                mark.target.split("#")[0].rpartition("/")[2] if kind == "wikilink" else mark.text
            )
            yield Place(words.strip(), kind, behind, is_explained(mark, text))


def _headings(
    parsed: ParsedNote, bodies: Mapping[tuple[str, ...], Sequence[str]]
) -> Iterator[Place]:
    children = Counter(h.path[:-1] for h in parsed.headings)
    last = max(1, len(parsed.headings) - 1)
    for i, heading in enumerate(parsed.headings):
        yield Place(
            heading.text,
            "heading",
            _behind(heading, " ".join(bodies.get(heading.path, ()))),
            first=is_title(parsed, i),
            depth=len(heading.path),
            children=children[heading.path],
            position=i / last,
            around=heading.path[:-1],
        )


def is_title(parsed: ParsedNote, i: int) -> bool:
    """Whether the i-th heading is the note's own: the first, and alone at the top."""
    return i == 0 and sum(len(h.path) == 1 for h in parsed.headings) == 1


def is_explained(mark: Marked, text: str) -> bool:
    """Whether what says what a marked term is follows: after a colon or dash, within or behind."""
    return mark.text.rstrip().endswith(":") or (
        _EXPLAINED_AFTER.match(text[mark.end : mark.end + FOLLOWING]) is not None
    )


def _behind(heading: Heading, body: str) -> str:
    said = plain(body[:READ])
    return said.removeprefix(heading.text).strip()


@dataclass(frozen=True, slots=True)
class _Model:
    of_words: Array  # (4 * d + FORM,)
    of_letters: Array  # (HASHED,)
    bias: float
    trees: Trees


@cache
def learned() -> _Model:
    """The coefficients that come with Gradus."""
    stored = json.loads(
        resources.files("ingest.concepts").joinpath(MODEL).read_text(encoding="utf-8")
    )
    return _Model(
        np.array(stored["of_words"], dtype=np.float64),
        np.array(stored["of_letters"], dtype=np.float64),
        float(stored["bias"]),
        Trees.of(stored["trees"]),
    )


@dataclass(frozen=True, slots=True)
class Termhood:
    """The names that each text of the notes may give, with how likely each names a concept."""

    namings: Mapping[str, tuple[tuple[Names, float], ...]]

    @classmethod
    def of(cls, table: Table, vectors: Vectors) -> Termhood:
        """Judge all texts of a table."""
        model = learned()
        rows = table.rows(
            lambda names, form: (
                words_of(names, form, vectors) @ model.of_words
                + [LETTERS * model.of_letters[letters_of(name)].sum() for name in names]
                + model.bias
            )
        )
        chances = model.trees.chances(rows)
        opens = rows[:, _WHOLE] * rows[:, len(FORM) + _OPENS] > 0
        chances[opens] = np.maximum(chances[opens], OPENING)
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


def words_of(names: Sequence[str], form: Array, vectors: Vectors) -> Array:
    """What the words' part reads of names: their vectors, those of their words, and their form.

    Shape (n, 4 * d + FORM): first, last and mean word.
    """
    words = np.array([_vectors_of_words(name) for name in names])
    return np.column_stack([vectors(names).astype(np.float64), words, form])


def letters_of(name: str) -> list[int]:
    """Which of HASHED sums a name's words count in: each whole, and by runs of letters in it."""
    runs = set()
    for word in _TOKEN.findall(name.casefold()) or [name]:
        marked = f"<{word}>"
        runs |= {marked[i : i + n] for n in RUNS for i in range(len(marked) - n + 1)} | {marked}
    return sorted({zlib.crc32(run.encode()) % HASHED for run in runs})


@lru_cache(maxsize=200_000)
def _piece(word: str) -> tuple[float, int, Array]:
    """How uncommon a word's first piece is, how many pieces it has, and their mean vector, (d,)."""
    ids, vectors = load_encoder().pieces(word)
    if not len(ids):
        return 0.0, 0, np.zeros(vectors.shape[1])
    return math.log1p(ids[0]), len(ids), vectors.mean(axis=0).astype(np.float64)


def _vectors_of_words(name: str) -> Array:
    of = [_piece(word)[2] for word in _TOKEN.findall(name) or [name]]
    return np.concatenate([of[0], of[-1], np.mean(of, axis=0)])


def _commonness(name: str) -> list[float]:
    """How common a name's words are, its first, last and mean word's, and in how many pieces."""
    of = [_piece(word)[:2] for word in _TOKEN.findall(name) or [name]]
    uncommon, pieces = [u for u, _ in of], [n for _, n in of]
    return [
        uncommon[0],
        uncommon[-1],
        float(np.mean(uncommon)),
        pieces[0],
        pieces[-1],
        max(pieces),
    ]


@dataclass(frozen=True, slots=True)
class Table:
    """The texts that may name a concept, each with one of its names, and what is seen of them."""

    entries: tuple[tuple[str, Names], ...]
    form: Array  # (n, FORM)
    standing: Array  # (n, STANDING), the first column empty

    def rows(self, of_words: Callable[[Sequence[str], Array], Array]) -> Array:
        """What the trees see, shape (n, FORM + STANDING)."""
        if not self.entries:
            return np.zeros((0, len(FORM) + len(STANDING)))
        standing = self.standing.copy()
        standing[:, 0] = of_words([names.label for _, names in self.entries], self.form)
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


def form_of(text: str, names: Names, kind: PlaceKind) -> list[float]:
    """The form of a name and of the text that it is a part of, in the order of FORM.

    Other names for the same do not count as a part of the text.
    """
    label = names.label
    text = next((part for part in BAR.split(text) if label in part), text)
    if any(alias in text and alias not in label for alias in names.aliases):
        text = label
    at = text.find(label)
    before, after = (text[:at], text[at + len(label) :]) if at >= 0 else ("", "")
    words = _TOKEN.findall(label)
    left, right = _TOKEN.findall(before), _TOKEN.findall(after)
    # What stands between the name and the next word on either side.
    near_before = before[max((before.rfind(w) + len(w) for w in left[-1:]), default=0) :]
    near_after = after[: after.find(right[0])] if right else after
    return [
        float(not left and not right),
        float(not left),
        float(not right),
        len(label) / max(1, len(text)),
        min(len(left), 4),
        min(len(right), 4),
        len(words),
        min(len(_TOKEN.findall(text)), 12),
        math.log1p(len(label)),
        *(float(any(m in near_before for m in marks)) for marks in _BEFORE),
        *(float(any(m in near_after for m in marks)) for marks in _AFTER),
        *(float(mark in label) for mark in _INSIDE),
        float(any(c.isdigit() for c in label)),
        float(label[:1].isdigit()),
        float(label[-1:].isdigit()),
        float(label.islower()),
        float(label.isupper()),
        float(label[:1].isupper()),
        float(all(w[:1].isupper() for w in words)),
        float(_CAMEL.search(label) is not None),
        float(len(label) <= 2),
        float("?" in text or "？" in text),
        float("!" in text or "！" in text),
        float(text.islower()),
        *(float(kind == one) for one in KINDS),
        *_commonness(label),
    ]


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
