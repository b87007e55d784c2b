"""What a run's result says in a few words, recipe by recipe.

Results lie in folders that anybody may have written: what does not hold up says nothing. Which runs
are looked at, and when, is left to `app.answering.measured.measured`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from executors.amounts import show_bytes, show_rate
from executors.runs.result import RunResult

__all__ = ["Finding", "findings_of", "one_line"]

MOST_CHARS = 160  # of what a recipe from elsewhere says
_NAMED = 3  # files, or kinds of memory, that are named


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a run found.

    Parameters
    ----------
    words : str
        One line of plain text that follows "On your data (…):".
    values : dict
        The same for machines, in terms of JSON.
    phase, precision : str
        What it holds for; "" where that makes no difference.
    size : int or None
        Image size in px it holds for, where a run has several.
    about : str
        Said only where a question has this word; "" for what answers any question about the recipe.
    """

    words: str
    values: dict[str, Any] = field(default_factory=dict)
    phase: str = ""
    precision: str = ""
    size: int | None = None
    about: str = ""


def findings_of(result: RunResult) -> tuple[Finding, ...]:
    """What a result says; nothing where its values are damaged, or not what its recipe writes."""
    say = _RECIPES.get(result.recipe)
    if say is None:
        return _elsewhere(result.message)
    try:
        return say(result.values)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        return ()


def one_line(text: object, most: int = 60) -> str:
    """Text that others wrote as one printable line of at most so many characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)[: 10 * most]).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("no number")
    return float(value)


def _count(value: object) -> int:
    number = _number(value)
    if number != int(number) or number < 0:
        raise ValueError("no count")
    return int(number)


def _word(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("no text")
    return one_line(value)


def _score(name: object) -> str:
    return _word(name).replace("_", " ")


def _rate(value: object) -> str:
    """A learning rate as people write it."""
    lr = _number(value)
    if lr <= 0:
        raise ValueError("no learning rate")
    return show_rate(lr)


def _lr_find(values: Mapping[str, Any]) -> tuple[Finding, ...]:
    said = []
    alike = values.get("groups") == 1
    for name, found in values["phases"].items():
        phase = "both" if alike else _word(name)
        rate = found["recommended"]
        if isinstance(rate, list | tuple):
            low, high = rate
            words = f"learning rates from {_rate(low)} to {_rate(high)}, as a slice"
        else:
            words = f"learning rate {_rate(rate)}"
        words += ", frozen or not, for the network is a single group of layers" if alike else ""
        said.append(Finding(words, {"learning_rate": rate, "phase": phase}, "" if alike else phase))
    return tuple(said)


def _batch_size(values: Mapping[str, Any]) -> tuple[Finding, ...]:
    rows = values["plan"]
    precisions = {row["precision"] for row in rows}
    said = []
    for row in rows:
        best, largest, precision = (
            _count(row["recommended"]),
            _count(row["largest"]),
            _word(row["precision"]),
        )
        size = None if row["size"] is None else _count(row["size"])
        words = f"batch size {best}" + (f" at {size} px" if size else "")
        words += f" in {precision}" if precisions != {"float32"} else ""
        bound = row["bound"] == "memory"
        if largest > best:
            words += f" (the largest that fits: {largest})" if bound else f" ({largest} fits too)"
        elif bound:
            words += " (the largest that fits)"
        found = {"size": size, "precision": precision, "recommended": best, "largest": largest}
        said.append(Finding(words, {"plan": [found]}, _word(row["phase"]), precision, size))
    return tuple(said)


_VERDICTS = {
    "overfitting": "the model overfits",
    "underfitting": "the model underfits",
    "still improving": "the model was still improving",
    "fits": "the model fits",
}


def _training_flow(values: Mapping[str, Any]) -> tuple[Finding, ...]:
    verdict, score = values["verdict"]["word"], values["score"]
    reached = values["best"]["metrics"].get(score, values["best"]["valid_loss"])
    words = _VERDICTS.get(verdict, _word(verdict))
    if reached is not None:
        words += f", {_score(score)} {_number(reached):.3g}"
    return (Finding(words, {"verdict": _word(verdict), "score": _word(score), "value": reached}),)


def _regularise(values: Mapping[str, Any]) -> tuple[Finding, ...]:
    """The best way for any question, and for one that names a way what that way is worth."""
    rows = {_word(row["name"]): _number(row["score"]) for row in values["rows"]}
    plain, *others = rows
    best, score, chance = _word(values["best"]), _score(values["score"]), _number(values["chance"])
    without = rows[plain]
    upward = 1 if rows[best] > without else -1  # which way is better shows in the best
    said: list[Finding] = []
    for name in (best, *others):
        gain = abs(rows[name] - without)
        better = best != plain and (rows[name] - without) * upward > 0
        worth = "makes no clear difference" if gain <= chance else "helps" if better else "hurts"
        words = f"{name} {worth}: {score} {rows[name]:.3g}, without {without:.3g}"
        if best == plain == name:
            words = f"nothing tried is better than no regularisation ({score} {without:.3g})"
        found = {
            "way": name,
            "score": score,
            "value": rows[name],
            "without": without,
            "chance": chance,
        }
        about = re.sub(r" [\d.e+-]+$", "", name) if said else ""
        said.append(Finding(words, found, about=about))
    return tuple(said)


def _mixed_precision(values: Mapping[str, Any]) -> tuple[Finding, ...]:
    plain, *others = values["rows"]
    score, best = _score(values["score"]), _word(values["best"])
    parts = []
    for row in others:
        speed = _number(row["samples_per_s"]) / _number(plain["samples_per_s"])
        memory = _number(row["peak_bytes"]) / max(1.0, _number(plain["peak_bytes"]))
        part = f"{_word(row['precision'])} is {speed:.2g} times as fast as float32 with {memory:.2g} times the memory"
        if row["score"] is None:
            part += ", and its loss was no number any more"
        elif plain["score"] is not None:
            part += f" ({score} {_number(row['score']):.3g}, float32 {_number(plain['score']):.3g})"
        parts.append(part)
    rows = [
        {k: row[k] for k in ("precision", "samples_per_s", "peak_bytes", "score")}
        for row in values["rows"]
    ]
    words = "; ".join(parts) or "this device has float32 only, and no 16 bits to compare with"
    return (Finding(words, {"best": best, "rows": rows}),)


def _progressive_resizing(values: Mapping[str, Any]) -> tuple[Finding, ...]:
    score, parts, ways = _score(values["score"]), [], []
    for way in values["ways"]:
        name, reached, seconds = _word(way["name"]), _number(way["score"]), _number(way["seconds"])
        parts.append(f"{reached:.3g} in {seconds:.0f} s with {name}")
        ways.append({"way": name, "value": reached, "seconds": seconds})
    if not parts:
        return ()
    return (Finding(f"{score} {', '.join(parts)}", {"score": score, "ways": ways}),)


def _init_check(values: Mapping[str, Any]) -> tuple[Finding, ...]:
    trouble = {
        _word(way): [_word(one.split(" (")[0]) for one in found]
        for way, found in values["trouble"].items()
    }
    own = trouble["as built"]
    words = "as built, the signal neither vanishes nor explodes"
    if own:
        words = f"as built, activations are {', '.join(own)}"
        mended = [way for way, found in trouble.items() if not found]
        if mended and not values.get("pretrained"):
            words += f"; {' and '.join(mended)} mend{'s' if len(mended) == 1 else ''} it"
    return (Finding(words, {"trouble": own}),)


def _clean_data(values: Mapping[str, Any]) -> tuple[Finding, ...]:
    doubts, proposed = values["doubts"], _count(values["proposed"])
    moved = [d for d in doubts if d["proposal"] != "keep"][:_NAMED]
    if not proposed:
        listed = f"{len(doubts)} to look at {'is' if len(doubts) == 1 else 'are'} listed"
        return (Finding(f"no sample looks mislabelled; {listed}", {"proposed": 0}),)
    named = [
        f"{_word(d['file'])} (labelled {_word(d['label'])}, looks like {_word(d['proposal'])})"
        for d in moved
    ]
    verb = "sample looks" if proposed == 1 else "samples look"
    words = f"{proposed} {verb} mislabelled{', such as' if proposed > len(named) else ':'} {', '.join(named)}"
    files = [{k: d[k] for k in ("file", "label", "proposal")} for d in moved]
    return (Finding(words, {"proposed": proposed, "samples": files}),)


def _free_memory(values: Mapping[str, Any]) -> tuple[Finding, ...]:
    holdings = {_word(kind): _count(amount) for kind, amount in values["holdings"].items()}
    most = sorted((kind for kind in holdings if holdings[kind]), key=lambda kind: -holdings[kind])[
        :_NAMED
    ]
    if not most:
        return ()
    parts = ", ".join(f"{kind} {show_bytes(holdings[kind])}" for kind in most)
    words = f"after training the network holds {show_bytes(sum(holdings.values()))} ({parts})"
    return (Finding(words, {"holdings": holdings}),)


def _elsewhere(message: str) -> tuple[Finding, ...]:
    """Of a recipe that does not come with Gradus, the first sentence of what it says."""
    first = one_line(re.split(r"(?<=[.!?])\s", message.strip(), maxsplit=1)[0], MOST_CHARS).rstrip(
        "."
    )
    return (Finding(first, {"message": first}),) if first else ()


_RECIPES: dict[str, Callable[[Mapping[str, Any]], tuple[Finding, ...]]] = {
    "batch-size": _batch_size,
    "clean-data": _clean_data,
    "free-memory": _free_memory,
    "init-check": _init_check,
    "lr-find": _lr_find,
    "mixed-precision": _mixed_precision,
    "progressive-resizing": _progressive_resizing,
    "regularise": _regularise,
    "training-flow": _training_flow,
}
