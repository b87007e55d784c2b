"""Questions that the notes do not answer: on terms they mention and never explain, and from fields far from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from app.far_fields import FAR_QUESTIONS
from app.generate_from_concepts import place_of
from app.generate_from_statements import Stated, sentences_of
from app.question_file import AskedQuestion
from app.question_forms import by_chance
from kg.linking import key
from kg.store import Store
from kg.types import Concept

__all__ = ["far", "mentioned"]

KIND = "unanswerable"
MOST_MENTIONS = 2  # passages; a term that stands in more is likely told of in one of them
_FORMS = ("What is {x}?", "explain {x}", "How does {x} work?", "what is {x} good for")
# A spelling that only names have: several capitals or digits in one word.
_NAME = re.compile(
    r"(?<![\w./-])(?!Ma?c[A-Z]|(?:De|Di|La|Le|Van|Von)[A-Z][a-z])[A-Z][A-Za-z]*[A-Z0-9][A-Za-z0-9]+(?![\w./(-])"
)
# What follows a term that is being explained, and what stands before one.
_TELLS = re.compile(r"\s*(?:[(:,–—=]|-\s|(?:is|are|was|were|means|refers|stands|does|which|that|or|and|uses?)\b)")
_TOLD = re.compile(r"(?:[(\"'“]|\b(?:called|named|as|is|are|the|like|e\.g\.|or|and|dataset|library|model)\s)\s*$", re.I)


def mentioned(store: Store) -> Iterator[AskedQuestion]:
    """Names that stand in the middle of a sentence once or twice, and open, head or close nothing."""
    explained = {word for c in store.concepts for n in (c.label, *c.aliases) for word in key(n)}
    explained |= {word for p in store.passages for h in p.heading_path for word in key(h)}
    found: dict[str, list[tuple[Stated, re.Match[str]]]] = {}
    for passage in store.passages:
        for stated in sentences_of(passage):
            for match in _NAME.finditer(stated.text):
                found.setdefault(match.group(), []).append((stated, match))
    for name, places in found.items():
        # what stands elsewhere too, in code or a table, may be told of there
        passages = store.passage_frequency(name)
        told = passages > MOST_MENTIONS or passages > len({s.passage.id for s, _ in places})
        if told or set(key(name)) & explained or _shouted(name) or _abbreviates(name, store.concepts):
            continue
        if all(m.start() > 0 and not _explains(s.text, m) for s, m in places):
            form = _FORMS[by_chance(name, len(_FORMS))]
            stated = places[0][0]
            yield AskedQuestion(form.format(x=name), (), (), KIND, place_of(stated.passage, stated.line))


def far(store: Store) -> Iterator[AskedQuestion]:
    """Questions of the list whose words the notes do not hold."""
    for asked, words in FAR_QUESTIONS:
        if not any(store.passage_frequency(word) for word in words):
            yield AskedQuestion(asked, (), (), KIND)


def _explains(sentence: str, name: re.Match[str]) -> bool:
    return bool(_TELLS.match(sentence, name.end()) or _TOLD.search(sentence[: name.start()]))


def _shouted(name: str) -> bool:
    """Whether capitals only stress an ordinary word: few abbreviations are as long."""
    return name.isupper() and name.isalpha() and len(name) >= 5


def _abbreviates(name: str, concepts: Sequence[Concept]) -> bool:
    """Whether a name could be short for a concept's: its letters follow each other there, from the first one."""

    def short_for(long: str) -> bool:
        letters = iter(long.casefold())
        return long[:1].casefold() == name[0].casefold() and all(c in letters for c in name.casefold())

    return any(short_for(n) for c in concepts for n in (c.label, *c.aliases) if len(n) > len(name))
