"""What earlier runs measured on the user's own data, where a question is about just that: one
sentence each.

A fact stands beside what the notes say, never in its place, and names its run. Only the newest runs
of the recipe that a question is about are read, and each once, so that a long history costs an
answer little.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from app.answering.measured.findings import findings_of
from app.answering.offers.offers import offers
from app.answering.offers.presets import Preset, presets, without_presets
from app.answering.offers.subjects import DEFINES, subject_of, vetoed
from executors.recipe import recipes
from executors.runs.finding import Finding, one_line
from executors.runs.folder import RESULT, SPEC, read_json
from executors.runs.result import result_from
from kg.types import AnswerKind, Measured, RecipeOffer

__all__ = ["asked_of", "measured"]

MOST = 3
LOOKED_AT = 64  # newest runs of a recipe
RESULT_BYTES = 2_000_000  # a larger result is none of ours
WISHED = 0.65  # confidence of an offer from which its recipe's runs are spoken of
VALUED = (
    0.8  # the same where a question has the form of a definition: "what is the best learning rate?"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_RUN = re.compile(r"(?P<when>\d{8}T\d{6}Z)-(?P<recipe>.+)-[0-9a-f]{6}")
_ASKED = r"(?:is|are|am|was|does|do|did|has|will|would|should|can|could|must)"
_YES_NO = re.compile(rf"^(?:(?:and|so|but|then) )?{_ASKED}\b")
_HOW_MUCH = re.compile(r"^(?:(?:and|so|but|then) )?how (?:much|many times)\b")
_OWN = re.compile(r"\b(?:my|our|i|we|it|this)\b")
_MY_VALUE = re.compile(r"^what(?:'s| is| was| are) (?:my|our) ")
# What may stand around a subject ("§") of which a run tells what it is worth: "does mixup help?",
# "is fp16 faster?"
_BEFORE = (
    r"i|we|you|it|the|my|our|an?|to|use|using|add|adding|try|take|apply|train|training|in|with|by|really|also|even|"
    r"still|any|much|how|faster|better|slower"
)
_BEHIND = (
    r"really|much|any|help|helps|helping|better|best|faster|slower|quicker|worse|worth|it|useful|good|pays?|off|"
    r"improves?|hurts?|matters?|saves?|memory|time|speed|make|makes|an?|the|my|our|me|us|score|accuracy|error|rate|"
    r"loss|results?|models?|networks?|net|data|images|photos|pictures|texts?|table|here|on|for|with|in|at|all|to|use|"
    r"work|works|than|or|and|train|training|reduce|against|overfit|overfitting|less|more|one|use|full|precision|size"
)
_WORTH = re.compile(
    rf"^(?:(?:and|so|but|then) )?(?:how (?:much|many times) (?:(?:faster|slower|better|more|less|memory|time) )?)?"
    rf"{_ASKED} (?:(?:{_BEFORE}|§) )*§(?: (?:{_BEHIND}|§))*$"
)
_VALUE = re.compile(
    r"\b(?:help\w*|better|best|faster|slower|quicker|worse|worth|useful|good|pays?|improves?|hurts?|matters?|saves?|"
    r"works?|reduce|less|more|try|use|using|add|apply)\b"
)
_FITTING = re.compile(r"\b(?:over|under)-?\s?fit\w*")
_HOW_GOOD = re.compile(
    r"^how (?:good|accurate|well|bad) (?:is|was|does|did) (?:my|our) "
    r"|^(?:what|which) (?:is |was |are )?(?:the |my |our )?(?:accuracy|error(?: rate)?|score)\b.*\b(?:my|our|i|we)\b"
)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run that ended well: what was trained on what, and what was found."""

    id: str
    recipe: str
    task: str
    data: str
    learner: str
    arch: str
    device: str
    size: int | None
    batch_size: int | None
    started: datetime
    findings: tuple[Finding, ...]


def measured(
    question: str,
    kind: AnswerKind,
    runs_dir: Path,
    offered: Sequence[RecipeOffer] | None = None,
    now: datetime | None = None,
) -> tuple[Measured, ...]:
    """What runs of a folder found of what a question asks, newest first, at most three.

    Runs that fit the question's words, on data of the user's own, are preferred; those of another
    task or phase than it names are left out.

    Parameters
    ----------
    question : str
        As it would be asked alone.
    runs_dir : Path
        The store's runs; it need not exist.
    offered : sequence of RecipeOffer or None
        The recipes that the question wishes for; None: found here.
    now : datetime or None
        With a time zone; None: now.
    """
    if not runs_dir.is_dir():
        return ()
    told = []
    for recipe, wanted in asked_of(question, kind, offered):
        runs = (run for run in _runs(runs_dir, recipe) if run.recipe == recipe)
        told.append(_fitting(runs, wanted, _plain(question)))
    one_of_each_first = chain.from_iterable(zip_longest(*told))
    facts = [fact for fact in one_of_each_first if fact is not None][:MOST]
    return tuple(_said(run, finding, now or datetime.now(UTC)) for run, finding in facts)


def asked_of(
    question: str, kind: AnswerKind, offered: Sequence[RecipeOffer] | None = None
) -> list[tuple[str, dict[str, Preset]]]:
    """Recipes whose finding a question asks for, by name, with what its words say of the run.

    >>> asked_of("which learning rate after unfreezing?", "fact"), asked_of("what is a learning rate?", "definition")
    ([('lr-find', {'phase': 'unfrozen'})], [])
    >>> [name for name, _ in asked_of("does mixup help?", "yesno") + asked_of("is my model overfitting?", "yesno")]
    ['regularise', 'training-flow']
    """
    asked = _plain(question)
    if kind in ("path", "next", "where", "empty") or vetoed(asked):
        return []
    least = WISHED if kind != "definition" else DEFINES if _MY_VALUE.match(asked) else VALUED
    wished = offers(question, ()) if offered is None else offered
    found = {offer.name: offer.params for offer in wished if offer.confidence >= least}
    judging = any(form.match(asked) for form in (_YES_NO, _HOW_MUCH, _HOW_GOOD))
    if found or not judging:  # asking the installed packages for recipes takes some milliseconds
        return list(found.items())
    judged = [
        (recipe, presets(recipe, asked))
        for recipe in recipes()
        if _judges(recipe.name, asked, recipe)
    ]
    return [(recipe.name, params) for recipe, params in judged if params is not None]


def _judges(name: str, asked: str, recipe: Any) -> bool:
    """Whether a question wants to know what a run tells although it does not ask for one."""
    subject = subject_of(recipe)
    yes_no = bool(_YES_NO.match(asked))
    if name == "training-flow":
        return bool(_HOW_GOOD.match(asked)) or bool(
            yes_no and _FITTING.search(asked) and _OWN.search(asked)
        )
    if subject.judged and subject.named.search(asked) and _VALUE.search(asked):
        marked = without_presets(subject.named.sub(" § ", asked))
        if _WORTH.match(" ".join(marked.split())):
            return True
    return yes_no and subject.wished is not None and bool(subject.wished.search(asked))


def _plain(question: str) -> str:
    return " ".join(question.lower().replace("’", "'").split()).strip(" ?.!")


def _fitting(
    runs: Iterable[_Run], wanted: Mapping[str, Preset], asked: str
) -> list[tuple[_Run, Finding]]:
    """Of runs, newest first, what fits a question best: one for each task, data, network and
    phase.
    """
    ranked: dict[int, dict[tuple[str, ...], tuple[_Run, Finding]]] = {}
    for run in runs:
        if wanted.get("task", run.task) != run.task:
            continue
        new: dict[tuple[int, str], list[Finding]] = {}
        for finding in _about(run.findings, asked):
            if not finding.phase or wanted.get("phase") in (None, "both", finding.phase):
                new.setdefault((_misfits(run, finding, wanted), finding.phase), []).append(finding)
        for (misfits, phase), same in new.items():
            key = (run.task, run.data, run.learner, run.arch, phase)
            ranked.setdefault(misfits, {}).setdefault(key, (run, _joined(same)))
        if len(ranked.get(0, ())) >= MOST:
            break
    return list(ranked[min(ranked)].values()) if ranked else []


def _about(findings: Sequence[Finding], asked: str) -> Sequence[Finding]:
    named = [
        one
        for one in findings
        if one.about and one.about in asked.replace("-", " ").replace("mix up", "mixup")
    ]
    return named or [one for one in findings if not one.about]


def _misfits(run: _Run, finding: Finding, wanted: Mapping[str, Preset]) -> int:
    """How much of what a question names was otherwise in a run; a sample of ours is not the asker's
    data either.
    """
    size = finding.size or run.size
    sizes = str(wanted.get("sizes") or wanted.get("size") or "")
    pairs: tuple[tuple[object, object], ...] = (
        (wanted.get("arch"), run.arch),
        (wanted.get("batch_size"), run.batch_size),
        (wanted.get("device"), run.device),
        (wanted.get("precision"), finding.precision),
    )
    wrong = sum(bool(named and was and named != was) for named, was in pairs)
    wrong += bool(sizes and size and str(size) not in sizes.split(","))
    return wrong + (not run.data and not run.learner)


def _joined(same: Sequence[Finding]) -> Finding:
    """Findings of one run for one phase as one; what each lists is listed together."""
    first, *others = same
    values = dict(first.values)
    for other in others:
        values |= {
            k: [*values.get(k, []), *v] for k, v in other.values.items() if isinstance(v, list)
        }
    shown = [one.words for one in same[:MOST]]
    more = f"; {len(same) - MOST} more" if len(same) > MOST else ""
    return replace(first, words="; ".join(shown) + more, values=values)


def _said(run: _Run, finding: Finding, now: datetime) -> Measured:
    own = run.learner or run.data
    on = (
        "On your learner"
        if run.learner
        else "On your data"
        if run.data
        else "On the built-in sample"
    )
    arch = (
        f"arch {run.arch.replace(',', '-')}" if run.arch[:1].isdigit() else run.arch
    )  # 200,100: widths of layers
    details = [_base(own), arch or run.task] if own else [run.task, arch]
    date = f"{run.started.day} {_MONTHS[run.started.month - 1]}"
    date += f" {run.started.year}" if run.started.year != now.year else ""
    where = f" on {run.device}" if run.device else ""
    of = ", ".join(part for part in (*details, finding.phase) if part)
    text = f"{on} ({of}): {finding.words}, measured {date}{where}."
    return Measured(run.id, text, run.recipe, finding.values, max(0, (now - run.started).days))


def _base(path: str) -> str:
    """The last part of a path, of whichever system."""
    return one_line(re.split(r"[\\/]", path.rstrip("\\/"))[-1] or path)


def _runs(runs_dir: Path, recipe: str) -> Iterator[_Run]:
    """The runs of a recipe that ended well, newest first; what cannot be read is passed over."""
    try:
        with os.scandir(runs_dir) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return
    named = [(when, name) for name in names if (when := _when(name, recipe)) is not None]
    for _, name in sorted(named, reverse=True)[:LOOKED_AT]:
        folder = runs_dir / name
        try:
            seen = (folder / RESULT).stat()
        except OSError:
            continue
        if stat.S_ISREG(seen.st_mode) and seen.st_size <= RESULT_BYTES:
            run = _read(str(folder), seen.st_mtime_ns, seen.st_size)
            if run is not None:
                yield run


def _when(name: str, recipe: str) -> str | None:
    """When a run began by its folder's name; None of another recipe's, "" of a renamed one, which
    may be of any.
    """
    match = _RUN.fullmatch(name)
    if match is None:
        return ""
    return match["when"] if match["recipe"] == recipe else None


@lru_cache(maxsize=1024)
def _read(folder: str, written_ns: int, size: int) -> _Run | None:
    """The run of a folder, read once for each state of its result; None where there is nothing to
    say.
    """
    path = Path(folder)
    stored, spec = read_json(path / RESULT), read_json(path / SPEC)
    if stored is None or spec is None or not isinstance(spec.get("params"), dict):
        return None
    try:
        result = result_from(stored, path)
        started = datetime.fromisoformat(str(spec.get("started", "")))
    except (ValueError, OverflowError):
        return None
    findings = findings_of(result) if result.status == "ok" else ()
    if not findings:
        return None
    params, values = spec["params"], result.values
    return _Run(
        path.name,
        result.recipe,
        one_line(result.task or spec.get("task", "")),
        str(params.get("data") or ""),
        str(params.get("learner") or ""),
        one_line(values.get("arch") or params.get("arch") or ""),
        one_line(result.device, 20),
        _whole(values.get("size")),
        _whole(values.get("batch_size")),
        started if started.tzinfo else started.replace(tzinfo=UTC),
        findings,
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
