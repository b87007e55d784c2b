"""Machine-readable output: how values are written as JSON, as the README documents it.

The types say the same to programs in other words: they become the schemas that REST and MCP show.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NotRequired,  # pydantic reads no others on Python 3.11
    cast,
)

from typing_extensions import TypedDict

from kg.types import Answer, Concept, Evidence, Hit, PathStep, Relation

if TYPE_CHECKING:
    from app.answering.study import NextStep

__all__ = [
    "AnswerJson",
    "CitationJson",
    "ConceptJson",
    "EvidenceJson",
    "HitJson",
    "NextJson",
    "RelationJson",
    "StepJson",
    "answer_json",
    "concept_json",
    "hit_json",
    "next_json",
    "relation_json",
    "step_json",
]


class HitJson(TypedDict):
    """A passage that fits a question; lines are 1-based, in a notebook within its cell."""

    note: str
    line_start: int
    line_end: int
    cell: int | None
    heading_path: Sequence[str]
    concepts: Sequence[str]
    text: str
    score: float


class CitationJson(TypedDict):
    """Where a statement of an answer stands; the text refers to it as `[n]`."""

    n: int
    note: str
    line_start: int
    line_end: int
    cell: int | None
    quote: str


class EvidenceJson(TypedDict):
    """What supports a relation."""

    note: str
    cell: int | None
    line: int
    quote: str
    signal: str


class WhyJson(TypedDict):
    """A concept that a step is needed for, or builds on, and what says so."""

    concept: str
    evidence: EvidenceJson | None


class StepJson(TypedDict):
    """A step of a study path, the strongest reason first."""

    label: str
    summary: str
    why: Sequence[WhyJson]
    citation: CitationJson | None


class NextJson(TypedDict):
    """A concept that could be learned next."""

    label: str
    summary: str
    builds_on: Sequence[WhyJson]
    unlocks: int
    citation: CitationJson | None


class OfferJson(TypedDict):
    """A recipe that the question wishes for, with parameters from its words."""

    name: str
    params: dict[str, str | int | float | bool]
    why: str
    confidence: float
    notice: str


class MeasuredJson(TypedDict):
    """What an earlier run found of what is asked."""

    run: str
    text: str
    recipe: str
    values: dict[str, Any]
    age_days: int


class DisagreementJson(TypedDict):
    """Two citations that contradict each other, by their `n`, and in what."""

    one: int
    other: int
    why: Literal["number", "negation", "opposites"]


class ReplacementJson(TypedDict):
    """A thing of fastai v1 in a line of the answer, and what v2 has for it."""

    line: int
    old: str
    new: str
    why: str


class _AnswerJson(TypedDict):
    """What every answer has."""

    question: str
    status: Literal["answered", "not_in_notes"]
    kind: str
    confidence: float
    answer: str
    citations: Sequence[CitationJson]
    concepts: Sequence[str]
    prerequisites: Sequence[str]
    next: Sequence[str]
    recipes: Sequence[OfferJson]
    measured: Sequence[MeasuredJson]
    nearest: Sequence[str]
    writer: str
    notice: str
    disagreement: DisagreementJson | None
    fastai_v1: Sequence[ReplacementJson]
    doubtful: bool
    likeliest: Sequence[str]
    hits: Sequence[HitJson]


class AnswerJson(_AnswerJson, total=False):  # not NotRequired, which the SDK of MCP does not read
    """What the notes say to one question; `path` comes with study paths only."""

    path: Sequence[StepJson]


class ConceptJson(TypedDict):
    """Something that the notes explain; the home note first."""

    label: str
    aliases: Sequence[str]
    notes: Sequence[str]
    summary: str


class RelationJson(TypedDict):
    """A relation of two concepts; the key of its first end is its kind."""

    kind: Literal["prerequisite", "broader", "related"]
    concept: str
    prerequisite: NotRequired[str]
    broader: NotRequired[str]
    related: NotRequired[str]
    concept_note: str
    prerequisite_note: NotRequired[str]
    broader_note: NotRequired[str]
    related_note: NotRequired[str]
    score: float
    kept: bool
    tier: str
    shortcut: bool
    evidence: Sequence[EvidenceJson]


def hit_json(hit: Hit) -> HitJson:
    """A hit as the contract has it."""
    p = hit.passage
    return {
        "note": p.note,
        "line_start": p.line_start,
        "line_end": p.line_end,
        "cell": p.cell,
        "heading_path": p.heading_path,
        "concepts": hit.concepts,
        "text": p.text,
        "score": hit.score,
    }


def answer_json(answer: Answer) -> AnswerJson:
    """An answer as the contract has it."""
    out: AnswerJson = {
        "question": answer.question,
        "status": answer.status,
        "kind": answer.kind,
        "confidence": answer.confidence,
        "answer": answer.text,
        "citations": [_fields(c) for c in answer.citations],
        "concepts": answer.concepts,
        "prerequisites": answer.prerequisites,
        "next": answer.next,
        "recipes": [_fields(r) for r in answer.recipes],
        "measured": [_fields(m) for m in answer.measured],
        "nearest": answer.nearest,
        "writer": answer.writer,
        "notice": answer.notice,
        "disagreement": _fields(answer.disagreement),
        "fastai_v1": [_fields(r) for r in answer.fastai_v1],
        "doubtful": answer.doubtful,
        "likeliest": answer.likeliest,
        "hits": [hit_json(h) for h in answer.hits],
    }
    if answer.path:
        out["path"] = [step_json(s) for s in answer.path]
    return out


def concept_json(concept: Concept) -> ConceptJson:
    """A concept as the contract has it."""
    return {
        "label": concept.label,
        "aliases": concept.aliases,
        "notes": concept.notes,
        "summary": concept.summary,
    }


def step_json(step: PathStep) -> StepJson:
    """A step of a study path as the contract has it."""
    return {
        "label": step.label,
        "summary": step.summary,
        "why": _why_json(step.why),
        "citation": _fields(step.citation),
    }


def next_json(step: NextStep) -> NextJson:
    """A concept that could be learned next as the contract has it."""
    return {
        "label": step.label,
        "summary": step.summary,
        "builds_on": _why_json(step.builds_on),
        "unlocks": step.unlocks,
        "citation": _fields(step.citation),
    }


def relation_json(relation: Relation, concepts: Sequence[Concept]) -> RelationJson:
    """A relation; the key of its first end is its kind: "prerequisite", "broader", "related"."""
    first, later = concepts[relation.source], concepts[relation.target]
    out = {
        "kind": relation.kind,
        "concept": later.label,
        relation.kind: first.label,
        "concept_note": later.notes[0],
        f"{relation.kind}_note": first.notes[0],
        "score": relation.score,
        "kept": relation.kept,
        "tier": relation.tier,
        "shortcut": relation.shortcut,
        "evidence": [_fields(e) for e in relation.evidence],
    }
    return cast(RelationJson, out)  # which key is there depends on the kind


def _why_json(why: Sequence[tuple[str, Evidence | None]]) -> list[WhyJson]:
    return [{"concept": concept, "evidence": _fields(said)} for concept, said in why]


def _fields(value: Any) -> Any:
    """The fields of a frozen value by name; of None, None."""
    return None if value is None else dataclasses.asdict(value)
