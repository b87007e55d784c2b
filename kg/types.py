"""Values that travel between the layers: frozen, without behaviour beyond reading them.

Offsets are half-open and count characters of the note's text as stored on disk, decoded; lines are
1-based and inclusive. In a notebook both count within one cell, whose text is its source followed,
for a code cell with text outputs, by an empty line and those outputs; `cell` is the 0-based index
of the cell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "Answer",
    "AnswerKind",
    "Citation",
    "Concept",
    "Disagreement",
    "Evidence",
    "Hit",
    "Measured",
    "Mention",
    "Passage",
    "PassageKind",
    "PathStep",
    "Place",
    "RecipeOffer",
    "Relation",
    "RelationKind",
    "Replacement",
    "Resource",
    "StatementKind",
    "StatementSpan",
    "Tier",
]

PassageKind = Literal["prose", "list", "table", "code", "output"]
StatementKind = Literal["sentence", "item", "table", "code", "math", "html"]
Tier = Literal["", "likely", "sure", "stated"]
RelationKind = Literal["prerequisite", "broader", "related"]
AnswerKind = Literal[
    "definition",
    "fact",
    "how",
    "yesno",
    "comparison",
    "path",
    "next",
    "list",
    "where",
    "empty",
]


@dataclass(frozen=True, slots=True)
class StatementSpan:
    """Where one sentence, or a block that is never cut, stands in its passage, and what it is."""

    start: int  # offsets count from the passage's first character
    end: int
    kind: StatementKind
    block: int  # position of its block in the passage
    group: int = -1  # items of one list share a number


@dataclass(frozen=True, slots=True)
class Passage:
    """The unit of retrieval: a piece of one note, or of one notebook cell, under one heading."""

    id: int
    note: str  # its name: the path below the folder it was ingested from, with forward slashes
    cell: int | None
    start: int
    end: int
    line_start: int
    line_end: int
    heading_path: tuple[str, ...]  # plain text, outermost first
    text: str  # exactly text[start:end] of the note (of the cell, in a notebook)
    kind: PassageKind
    statements: tuple[StatementSpan, ...] = field(default=(), hash=False)  # in reading order


@dataclass(frozen=True, slots=True)
class Resource:
    """A link, image or code block that belongs to a concept, with where it stands."""

    kind: Literal["link", "image", "code"]
    text: str  # the words shown, the alternative text, or the code
    target: str  # address or path; the language for code
    note: str
    cell: int | None
    line: int


@dataclass(frozen=True, slots=True)
class Place:
    """Lines of a note, or of one notebook cell."""

    note: str
    cell: int | None
    line_start: int
    line_end: int


@dataclass(frozen=True, slots=True)
class Concept:
    """Something the notes explain.

    `passages` are the ids of the passages that define it, best first.
    """

    id: int
    label: str
    aliases: tuple[str, ...]
    notes: tuple[str, ...]  # the notes that define it, the home note first
    summary: str  # the first sentence that defines it, in the notes' words; "" when there is none
    passages: tuple[int, ...]
    resources: tuple[Resource, ...] = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where a passage names a concept; offsets count from the passage's first character."""

    concept: int
    passage: int
    start: int
    end: int
    alias: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What supports a relation: a quote at its line, and the kind of signal it gave."""

    note: str
    cell: int | None
    line: int
    quote: str
    signal: (
        str  # "mention", "position", "numbering", "front matter", "link", "heading", "similarity"
    )


@dataclass(frozen=True, slots=True)
class Relation:
    """A directed edge; for `prerequisite`, `source` comes first and `target` needs it.

    For `broader`, `source` is the broader concept; `related` is symmetric and stored once, smaller
    id first.
    """

    kind: RelationKind
    source: int
    target: int
    score: float  # in [0, 1], higher is better
    kept: bool
    evidence: tuple[Evidence, ...]
    tier: Tier = (
        ""  # of a kept prerequisite: inferred ("likely", "sure"), or said by a person ("stated")
    )
    shortcut: bool = (
        False  # a kept prerequisite that others imply: study order is the same without it
    )


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage with its score for one question; higher is better."""

    passage: Passage
    score: float
    # Labels of the concepts the passage defines or names, most specific first.
    concepts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement of an answer stands; `quote` is found in the note's text at these lines."""

    n: int
    note: str
    line_start: int
    line_end: int
    cell: int | None
    quote: str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two citations of an answer, by their `n`, that contradict each other, and in what."""

    one: int
    other: int
    why: Literal["number", "negation", "opposites"]


@dataclass(frozen=True, slots=True)
class Replacement:
    """A thing of fastai v1 in a text, and what v2 has for it."""

    line: int  # 1-based
    old: str
    new: str  # "" where v2 has nothing in its place
    why: str


@dataclass(frozen=True, slots=True)
class RecipeOffer:
    """A recipe that fits an answer, with preset parameters and the reason in a few words."""

    name: str
    params: dict[str, str | int | float | bool]
    why: str
    confidence: float = 1.0  # in [0, 1]: how surely the question wishes for it
    notice: str = ""  # what has to be chosen yet, where the question does not settle it


@dataclass(frozen=True, slots=True)
class Measured:
    """What an earlier run found on the user's own data, beside what the notes say."""

    run: str  # the run's id
    text: str  # one sentence, plain text
    recipe: str
    values: dict[str, Any]  # what was found, for machines; in terms of JSON
    age_days: int


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step of a study order: a concept, and for what it is needed."""

    label: str
    summary: str
    why: tuple[tuple[str, Evidence | None], ...]  # (the later concept that needs it, the evidence)
    citation: Citation | None
    may_help: bool = False  # too unsure to be called needed


@dataclass(frozen=True, slots=True)
class Answer:
    """What the notes say to one question.

    `text` is Markdown with [n] markers that refer to `citations`.
    """

    question: str
    status: Literal["answered", "not_in_notes"]
    kind: AnswerKind
    confidence: float  # in [0, 1]
    text: str
    citations: tuple[Citation, ...] = ()
    concepts: tuple[str, ...] = ()
    prerequisites: tuple[str, ...] = ()  # what to know first, foundations first
    next: tuple[str, ...] = ()  # what comes after
    recipes: tuple[RecipeOffer, ...] = ()
    hits: tuple[Hit, ...] = ()
    path: tuple[PathStep, ...] = ()
    nearest: tuple[str, ...] = field(default=())  # closest concepts, when the notes do not say
    writer: str = ""  # the language model that worded the text; "" for the notes' own words
    measured: tuple[Measured, ...] = ()  # what runs found of what was asked; no writer is given it
    notice: str = ""  # one line: why a writer's text is not given, or what was left out of it
    disagreement: Disagreement | None = None  # where the notes contradict each other on this
    fastai_v1: tuple[Replacement, ...] = ()  # what in `text` is fastai v1's
    doubtful: bool = False  # what comes nearest in the notes, which perhaps do not hold the answer
    likeliest: tuple[str, ...] = ()  # words of `text`, each once in it, that most likely answer
