"""Parameters of a recipe that a question's words decide: the task, the network, sizes, memory,
device and so on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from app.answering.offers.preset_numbers import epochs_of, numbers
from app.answering.offers.preset_words import (
    TASKS,
    arch_of,
    learner_of,
    networks,
    switches,
    target_of,
    task_of,
    y_range_of,
)
from executors.parameters import Parameter, check_value
from executors.recipe import Recipe
from executors.tasks import IMAGE_TASKS

__all__ = ["Preset", "presets", "without_presets", "without_values"]

Preset = str | int | float | bool
_UNFROZEN = re.compile(
    r"\bunf(?:reez\w*|rozen)\b|\bdiscriminative\b|\b(?:whole|entire|full) (?:model|network|net)\b"
    r"|\ball (?:the )?layers\b",
    re.I,
)
_FROZEN = re.compile(
    r"\b(?:freez\w*|frozen)\b|\bbefore unf|\b(?:new |only the |just the |the )head\b|\bhead[ -]only\b|\blast layers?\b",
    re.I,
)
_BOTH = re.compile(
    r"\bfrozen\b.{0,80}\b(?:and|then)\b.{0,80}\bunfrozen\b|\bunfrozen\b.{0,80}\band\b.{0,80}\bfrozen\b|\bboth phases\b"
    r"|\bbefore and after unf",
    re.I,
)
_PRECISIONS = (
    ("bfloat16", re.compile(r"\bb(?:f|float) ?-?16\b|\bto_bf16\b", re.I)),
    (
        "float16",
        re.compile(r"\b(?:fp|float) ?-?16\b|\bto_fp16\b|\bhalf[ -]?precision\b|\bin half\b", re.I),
    ),
    (
        "float32",
        re.compile(r"\b(?:fp|float) ?-?32\b|\bfull precision\b|\bsingle precision\b", re.I),
    ),
)
_MIXED = re.compile(r"\bmixed[ -]?precision\b|\b16[ -]?bits?\b|\bamp\b", re.I)
_PX = r"(?:px|pixels?)"
_STEP = r"(?:\s*,\s*(?:and |then )?|\s*(?:/|→|->|–|-)\s*|\s*,?\s+(?:and then|and|then|to|up to|over|via|or|before)\s+)"
_GOING = (
    r"(?:\s*,?\s+(?:and |then |and then )?(?:go(?:ing)? |grow(?:ing)? |move )?(?:up |on )?to\s+)"
)
_JOIN = rf"(?:{_STEP}|{_GOING})"
_AFTER = r"(?![a-z%]|\.\d|\s?(?:epochs?|gb|gigs?|mb|%|percent|samples|images|photos|pictures|batch|steps|rows|classes)\b)"  # noqa: E501
_LISTED = re.compile(
    rf"\b(\d{{2,4}}(?:\s?{_PX})?(?:{_JOIN}\d{{2,4}}(?:\s?{_PX})?)*)\s?{_PX}(?![a-z])", re.I
)
_PLAIN_LIST = re.compile(
    rf"(?<![\d.,])\b(\d{{2,4}}(?:\s?{_PX})?(?:{_JOIN}\d{{2,4}}(?:\s?{_PX})?)+)\b{_AFTER}", re.I
)
_ARROWS = re.compile(
    rf"(?<![\d.,])\b(\d{{2,4}}(?:(?:\s*(?:→|->|=>)\s*|\s*,?\s+(?:and )?then\s+(?:at )?)\d{{2,4}})+)\b{_AFTER}",
    re.I,
)
# "a unet at 256, bs 8" and "resnet50, 224, bs 128": a side as networks take it, said of nothing
# else
_END = r"(?=\s*(?:$|[,;?!)]|\.(?!\d)|(?:with|in|on|for|using|first|all|without|when|if)\b))"
_AT = re.compile(rf"\bat (\d{{2,4}})\b{_END}(?!\s*,\s*\d)", re.I)
_ITEM = re.compile(r",\s*(\d{3})(?=\s*(?:$|[,;]))")
_BATCH_LIST = re.compile(
    r"\b(?:bs|batch[ -]?sizes?|batches)\s*(?:of|=|:|is|to)?\s*\d{1,5}"
    r"(?:(?:\s*,\s*(?:and |or )?|\s+(?:and|or|to|vs\.?|versus)\s+)\d{1,5})+\b(?!\s?(?:px|pixel|epoch|repeats|seeds))",
    re.I,
)
_EFFECTIVE = re.compile(r"\beffective[ -]batch(?:[ -]?size)?\s*(?:of|=|:|is|to)?\s*\d{1,7}\b", re.I)
# sides that networks were made for, and that hardly any batch has
_SIDES = frozenset(
    re.findall(r"\d+", "112 160 192 224 240 260 288 299 300 320 331 336 380 384 448")
)
_SQUARE = re.compile(r"\b(\d{2,4})\s?[x×*]\s?\d{2,4}\b")
_SIZE_IS = re.compile(
    r"(?<!batch )(?<!batch-)\b(?:(?:image|input|picture) sizes?|resolution|sz)\s?(?:of|=|is|:)?\s?(\d{2,4})\b",
    re.I,
)
_RESIZING = re.compile(r"\bresiz|\bsizes\b|\bpx\b|\bpixels?\b|\bresolutions?\b", re.I)
_BATCH = re.compile(
    r"\b(?:bs|batch[ -]?sizes?|batch(?:es)?)\s*(?:of|=|:|is|to)?\s*(\d{1,5})\b(?!\s?(?:px|pixel|gb|mb|x\s?\d|epoch))",
    re.I,
)
_RATE = re.compile(
    r"\b(?:lr|learning[ -]?rate|weight[ -]?decay|wd)s?\s*(?:of|=|:|is)?\s*\d[\d.]*(?:e-?\d+)?\b",
    re.I,
)
_AMOUNT = re.compile(
    r"\b(\d{1,4}(?:\.\d+)?)\s?(g|m)(?:i?b|igs?|igabytes?|egabytes?)\b"
    r"(?!\s+(?:of )?(?:data|images|pictures|text|files?|csv|dataset))",
    re.I,
)
_CARD = re.compile(
    r"\bcuda:(\d{1,2})\b|\b(?:gpu|card)[ #](?:no\.? ?)?(\d)\b(?!\s?(?:gb|g\b|mb))", re.I
)
_CPU = re.compile(r"\bcpus?\b|\bwithout (?:an? )?(?:gpu|card)\b|\bno gpu\b", re.I)
_MPS = re.compile(
    r"\bmps\b|\bapple silicon\b|\bm[1-5] (?:mac|pro|max|chip|macbook)|\bmacbook", re.I
)
_EPOCHS = re.compile(
    r"\b(?:\d{1,4}|one|two|three|four|five|six|seven|eight|nine|ten|twenty)[ -]epochs?\b", re.I
)


_SPOKEN = (
    _BATCH, _RATE, _LISTED, _SQUARE, _SIZE_IS, _PLAIN_LIST, _AMOUNT, _CARD, _CPU, _MPS, _EPOCHS, _MIXED, _BOTH,
    _UNFROZEN, _FROZEN,
)  # fmt: skip


def presets(recipe: Recipe, question: str) -> dict[str, Preset] | None:
    """Parameters that a question's words decide, only ones that the recipe has; None when it is for
    other tasks.

    >>> from executors.recipe import find_recipe
    >>> presets(find_recipe("lr-find"), "what lr after unfreezing, with bs 32 at 128 px?")
    {'phase': 'unfrozen', 'batch_size': 32, 'size': 128}
    """
    known = {parameter.name: parameter for parameter in recipe.parameters}
    task = _task(question)
    if task and "task" in known and task not in known["task"].choices:
        return None
    said = _read(recipe, known, question, task)
    about = str(said.get("task") or (known["task"].default if "task" in known else ""))
    out: dict[str, Preset] = {}
    for name, value in said.items():
        parameter = known.get(name)
        if parameter is None or (parameter.tasks and about not in parameter.tasks):
            continue
        try:
            check_value(parameter, value)
        except (ValueError, OverflowError):
            continue
        out[name] = value
    return out


def _read(
    recipe: Recipe, known: Mapping[str, Parameter], question: str, task: str
) -> dict[str, Preset]:
    """What the question says of parameters, also of ones that the recipe has not, or not for the
    task.
    """
    said: dict[str, Preset] = {}
    if task and "task" in known:
        said["task"] = task
    for name, read in _READERS.items():
        value = read(question)
        if (
            name == "precision"
            and value is None
            and recipe.name != "mixed-precision"
            and _MIXED.search(question)
        ):
            value = "float16"
        if value is not None:
            said[name] = value
    if said.get("learner") and "learner" in known:
        said["task"] = "learner"
    said |= epochs_of(question, split="epochs_frozen" in known)
    arch = arch_of(question, task)
    if arch:
        said["arch"] = arch
    sizes = _sizes(networks().sub(" ", question), rising=recipe.name == "progressive-resizing")
    if sizes:  # the number in "densenet 169, 299 px" is no size
        said["sizes"] = ",".join(map(str, sizes))
    if len(sizes) == 1:
        said["size"] = sizes[0]
    return said | switches(question) | numbers(known.values(), question)


def without_values(question: str) -> str:
    """A question without what is given in it: "which lr with bs 64?" asks for no batch size.

    >>> without_values("which lr with bs 64?"), without_values("epochs for a learning rate of 1e-3")
    ('which lr with  ?', 'epochs for a  ')
    """
    return _RATE.sub(" ", _BATCH.sub(" ", question))


def without_presets(question: str) -> str:
    """A question without the words that decide parameters.

    >>> without_presets("batch size for a unet (resnet 34) at 256 px").split()
    ['batch', 'size', 'for', 'a', '(', ')', 'at']
    """
    for words in (networks(), *_SPOKEN, *(words for _, words in (*TASKS, *_PRECISIONS))):
        question = words.sub(" ", question)
    return question


def _task(question: str) -> str:
    task = task_of(question)
    if task and task not in IMAGE_TASKS and arch_of(question, ""):
        return ""  # a network for images, whose labels may well stand in a CSV file
    return task


def _phase(question: str) -> str | None:
    if _BOTH.search(question):
        return "both"
    # "before unfreezing" speaks of unfreezing too.
    if _UNFROZEN.search(question) and not re.search(r"\bbefore (?:i )?unf", question, re.I):
        return "unfrozen"
    return "frozen" if _FROZEN.search(question) else None


def _precision(question: str) -> str | None:
    found = [name for name, words in _PRECISIONS if words.search(question)]
    return found[0] if len(found) == 1 else None  # "float16 or bfloat16?" decides nothing


def _batch(question: str) -> int | None:
    found = _BATCH.search(
        _BATCH_LIST.sub(" ", _EFFECTIVE.sub(" ", question))
    )  # "batch size 32 or 64?" asks
    return int(found[1]) if found else None


def _memory(question: str) -> str | None:
    found = {f"{amount[1]}{amount[2].upper()}B" for amount in _AMOUNT.finditer(question)}
    return found.pop() if len(found) == 1 else None  # "6 of 24 GB are taken" needs a calculation


def _device(question: str) -> str | None:
    card = _CARD.search(question)
    if card:
        return f"cuda:{card[1] or card[2]}"
    return "cpu" if _CPU.search(question) else "mps" if _MPS.search(question) else None


def _sizes(question: str, rising: bool) -> list[int]:
    """Image sizes in px, smallest first; plain numbers are taken for sizes where these are to
    rise.
    """
    text = _BATCH.sub(" ", _BATCH_LIST.sub(" ", _EFFECTIVE.sub(" ", question)))
    pieces = [*_LISTED.findall(text), *_SQUARE.findall(text), *_SIZE_IS.findall(text)]
    if rising or _RESIZING.search(text):
        pieces += _PLAIN_LIST.findall(text)
    usual = [
        n
        for n in _ARROWS.findall(text)
        if all(int(side) % 16 == 0 for side in re.findall(r"\d+", n))
    ]
    usual += [n for n in _AT.findall(text) if int(n) % 32 == 0 or n in _SIDES]
    usual += [
        n for n in _ITEM.findall(text) if n in _SIDES or (int(n) % 32 == 0 and _batch(question))
    ]
    sides = (int(n) for piece in (*pieces, *usual) for n in re.findall(r"\d+", piece))
    return sorted({side for side in sides if 32 <= side <= 2048})


_READERS: dict[str, Callable[[str], Preset | None]] = {
    "phase": _phase,
    "precision": _precision,
    "batch_size": _batch,
    "memory_limit": _memory,
    "device": _device,
    "learner": learner_of,
    "target": target_of,
    "y_range": y_range_of,
}
