"""Machine-readable output: how values are written as JSON, as the README documents it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kg.types import Answer, Concept, Hit, PathStep, Relation

if TYPE_CHECKING:
    from app.answering.study import NextStep

__all__ = ["answer_json", "concept_json", "hit_json", "next_json", "relation_json", "step_json"]


def hit_json(hit: Hit) -> dict[str, Any]:
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


def answer_json(answer: Answer) -> dict[str, Any]:
    """An answer as the contract has it."""
    contradicted = answer.disagreement
    out: dict[str, Any] = {
        "question": answer.question,
        "status": answer.status,
        "kind": answer.kind,
        "confidence": answer.confidence,
        "answer": answer.text,
        "citations": [dataclasses.asdict(c) for c in answer.citations],
        "concepts": answer.concepts,
        "prerequisites": answer.prerequisites,
        "next": answer.next,
        "recipes": [dataclasses.asdict(r) for r in answer.recipes],
        "measured": [dataclasses.asdict(m) for m in answer.measured],
        "nearest": answer.nearest,
        "writer": answer.writer,
        "notice": answer.notice,
        "disagreement": dataclasses.asdict(contradicted) if contradicted else None,
        "fastai_v1": [dataclasses.asdict(r) for r in answer.fastai_v1],
        "hits": [hit_json(h) for h in answer.hits],
    }
    if answer.path:
        out["path"] = [step_json(s) for s in answer.path]
    return out


def concept_json(concept: Concept) -> dict[str, Any]:
    """A concept as the contract has it."""
    return {
        "label": concept.label,
        "aliases": concept.aliases,
        "notes": concept.notes,
        "summary": concept.summary,
    }


def step_json(step: PathStep) -> dict[str, Any]:
    """A step of a study path as the contract has it."""
    return {
        "label": step.label,
        "summary": step.summary,
        "why": [
            {"concept": c, "evidence": dataclasses.asdict(e) if e else None} for c, e in step.why
        ],
        "citation": dataclasses.asdict(step.citation) if step.citation else None,
    }


def next_json(step: NextStep) -> dict[str, Any]:
    """A concept that could be learned next as the contract has it."""
    return {
        "label": step.label,
        "summary": step.summary,
        "builds_on": [
            {"concept": c, "evidence": dataclasses.asdict(e) if e else None}
            for c, e in step.builds_on
        ],
        "unlocks": step.unlocks,
        "citation": dataclasses.asdict(step.citation) if step.citation else None,
    }


def relation_json(relation: Relation, concepts: Sequence[Concept]) -> dict[str, Any]:
    """A relation; the key of its first end is its kind: "prerequisite", "broader", "related"."""
    first, later = concepts[relation.source], concepts[relation.target]
    return {
        "kind": relation.kind,
        "concept": later.label,
        relation.kind: first.label,
        "concept_note": later.notes[0],
        f"{relation.kind}_note": first.notes[0],
        "score": relation.score,
        "kept": relation.kept,
        "tier": relation.tier,
        "shortcut": relation.shortcut,
        "evidence": [dataclasses.asdict(e) for e in relation.evidence],
    }
