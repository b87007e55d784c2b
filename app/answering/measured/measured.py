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

from app.answering.measured.findings import findings_of
from app.answering.offers.offers import names_only
from app.answering.offers.presets import Preset
from app.answering.offers.wishes import Wish
from executors.recipe import recipes
from executors.runs.folder import RESULT, SPEC, read_json
from executors.runs.result import result_from
from executors.runs.stored_findings import Finding, one_line
from kg.linking import key
from kg.types import AnswerKind, Measured

__all__ = ["asked_of", "measured"]

MOST = 3
LOOKED_AT = 64  # newest runs of a recipe
RESULT_BYTES = 2_000_000  # a larger result is none of ours
TOLD_FROM = 0.45  # chance of a wish from which its recipe's runs are spoken of
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_RUN = re.compile(r"(?P<when>\d{8}T\d{6}Z)-(?P<recipe>.+)-[0-9a-f]{6}")


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
    wish: Wish, kind: AnswerKind, runs_dir: Path, now: datetime | None = None
) -> tuple[Measured, ...]:
    """What runs of a folder found of what a question asks, newest first, at most three.

    Runs that fit the question's words, on data of the user's own, are preferred; those of another
    task or phase than it names are left out.

    Parameters
    ----------
    wish : Wish
        What the question says of runs.
    runs_dir : Path
        The store's runs; it need not exist.
    now : datetime or None
        With a time zone; None: now.
    """
    if not runs_dir.is_dir():
        return ()
    told = []
    for recipe in asked_of(wish, kind):
        runs = (run for run in _runs(runs_dir, recipe) if run.recipe == recipe)
        told.append(_fitting(runs, wish.params.get(recipe) or {}, wish.words))
    one_of_each_first = chain.from_iterable(zip_longest(*told))
    facts = [fact for fact in one_of_each_first if fact is not None][:MOST]
    return tuple(_said(run, finding, now or datetime.now(UTC)) for run, finding in facts)


def asked_of(wish: Wish, kind: AnswerKind) -> list[str]:
    """Recipes whose finding a question asks for, by name, surest first.

    Who asks only what something is, or where it is told, asks for no finding.
    """
    if kind in ("path", "next", "where", "empty"):
        return []
    sure = {name: chance for name, chance in wish.chances.items() if chance >= TOLD_FROM}
    if sure and kind == "definition":
        sure = {
            r.name: sure[r.name] for r in recipes() if r.name in sure and not names_only(wish, r)
        }
    does = [name for name in sure if wish.params.get(name, {}) is not None]
    return sorted(does, key=lambda name: -sure[name])


def _fitting(
    runs: Iterable[_Run], wanted: Mapping[str, Preset], words: frozenset[str]
) -> list[tuple[_Run, Finding]]:
    """Of runs, newest first, what fits a question best: one for each task, data, network and
    phase.
    """
    ranked: dict[int, dict[tuple[str, ...], tuple[_Run, Finding]]] = {}
    for run in runs:
        if wanted.get("task", run.task) != run.task:
            continue
        new: dict[tuple[int, str], list[Finding]] = {}
        for finding in _about(run.findings, words):
            if not finding.phase or wanted.get("phase") in (None, "both", finding.phase):
                new.setdefault((_misfits(run, finding, wanted), finding.phase), []).append(finding)
        for (misfits, phase), same in new.items():
            key = (run.task, run.data, run.learner, run.arch, phase)
            ranked.setdefault(misfits, {}).setdefault(key, (run, _joined(same)))
        if len(ranked.get(0, ())) >= MOST:
            break
    return list(ranked[min(ranked)].values()) if ranked else []


def _about(findings: Sequence[Finding], words: frozenset[str]) -> Sequence[Finding]:
    """The findings that the question's words name, else those that answer any question."""
    named = [one for one in findings if one.about and words >= {*key(one.about)}]
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
