"""Finding concepts by name: in passages and questions, and by exact or close label."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache

from kg.errors import UnknownConcept
from kg.types import Concept

__all__ = [
    "EAST_ASIAN",
    "STOP_WORDS",
    "Found",
    "Lexicon",
    "closest",
    "closest_labels",
    "find_concept",
    "fold",
    "key",
    "length_in_words",
    "one_slip",
    "spaced",
    "term_set",
    "terms",
    "words",
]

# With combining accents, as decomposed text has them, and the marks of "k-means++" and "C#".
# East Asian text is written without blanks: each of its characters counts as a word.
EAST_ASIAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{EAST_ASIAN}]|(?:[^\W_{EAST_ASIAN}][\u0300-\u036f]*)+(?:\+\+|#(?!\w))?")
_RUN = re.compile(rf"[{EAST_ASIAN}]+|[^\W_{EAST_ASIAN}]+")
_CHARACTER = re.compile(rf"([{EAST_ASIAN}])")
_PLURAL_ACRONYM = re.compile(r"\w*[A-Z]{2}s")  # "GPUs", "PCAs"
SHORTEST_JOINED = 4  # characters of a hyphenated name written as one word
CLOSE = 0.34  # how alike a name must be to be meant by a slip
# Names inside addresses and HTML tags are not mentions: bare URLs, link targets, tag attributes.
_UNSPOKEN = re.compile(r"https?://[^\s)>\]]+|(?<=\]\()[^)\s]*|<[a-zA-Z/][^>]*>")
_IRREGULAR_PLURALS = (
    "matrices:matrix indices:index vertices:vertex analyses:analysis bases:basis axes:axis "
    "hypotheses:hypothesis parentheses:parenthesis biases:bias aliases:alias canvases:canvas "
    "viruses:virus statuses:status caches:cache movies:movie cookies:cookie quizzes:quiz "
    "corpora:corpus criteria:criterion minima:minimum maxima:maximum optima:optimum gpus:gpu "
    "cpus:cpu tpus:tpu grus:gru relus:relu"
)
_IRREGULAR = dict(pair.split(":") for pair in _IRREGULAR_PLURALS.split())
# One of them, not many.
_ENDS_IN_AS = frozenset({"bias", "alias", "atlas", "canvas", "keras", "pandas", "whereas"})

_UNTOLD = (
    "a about actually all also am an and any are as at be been being but by can could did do does "
    "doing done for from get give gives go had has have having how i if in into is it its just "
    "know like lot made make makes many may me might more most much must my need needs no not now "
    "of off on once one or other our out over please s same say shall she should show so some such "
    "t take tell than that the their them then there these they this those through to too under "
    "until up us use used uses using very want was way we were what when where which while who "
    "whom whose why will with without would you your explain describe mean means meaning between "
    "compared explained"
)
# Words that say nothing of what a question or a statement is about.
STOP_WORDS = frozenset(_UNTOLD.split())


@lru_cache(maxsize=200_000)
def fold(word: str) -> str:
    """One word without case, accents and plural ending, so that "Batches" and "batch" meet.

    >>> [fold(w) for w in ("Batches", "losses", "GPUs", "bias", "matrices", "Gödel", "series")]
    ['batch', 'loss', 'gpu', 'bias', 'matrix', 'godel', 'series']
    """
    if _PLURAL_ACRONYM.fullmatch(word):
        word = word[:-1]
    folded = unicodedata.normalize("NFKD", word.casefold())
    folded = "".join(c for c in folded if not unicodedata.combining(c))
    if folded in _IRREGULAR:
        return _IRREGULAR[folded]
    if (
        len(folded) <= 3
        or not folded.endswith("s")
        or folded.endswith(("ss", "us", "is", "series"))
    ):
        return folded
    if folded in _ENDS_IN_AS:
        return folded
    if folded.endswith("ies") and len(folded) > 4:
        return folded[:-3] + "y"
    if folded.endswith(("ches", "shes", "sses", "xes")):
        return folded[:-2]
    return folded[:-1]


def words(text: str) -> list[tuple[str, int, int]]:
    """Folded words of a text with their half-open offsets."""
    return [(fold(m.group()), m.start(), m.end()) for m in _WORD.finditer(text)]


def terms(text: str) -> list[tuple[str, int, int]]:
    """The words of a text as they are searched for, in lower case, with half-open offsets.

    Of East Asian text the pairs of neighbouring characters, which tell more than one alone.

    >>> [term for term, _, _ in terms("Die GPU: 学习率")]
    ['die', 'gpu', '学习', '习率']
    """
    out = []
    for match in _RUN.finditer(text):
        start, end = match.span()
        if end - start > 2 and _CHARACTER.match(text, start):
            out += [(text[i : i + 2], i, i + 2) for i in range(start, end - 1)]
        else:
            out.append((match.group().casefold(), start, end))
    return out


def term_set(text: str) -> set[str]:
    """The words of a text as they are searched for, each once: `terms` without its offsets.

    >>> sorted(term_set("Die GPU, die 学习率"))
    ['die', 'gpu', '习率', '学习']
    """
    if _CHARACTER.search(text):
        return {term for term, _, _ in terms(text)}
    return set(map(str.casefold, _RUN.findall(text)))


def spaced(text: str) -> str:
    """A text with blanks around each East Asian character, as the full-text index takes words.

    >>> spaced("GPU 学习")
    'GPU  学  习 '
    """
    return _CHARACTER.sub(r" \1 ", text)


def length_in_words(label: str) -> float:
    """How many words a label has; two East Asian characters make one.

    >>> length_in_words("batch norm"), length_in_words("批归一化")
    (2.0, 2.0)
    """
    alone = len(_CHARACTER.findall(label))
    return len(key(label)) - alone / 2


def key(label: str) -> tuple[str, ...]:
    """The folded words of a label; two labels with the same key are the same name.

    >>> key("Skip-Connections"), key("skip connection")
    (('skip', 'connection'), ('skip', 'connection'))
    """
    return tuple(map(fold, _WORD.findall(label)))


@dataclass(frozen=True, slots=True)
class Found:
    """A concept's name in a text, half-open offsets."""

    concept: int
    start: int
    end: int
    alias: str


@dataclass(slots=True)
class Lexicon:
    """Every name of every concept, for longest-match lookup; built once, then only read."""

    names: dict[tuple[str, ...], tuple[int, str]] = field(default_factory=dict)
    # First word -> lengths, longest first.
    lengths: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, concepts: Iterable[Concept]) -> Lexicon:
        """The lexicon of these concepts.

        On a shared name a label wins over an alias, then the earlier concept.
        """
        names: dict[tuple[str, ...], tuple[int, str]] = {}
        everyone = list(concepts)
        for own in (True, False):
            for concept in everyone:
                for name in (concept.label,) if own else concept.aliases:
                    for k in _spellings(name):
                        if k and k not in names:
                            names[k] = (concept.id, name)
        lengths: dict[str, set[int]] = {}
        for k in names:
            lengths.setdefault(k[0], set()).add(len(k))
        return cls(names, {w: tuple(sorted(ls, reverse=True)) for w, ls in lengths.items()})

    def named(self, name: str) -> int | None:
        """The concept with this very name, case and plural aside."""
        return next((self.names[k][0] for k in _spellings(name) if k in self.names), None)

    def find(self, text: str, *, strict_case: bool = True) -> list[Found]:
        """Names in a text, longest match first, left to right, not inside addresses or HTML tags.

        With `strict_case`, a name of up to three capital letters ("PCA") matches capitals only; a
        question, which people type in lower case, is searched without.
        """
        hidden = [m.span() for m in _UNSPOKEN.finditer(text)]
        tokens = (
            [w for w in words(text) if not any(a <= w[1] < b for a, b in hidden)]
            if hidden
            else words(text)
        )
        names: list[Found] = []
        i = 0
        while i < len(tokens):
            match = self._at(tokens, i, text, strict_case)
            if match is None:
                i += 1
            else:
                names.append(match[0])
                i += match[1]
        return names

    def _at(
        self, tokens: Sequence[tuple[str, int, int]], i: int, text: str, strict: bool
    ) -> tuple[Found, int] | None:
        for n, k in self._keys(tokens, i, text):
            entry = self.names.get(k)
            if entry is None:
                continue
            start, end = tokens[i][1], tokens[i + n - 1][2]
            if n > 1 and "\n\n" in text[start:end]:
                continue
            alias = entry[1]
            if strict and _within_identifier(text, start, end):
                continue
            if (
                strict
                and len(alias) <= 3
                and alias.isupper()
                and not text[start:end].rstrip("s").isupper()
            ):
                continue
            return Found(entry[0], start, end, alias), n
        return None

    def _keys(
        self, tokens: Sequence[tuple[str, int, int]], i: int, text: str
    ) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Names that could begin at a word, with how many words each takes, longest first."""
        lengths = self.lengths.get(tokens[i][0], ())
        for n in lengths:
            if n > 1 and i + n <= len(tokens):
                yield n, tuple(w for w, _, _ in tokens[i : i + n])
        # "U-Net" in the text is also the name "UNet".
        if i + 1 < len(tokens) and text[tokens[i][2] : tokens[i + 1][1]] == "-":
            joined = tokens[i][0] + tokens[i + 1][0]
            if len(joined) >= SHORTEST_JOINED:
                yield 2, (joined,)
        if 1 in lengths:
            yield 1, (tokens[i][0],)


def _within_identifier(text: str, start: int, end: int) -> bool:
    """Whether a name is a part of one like "06_cuda_cnn_hooks".

    In "_Dropout_" the underscores are emphasis.
    """
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return (before[1:] == "_" and before[0].isalnum()) or (after[:1] == "_" and after[1:].isalnum())


def _spellings(name: str) -> list[tuple[str, ...]]:
    """A name's key, and for short hyphenated names the joined form too ("U-Net" is also "unet")."""
    k = key(name)
    joined = "".join(k)
    return (
        [k, (joined,)]
        if len(k) == 2 and ("-" in name or len(k[0]) == 1) and len(joined) >= SHORTEST_JOINED
        else [k]
    )


def find_concept(concepts: Sequence[Concept], label: str) -> Concept:
    """The concept with this label or alias, case and plural aside.

    Raises
    ------
    UnknownConcept
        When there is none; carries the closest labels.
    """
    position = Lexicon.of(concepts).named(label)
    if position is not None:
        return concepts[position]
    raise UnknownConcept(label, closest_labels(concepts, label))


def closest_labels(concepts: Sequence[Concept], label: str, most: int = 5) -> tuple[str, ...]:
    """Labels of the concepts with a name that is close to the given one; best first."""
    label_of = {n: c.label for c in reversed(concepts) for n in (*c.aliases, c.label)}
    names = closest(label, label_of, most=len(label_of))
    return tuple(dict.fromkeys(label_of[n] for n in names))[:most]


def closest(name: str, known: Iterable[str], most: int, least: float = CLOSE) -> tuple[str, ...]:
    """Those of the known names that share words with a name or are spelled like it; best first.

    Parameters
    ----------
    least : float
        In [0, 1]: how alike they must be.

    >>> closest("learning rates finder", ["Momentum", "Learning Rate", "Finding a Rate"], 2)
    ('Learning Rate', 'Finding a Rate')
    """
    scored = sorted((-_likeness(name, other), other) for other in known)
    return tuple(other for unlike, other in scored[:most] if -unlike >= least)


def _likeness(one: str, other: str) -> float:
    """The share of words that two names have in common, or that of letters in the same order."""
    words_of_one, words_of_other = set(key(one)), set(key(other))
    shared = len(words_of_one & words_of_other) / max(1, len(words_of_one | words_of_other))
    return max(shared, SequenceMatcher(None, one.casefold(), other.casefold()).ratio())


def one_slip(word: str, other: str) -> bool:
    """Whether one letter is missing, added or wrong, or two are exchanged; never the first.

    >>> [one_slip(w, "dropout") for w in ("dropuot", "dropot", "dropoutt", "dropaut")]
    [True, True, True, True]
    >>> [one_slip(w, "dropout") for w in ("dropout", "cropout", "drpuot")]
    [False, False, False]
    """
    if word[:1] != other[:1] or abs(len(word) - len(other)) > 1 or word == other:
        return False
    at = next(
        (i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b),
        min(len(word), len(other)),
    )
    one, two = word[at:], other[at:]
    exchanged = one[:2] == two[:2][::-1] and one[2:] == two[2:]
    return exchanged or one[1:] == two[1:] or one[1:] == two or one == two[1:]
