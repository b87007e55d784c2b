"""Questions made from concepts and headings: what it is, how two differ, how it is done."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from app.evaluation.question_file import AskedQuestion, last_heading
from app.evaluation.question_forms import by_chance, casual, mine
from app.evaluation.question_words import ALSO_NOUNS, DEEDS, FUNCTION_WORDS
from app.place import address
from kg.linking import fold, key
from kg.store import Store
from kg.types import Concept, Passage, Place

__all__ = [
    "comparisons",
    "definitions",
    "how_tos",
    "proper_names",
    "several",
    "source_of",
]

MOST_LABEL_WORDS = 4
MOST_PARAPHRASED = 12  # words of a definition that are asked for its name
LEAST_WORDS = 12  # a section with fewer explains nothing
# Headings that organise a note and explain nothing.
_ORGANISING = re.compile(
    r"\b(?:recap|conclusions?|questionnaire|further|summary|introduction|overview|notes?"
    r"|sidebar|exercises?|examples?|"
    r"references?|goals?|statements?|links?|contents?|appendix|tips?|tricks?|misc|todo|faq"
    r"|chapter|part|lesson|week|"
    r"section|foundations|basics|first|our|your|my|and|or|is|are|to|not|just|from|with|what|why"
    r"|how|when|where|which|"
    r"before|after|without|under|using|look|see|other|beyond|more|some|all|new|about)\b"
    r"|[:&!?/()\"“”‘’,;=<>]|\d",
    re.I,
)
_DEFINING = re.compile(r"(?:is|are|means|refers to|describes|stands for|denotes)\b|[:–—-]", re.I)
_DEFINITION_FORMS = (
    "What {is} {the}{x}?",
    "what {is} {the}{x}",
    "What does {x} mean?",
    "explain {x}",
    "define {x}",
    "{x}?",
    "tell me about {x}",
    "What exactly {is} {the}{x}?",
)
_PARAPHRASE_FORMS = (
    "{said}",
    "What is {the}{said} called?",
    "{said}",
    "what do you call {the}{said}",
)
_SPEAKS = re.compile(r"\b(?:we|you|our|your|here|this|these|it|them|they|just|one)\b", re.I)
_COMPARISON_FORMS = (
    "What is the difference between {x} and {y}?",
    "{x} vs {y}",
    "How does {x} differ from {y}?",
    "compare {x} and {y}",
)
_HOW_FORMS = (
    "How do I {deed}?",
    "how to {deed}",
    "how can I {deed}",
    "What is the best way to {deed}?",
    "steps to {deed}",
)
_INSIDE = re.compile(r"\b[a-z]+,? ([A-Z][a-z]+)\b")
_LOWER = re.compile(r"\b[a-z]{2,}\b")
_OBJECT = re.compile(r"^(?:an?|the|your|my|our|all|every|each|data|with|from)$", re.I)
_HOW_HEADING = re.compile(
    r"^how (?:(?:do|can|should) (?:i|we|you)|\(?and why\)? to|to)\s+(?P<deed>\S.*?)\s*\??$", re.I
)
_DOING = re.compile(
    r"^(?P<doing>[a-z]{3,}ing) (?P<what>(?:a|an|the|your|my|our|data|from|with|to|in|on"
    r"|\S+[^s\W]s)\b.*)$",
    re.I,
)


def definitions(store: Store) -> Iterator[AskedQuestion]:
    """What is X? And the other way round: what is that called?"""
    proper = proper_names(store)
    for concept in _explained(store):
        names = [
            concept.label,
            *(a for a in concept.aliases if _askable(a) and not _alike(a, concept.label)),
        ]
        names = [n for n in names if len(n.split()) <= MOST_LABEL_WORDS] or [concept.label]
        name = names[by_chance(concept.label, len(names))]
        form = _DEFINITION_FORMS[by_chance(f"definition {name}", len(_DEFINITION_FORMS))]
        plural = several(name)
        if plural:
            form = form.replace("What does", "What do")
        said = casual(name.split(), proper)
        the = "" if plural else _article(name, concept)
        asked = form.format(x=said, the=the, **{"is": "are" if plural else "is"})
        yield _about([concept], store, asked, "definition")
        the, said = _paraphrase(concept)
        if said:
            form = _PARAPHRASE_FORMS[by_chance(said, len(_PARAPHRASE_FORMS))]
            yield _about([concept], store, form.format(said=said, the=the), "paraphrase")


def comparisons(store: Store) -> Iterator[AskedQuestion]:
    """How do X and Y differ? For related concepts that a person would set side by side."""
    proper = proper_names(store)
    explained = {c.id: c for c in _explained(store)}
    used: set[int] = set()
    pairs = []
    for r in sorted(store.relations, key=lambda r: (-r.score, r.source, r.target)):
        ends = {r.source, r.target}
        if r.kind != "broader" and ends <= explained.keys() and not ends & used:
            x, y = explained[r.source], explained[r.target]
            if _share_a_word(x, y) or _name_each_other(x, y, store):
                used |= ends
                pairs.append((x, y) if x.id < y.id else (y, x))
    for x, y in sorted(pairs, key=lambda pair: pair[0].id):
        form = _COMPARISON_FORMS[by_chance(f"{x.label} {y.label}", len(_COMPARISON_FORMS))]
        first, second = (casual(c.label.split(), proper) for c in (x, y))
        form = form.replace("does", "do") if several(x.label) else form
        yield _about([x, y], store, form.format(x=first, y=second), "comparison")


def how_tos(store: Store) -> Iterator[AskedQuestion]:
    """How do I …? For headings that say what is done in their section."""
    proper = proper_names(store)
    seen: set[str] = set()
    defined = {
        last_heading(store.passages[p])
        for c in store.concepts
        if _defines(c)
        for p in c.passages[:1]
    }
    for passage in store.passages:
        heading = last_heading(passage)
        if (
            not heading
            or heading in seen
            or heading in defined
            or _words_under(store, passage) < LEAST_WORDS
        ):
            continue
        seen.add(heading)
        deed = _deed(re.split(r"\s+[-–—|]\s+|[:|(]", heading)[0].strip(), proper)
        if deed:
            form = _HOW_FORMS[by_chance(heading, len(_HOW_FORMS))]
            yield AskedQuestion(form.format(deed=deed), (heading,), (), "how", source_of(passage))


def source_of(passage: Passage, line: int | None = None) -> str:
    """Where a question was made from, as "note.md:12"; in a notebook with the cell."""
    at = line or passage.line_start
    return address(Place(passage.note, passage.cell, at, at))


def proper_names(store: Store) -> frozenset[str]:
    """Words that the notes spell with a capital inside a sentence more often than without."""
    inside, lower = Counter[str](), Counter[str]()
    for passage in store.passages:
        if passage.kind not in ("code", "output"):
            inside.update(_INSIDE.findall(passage.text))
            lower.update(_LOWER.findall(passage.text))
    return frozenset(w for w, n in inside.items() if n > lower[w.lower()])


def _explained(store: Store) -> list[Concept]:
    """Concepts that have a name to ask for, and a section or defining sentence to answer."""
    parents = {p.heading_path[:n] for p in store.passages for n in range(1, len(p.heading_path))}
    out = []
    for concept in store.concepts:
        if not concept.summary or not concept.passages or not _askable(concept.label):
            continue
        passage = store.passages[concept.passages[0]]
        parts = last_heading(passage).split("|")
        own = any(key(n) == key(part) for n in (concept.label, *concept.aliases) for part in parts)
        section = (
            own
            and passage.heading_path not in parents
            and _words_under(store, passage) >= LEAST_WORDS
        )
        if _defines(concept) or (section and not _says_a_deed(concept.label)):
            out.append(concept)
    return out


def several(name: str) -> bool:
    """Whether a name's last word is a plural."""
    last = name.split()[-1].casefold()
    return fold(last) != last


def _askable(name: str) -> bool:
    return len(name) > 2 and "_" not in name and not _ORGANISING.search(name)


def _says_a_deed(label: str) -> bool:
    """Whether a name of several words begins with a verb: "Cleaning data"."""
    first, *rest = label.casefold().split()
    return bool(rest) and (first in DEEDS or first.endswith("ing"))


def _alike(alias: str, label: str) -> bool:
    """Whether an alias is no other name but a form of the label: "Unfreeze" of "Unfreezing"."""
    return alias.casefold()[:5] == label.casefold()[:5]


def _share_a_word(x: Concept, y: Concept) -> bool:
    words = [{w for n in (c.label, *c.aliases) for w in key(n) if len(w) > 2} for c in (x, y)]
    return bool(words[0] & words[1])


def _name_each_other(x: Concept, y: Concept, store: Store) -> bool:
    """Whether two sections beside each other each name the other's concept."""
    sections = [{store.passages[p].heading_path for p in c.passages} for c in (x, y)]
    parents = [{path[:-1] for path in paths} for paths in sections]

    def names(one: Concept, other: Concept) -> bool:
        return any(m.concept == other.id for p in one.passages for m in store.mentions_in(p))

    return (
        bool(parents[0] & parents[1])
        and not sections[0] & sections[1]
        and names(x, y)
        and names(y, x)
    )


def _after_name(concept: Concept) -> str:
    """What a summary says after the concept's name, "" when it does not open with it."""
    said = re.sub(r"^(?:an?|the) ", "", concept.summary, flags=re.I)
    longest = sorted((concept.label, *concept.aliases), key=len, reverse=True)
    return next(
        (said[len(n) :].strip() for n in longest if said.casefold().startswith(n.casefold())), ""
    )


def _defines(concept: Concept) -> bool:
    """Whether the summary says what the concept is: "A tensor is …", "Momentum: …"."""
    return bool(_DEFINING.match(_after_name(concept)))


def _paraphrase(concept: Concept) -> tuple[str, str]:
    """What the summary says that the concept is, its article apart: (article, words)."""
    match = re.match(
        r"(?:is|are|means) (?:often )?(?P<the>(?:an?|the) |)(?P<said>[a-z].+)$",
        _after_name(concept),
    )
    if not match:
        return "", ""
    said = re.split(
        r"[,;:(–—$.]| - |\s(?:so that|because|which|while|when|whose)\s", match["said"]
    )[0]
    words = [w for w in said.split() if not w.endswith("ly")][:MOST_PARAPHRASED]
    while words and words[-1].lower() in FUNCTION_WORDS:
        words.pop()
    named = {w for n in (concept.label, *concept.aliases) for w in key(n)}
    telling = [w for w in words if len(w) > 3]
    bare = " ".join(words)
    if len(telling) < 3 or len(words) < 4 or named & set(key(bare)) or _SPEAKS.search(bare):
        return "", ""
    return match["the"], bare


def _article(name: str, concept: Concept) -> str:
    """The article of a concept's summary, as it goes with one of the concept's names."""
    opening = re.match(r"(an?|the) (\S+)", concept.summary, re.I)
    known = {n.split()[0].casefold() for n in (concept.label, *concept.aliases)}
    if not opening or opening[2].casefold() not in known or name.isupper():
        return ""
    return "the " if opening[1].lower() == "the" else "an " if name[0].lower() in "aeio" else "a "


def _about(concepts: Sequence[Concept], store: Store, asked: str, kind: str) -> AskedQuestion:
    """A question that any of the places that define its concepts answers."""
    passages = [store.passages[p] for c in concepts for p in c.passages]
    gold = tuple(dict.fromkeys(h for p in passages if (h := last_heading(p))))
    quotes = () if gold else tuple(c.summary for c in concepts)
    return AskedQuestion(asked, gold, quotes, kind, source_of(passages[0]))


def _words_under(store: Store, passage: Passage) -> int:
    """Words in the passages of a passage's section, its heading aside."""
    n, i = 0, passage.id
    while i < len(store.passages) and (store.passages[i].note, store.passages[i].heading_path) == (
        passage.note,
        passage.heading_path,
    ):
        n += len(store.passages[i].text.split())
        i += 1
    return n - len(last_heading(passage).split())


def _deed(heading: str, proper: frozenset[str]) -> str:
    """What a heading says is done, as it follows "how do I"; "" when it says none."""
    how = _HOW_HEADING.match(heading)
    if how:
        return mine(casual(how["deed"].split(), proper))
    first, *rest = heading.split() or [""]
    verb = first.casefold()
    if verb in DEEDS and rest and (verb not in ALSO_NOUNS or _OBJECT.match(rest[0])):
        return mine(casual([verb, *rest], proper))
    doing = _DOING.match(heading)
    verb = _stem(doing["doing"].casefold()) if doing else ""
    return f"{verb} {mine(casual(doing['what'].split(), proper))}" if doing and verb else ""


def _stem(doing: str) -> str:
    """The verb of a gerund: "cleaning" is "clean", "getting" "get"; "" when none is known."""
    plain = doing.removesuffix("ing")
    spellings = (plain, plain + "e", plain[:-1] if plain[-1:] == plain[-2:-1] else "")
    return next((v for v in spellings if v in DEEDS), "")
