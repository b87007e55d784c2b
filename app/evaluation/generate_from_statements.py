"""Questions made from what the notes state: a sentence turned round, or its keywords."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from app.evaluation.generate_from_concepts import proper_names, several, source_of
from app.evaluation.question_file import AskedQuestion, answers, last_heading
from app.evaluation.question_forms import asked_of, by_chance, casual
from app.evaluation.question_words import FILLERS
from ingest.notes.announced import names_needs
from ingest.notes.markdown import parse_markdown, plain
from ingest.notes.sentences import sentence_spans
from kg.linking import fold
from kg.search import content_words
from kg.store import Store
from kg.types import Concept, Passage

__all__ = ["Stated", "facts", "sentences_of"]

# In a longer section the heading alone is too easy a gold: the sentence itself must be found.
SECTION_CHARS = 1500
KEYWORDS = 3  # beside the name
LEAST_CONTENT = 6  # content words of a sentence that keywords are taken from
_ARTICLE = re.compile(r"^(?:the|an?) ", re.I)
_MARKER = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?")
_INNER_ITEM = re.compile(r"\n(?=\s*(?:[-*+]|\d+[.)])\s)")
# Sentences that lead a reader on rather than state something, and such with formulas.
_TALK = re.compile(r"\\|\b(?:we|you|I|us|our|your|let|this|these|chapter|section|book)(?!\w)", re.I)
_TYPED = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Stated:
    """One sentence of a passage: its plain words, and its 1-based line in the note."""

    passage: Passage
    text: str
    line: int


def sentences_of(passage: Passage) -> list[Stated]:
    """The sentences of a passage's paragraphs and list items, plain."""
    if passage.kind in ("code", "output"):
        return []
    out = []
    for block in parse_markdown(passage.text).blocks:
        if block.kind not in ("paragraph", "item"):
            continue
        for first, last in _pieces(passage.text, block.start, block.end):
            text = passage.text[first:last]
            for start, end in sentence_spans(text):
                words = " ".join(plain(_MARKER.sub("", text[start:end])).split())
                line = passage.line_start + passage.text.count("\n", 0, first + start)
                out.append(Stated(passage, words, line))
    return out


def facts(store: Store) -> Iterator[AskedQuestion]:
    """At most one question a passage: a sentence turned round, else keywords."""
    proper = proper_names(store)
    sections = Counter[tuple[str, tuple[str, ...]]]()
    for p in store.passages:
        sections[p.note, p.heading_path] += len(p.text)
    headings = Counter(path[-1] for _, path in sections if path)
    for passage in store.passages:
        stated = sentences_of(passage)
        made = [(kind, q, s) for s in stated for kind, q in _turned(s.text, store, proper)]
        made = made or _keywords(stated, store, proper)
        if not made:
            continue
        kind, asked, source = made[by_chance(passage.text, len(made))]
        heading = last_heading(passage)
        short = sections[passage.note, passage.heading_path] <= SECTION_CHARS
        gold = (heading,) if heading and short and headings[heading] == 1 else ()
        quotes = (source.text,)
        if answers(AskedQuestion(asked, (), quotes), passage):
            q, where = _spoken_or_typed(asked), source_of(passage, source.line)
            yield AskedQuestion(q, gold, quotes, kind, where)


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """A block cut where an inner list's items begin."""
    cuts = [start, *(start + m.start() + 1 for m in _INNER_ITEM.finditer(text[start:end])), end]
    return list(pairwise(cuts))


def _turned(sentence: str, store: Store, proper: frozenset[str]) -> list[tuple[str, str]]:
    """Questions that a sentence answers, by another of the concept's names if it has some."""
    opening = _ARTICLE.sub("", sentence)
    named = next(iter(store.lexicon.find(opening)), None)
    if named is None or named.start > 0:
        return asked_of(sentence, "")
    subject = opening[: named.end]
    questions = asked_of(sentence, subject)
    name = _another_name(store.concepts[named.concept], subject, proper)
    spelled = re.compile(rf"\b{re.escape(subject)}\b", re.I)
    return [(kind, spelled.sub(lambda _: name, q, count=1)) for kind, q in questions]


def _another_name(concept: Concept, used: str, proper: frozenset[str]) -> str:
    """One of the concept's names, of the same number, so that the verb beside it fits."""
    others = (
        n for n in (concept.label, *concept.aliases) if len(n) > 2 and several(n) == several(used)
    )
    names = list(dict.fromkeys((used, *others)))
    return casual(names[by_chance(f"{concept.label} {used}", len(names))].split(), proper)


def _keywords(
    stated: list[Stated], store: Store, proper: frozenset[str]
) -> list[tuple[str, str, Stated]]:
    """For each telling sentence, a concept it names and its rarest other words, in order."""
    out = []
    for s in stated:
        named = next(iter(store.lexicon.find(s.text)), None)
        weights = {
            w: weight for w, weight in content_words(s.text, store).items() if _TYPED.fullmatch(w)
        }
        if (
            named is None
            or len(weights) < LEAST_CONTENT
            or _TALK.search(s.text)
            or names_needs(s.text)
        ):
            continue
        used = s.text[named.start : named.end]
        name = _another_name(store.concepts[named.concept], used, proper)
        in_name = {fold(w) for w in _TYPED.findall(f"{name} {used}".casefold())}
        others = [w for w in weights if fold(w) not in in_name and _is_term(w, store)]
        rare = set(sorted(others, key=lambda w: (-weights[w], w))[:KEYWORDS])
        typed = (*name.split(), *(w for w in others if w in rare))
        if KEYWORDS <= len(typed) <= 2 * KEYWORDS:
            out.append(("keywords", " ".join(typed), s))
    return out


def _is_term(word: str, store: Store) -> bool:
    """Whether a word may be a term; one that stands nowhere else is rather a turn of phrase."""
    return not word.endswith("ly") and word not in FILLERS and store.passage_frequency(word) > 1


def _spoken_or_typed(question: str) -> str:
    """Some people type no capital and no question mark."""
    if by_chance(question, 3):
        return question
    first, _, rest = question.partition(" ")
    return f"{first.lower()} {rest.rstrip('?')}"
