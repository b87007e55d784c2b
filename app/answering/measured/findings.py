"""What a run's result says in a few words, where that can be shown.

The recipe has said it; but results lie in folders that anybody may have written, so what does not
hold up says nothing. Which runs are looked at, and when, is left to
`app.answering.measured.measured`.
"""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import replace

from executors import recipes
from executors.runs.result import RunResult
from executors.runs.stored_findings import Finding, one_line

__all__ = ["findings_of"]

MOST = 32  # findings of one result
MOST_CHARS = 600  # of a finding's words: three precisions, or three files with their labels
FIRST_SENTENCE = 160  # characters of what a recipe without findings says
VALUES_CHARS = 4000  # of a finding's values as JSON
_OURS = {module.name.replace("_", "-") for module in pkgutil.iter_modules(recipes.__path__)}


def findings_of(result: RunResult) -> tuple[Finding, ...]:
    """What a result says; of a recipe from elsewhere without findings, its first sentence."""
    if result.said or result.recipe in _OURS:
        return tuple(_tidied(one) for one in result.said[:MOST] if _is_sound(one))
    first = re.split(r"(?<=[.!?])\s", result.message.strip(), maxsplit=1)[0]
    words = one_line(first, FIRST_SENTENCE).rstrip(".")
    return (Finding(words, values={"message": words}),) if words else ()


def _is_sound(finding: Finding) -> bool:
    """Whether there is something to show, and its values are JSON of a size to hand on."""
    return bool(one_line(finding.words)) and _is_json(finding.values)


def _is_json(values: Mapping[str, object]) -> bool:
    try:
        return len(json.dumps(values, allow_nan=False)) <= VALUES_CHARS
    except (ValueError, RecursionError):  # NaN, which Python reads from JSON, or nested too deep
        return False


def _tidied(finding: Finding) -> Finding:
    """Its texts as printable lines."""
    return replace(
        finding,
        words=one_line(finding.words, MOST_CHARS),
        phase=one_line(finding.phase),
        precision=one_line(finding.precision),
        about=one_line(finding.about),
    )
