"""Questions that the notes do not answer: on abbreviations, and from far fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from app.evaluation.far_fields import FAR_QUESTIONS
from app.evaluation.generate_from_concepts import source_of
from app.evaluation.generate_from_statements import Stated, sentences_of
from app.evaluation.question_file import AskedQuestion
from app.evaluation.question_forms import by_chance
from kg.linking import key
from kg.store import Store
from kg.types import Concept

__all__ = ["far", "mentioned"]

KIND = "unanswerable"
MOST_MENTIONS = 2  # passages; a term that stands in more is likely told of in one of them
_Mention = tuple[Stated, re.Match[str]]
_FORMS = ("What is {x}?", "explain {x}", "What does {x} stand for?", "what is {x} good for")
# An abbreviation. Names such as "DataLoader" are left out: a sentence that uses one tells what it
# is good for.
_NAME = re.compile(r"(?<![\w./-])[A-Z][A-Z0-9]{2,4}(?![\w./(-])")
# What follows a term that is being explained, and what stands before one.
_TELLS = re.compile(
    r"\s*(?:[(:,–—=]|-\s|(?:is|are|was|were|means|refers|stands|does|which|that|or|and|uses?)\b)"
)
_TOLD = re.compile(
    r"(?:[(\"'“]|\b(?:called|named|as|is|are|the|like|e\.g\.|or|and|dataset|library|model)\s)\s*$",
    re.I,
)


def mentioned(store: Store) -> Iterator[AskedQuestion]:
    """Abbreviations that stand mid-sentence once or twice, and open, head or close nothing."""
    explained = {word for c in store.concepts for n in (c.label, *c.aliases) for word in key(n)}
    explained |= {word for p in store.passages for h in p.heading_path for word in key(h)}
    mentions: dict[str, list[_Mention]] = {}
    for passage in store.passages:
        for stated in sentences_of(passage):
            for match in _NAME.finditer(stated.text):
                mentions.setdefault(match.group(), []).append((stated, match))
    for name, places in mentions.items():
        known = set(key(name)) & explained or _abbreviates(name, store.concepts)
        if known or _stands_elsewhere(name, places, store):
            continue
        if all(m.start() > 0 and not _explains(s.text, m) for s, m in places):
            asked = _FORMS[by_chance(name, len(_FORMS))].format(x=name)
            first, _ = places[0]
            yield AskedQuestion(asked, (), (), KIND, source_of(first.passage, first.line))


def far(store: Store) -> Iterator[AskedQuestion]:
    """Questions of the list whose words the notes do not hold."""
    for asked, words in FAR_QUESTIONS:
        if not any(store.passage_frequency(word) for word in words):
            yield AskedQuestion(asked, (), (), KIND)


def _stands_elsewhere(name: str, places: Sequence[_Mention], store: Store) -> bool:
    """Whether a name stands in other passages or outside of sentences: it may be told of there."""
    texts = {stated.passage.id: stated.passage.text for stated, _ in places}
    spelled = sum(len(re.findall(rf"\b{name}\b", text)) for text in texts.values())
    most = min(len(texts), MOST_MENTIONS)
    return spelled > len(places) or store.passage_frequency(name) > most


def _explains(sentence: str, name: re.Match[str]) -> bool:
    return bool(_TELLS.match(sentence, name.end()) or _TOLD.search(sentence[: name.start()]))


def _abbreviates(name: str, concepts: Sequence[Concept]) -> bool:
    """Whether a name could be short for a concept's: its letters follow each other there."""

    def short_for(long: str) -> bool:
        letters = iter(long.casefold())
        return long[:1].casefold() == name[0].casefold() and all(
            c in letters for c in name.casefold()
        )

    return any(short_for(n) for c in concepts for n in (c.label, *c.aliases) if len(n) > len(name))
